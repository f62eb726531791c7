"""What changes the fingerprint of a post, and what does not."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.telegram.page import fingerprint, split_page, split_posts
from disgram.telegram.page.fingerprint import compute, without_volatile
from tests.builders import pages
from tests.telegram.page.reading import BUSY, REACTIONS


def mark(*content: str, **frame: str) -> str:
    (post_slice,) = split_posts(pages.post(5, *content, **frame))
    return post_slice.fingerprint


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("?token=abc", "?token=xyz"),
        ("cdn4.telesco.pe/file", "cdn1.cdn-telegram.org/file/v2"),
        ("avatar.jpg", "new-avatar.jpg"),
        ('data-view="eyJjIjotMTAw5"', 'data-view="other"'),
        ('data-view="eyJjIjotMTAw5"', ""),
        ("text_not_supported_wrap", "user-color-12"),
        ("js-widget_message_wrap", "js-widget_message_wrap date_visible"),
        ("js-message_text", "js-message_text before_footer"),
        ("caption</b>", 'caption</b><span style="display: inline-block; width: 90px;"></span>'),
        ("1.2K", "1.3K"),
        ("Harbour News", "Harbour Daily"),
        ("width:19.4595%", "width:20%"),
    ],
)
def test_volatile_markup_does_not_change_the_fingerprint(old: str, new: str) -> None:
    html = pages.post(5, *BUSY)
    assert old in html
    assert fingerprint(html.replace(old, new)) == fingerprint(html)


def test_reactions_do_not_change_the_fingerprint() -> None:
    assert mark(*BUSY, reactions=REACTIONS) == mark(*BUSY)
    assert mark(*BUSY, reactions=REACTIONS.replace("5</span>", "6</span>")) == mark(*BUSY)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<b>caption</b>", "<b>captions</b>"),
        ("<b>caption</b>", "<i>caption</i>"),
        ("a <b>", "a<b>"),
        ("5%", "6%"),
        ("pier/1", "pier/2"),
        ("0:09", "0:10"),
        ("0,0,1,9", "0,0,1,8"),
        ('data-ratio="0.75"', 'data-ratio="1"'),
        ("message_video_play ", "x "),
    ],
)
def test_visible_change_changes_the_fingerprint(old: str, new: str) -> None:
    html = pages.post(5, *BUSY)
    assert old in html
    assert fingerprint(html.replace(old, new, 1)) != fingerprint(html)


def test_each_visible_addition_gives_another_fingerprint() -> None:
    plain_post = mark(pages.text("words"))
    seen = {
        plain_post,
        mark(pages.text("words"), meta="edited &nbsp;"),
        mark(pages.text("words"), below=pages.keyboard((("Buy", "https://example.org"),))),
        mark(pages.text("words"), pages.link_preview('<div class="link_preview_title">T</div>')),
        mark(pages.reply("A", "q"), pages.text("words")),
        mark(pages.photo(5), pages.text("words")),
        mark(pages.photo(5, numbers="5449765 126_4601"), pages.text("words")),
        mark(pages.poll("?", "Poll", ("a", "5%")), voters="5"),
        mark(pages.poll("?", "Poll", ("a", "6%")), voters="6"),
    }
    assert len(seen) == 9


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("?token=abc", "?token=xyz"),
        ("cdn4.telesco.pe/file", "cdn1.cdn-telegram.org/file/v2"),
        ('data-view="eyJjIjotMTAw5"', 'data-view="other"'),
        ("1.2K", "1.3K"),
    ],
)
def test_markup_that_differs_at_every_request_is_cut_before_hashing(old: str, new: str) -> None:
    html = pages.post(5, *BUSY)
    assert without_volatile(html.replace(old, new)) == without_volatile(html)


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("background-image:url('a.png')", "background-image:url('b.png')"),
        ('views">9', 'views">8'),
        ("<a href=\"https://example.org/url('a')\">x</a>", "<a href=\"https://example.org/url('b')\">x</a>"),
    ],
)
def test_text_that_looks_like_volatile_markup_changes_the_fingerprint(before: str, after: str) -> None:
    assert mark(pages.text(before)) != mark(pages.text(after))


SNIPPETS = st.sampled_from(
    ['"', "'", "<", ">", " ", "a", "url('", "')", ' style="', ' src="', ' data-view="', ' href="', "</div>",
     "<div ", '<span class="tgme_widget_message_views">', "</span>", "width:9px", "padding-top:5%"]
)  # fmt: skip


@given(st.lists(SNIPPETS, max_size=12).map("".join))
@settings(deadline=None)
def test_cutting_volatile_markup_does_not_change_the_fingerprint(text: str) -> None:
    """In tags of any kind and in texts of any content (quotes in them are escaped)."""
    value = text.replace('"', "&quot;").replace("<", "&lt;")
    for attribute in ("style", "src", "href", "data-view", "class", "title"):
        html = f'<div class="a">{value}<i {attribute}="{value}">{value}</i></div>'
        assert compute(without_volatile(html)) == compute(html)


def test_later_posts_do_not_change_the_fingerprint() -> None:
    alone = split_page(pages.page(pages.post(5, pages.text("a"))), "harbour")
    followed = split_page(pages.page(pages.post(5, pages.text("a")), pages.post(6)), "harbour")
    assert alone.slices[0].fingerprint == followed.slices[0].fingerprint


def test_count_on_a_button_of_a_bot_does_not_change_the_fingerprint() -> None:
    few, many = (
        f'<a class="tgme_widget_message_inline_button" href="https://t.me/harbour/5">'
        f'<span class="tgme_widget_message_inline_button_text">👍 {count}</span></a>'
        for count in ("4.8K", "4.9K")
    )
    assert fingerprint(few) == fingerprint(many)


def test_text_and_address_of_a_link_button_change_the_fingerprint() -> None:
    states = [
        pages.keyboard((("Order", "https://a.b"),)),
        pages.keyboard((("Buy", "https://a.b"),)),
        pages.keyboard((("Order", "https://a.b/2"),)),
    ]
    assert len({fingerprint(each) for each in states}) == 3


def live_location(part: str, *, point: str = "1,2") -> str:
    return (
        f'<a class="tgme_widget_message_location_wrap" href="https://maps.google.com/maps?q={point}">'
        '<div class="tgme_widget_message_location"></div><div class="tgme_widget_message_location_info">'
        f'<div class="tgme_widget_message_location_live">Live location</div>{part}</div></a>'
    )


@pytest.mark.parametrize(
    "part",
    [
        '<div class="tgme_widget_message_location_updated">updated 5 minutes ago</div>',
        '<span class="tgme_widget_message_location_time" dir="auto">updated <b>5</b> minutes ago</span>',
        '<time class="tgme_widget_message_location_period">5</time>',
    ],
)
def test_age_of_a_live_location_does_not_change_the_fingerprint(part: str) -> None:
    assert mark(live_location(part)) == mark(live_location(part.replace("5", "6")))


def test_place_of_a_live_location_changes_the_fingerprint() -> None:
    assert mark(live_location("", point="1,2")) != mark(live_location("", point="1,3"))


@pytest.mark.parametrize(("old", "new"), [("Cafe", "Bar"), ("Main Street", "Side Street"), ("z=16", "z=15")])
def test_title_address_and_map_of_a_venue_change_the_fingerprint(old: str, new: str) -> None:
    html = pages.location("Cafe", "Main Street")
    assert old in html
    assert mark(html) != mark(html.replace(old, new))
