"""TelegramPost -> [DiscordMessage]: every kind of block, the first embed, files, fallbacks, edits."""

from __future__ import annotations

from dataclasses import replace
from typing import get_args

import pytest

from disgram.discord.render import Fallback, edited
from disgram.post import (
    Block,
    Button,
    Buttons,
    Card,
    Forward,
    Location,
    MediaFile,
    MediaKind,
    Poll,
    PollOption,
    PollVotes,
    Reply,
    Run,
    Style,
    Text,
    Unknown,
    Unsupported,
    ViaBot,
)
from standins.discord.markdown import read, text_of
from tests.discord.rendering import COLOR, LINK, PHOTO, PREVIEW, checked, embeds, media, post, text, words

KINDS: list[tuple[str, Block, list[str]]] = [
    ("text", text("Hello"), ["Hello"]),
    ("forward", Forward("Dogs", "https://t.me/dogs/5", "Rex"), ["Forwarded from", "Dogs", "Rex"]),
    ("hidden forward", Forward("Somebody"), ["Forwarded from", "Somebody"]),
    ("reply", Reply("https://t.me/cats_daily/3", "Cats", (Run("First\nlines"),)), ["Cats", "First", "lines"]),
    ("via", ViaBot("@gif", "https://t.me/gif"), ["via", "@gif"]),
    (
        "poll",
        Poll("Cats?", "Anonymous Quiz", (PollOption("Yes", "84%"), PollOption("No", "16%")), "1.2K"),
        ["Cats?", "Anonymous Quiz", "▰▰▰▰▰▰▰▰▱▱ 84% Yes", "▰▰▱▱▱▱▱▱▱▱ 16% No", "1.2K voters"],
    ),
    ("votes", PollVotes("746 votes"), ["746 votes"]),
    (
        "location",
        Location("https://maps.google.com/maps?q=1,2", "Café", "1 Main St."),
        ["Café", "1 Main St."],
    ),
    ("preview", PREVIEW, ["Example", "A *story*", "About cats"]),
    ("card", Card("Invoice", (Run("Food\n5 €"),), "https://t.me/x"), ["Invoice", "Food", "5 €"]),
    (
        "buttons",
        Buttons(((Button("One", "https://a.b"), Button("Two")), (Button("Three", "tg://x"),))),
        ["Two", "Three", "tg://x"],
    ),
    (
        "unsupported",
        Unsupported("Please open Telegram to view this post"),
        ["Please open Telegram", "Open in Telegram"],
    ),
    ("unknown", Unknown("x", (Run("Some words"),), "<x>"), ["Some words"]),
    ("wordless unknown", Unknown("x", (), "<x>"), ["Open in Telegram"]),
    *((kind.value, media(kind), []) for kind in MediaKind),
]
IDS = [name for name, _, _ in KINDS]


def test_each_type_of_block_is_among_the_kinds_rendered_here() -> None:
    assert {type(block) for _, block, _ in KINDS} == set(get_args(Block))


@pytest.mark.parametrize("fallback", Fallback)
@pytest.mark.parametrize(("block", "expected"), [case[1:] for case in KINDS], ids=IDS)
def test_each_kind_of_block_is_rendered_in_each_fallback(
    block: Block, expected: list[str], fallback: Fallback
) -> None:
    shown = words(checked(post(block), fallback=fallback))
    position = 0
    for part in expected if fallback < Fallback.LINK_ONLY else ["Cats & Co", "https://t.me/cats_daily/7"]:
        position = shown.index(part, position)


@pytest.mark.parametrize("fallback", [Fallback.FILES, Fallback.LINKS, Fallback.TEXT])
def test_all_kinds_together_keep_the_order_of_the_page(fallback: Fallback) -> None:
    shown = words(checked(post(*(block for _, block, _ in KINDS)), fallback=fallback))
    position = 0
    for part in (part for _, _, parts in KINDS for part in parts):
        position = shown.index(part, position) + len(part)


@pytest.mark.parametrize("kind", MediaKind)
def test_media_without_a_file_is_a_line_of_text(kind: MediaKind) -> None:
    one = media(kind, name="a_b.pdf", size="52.6 KB", duration="0:09", note="too big")
    message = checked(post(one), {})[0]
    assert not message.uploads
    line = message.payload["embeds"][0]["description"]
    assert all(part in text_of(read(line)) for part in (kind.value, "a_b.pdf", "52.6 KB", "0:09", "too big"))
    assert f"]({LINK})" in line


