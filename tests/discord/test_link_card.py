"""Link previews as embeds, or as lines of text."""

from __future__ import annotations

from dataclasses import replace

import pytest

from disgram.discord.message_limits import acceptable_url
from disgram.discord.render import Fallback
from disgram.post import Button, Buttons, LinkPreview, Media, MediaFile, MediaKind, Run, Text
from tests.discord.rendering import COLOR, PREVIEW, checked, embeds, post, text, words


def test_link_preview_is_an_embed_of_its_own() -> None:
    message = checked(
        post(text("See"), PREVIEW, Buttons(((Button("Go", "https://a.b"),),)), signature="Tom")
    )[0]
    first, card = message.payload["embeds"]
    assert first["description"] == "See"
    assert card == {
        "color": COLOR,
        "url": "https://example.com/story",
        "author": {"name": "Example"},
        "title": r"A \*story\*",
        "description": "About **cats**",
        "image": {"url": "attachment://cats-daily-7-1.jpg"},
    }
    assert first["footer"] == {"text": "Tom"}


def test_link_preview_without_a_title_is_linked_by_its_site() -> None:
    preview = replace(PREVIEW, title="", large=False)
    card = embeds(checked(post(preview)))[1]
    assert card["author"] == {"name": "Example", "url": "https://example.com/story"}
    assert card["thumbnail"] == {"url": "attachment://cats-daily-7-1.jpg"}


def test_link_preview_of_the_post_itself_has_no_url() -> None:
    card = embeds(checked(post(text("Hi"), replace(PREVIEW, url="https://t.me/cats_daily/7"))))[1]
    assert "url" not in card


def test_link_preview_has_a_line_for_a_video_without_a_file() -> None:
    film = Media(MediaKind.VIDEO, "https://example.org/f", duration="0:30")
    preview = LinkPreview("https://example.org/f", "Films", media=(film,), large=True)
    told = "🎬 **[Video](https://example.org/f)** · 0:30"
    for files, image in (({}, False), ({0: MediaFile(10, "image/jpeg")}, True)):
        _, card = embeds(checked(post(text("x"), preview), files))
        assert card["description"] == told
        assert ("image" in card) is image
    _, card = embeds(checked(post(text("x"), preview), {0: MediaFile(10, "video/mp4")}))
    assert "description" not in card
    assert "🎬 Video (https://example.org/f) · 0:30" in words(checked(post(preview), fallback=Fallback.TEXT))


def test_two_link_previews_of_one_url_go_into_two_messages() -> None:
    shown = checked(post(text("Hi"), PREVIEW, replace(PREVIEW, title="Again")))
    assert [len(message.payload["embeds"]) for message in shown] == [2, 1]


@pytest.mark.parametrize(
    "preview",
    [
        replace(PREVIEW, title="x" * 300),
        replace(PREVIEW, site="x" * 300),
        replace(PREVIEW, url="tg://resolve?domain=x"),
        replace(PREVIEW, url="https://[x"),
        replace(PREVIEW, url="https://localhost/"),
        replace(PREVIEW, url="https://a.b:99999/"),
        replace(PREVIEW, title="", site=""),
        replace(PREVIEW, description=(Run("_" * 3000),)),
        replace(PREVIEW, url="https://example.com/" + "x" * 2100),
    ],
)
def test_link_preview_that_fits_no_embed_becomes_lines_of_text(preview: LinkPreview) -> None:
    messages = checked(post(text("Before"), preview, text("After")))
    shown = words(messages)
    parts = [
        "Before",
        preview.site,
        preview.title,
        "".join(run.text for run in preview.description)[:200],
        "After",
    ]
    assert [part for part in parts if part not in shown] == []
    assert sum(len(message.uploads) for message in messages) == 1
    assert not any("title" in embed for embed in embeds(messages))


WORDLESS = replace(PREVIEW, site="", title="", description=())
HIDDEN_LINK = Text((Run("\u200b", href=WORDLESS.url), Run("Look")))


def test_preview_of_a_picture_alone_is_shown_as_the_posts_own_picture() -> None:
    [message] = checked(post(HIDDEN_LINK, WORDLESS))
    (embed,) = message.payload["embeds"]
    assert embed["image"] == {"url": "attachment://cats-daily-7-1.jpg"}
    assert embed["description"].strip("\u200b") == "Look"
    assert "example.com" not in words([message])


@pytest.mark.parametrize("large", [True, False])
def test_small_picture_alone_is_shown_like_a_large_one(large: bool) -> None:
    (embed,) = embeds(checked(post(HIDDEN_LINK, replace(WORDLESS, large=large))))
    assert "image" in embed


def test_preview_of_a_video_alone_is_a_file_of_the_post() -> None:
    film = Media(MediaKind.VIDEO, WORDLESS.url, url="https://cdn4.telesco.pe/file/v")
    [message] = checked(post(HIDDEN_LINK, replace(WORDLESS, media=(film,))))
    assert len(message.uploads) == len(message.payload["embeds"]) == 1


@pytest.mark.parametrize("fallback", [Fallback.FILES, Fallback.LINKS])
def test_picture_alone_that_is_not_at_hand_is_a_line_without_an_address(fallback: Fallback) -> None:
    preview = replace(WORDLESS, media=(replace(WORDLESS.media[0], link=WORDLESS.url),))
    (embed,) = embeds(checked(post(HIDDEN_LINK, preview), {}, fallback=fallback))
    assert embed["description"].strip("\u200b") == "Look\n\n🖼️ **[Photo](https://example.com/story)**"


def test_preview_without_words_or_media_is_its_address() -> None:
    assert WORDLESS.url in words(checked(post(text("x"), replace(WORDLESS, media=()))))


def test_footer_stands_in_the_posts_own_embed_and_not_below_the_card() -> None:
    own, card = embeds(checked(post(text("See"), PREVIEW, signature="Tom", edited=True)))
    assert own["footer"] == {"text": "Tom · edited"}
    assert "timestamp" in own
    assert card.keys().isdisjoint({"footer", "timestamp"})


def test_footer_of_a_long_text_with_a_card_stands_below_its_last_part() -> None:
    shown = embeds(checked(post(text("word " * 1000), PREVIEW, signature="Tom")))
    assert ["footer" in embed for embed in shown] == [False, True, False]


@pytest.mark.parametrize(
    ("url", "accepted"),
    [
        ("https://example.com/a|b{c}d^e\\f`g", "https://example.com/a%7Cb%7Bc%7Dd%5Ee%5Cf%60g"),
        ("https://example.com/plain?q=1#x", "https://example.com/plain?q=1#x"),
        ("https://e..com/", None),
        ("https://.com/", None),
        ("https://exa|mple.com/", None),
        ("https://localhost/", None),
        ("https://example.com/" + "|" * 1000, None),
    ],
)
def test_url_is_percent_encoded_or_left_out(url: str, accepted: str | None) -> None:
    assert acceptable_url(url) == accepted
