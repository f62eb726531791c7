"""`python -m disgram.replay page.html`: print the messages that a saved page, or a part of one, would give.

Prints JSON: for each post its payloads and the URLs of their files, so that a page shown wrongly can be
reported and examined. Fetches nothing and sends nothing.
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
from disgram.post import ChannelPage, Media, MediaFile, MediaKind, PostSlice, TelegramPost, Unknown
from disgram.telegram.page import parse_post, split_page, split_posts

COLOR = 0x5865F2
EXIT_NOT_A_PAGE = 1
_CHANNEL_NAME = re.compile(r'data-post="([^"/<>]+)/')
_ELEMENT = re.compile(r"\s*<(?!!|html\b)[a-z]", re.IGNORECASE)
_FRAME = '<div class="tgme_widget_message" data-post="{}/1">{}</div>'
_TYPE_OF_SUFFIX = {"mp4": "video/mp4", "webm": "video/webm", "ogg": "audio/ogg", "webp": "image/webp"}
_TYPE_OF_SUFFIX |= {"tgs": "application/x-tgsticker", "jpg": "image/jpeg"}
_TYPE_OF_KIND = {MediaKind.VOICE: "audio/ogg", MediaKind.PHOTO: "image/jpeg", MediaKind.STICKER: "image/webp"}


def main(arguments: list[str]) -> int:
    """Exit code 0; 1 with a line on stderr if the file is not a page or has no such post; 2: bad usage."""
    options = _options(arguments)
    try:
        raw = sys.stdin.buffer.read() if options.page == "-" else Path(options.page).read_bytes()
        page = page_of(raw.decode("utf-8", "replace"))
        posts = [replay(each, page, links=options.links) for each in _chosen(page, options.post)]
    except (OSError, DisgramError) as error:
        print(f"{options.page}: {error}", file=sys.stderr)
        return EXIT_NOT_A_PAGE
    print(json.dumps(posts, ensure_ascii=False, indent=2))
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m disgram.replay",
        description="Print the messages that a saved page of t.me would give.",
    )
    parser.add_argument("page", help="the file; - for standard input")
    parser.add_argument("--post", type=int, metavar="N", help="only this post")
    parser.add_argument("--links", action="store_true", help="as if no file could be fetched: links instead")
    return parser.parse_args(arguments)


def page_of(html: str) -> ChannelPage:
    """A whole preview page, or a part of one: posts, an embed, or an element saved under DATA_DIR/layout,
    which becomes a post of its own. Raises what `split_page` raises for anything else."""
    found = _CHANNEL_NAME.search(html)
    name = found[1] if found else "channel"
    try:
        return split_page(html, name)
    except PageNotUnderstood:
        slices = split_posts(html if found or not _ELEMENT.match(html) else _FRAME.format(name, html))
        if not slices:
            raise
        return ChannelPage(name, name, None, slices)


def _chosen(page: ChannelPage, post_id: int | None) -> list[PostSlice]:
    found = [each for each in page.slices if post_id is None or post_id in each.ids]
    if post_id is not None and not found:
        ids = ", ".join(str(each.id) for each in page.slices)
        raise PageNotUnderstood(f"there is no post {post_id}; the page has {ids or 'none'}")
    return found


def replay(post_slice: PostSlice, page: ChannelPage, *, links: bool) -> dict[str, Any]:
    """One post: its messages, and the CSS classes of elements that no reader understood."""
    post = parse_post(post_slice, page)
    fetched = {} if links else as_if_fetched(post)
    fallback = Fallback.LINKS if links else Fallback.FILES
    messages = render(post, color=COLOR, fetched=fetched, fallback=fallback)
    unknown = [block.css_class for block in post.blocks if isinstance(block, Unknown)]
    replayed = {"post": post.url, "messages": [_message(message, post) for message in messages]}
    return replayed | ({"not_understood": unknown} if unknown else {})


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


def as_if_fetched(post: TelegramPost) -> dict[int, MediaFile]:
    """As if every file had been fetched, with the media type that its name or else its kind suggests."""
    return {index: MediaFile(1, _type(media)) for index, media in enumerate(post.media) if media.url}


def _type(media: Media) -> str:
    suffix = Path((media.url or "").partition("?")[0]).suffix[1:]
    return _TYPE_OF_SUFFIX.get(suffix) or _TYPE_OF_KIND.get(media.kind, "video/mp4")


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # no traceback after `… | head`
    sys.exit(main(sys.argv[1:]))
