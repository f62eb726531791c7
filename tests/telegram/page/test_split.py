"""Which posts a page of t.me has, and when it is not a preview page."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.errors import ChannelHasNoPreview, ChannelNotFound, PageNotUnderstood
from disgram.telegram.page import parse_post, split_page
from tests.builders import pages


def test_page_is_split_into_its_posts() -> None:
    html = pages.page(*(pages.post(n, pages.text(f"words of {n}")) for n in (3, 4, 9)), older=3)
    page = split_page(html, "harbour")
    assert (page.channel, page.title, page.older) == ("harbour", pages.TITLE, 3)
    assert page.photo_url == f"{pages.CDN}/harbour.jpg"
    assert [each.id for each in page.slices] == [3, 4, 9]
    assert all(f"words of {each.id}" in each.source for each in page.slices)
    assert not any("words of 4" in each.source for each in page.slices if each.id != 4)


def test_slices_are_ascending_and_unique_in_any_page() -> None:
    html = pages.page(pages.post(9), pages.post(3), pages.post(9, pages.text("again")))
    assert [each.id for each in split_page(html, "harbour").slices] == [3, 9]


@pytest.mark.parametrize("name", ["Harbour", "HARBOUR", "shipyard"])
def test_channel_name_in_the_page_may_differ_from_the_requested_one(name: str) -> None:
    page = split_page(pages.page(pages.post(7, channel=name)), "harbour")
    assert parse_post(page.slices[0], page).url == "https://t.me/harbour/7"


def test_link_to_older_posts_comes_from_the_head_or_the_list() -> None:
    posts = (pages.post(500),)
    assert split_page(pages.page(*posts, older=480, more_link=False), "harbour").older == 480
    assert split_page(pages.page(*posts, older=480).replace('rel="prev"', 'rel="x"'), "harbour").older == 480
    assert split_page(pages.page(*posts), "harbour").older is None


@pytest.mark.parametrize("photo", ["", "data:image/svg+xml;base64,PHN2Zz4="])
def test_channel_without_a_photo_has_no_photo_url(photo: str) -> None:
    assert split_page(pages.page(pages.post(1), photo=photo), "harbour").photo_url is None


def test_channel_title_is_unescaped_or_else_the_name() -> None:
    assert (
        split_page(pages.page(pages.post(1), title="Fish & Chips 🐟"), "harbour").title == "Fish & Chips 🐟"
    )
    assert split_page(pages.page(pages.post(1), title=""), "harbour").title == "harbour"


def test_page_older_than_the_oldest_post_is_empty() -> None:
    page = split_page(pages.page(pages.NO_POSTS), "harbour")
    assert page.slices == ()


def test_album_has_the_ids_in_its_items_links() -> None:
    """Ids are not computed: 12 was deleted. A link in the caption that looks like an item's is ignored."""
    caption = 'see <a href="https://t.me/harbour/77?single" target="_blank">this</a>'
    album = pages.album(pages.photo(10), pages.video(11), pages.photo(13), caption=caption)
    other = pages.photo(99).replace("t.me/harbour/", "t.me/elsewhere/")
    (post_slice,) = split_page(pages.page(pages.post(10, album, other, channel="Harbour")), "harbour").slices
    assert post_slice.ids == (10, 11, 13)
    assert post_slice.last_id == 13


def test_group_of_documents_has_the_ids_of_its_items() -> None:
    """Not seen: that the items have ids of their own is second-hand."""
    files = pages.document(20, "a.pdf", "1 MB") + pages.document(21, "b.pdf", "2 MB")
    (post_slice,) = split_page(pages.page(pages.post(20, files)), "harbour").slices
    assert post_slice.ids == (20, 21)


def test_service_posts_are_marked() -> None:
    page = split_page(
        pages.page(
            pages.post(1, pages.text("Channel created"), extra_class="service_message"),
            pages.post(2, pages.text("service_message")),
        ),
        "harbour",
    )
    assert [each.service for each in page.slices] == [True, False]
    assert parse_post(page.slices[0], page).service


