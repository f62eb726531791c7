"""Replies, forwards, polls, locations, link previews, buttons and cards on a page."""

from __future__ import annotations

import pytest

from disgram.post import (
    Button,
    Buttons,
    Card,
    Forward,
    LinkPreview,
    Location,
    Media,
    MediaKind,
    Poll,
    PollOption,
    Reply,
    Run,
    Style,
    Text,
    Unknown,
    ViaBot,
    plain,
)
from tests.builders import pages
from tests.discord.rendering import checked, embeds
from tests.telegram.page.reading import block, blocks, read


def test_reply_has_author_link_and_quote() -> None:
    answered, said = blocks(pages.reply("Ann", "the <b>quote</b>"), pages.text("the answer"))
    assert isinstance(answered, Reply)
    assert (answered.url, answered.author) == ("https://t.me/harbour/7", "Ann")
    assert [run.text for run in answered.runs] == ["the ", "quote"]
    assert isinstance(said, Text)
    assert plain(said.runs) == "the answer"


@pytest.mark.parametrize(
    "quote_class",
    [
        "tgme_widget_message_text",
        "tgme_widget_message_metatext js-message_reply_text",
        "js-message_reply_text",
    ],
)
def test_quote_of_a_reply_is_found_by_any_of_three_classes(quote_class: str) -> None:
    answered = block(pages.reply("Ann", "Video", quote_class=quote_class))
    assert isinstance(answered, Reply)
    assert plain(answered.runs) == "Video"


def test_reply_with_a_malformed_attribute_is_read() -> None:
    """Second-hand: `data-bg-emoji="…""` on replies to other channels."""
    answered, said = blocks(
        pages.reply("Ann", "q").replace("<a class", '<a data-bg-emoji="5""  class'), pages.text("b")
    )
    assert isinstance(answered, Reply)
    assert isinstance(said, Text)


def test_forward_has_source_link_and_author() -> None:
    """The author in brackets was not seen, only reported."""
    found = blocks(
        pages.forward("Pier", "https://t.me/pier/1066"),
        pages.forward("Somebody"),
        pages.forward("Pier", "https://t.me/pier/9", author="Bob"),
        pages.text("b"),
    )
    assert found[:3] == (
        Forward("Pier", "https://t.me/pier/1066"),
        Forward("Somebody"),
        Forward("Pier", "https://t.me/pier/9", "Bob"),
    )


def test_via_bot_is_read_from_the_author_line_and_the_forward() -> None:
    """Not seen: the bot stands in the author's line, or in that of the forward."""
    found = blocks(pages.text("b"), author_line=pages.via_bot("vid"))
    assert found[0] == ViaBot("@vid", "https://t.me/vid")
    found = blocks(pages.forward("Pier").replace("</div>", pages.via_bot("gif") + "</div>"), pages.text("b"))
    assert found[:2] == (Forward("Pier"), ViaBot("@gif", "https://t.me/gif"))


def test_poll_has_question_kind_options_and_voters() -> None:
    votes = pages.poll(f"Tea &amp; {pages.emoji('☕')}?", "Anonymous Quiz", ("Tea", "16%"), ("Both", "84%"))
    assert block(votes, voters="1.1K") == Poll(
        "Tea & ☕?", "Anonymous Quiz", (PollOption("Tea", "16%"), PollOption("Both", "84%")), "1.1K"
    )


def test_location_has_a_url_and_a_venue_an_address() -> None:
    """The venue was not seen."""
    url = "https://maps.google.com/maps?q=-23.93,-44.08&ll=-23.93,-44.08&z=16"
    assert block(pages.location()) == Location(url)
    assert block(pages.location("Cafe", "Main Street")) == Location(url, "Cafe", "Main Street")


def test_large_link_preview_is_read_with_its_picture() -> None:
    inner = (
        '<div class="link_preview_site_name accent_color" dir="auto">Example</div>'
        + pages.picture("link_preview_image", "big.jpg")
        + '<div class="link_preview_title" dir="auto">A title</div>'
        f'<div class="link_preview_description" dir="auto">Line one<br>{pages.emoji("🔥")} two</div>'
    )
    card = block(pages.link_preview(inner))
    assert isinstance(card, LinkPreview)
    assert (card.url, card.site, card.title) == ("https://example.org/a?b=1&c=2", "Example", "A title")
    assert plain(card.description) == "Line one\n🔥 two"
    assert [(each.kind, each.url, each.link) for each in card.media] == [
        (MediaKind.PHOTO, f"{pages.CDN}/big.jpg", card.url)
    ]
    assert card.large


