"""How much of t.me's posts arrives in Discord, counted.

Every post of a page goes through Disgram's parser and renderer; two readers that share nothing with them say
what a person sees before and after, and the two are compared: words in order, formatting, links, line breaks,
files. Every message is posted to a stand-in that refuses what Discord refuses. Owns the way there;
comparison.py owns what is compared.
"""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

from disgram.addresses import Destination
from disgram.discord.client import DiscordClient
from disgram.discord.message import DiscordMessage
from disgram.discord.render import render
from disgram.post import ChannelPage, MediaFile, TelegramPost
from disgram.telegram.page import parse_post, split_posts
from standins.discord.lint import violations
from standins.discord.rate_limits import Rates
from standins.discord.server import DiscordStandIn
from standins.telegram.media_files import content_type
from tests.builders import pages as frames
from tests.fidelity import seen_in_telegram
from tests.fidelity.comparison import Figures, judge
from tests.fidelity.seen_in_telegram import SeenPost

REAL_PAGES = Path(__file__).parents[3] / "shared" / "telegram-pages"
CHANNEL = "harbour"
COLOR = 0x5865F2
FILE = b"a file"


def rendered(post: TelegramPost) -> list[DiscordMessage]:
    """The messages of a post whose files are all at hand."""
    fetched = {
        index: MediaFile(len(FILE), content_type(Path(media.url.partition("?")[0]).name))
        for index, media in enumerate(post.media)
        if media.url
    }
    # Link buttons stand below the text, away from the buttons beside them.
    return render(post, color=COLOR, fetched=fetched, link_buttons=False)


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


WITHOUT_POSTS = ("channel-info", "no-posts-found", "landing", "nonexistent", "not-found", "2018")


def real_pages() -> list[Path]:
    """The pages beside the repository that hold posts; none where there are none."""
    found = sorted(REAL_PAGES.glob("**/*.html"))
    return [path for path in found if not any(mark in path.name for mark in WITHOUT_POSTS)]