def test_first_embed_has_author_text_photo_and_footer() -> None:
    message = checked(post(text("Hi"), PHOTO, signature="Tom", edited=True))[0]
    assert message.payload == {
        "username": "Cats & Co",
        "avatar_url": "https://cdn4.telesco.pe/a.jpg",
        "allowed_mentions": {"parse": []},
        "embeds": [
            {
                "author": {
                    "name": "Cats & Co",
                    "url": "https://t.me/cats_daily/7",
                    "icon_url": "https://cdn4.telesco.pe/a.jpg",
                },
                "url": "https://t.me/cats_daily/7",
                "color": COLOR,
                "timestamp": "2026-05-20T15:38:10+00:00",
                "description": "Hi",
                "image": {"url": "attachment://cats-daily-7-1.jpg"},
                "footer": {"text": "Tom · edited"},
            }
        ],
        "attachments": [{"id": 0, "filename": "cats-daily-7-1.jpg"}],
    }
    assert [(one.media, one.content_type) for one in message.uploads] == [(0, "image/jpeg")]


def test_missing_photo_and_date_are_left_out_of_the_payload() -> None:
    bare = post(text("Hi"), photo_url="data:image/svg+xml;base64,PHN2Zz4=", date=None)
    payload = checked(bare)[0].payload
    assert payload.keys() == {"username", "allowed_mentions", "embeds"}
    assert payload["embeds"][0].keys() == {"author", "url", "color", "description"}


@pytest.mark.parametrize(
    ("blocks", "names"),
    [
        ([PHOTO, PHOTO], ["cats-daily-7-1.jpg", "cats-daily-7-2.jpg"]),
        ([PHOTO, media(MediaKind.VIDEO)], ["cats-daily-7-1.jpg", "cats-daily-7-2.mp4"]),
        ([media(MediaKind.PHOTO, spoiler=True)], ["SPOILER_cats-daily-7-1.jpg"]),
        ([media(MediaKind.VOICE)], ["cats-daily-7-1.ogg"]),
        ([media(MediaKind.STICKER)], ["cats-daily-7-1.webp"]),
    ],
)
def test_only_a_single_photo_is_shown_inside_the_embed(blocks: list[Block], names: list[str]) -> None:
    messages = checked(post(*blocks))
    assert [[one.filename for one in message.uploads] for message in messages] == [names]
    assert "image" not in embeds(messages)[0]


@pytest.mark.parametrize(
    ("kind", "content_type", "extension"),
    [
        (MediaKind.PHOTO, "image/png; charset=binary", "png"),
        (MediaKind.PHOTO, "IMAGE/WEBP", "webp"),
        (MediaKind.PHOTO, "application/octet-stream", "jpg"),
        (MediaKind.STICKER, "video/webm", "webm"),
        (MediaKind.VOICE, "", "ogg"),
        (MediaKind.DOCUMENT, "../../x\r\n", "bin"),
    ],
)
def test_file_extension_follows_the_content_type(kind: MediaKind, content_type: str, extension: str) -> None:
    upload = checked(post(media(kind)), {0: MediaFile(10, content_type)})[0].uploads[0]
    assert upload.filename == f"cats-daily-7-1.{extension}"


def test_animated_sticker_and_still_of_a_video_have_a_line_of_text() -> None:
    sticker = replace(media(MediaKind.STICKER), url="https://cdn/x.tgs?token=1")
    [message] = checked(post(sticker), {0: MediaFile(10, "application/x-tgsticker")})
    assert message.uploads[0].filename == "cats-daily-7-1.tgs"
    assert "Animated sticker" in words([message])
    [still] = checked(post(media(MediaKind.VIDEO, duration="9:00")), {0: MediaFile(10, "image/jpeg")})
    assert embeds([still])[0]["image"] == {"url": "attachment://cats-daily-7-1.jpg"}
    assert "Video · 9:00" in words([still])