def test_small_link_preview_keeps_text_without_a_field() -> None:
    inner = (
        pages.picture("link_preview_right_image", "small.jpg")
        + '<div class="link_preview_title">T</div><div class="link_preview_price">5 €</div>'
    )
    card, reported = blocks(pages.link_preview(inner))
    assert isinstance(reported, Unknown)
    assert not reported.shown
    assert isinstance(card, LinkPreview)
    assert (card.large, card.media[0].url) == (False, f"{pages.CDN}/small.jpg")
    assert plain(card.description) == "5 €"


def test_link_preview_with_a_video_is_large() -> None:
    inner = (
        '<div class="link_preview_video_player js-message_video_player" style="width:55%;">'
        + pages.picture("link_preview_video_thumb", "t")
        + f'<video class="link_preview_video js-message_video" src="{pages.CDN}/v.mp4?token=abc"></video>'
        '<div class="message_video_play js-message_video_play"></div>'
        '<time class="message_video_duration js-message_video_duration">0:11</time></div>'
    )
    card = block(pages.link_preview(inner))
    assert isinstance(card, LinkPreview)
    (clip,) = card.media
    assert (clip.kind, clip.url, clip.preview_url, clip.duration) == (
        MediaKind.VIDEO,
        f"{pages.CDN}/v.mp4?token=abc",
        f"{pages.CDN}/t",
        "0:11",
    )
    assert card.large
    assert card.description == ()


def test_buttons_outside_the_bubble_are_read_in_rows() -> None:
    """Seen on a page of 2020; a button without a URL was never seen."""
    below = pages.keyboard(
        ((f"{pages.emoji('🛎️')} Order", "https://example.org/?a=1&amp;amp;b=2"), ("Ask", "")),
        (("More", "tg://resolve?domain=x"),),
    )
    assert blocks(pages.text("b"), below=below)[1] == Buttons(
        (
            (Button("🛎️ Order", "https://example.org/?a=1&b=2"), Button("Ask", None)),
            (Button("More", "tg://resolve?domain=x"),),
        )
    )


@pytest.mark.parametrize(
    ("css_class", "kind"),
    [
        ("tgme_widget_message_contact", "Contact"),
        ("tgme_widget_message_game", "Game"),
        ("tgme_widget_message_invoice", "Invoice"),
        ("tgme_widget_message_giveaway", "Giveaway"),
        ("tgme_widget_message_paid_media", "Paid media"),
        ("tgme_widget_message_story", "Story"),
    ],
)
def test_card_has_kind_text_link_and_picture(css_class: str, kind: str) -> None:
    """None was seen. The first three classes are those that other readers use; for giveaways, paid media and
    stories t.me is only known to show a label, so the last three are guesses by the same pattern."""
    html = (
        f'<a class="{css_class}" href="https://example.org/x">'
        f'<div class="{css_class}_title">Ann <b>B.</b></div>'
        + pages.picture(f"{css_class}_image", "c.jpg")
        + f'<div class="{css_class}_description">+1 555<br/>more</div></a>'
    )
    card, picture = blocks(html)
    assert card == Card(
        kind,
        (Run("Ann "), Run("B.", frozenset({Style.BOLD})), Run("\n+1 555\nmore")),
        "https://example.org/x",
    )
    assert isinstance(picture, Media)
    assert picture.url == f"{pages.CDN}/c.jpg"


@pytest.mark.parametrize("kind", ["contact", "game", "invoice", "giveaway", "paid_media", "story"])
def test_card_inside_a_link_is_one_card_with_that_link(kind: str) -> None:
    """Not seen."""
    css = f"tgme_widget_message_{kind}"
    html = (
        f'<a class="{css}_wrap" href="https://t.me/harbour/5"><div class="{css}">'
        f'<div class="{css}_name">Ann</div><div class="{css}_phone">+1 555</div></div></a>'
    )
    heading = kind.replace("_", " ").capitalize()
    assert block(html) == Card(heading, (Run("Ann\n+1 555"),), "https://t.me/harbour/5")


def test_button_that_links_to_the_post_itself_has_no_address() -> None:
    below = pages.keyboard((("👍 4.8K", f"https://t.me/{pages.CHANNEL}/5"), ("Other", "https://t.me/x/5")))
    keyboard = blocks(pages.text("b"), below=below)[1]
    assert keyboard == Buttons(((Button("👍 4.8K"), Button("Other", "https://t.me/x/5")),))


