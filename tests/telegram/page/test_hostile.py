"""Broken and hostile pages: only our own errors, in linear time."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.errors import DisgramError, PageNotUnderstood
from disgram.post import ChannelPage
from disgram.telegram.page import parse_post, split_page, split_posts
from tests.builders import pages
from tests.telegram.page.reading import BUSY, REACTIONS

KINDS = pages.page(
    pages.post(1, pages.forward("Pier"), *BUSY, voters="3", below=pages.keyboard((("a", ""),))),
    pages.post(3, pages.reply("A", "q"), pages.text("<pre>x</pre><blockquote>y</blockquote>")),
    pages.post(4, pages.animated_sticker()),
    pages.post(5, pages.location("a", "b"), pages.round_video(), pages.document(5, "a", "b")),
    pages.post(6, pages.link_preview('<div class="link_preview_title">T</div>'), reactions=REACTIONS),
)


@st.composite
def mangled(draw: st.DrawFn) -> str:
    """The page with parts removed, doubled, or replaced by characters that markup consists of."""
    html = KINDS
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(html)))
        end = min(len(html), start + draw(st.integers(0, 300)))
        rubbish = st.text("<>\"'/=& \n\x00ab:()?é\ud800", max_size=8)
        html = html[:start] + draw(st.sampled_from(["", html[start:end] * 2]) | rubbish) + html[end:]
    return html


@given(mangled())
@settings(deadline=None)
def test_mangled_page_raises_only_our_own_errors(html: str) -> None:
    try:
        page = split_page(html, "harbour")
    except DisgramError:
        page = ChannelPage("harbour", "", None, split_posts(html))
    for post_slice in page.slices:
        with suppress(DisgramError):
            parse_post(post_slice, page)


@pytest.mark.parametrize("tag", ["<b>", "<div>", "<blockquote>", '<a href="?">', "<tg-spoiler>", "<i><b>"])
def test_very_deep_nesting_raises_only_our_own_errors(tag: str) -> None:
    (one,) = split_posts(pages.post(5, pages.text(tag * 5000 + "deep")))
    with suppress(PageNotUnderstood):
        parse_post(one, ChannelPage("harbour", "", None, ()))


REPEATED = [
    "<",
    "<div ",
    '<div data-post="',
    '<div data-post="a/1"',
    "<svg",
    "<a \n",
    " ",
    "a",
    ' a="',
    '<a class="tgme_widget_message_date"',
    '<div class="tgme_widget_message_reactions ',
    "<code>  ",
]


@pytest.mark.parametrize("rubbish", REPEATED)
def test_hostile_page_is_read_in_about_linear_time(rubbish: str) -> None:
    """Half a million characters that patterns begin with: a quadratic search would take minutes."""
    html = rubbish * (500_000 // len(rubbish))
    with pytest.raises(PageNotUnderstood):
        split_page(html, "harbour")
    for post_slice in split_posts(pages.post(5, pages.text(html)))[:1]:
        with suppress(PageNotUnderstood):
            parse_post(post_slice, ChannelPage("harbour", "", None, ()))
