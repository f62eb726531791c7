"""Posts built from markup and read by the page reader, for the tests of it."""

from __future__ import annotations

from disgram.post import Block, Media, TelegramPost
from disgram.telegram.page import parse_post, split_page
from tests.builders import pages

ALBUM = pages.album(pages.photo(5), pages.video(6), caption="a <b>caption</b>")
BUSY = (
    pages.forward("Pier", "https://t.me/pier/1"),
    ALBUM,
    pages.voice(5),
    pages.poll("?", "Poll", ("a", "5%")),
)
REACTIONS = (
    '<div class="tgme_widget_message_reactions js-message_reactions"><span class="tgme_reaction">'
    f'{pages.emoji("👏")}5</span><span class="tgme_reaction tgme_reaction_paid">9</span></div>'
)


def read(html: str, channel: str = pages.CHANNEL) -> TelegramPost:
    """The only post of a page."""
    page = split_page(pages.page(html), channel)
    (piece,) = page.slices
    return parse_post(piece, page)


def blocks(*content: str, **frame: str) -> tuple[Block, ...]:
    return read(pages.post(5, *content, **frame)).blocks


def block(*content: str, **frame: str) -> Block:
    (only,) = blocks(*content, **frame)
    return only


def media(*content: str) -> Media:
    only = block(*content)
    assert isinstance(only, Media)
    return only
