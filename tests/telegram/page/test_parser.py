"""The frame of a post, and elements that the preview cannot show or that are unknown."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from disgram.post import ChannelPage, Forward, Media, MediaKind, Run, Style, Text, Unknown, Unsupported
from disgram.telegram.page import parse_post, split_posts
from tests.builders import pages
from tests.telegram.page.reading import blocks, read


def test_frame_gives_author_photo_and_date() -> None:
    post = read(pages.post(5, pages.text("a"), author=f"Harbour {pages.emoji('⚓')}"))
    assert (post.channel, post.id, post.ids, post.author) == ("harbour", 5, (5,), "Harbour ⚓")
    assert post.photo_url == f"{pages.CDN}/avatar.jpg"
    assert post.date == datetime(2026, 8, 6, 7, 59, 58, tzinfo=timezone.utc)
    assert (post.signature, post.edited, post.service) == ("", False, False)
    assert post.blocks == (Text(post.blocks[0].runs),)  # type: ignore[union-attr]


SIGNED = '<span class="tgme_widget_message_from_author" dir="auto">Ann edited</span>,&nbsp;'


@pytest.mark.parametrize(
    ("meta", "signature", "edited"),
    [
        ("edited &nbsp;", "", True),
        (SIGNED, "Ann edited", False),
        (SIGNED + "edited &nbsp;", "Ann edited", True),
    ],
)
def test_signature_and_edited_are_read_from_one_span(meta: str, signature: str, edited: bool) -> None:
    post = read(pages.post(5, pages.text("a"), meta=meta))
    assert (post.signature, post.edited) == (signature, edited)


@pytest.mark.parametrize("date", ["", "yesterday", "2026-13-45T00:00:00+00:00"])
def test_invalid_date_is_none(date: str) -> None:
    assert read(pages.post(5, pages.text("a"), date=date)).date is None


def test_date_without_a_zone_is_utc() -> None:
    post = read(pages.post(5, pages.video(5), date="2026-08-06T07:59:58"))
    assert post.date == datetime(2026, 8, 6, 7, 59, 58, tzinfo=timezone.utc)


def test_post_without_a_frame_has_the_channels_title_and_photo() -> None:
    post_slice = split_posts('<div class="tgme_widget_message" data-post="a/5"><p>words</p></div>')[0]
    post = parse_post(post_slice, ChannelPage("harbour", "The title", "https://x/photo.jpg", ()))
    assert (post.author, post.photo_url, post.date) == ("The title", "https://x/photo.jpg", None)
    assert post.blocks == (Unknown("", (Run("words"),), "<p>words</p>"),)


def test_unsupported_label_beside_content_is_dropped() -> None:
    found = blocks(pages.partly_supported(pages.text(f"hello {pages.custom_emoji('🤖')}")))
    assert [type(each) for each in found] == [Text]


@pytest.mark.parametrize("words", [pages.OPEN_TELEGRAM, "This media is not supported in the widget"])
def test_unsupported_label_alone_is_kept_once(words: str) -> None:
    assert blocks(pages.label(words)) == (Unsupported(words),)
    twice = pages.partly_supported() + pages.label(words)
    assert len(blocks(twice)) == 1


def test_unsupported_forward_keeps_its_source() -> None:
    found = blocks(pages.forward("Pier"), pages.label(pages.OPEN_TELEGRAM))
    assert found == (Forward("Pier"), Unsupported(pages.OPEN_TELEGRAM))


def test_unknown_element_keeps_its_text() -> None:
    found = blocks(pages.text("known"), '<div class="tgme_widget_message_hologram x">New<br/>kind</div>')
    assert found[1] == Unknown(
        "tgme_widget_message_hologram x",
        (Run("New\nkind"),),
        '<div class="tgme_widget_message_hologram x">New<br/>kind</div>',
    )


def test_unknown_element_keeps_its_links_and_files() -> None:
    html = (
        f'<a class="hologram" href="https://t.me/x/s/1">{pages.picture("hologram_image", "h.jpg")}'
        f"<div>New <b>kind</b></div></a>"
        '<div class="hologram"><a href="https://a.b/silent"></a>'
        f'{pages.picture("hologram_thumb", "t.jpg")}<video src="{pages.CDN}/h.mp4"></video></div>'
    )
    told, picture, silent, player = blocks(html)
    around = "https://t.me/x/s/1"
    assert isinstance(told, Unknown)
    assert told.runs == (Run("New ", href=around), Run("kind", frozenset({Style.BOLD}), around))
    assert isinstance(silent, Unknown)
    assert silent.runs == (Run("https://a.b/silent", href="https://a.b/silent"),)
    assert [(one.kind, one.url) for one in (picture, player) if isinstance(one, Media)] == [
        (MediaKind.PHOTO, f"{pages.CDN}/h.jpg"),
        (MediaKind.VIDEO, f"{pages.CDN}/h.mp4"),
    ]


def test_known_elements_in_an_unknown_wrapper_are_read() -> None:
    found = blocks(f'<div class="wrapper_2027">{pages.photo(5)}{pages.text("known")}</div>')
    assert [type(each) for each in found] == [Media, Text]


def test_empty_element_gives_no_block() -> None:
    assert blocks(pages.text("known"), '<div class="spacer"></div><!-- a remark -->') == blocks(
        pages.text("known")
    )