@pytest.mark.parametrize(
    "html",
    [
        pages.landing("Telegram: View @python", action="View in Telegram", extra="97 957 members, 4 online"),
        pages.landing("Telegram: Contact @nikolai", action="Send Message", extra="@nikolai"),
        pages.landing("Telegram: Launch @BotFather", action="Start Bot", extra="8 122 955 monthly users"),
        pages.landing(
            "Telegram: View @durov", action="View in Telegram", extra="11 subscribers", preview=True
        ),
        pages.landing("Telegram: View @restricted", action="View in Telegram", named=False, preview=True),
    ],
    ids=["group", "user", "bot", "channel", "restricted"],
)
def test_landing_page_of_an_existing_name_raises_no_preview(html: str) -> None:
    with pytest.raises(ChannelHasNoPreview):
        split_page(html, "python")


def test_landing_page_of_an_unused_name_raises_channel_not_found() -> None:
    html = pages.landing("Telegram: Contact @zzq9x7v2", action="Send Message", named=False)
    with pytest.raises(ChannelNotFound):
        split_page(html, "zzq9x7v2")
    with pytest.raises(PageNotUnderstood):
        split_page(html.partition("</html>")[0], "zzq9x7v2")


@pytest.mark.parametrize(
    ("html", "said"),
    [
        ("", "0 characters"),
        ("<html><head><title>Just a moment...</title></head></html>", "Just a moment"),
        ('<div class="tgme_widget_message_error" dir="auto">Post not found</div></html>', "Post not found"),
        (pages.page(), "neither posts"),
        (pages.page(pages.post(1)).replace("tgme_channel_history", "tg_feed"), "not a preview page"),
        (pages.page(pages.post(1), pages.post(2).replace("data-post=", "data-id=")), "no number"),
        (pages.page(pages.post(1)).replace("</html>", ""), "cut off"),
    ],
)
def test_other_page_raises_page_not_understood_with_the_cause(html: str, said: str) -> None:
    with pytest.raises(PageNotUnderstood, match=said):
        split_page(html, "harbour")


WHOLE = pages.page(
    pages.post(1, pages.text("one<br/>two")), pages.post(2, pages.photo(2)), pages.NO_POSTS, older=1
)


@given(st.integers(0, WHOLE.index("</html>") + len("</html>") - 1))
@settings(deadline=None)
def test_page_cut_off_anywhere_raises_page_not_understood(length: int) -> None:
    with pytest.raises(PageNotUnderstood):
        split_page(WHOLE[:length], "harbour")


def test_page_without_its_trailing_comment_is_accepted() -> None:
    assert split_page(pages.page(pages.post(1), trailer=False), "harbour").slices


@pytest.mark.parametrize(
    "words",
    [
        'data-post="harbour/1"',
        "js-widget_message ",
        'class="js-widget_message" data-post="harbour/99"',
        '<a href="https://t.me/harbour/9">tgme_widget_message_photo_wrap</a>',
    ],
)
def test_words_of_a_post_that_look_like_attributes_are_text(words: str) -> None:
    html = pages.page(pages.post(5, pages.text(words)), pages.post(6, pages.text("next")))
    found = split_page(html, "harbour").slices
    assert [one.ids for one in found] == [(5,), (6,)]
    assert words in found[0].source


def test_posts_of_a_page_that_begins_with_the_newest_ascend() -> None:
    html = pages.page(*(pages.post(number, pages.text(f"words {number}")) for number in (9, 8, 5)))
    found = split_page(html, "harbour").slices
    assert [one.id for one in found] == [5, 8, 9]
    assert all(f"words {one.id}<" in one.source for one in found)


def test_album_item_is_recognised_by_either_name_of_the_site() -> None:
    album = pages.album(pages.photo(5), pages.photo(6)).replace("https://t.me/", "https://telegram.me/")
    assert split_page(pages.page(pages.post(5, album)), "harbour").slices[0].ids == (5, 6)


def test_absurd_id_of_an_album_item_is_none() -> None:
    album = pages.album(pages.photo(5), pages.photo(9_999_999_999))
    assert split_page(pages.page(pages.post(5, album)), "harbour").slices[0].ids == (5,)


@pytest.mark.parametrize(
    "inside", ["<section>a</section>", "</section>", "<section>", "<section><section></section>"]
)
def test_section_inside_a_post_does_not_end_the_page(inside: str) -> None:
    html = pages.page(
        pages.post(1, pages.text("a")), pages.post(2, pages.text(inside)), pages.post(3, pages.text("b"))
    )
    html = (
        html.replace("</html>", "<section>about</section></html>")
        if inside.startswith("<section>a")
        else html
    )
    assert [one.id for one in split_page(html, "harbour").slices] == [1, 2, 3]
