"""`python -m bench.fidelity [pages…]`: how much of t.me's posts arrives in Discord, counted.

Every post of every page (default: the real ones beside the repository) goes through Disgram's parser and
renderer; two readers that share nothing with them say what a person sees before and after, and the two are
compared: words in order, formatting, links, line breaks, files. Every message is posted to a stand-in
that refuses what Discord refuses. Owns the way there (comparison.py owns what is compared) and the table.
"""

from __future__ import annotations

import argparse
import io
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from bench import seen_in_telegram
from bench.comparison import Figures, judge
from bench.seen_in_telegram import SeenPost
from demo.discord import DiscordStandIn
from demo.discord_limits import Rates
from disgram.addresses import Destination
from disgram.discord.client import DiscordClient
from disgram.discord.message import DiscordMessage
from disgram.discord.render import render
from disgram.post import (
    ChannelPage,
    MediaFile,
    MediaKind,
    TelegramPost,
)
from disgram.telegram.page import parse_post, split_posts
from tests import pages as frames
from tests.discord_rules import violations

REAL_PAGES = Path(__file__).parents[2] / "shared" / "telegram-pages"
CHANNEL = "harbour"
COLOR = 0x5865F2
FILE = b"a file"
_ABOUT = "How much of t.me's posts arrives in Discord."
_TYPES = {".jpg": "image/jpeg", ".webp": "image/webp", ".mp4": "video/mp4", ".webm": "video/webm",
          ".ogg": "audio/ogg", ".tgs": "application/x-tgsticker"}  # fmt: skip


def rendered(post: TelegramPost) -> list[DiscordMessage]:
    """The messages of a post whose files are all at hand."""
    fetched = {
        index: MediaFile(len(FILE), _type(media.url, media.kind))
        for index, media in enumerate(post.media)
        if media.url
    }
    return render(post, color=COLOR, fetched=fetched)


def _type(url: str, kind: MediaKind) -> str:
    suffix = Path(url.partition("?")[0]).suffix
    return _TYPES.get(suffix, "image/jpeg" if kind is MediaKind.PHOTO else "video/mp4")


class Judge:
    """Judges pages; posts every message to a stand-in for Discord. Use it in a `with`."""

    def __init__(self) -> None:
        free = (1_000_000, 1.0)
        self._discord = DiscordStandIn(rates=Rates(webhook=free, everything=free))
        webhook = self._discord.add_webhook(self._discord.add_channel("fidelity"))
        self._destination = Destination.parse(webhook.url, extra_hosts=[self._discord.host])
        self._client = DiscordClient()

    def __enter__(self) -> Judge:
        self._discord.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()
        self._discord.stop()

    def page(self, html: str) -> Figures:
        """A page, or a fragment of one; a fragment without a frame gets one."""
        found = seen_in_telegram.elements(html)
        if not found:
            html = frames.post(5, html)
            found = seen_in_telegram.elements(html)
        pieces = {piece.id: piece for piece in split_posts(html)}
        page = ChannelPage(CHANNEL, "Harbour", None, tuple(pieces.values()))
        figures = Figures()
        for element in found:
            number = seen_in_telegram.number_of(element)
            post = parse_post(pieces[number], page)
            figures.add(self.post(seen_in_telegram.see(element, CHANNEL), post))
        return figures

    def post(self, before: SeenPost, post: TelegramPost) -> Figures:
        messages = rendered(post)
        figures = judge(before, post, messages)
        for message in messages:
            problems = [*self._refusals(message)]
            figures.refused += bool(problems)
            figures.problems += [f"refused: {problem}" for problem in problems]
        figures.problems = [f"{post.id}: {problem}" for problem in figures.problems]
        return figures

    def _refusals(self, message: DiscordMessage) -> Iterator[str]:
        yield from violations(message.payload, [(one.filename, len(FILE)) for one in message.uploads])
        files = {upload.media: io.BytesIO(FILE) for upload in message.uploads}
        if error := self._client.execute(self._destination, message, files).error:
            yield str(error)


def report(figures: Figures) -> str:
    """The figures as a table."""
    kinds = ("words", "styles", "links", "line_breaks", "blanks", "media")
    rows = [f"{'posts':14}{figures.posts:>8}   in {figures.messages} messages"]
    for kind in kinds:
        whole, kept = getattr(figures, kind), getattr(figures, f"{kind}_kept")
        rows.append(f"{kind.replace('_', ' '):14}{kept:>8} of {whole} ({100 * kept / (whole or 1):.1f} %)")
    rows += [f"{kind:14}{getattr(figures, kind):>8}" for kind in ("accidental", "surplus", "refused")]
    return "\n".join(rows)


WITHOUT_POSTS = ("channel-info", "no-posts-found", "landing", "nonexistent", "not-found", "2018")


def pages_under(paths: Iterable[Path]) -> list[Path]:
    """The files named, and the pages in the folders named that hold posts."""
    found: list[Path] = []
    for path in paths:
        inside = sorted(path.glob("**/*.html")) if path.is_dir() else [path]
        found += [one for one in inside if path == one or not any(mark in one.name for mark in WITHOUT_POSTS)]
    return found


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m bench.fidelity", description=_ABOUT)
    parser.add_argument("pages", nargs="*", type=Path, default=[REAL_PAGES], help="or fragments, or folders")
    parser.add_argument("--problems", action="store_true", help="tell each thing that is not as it was")
    options = parser.parse_args(arguments)
    whole = Figures()
    with Judge() as judged:
        for path in pages_under(options.pages):
            figures = judged.page(path.read_text(encoding="utf-8"))
            whole.add(figures)
            for problem in figures.problems if options.problems else ():
                print(path.name, problem)
    print(report(whole))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
