"""`python -m disgram.replay page.html`: the messages that a saved page, or a piece of one, would give.

Prints JSON, so that a page that comes out wrong can be reported and looked into: one object for each post,
its payloads and the addresses of their files. Fetches nothing and sends nothing; owns no rule of either.
"""

from __future__ import annotations

import argparse
import json
import re
import signal
import sys
from pathlib import Path
from typing import Any

from disgram.discord.message import DiscordMessage
from disgram.discord.render import Fallback, render
from disgram.errors import DisgramError, PageNotUnderstood
from disgram.post import (
    ChannelPage,
    Media,
    MediaFile,
    MediaKind,
    PostSlice,
    TelegramPost,
    Unknown,
)
from disgram.telegram.page import parse_post, split_page, split_posts

COLOR = 0x5865F2
EXIT_NOT_A_PAGE = 1
_NAME = re.compile(r'data-post="([^"/<>]+)/')
_ELEMENT = re.compile(r"\s*<(?!!|html\b)[a-z]", re.IGNORECASE)
_FRAME = '<div class="tgme_widget_message" data-post="{}/1">{}</div>'
_TYPES = {"mp4": "video/mp4", "webm": "video/webm", "ogg": "audio/ogg", "webp": "image/webp"}
_TYPES |= {"tgs": "application/x-tgsticker", "jpg": "image/jpeg"}
_BY_KIND = {MediaKind.VOICE: "audio/ogg", MediaKind.PHOTO: "image/jpeg", MediaKind.STICKER: "image/webp"}


def main(arguments: list[str]) -> int:
    """0, or 1 with a line on stderr when the file is no page or lacks the post asked for; 2 for bad usage."""
    options = _options(arguments)
    try:
        raw = sys.stdin.buffer.read() if options.page == "-" else Path(options.page).read_bytes()
        page = page_of(raw.decode("utf-8", "replace"))
        shown = [replayed(piece, page, links=options.links) for piece in _wanted(page, options.post)]
    except (OSError, DisgramError) as error:
        print(f"{options.page}: {error}", file=sys.stderr)
        return EXIT_NOT_A_PAGE
    print(json.dumps(shown, ensure_ascii=False, indent=2))
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m disgram.replay",
        description="Print the messages that a saved page of t.me would give.",
    )
    parser.add_argument("page", help="the file; - for standard input")
    parser.add_argument("--post", type=int, metavar="N", help="only this post")
    parser.add_argument("--links", action="store_true", help="as if no file could be had: links instead")
    return parser.parse_args(arguments)


def page_of(html: str) -> ChannelPage:
    """A whole preview page, or a piece of one: posts, an embed, an element kept by the layout watch, which
    becomes a post of its own. Raises what `split_page` raises for anything else."""
    found = _NAME.search(html)
    name = found[1] if found else "channel"
    try:
        return split_page(html, name)
    except PageNotUnderstood:
        pieces = split_posts(html if found or not _ELEMENT.match(html) else _FRAME.format(name, html))
        if not pieces:
            raise
        return ChannelPage(name, name, None, pieces)


def _wanted(page: ChannelPage, number: int | None) -> list[PostSlice]:
    found = [piece for piece in page.slices if number is None or number in piece.ids]
    if number is not None and not found:
        numbers = ", ".join(str(piece.id) for piece in page.slices)
        raise PageNotUnderstood(f"there is no post {number}; the page has {numbers or 'none'}")
    return found


def replayed(piece: PostSlice, page: ChannelPage, *, links: bool) -> dict[str, Any]:
    """One post: its messages, and what of it was not understood."""
    post = parse_post(piece, page)
    fetched = {} if links else _all_at_hand(post)
    messages = render(
        post, color=COLOR, fetched=fetched, fallback=Fallback.LINKS if links else Fallback.FILES
    )
    unknown = [block.css_class for block in post.blocks if isinstance(block, Unknown)]
    shown = {"post": post.url, "messages": [_message(message, post) for message in messages]}
    return shown | ({"not_understood": unknown} if unknown else {})


def _message(message: DiscordMessage, post: TelegramPost) -> dict[str, Any]:
    files = [
        {
            "filename": upload.filename,
            "content_type": upload.content_type,
            "url": post.media[upload.media].url,
        }
        for upload in message.uploads
    ]
    return {"payload": message.payload} | ({"files": files} if files else {})


def _all_at_hand(post: TelegramPost) -> dict[int, MediaFile]:
    """As if every file had been fetched; its type is told by its name, or else by its kind."""
    return {index: MediaFile(1, _type(media)) for index, media in enumerate(post.media) if media.url}


def _type(media: Media) -> str:
    suffix = Path((media.url or "").partition("?")[0]).suffix[1:]
    return _TYPES.get(suffix) or _BY_KIND.get(media.kind, "video/mp4")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # `… | head` ends it quietly
    sys.exit(main(sys.argv[1:]))