GAME_WORDS = (
    '<div class="tgme_widget_message_game_title">Tetris</div>'
    '<div class="tgme_widget_message_game_text">Blocks <i>fall</i></div>'
    '<div class="tgme_widget_message_game_label">Game</div>'
)
INVOICE_WORDS = (
    '<div class="tgme_widget_message_invoice_title">Shoes</div>'
    '<div class="tgme_widget_message_invoice_description">Brown</div>'
    '<div class="tgme_widget_message_invoice_label">INVOICE</div>'
    '<div class="tgme_widget_message_invoice_total">5 EUR</div>'
)


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        (GAME_WORDS, ["**Tetris**", "Blocks *fall*", "Game"]),
        (f'<div class="new">{GAME_WORDS}</div>', ["**Tetris**", "Blocks *fall*", "Game"]),
        (INVOICE_WORDS, ["**Shoes**", "Brown", "INVOICE", "5 EUR"]),
        (f'<div class="tgme_widget_message_invoice">{INVOICE_WORDS}</div>',
         ["**Invoice**", "Shoes", "Brown", "INVOICE", "5 EUR"]),
    ],
)  # fmt: skip
def test_words_of_a_game_and_an_invoice_are_lines(html: str, lines: list[str]) -> None:
    """Their classes stand in t.me's CSS; no page with them was seen."""
    of = read(pages.post(5, html))
    assert all(isinstance(each, Card) for each in of.blocks)
    assert embeds(checked(of, {}))[0]["description"].splitlines() == lines


@pytest.mark.parametrize("around", ["", "game", "game_wrap"])
def test_video_of_a_game_is_a_file_and_its_length_no_word(around: str) -> None:
    html = pages.game_video() + GAME_WORDS
    html = f'<div class="tgme_widget_message_{around}">{html}</div>' if around else html
    of = read(pages.post(5, html))
    (film,) = of.media
    assert (film.kind, film.url, film.preview_url, film.duration) == (
        MediaKind.VIDEO,
        f"{pages.CDN}/game.mp4?token=abc",
        f"{pages.CDN}/game.jpg",
        "0:09",
    )
    assert {type(each) for each in of.blocks} == {Card, Media}
    assert "0:09" not in "".join(plain(each.runs) for each in of.blocks if isinstance(each, Card))


def test_new_words_in_the_video_of_a_card_arrive_and_are_reported() -> None:
    html = pages.game_video().replace("</time>", '</time><div class="new">Level 5</div>')
    found = blocks(f'<div class="tgme_widget_message_game">{html}{GAME_WORDS}</div>')
    assert [(each.css_class, plain(each.runs)) for each in found if isinstance(each, Unknown)] == [
        ("new", "Level 5")
    ]


@pytest.mark.parametrize("around", ["", "contact", "contact_wrap"])
@pytest.mark.parametrize(
    "photo",
    [
        pages.picture("tgme_widget_message_contact_photo", "ann.jpg"),
        f'<i class="tgme_widget_message_contact_photo"><img src="{pages.CDN}/ann.jpg"></i>',
    ],
    ids=["background", "image"],
)
def test_photo_of_a_contact_is_a_file(photo: str, around: str) -> None:
    html = (
        f'{photo}<div class="tgme_widget_message_contact_name">Ann</div>'
        '<div class="tgme_widget_message_contact_phone">+1 555</div>'
    )
    html = f'<div class="tgme_widget_message_{around}">{html}</div>' if around else html
    of = read(pages.post(5, html))
    assert [each.url for each in of.media] == [f"{pages.CDN}/ann.jpg"]
    assert {type(each) for each in of.blocks} == {Card, Media}
    assert plain(tuple(run for each in of.blocks if isinstance(each, Card) for run in each.runs)).replace(
        "\n", ""
    ) == ("Ann+1 555")


@pytest.mark.parametrize(
    "html",
    [
        '<a class="tgme_widget_message_link_button" href="https://example.org/x">VIEW <b>IT</b></a>',
        '<div class="tgme_widget_message_link_button"><a href="https://example.org/x">VIEW IT</a></div>',
    ],
)
def test_link_button_is_a_button_with_its_link(html: str) -> None:
    """Its class stands in t.me's CSS; no page with one was seen."""
    assert block(html) == Buttons(((Button("VIEW IT", "https://example.org/x"),),))
    (message,) = checked(read(pages.post(5, pages.text("words"), html)))
    (row,) = message.payload["components"]
    assert [(each["label"], each["url"]) for each in row["components"]] == [
        ("VIEW IT", "https://example.org/x")
    ]


def test_link_button_of_a_link_preview_is_not_reported() -> None:
    inner = (
        '<div class="link_preview_title">T</div><div class="tgme_widget_message_link_button">VIEW IT</div>'
    )
    card = block(pages.link_preview(inner))
    assert isinstance(card, LinkPreview)
    assert plain(card.description) == "VIEW IT"