def test_reply_links_the_discord_message_it_replies_to() -> None:
    reply = Reply("https://t.me/cats_daily/3", "Cats", (Run("First\n\nlines"),))
    copy = "https://discord.com/channels/1/2/3"
    linked = checked(post(reply, text("Yes")), reply_link=copy)
    assert embeds(linked)[0]["description"] == f"> **[Cats]({copy})**\n> First\n> \n> lines\nYes"
    assert "https://t.me/cats_daily/3" in embeds(checked(post(reply)))[0]["description"]


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Cats", "Cats"),
        ("  A\n\tB\u200b ", "A B"),
        ("Discord News", "Disc·ord News"),
        ("Clyde @home #1: x", "Cl·yde ＠home ＃1： x"),
        ("x" * 100, "x" * 80),
        ("everyone", "everyone·"),
        ("Here", "Here·"),
        ("\u200b\u2060", "cats_daily"),
        ("", "cats_daily"),
    ],
)
def test_username_is_acceptable_to_discord(title: str, expected: str) -> None:
    assert checked(post(text("Hi"), author=title))[0].payload["username"] == expected


def test_each_fallback_drops_uploads_then_embeds_then_text() -> None:
    bold = Text((Run("b*ld", frozenset({Style.BOLD})), Run(" link", href="https://a.b/c_d")))
    full = post(bold, PHOTO, PREVIEW, signature="Tom")
    assert checked(full, fallback=Fallback.FILES)[0].uploads
    links = checked(full, fallback=Fallback.LINKS)[0]
    assert not links.uploads and f"**[Photo]({LINK})**" in embeds([links])[0]["description"]
    [plain] = checked(full, fallback=Fallback.TEXT)
    assert "embeds" not in plain.payload
    assert plain.payload["content"].startswith(r"b\*ld link (https://a.b/c_d)")
    assert plain.payload["content"].endswith("Tom\nhttps://t.me/cats_daily/7")
    [bare] = checked(full, fallback=Fallback.LINK_ONLY)
    assert bare.payload == {
        "content": "Cats & Co\nhttps://t.me/cats_daily/7",
        "allowed_mentions": {"parse": []},
    }


def test_text_fallback_is_split_at_2000_characters() -> None:
    messages = checked(post(text("word " * 1500)), fallback=Fallback.TEXT)
    assert len(messages) == 4
    assert words(messages).split() == ["word"] * 1500 + ["https://t.me/cats_daily/7"]


def test_edit_body_keeps_the_files_and_replaces_the_rest() -> None:
    message = checked(post(text("Hi"), PHOTO))[0]
    body = edited(message)
    assert body == {"content": "", "embeds": message.payload["embeds"], "allowed_mentions": {"parse": []}}
    content = checked(post(text("Hi")), fallback=Fallback.TEXT)[0]
    assert edited(content)["embeds"] == []
    only_files = checked(post(*[PHOTO] * 12))[1]
    assert edited(only_files) == {"allowed_mentions": {"parse": []}}


def shown(*blocks: Block) -> str:
    """The description of the only embed."""
    (embed,) = embeds(checked(post(*blocks), {}))
    return str(embed["description"])


def test_forward_is_set_off_as_a_quote() -> None:
    assert shown(Forward("Dogs", "https://t.me/dogs/5"), text("Hi")) == (
        "> Forwarded from **[Dogs](https://t.me/dogs/5)**\nHi"
    )


@pytest.mark.parametrize("kind", [MediaKind.VIDEO, MediaKind.ROUND_VIDEO])
def test_film_too_big_for_the_preview_is_watched_in_telegram(kind: MediaKind) -> None:
    film = replace(media(kind), url=None, duration="2:02")
    assert f"**[Watch in Telegram]({LINK})** · 2:02" in shown(film)


def test_location_without_a_title_has_its_coordinates() -> None:
    url = "https://maps.google.com/maps?q=-23.93,44.08&ll=-23.93,44.08&z=16"
    assert shown(Location(url)) == f"📍 **[Location]({url})** · -23.93, 44.08"
    assert "23.93" not in shown(Location(url, "Cafe")).partition("**")[2].rpartition("**")[2]


@pytest.mark.parametrize(
    ("label", "href", "expected"),
    [
        ("+1 555 0100", "tel:+15550100", "+1 555 0100"),
        ("call", "tel:+15550100", "call (tel:+15550100)"),
        ("Ann", "tg://user?id=5", "Ann"),
        ("long", "https://a.b/" + "x" * 2000, f"[long]({LINK})"),
        ("long", "https://a.b/" + "ы" * 2000, f"[long]({LINK})"),
    ],
)
def test_link_that_discord_cannot_make_is_shown_as_plainly_as_can_be(
    label: str, href: str, expected: str
) -> None:
    assert shown(Text((Run(label, href=href),))) == expected
