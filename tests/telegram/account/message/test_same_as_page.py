"""The same post read through an account and from t.me's page: the same blocks.

Left out of the comparison are addresses and identities of files, and sizes that only the account knows.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from disgram.post import Block, LinkPreview, Media
from tests.builders import pages
from tests.telegram.page import reading

pytest.importorskip("telethon")

from telethon.tl import types as tl

from tests.telegram.account.message import making
from tests.telegram.account.message.making import document, message, photo, service, video, words

PLAYED = tl.DocumentAttributeAudio(1660, voice=True)
ROUND = tl.DocumentAttributeVideo(12, 400, 400, round_message=True)
WAVE = (tl.DocumentAttributeVideo(3, 400, 400), tl.DocumentAttributeAnimated())
STICKER = tl.DocumentAttributeSticker("🐦", tl.InputStickerSetEmpty())
TABLE = document(tl.DocumentAttributeFilename("table.csv"), mime="text/csv", bytes_=53_862)
FORWARDED = tl.MessageFwdHeader(making.DATE, from_id=tl.PeerChannel(200), channel_post=1)
BUTTONS = tl.ReplyInlineMarkup(
    [
        tl.KeyboardInlineButtonRow(
            [
                tl.KeyboardInlineButton("Site", tl.InlineButtonTypeUrl("https://a.example/")),
                tl.KeyboardInlineButton("👍 5", tl.InlineButtonTypeCallback(b"like")),
            ]
        )
    ]
)
BUTTON_ROW = (
    '<div class="tgme_widget_message_inline_keyboard"><div class="tgme_widget_message_inline_row">'
    '<a class="tgme_widget_message_inline_button url_button" href="https://a.example/">'
    '<span class="tgme_widget_message_inline_button_text">Site</span></a>'
    '<a class="tgme_widget_message_inline_button" href="https://t.me/harbour/5">'
    '<span class="tgme_widget_message_inline_button_text">👍 5</span></a></div></div>'
)
CONTACT = (
    '<a class="tgme_widget_message_contact_wrap" href="https://t.me/harbour/5">'
    '<div class="tgme_widget_message_contact"><div class="tgme_widget_message_contact_name">Ann Lee</div>'
    '<div class="tgme_widget_message_contact_phone">+1555</div></div></a>'
)
PINNED = (
    '<a class="tgme_widget_message_author_name" href="https://t.me/harbour"><span dir="auto">Harbour News'
    '</span></a> pinned «<span class="tgme_widget_service_strong_text" dir="auto">Going to pin</span>»'
)
REPLY = (
    '<a class="tgme_widget_message_reply" href="https://t.me/harbour/3"><div class="'
    'tgme_widget_message_author accent_color"><span class="tgme_widget_message_author_name">'
    "Harbour News</span></div>"
    '<div class="tgme_widget_message_{kind} js-message_reply_text" dir="auto">{words}</div></a>'
)
ANSWER = tl.MessageReplyHeader(reply_to_msg_id=3)


def point(lat: float = -23.93, long: float = -44.08) -> Any:
    return tl.GeoPoint(long, lat, 0)


def voted(*votes: int, correct: int = -1) -> Any:
    results = [
        tl.PollAnswerVoters(
            bytes([index]), voters=count, correct=index == correct, recent_voters=[tl.PeerUser(1)]
        )
        for index, count in enumerate(votes)
    ]
    return tl.PollResults(results=results, total_voters=sum(votes))


def asked(question: str, *answers: str, **fields: Any) -> Any:
    options = [tl.PollAnswer(words(text), bytes([index])) for index, text in enumerate(answers)]
    return tl.Poll(1, words(question), options, 0, **fields)


SAME: list[tuple[str, Any, tuple[str, ...]]] = [
    ("text", message(text="hello"), (pages.text("hello"),)),
    ("photo", message(text="cap", media=photo()), (pages.photo(5), pages.text("cap"))),
    (
        "hidden photo",
        message(media=photo(spoiler=True)),
        (pages.photo(5, extra_class="message_media_spoiler"),),
    ),
    (
        "caption above",
        message(text="cap", media=photo(), invert_media=True),
        (pages.text("cap"), pages.photo(5)),
    ),
    ("video", message(media=video()), (pages.video(5),)),
    ("gif", message(media=document(*WAVE)), (pages.gif(5),)),
    ("round video", message(media=document(ROUND)), (pages.round_video(),)),
    ("voice", message(media=document(PLAYED, mime="audio/ogg")), (pages.voice(5),)),
    ("document", message(media=TABLE), (pages.document(5, "table.csv", "52.6 KB"),)),
    (
        "music",
        message(media=document(tl.DocumentAttributeAudio(99, title="Tide", performer="Gulls"))),
        (pages.document(5, "Tide", "Gulls", music=True),),
    ),
    ("sticker", message(media=document(STICKER, mime="image/webp")), (pages.sticker(),)),
    (
        "animated sticker",
        message(media=document(STICKER, mime="application/x-tgsticker")),
        (pages.animated_sticker(),),
    ),
    ("video sticker", message(media=document(STICKER, mime="video/webm")), (pages.video_sticker(),)),
    (
        "poll",
        message(media=tl.MessageMediaPoll(asked("Where?", "Here", "There"), voted(186, 36))),
        (pages.poll("Where?", "Anonymous Poll", ("Here", "84%"), ("There", "16%")),),
    ),
    (
        "public poll",
        message(media=tl.MessageMediaPoll(asked("Where?", "Here", public_voters=True), voted(222))),
        (pages.poll("Where?", "Poll", ("Here", "100%")),),
    ),
    (
        "quiz",
        message(media=tl.MessageMediaPoll(asked("Where?", "Here", quiz=True), voted(222))),
        (pages.poll("Where?", "Anonymous Quiz", ("Here", "100%")),),
    ),
    ("location", message(media=tl.MessageMediaGeo(point())), (pages.location(),)),
    ("live location", message(media=tl.MessageMediaGeoLive(point(), 900)), (pages.location(),)),
    (
        "venue",
        message(media=tl.MessageMediaVenue(point(), "Pier 4", "Quay Road", "", "", "")),
        (pages.location("Pier 4", "Quay Road"),),
    ),
    ("contact", message(media=tl.MessageMediaContact("1555", "Ann", "Lee", "", 0)), (CONTACT,)),
    (
        "forward",
        message(text="a", fwd_from=FORWARDED),
        (pages.forward("Pier", "https://t.me/pier/1"), pages.text("a")),
    ),
    (
        "forward from a hidden person",
        message(text="a", fwd_from=tl.MessageFwdHeader(making.DATE, from_name="Somebody")),
        (pages.forward("Somebody"), pages.text("a")),
    ),
    ("buttons", message(text="a", reply_markup=BUTTONS), (pages.text("a"), BUTTON_ROW)),
    (
        "reply",
        message(text="a", reply_to=ANSWER),
        (REPLY.format(kind="text", words="first words"), pages.text("a")),
    ),
    ("created", service(tl.MessageActionChannelCreate("x")), (pages.text("Channel created"),)),
    (
        "renamed",
        service(tl.MessageActionChatEditTitle("New")),
        (pages.text("Channel name was changed to «<span>New</span>»"),),
    ),
    (
        "pinned",
        service(tl.MessageActionPinMessage(), reply_to=tl.MessageReplyHeader(reply_to_msg_id=4)),
        (pages.text(PINNED),),
    ),
    (
        "stream",
        service(tl.MessageActionGroupCall(tl.InputGroupCall(1, 1))),
        (pages.text("Live stream started"),),
    ),
    (
        "end of a stream",
        service(tl.MessageActionGroupCall(tl.InputGroupCall(1, 1), duration=725)),
        (pages.text("Live stream finished (12 minutes)"),),
    ),
]


def comparable(block: Block) -> Block:
    if isinstance(block, Media):
        size = block.size if block.name.endswith(".csv") else ""
        duration = "" if block.name == "Tide" else block.duration
        return replace(block, url=None, preview_url=None, identity="", size=size, duration=duration)
    if isinstance(block, LinkPreview):
        return replace(block, media=tuple(replace(each, url=None, identity="") for each in block.media))
    return block


@pytest.mark.parametrize(("one", "html"), [case[1:] for case in SAME], ids=[case[0] for case in SAME])
def test_account_gives_the_blocks_of_the_page(one: Any, html: tuple[str, ...]) -> None:
    found = making.blocks(one, message(3, "first words"), message(4, "Going to pin"))
    voters = "222" if "tgme_widget_message_poll" in html[0] else ""
    assert [*map(comparable, found)] == [*map(comparable, reading.blocks(*html, voters=voters))]


def test_album_gives_the_blocks_of_the_page() -> None:
    (album,) = making.read(
        message(5, "a caption", photo(), grouped_id=9, entities=[tl.MessageEntityBold(2, 7)]),
        message(6, media=video(), grouped_id=9),
    )
    page = reading.read(pages.post(5, reading.ALBUM))
    assert [*map(comparable, album.post.blocks)] == [*map(comparable, page.blocks)]
    assert (album.post.ids, album.post.author, album.post.date) == (page.ids, page.author, page.date)


def test_reply_to_a_video_is_labelled_as_on_the_page() -> None:
    found = making.blocks(message(text="a", reply_to=ANSWER), message(3, media=video()))
    assert found == reading.blocks(REPLY.format(kind="metatext", words="Video"), pages.text("a"))


def test_link_preview_gives_the_block_of_the_page() -> None:
    page = tl.WebPage(
        1, "https://a.example/b", "a.example/b", 0, site_name="Site", title="Title", description="Words",
        photo=photo().photo,
    )  # fmt: skip
    found = making.blocks(message(text="a", media=tl.MessageMediaWebPage(page)))
    html = (
        '<a class="tgme_widget_message_link_preview" href="https://a.example/b"><i class="'
        f'link_preview_right_image" style="background-image:url(\'{pages.CDN}/p.jpg\')"></i>'
        '<div class="link_preview_site_name">Site</div><div class="link_preview_title">Title</div>'
        '<div class="link_preview_description">Words</div></a>'
    )
    assert [*map(comparable, found)] == [*map(comparable, reading.blocks(pages.text("a"), html))]
