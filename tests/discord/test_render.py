"""TelegramPost -> [DiscordMessage]: forms, order, limits, the ladder, edits and deletions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.discord.deletion_mark import marked_deleted
from disgram.discord.message import DiscordMessage
from disgram.discord.render import Fallback, edited, render
from disgram.post import (
    Block,
    Button,
    Buttons,
    Card,
    Forward,
    LinkPreview,
    Location,
    Media,
    MediaFile,
    MediaKind,
    Poll,
    PollOption,
    Reply,
    Run,
    Style,
    TelegramPost,
    Text,
    Unknown,
    Unsupported,
    ViaBot,
)
from tests.discord.test_markdown import RICH_TEXTS
from tests.discord_markdown import read, text_of
from tests.discord_rules import MEBIBYTE, violations

FEW = settings(max_examples=100, deadline=None)
COLOR = 0x2AABEE
LINK = "https://t.me/cats_daily/7"
DATE = datetime(2026, 5, 20, 15, 38, 10, tzinfo=timezone.utc)


def text(words: str, *styles: Style) -> Text:
    return Text((Run(words, frozenset(styles)),))


def media(kind: MediaKind, **fields: Any) -> Media:
    return Media(kind, LINK, url="https://cdn4.telesco.pe/file/x", **fields)


def post(*blocks: Block, **fields: Any) -> TelegramPost:
    base = TelegramPost(
        "cats_daily", 7, (7,), "Cats & Co", blocks, date=DATE, photo_url="https://cdn4.telesco.pe/a.jpg"
    )
    return replace(base, **fields)


CONTENT_TYPES = {
    MediaKind.PHOTO: "image/jpeg",
    MediaKind.VIDEO: "video/mp4",
    MediaKind.GIF: "video/mp4",
    MediaKind.ROUND_VIDEO: "video/mp4",
    MediaKind.VOICE: "audio/ogg",
    MediaKind.AUDIO: "audio/mpeg",
    MediaKind.DOCUMENT: "application/pdf",
    MediaKind.STICKER: "image/webp",
}


def fetched(of: TelegramPost, size: int = 1000) -> dict[int, MediaFile]:
    return {index: MediaFile(size, CONTENT_TYPES[one.kind]) for index, one in enumerate(of.media)}


def problems(messages: list[DiscordMessage], files: dict[int, MediaFile]) -> list[str]:
    """Of the messages, of their edits and of their being marked as deleted."""
    found: list[str] = []
    for message in messages:
        names = [upload.filename for upload in message.uploads]
        found += violations(
            message.payload, [(one.filename, files[one.media].size) for one in message.uploads]
        )
        for body in (edited(message), marked_deleted(message.payload), marked_deleted(edited(message))):
            found += violations(body, edit=True, kept_files=names)
    return found


def checked(of: TelegramPost, files: dict[int, MediaFile] | None = None, **how: Any) -> list[DiscordMessage]:
    files = fetched(of) if files is None else files
    messages = render(of, color=COLOR, fetched=files, **how)
    assert messages
    assert problems(messages, files) == []
    return messages


def embeds(messages: list[DiscordMessage]) -> list[dict[str, Any]]:
    return [embed for message in messages for embed in message.payload.get("embeds", [])]


def words(messages: list[DiscordMessage]) -> str:
    """All that can be read, from top to bottom."""
    found: list[str] = []
    for message in messages:
        found.append(text_of(read(message.payload.get("content", ""))))
        for embed in message.payload.get("embeds", []):
            found += [embed.get("author", {}).get("name", ""), text_of(read(embed.get("title", "")))]
            found += [text_of(read(embed.get("description", ""))), embed.get("footer", {}).get("text", "")]
    return "\n".join(part for part in found if part)


PHOTO = media(MediaKind.PHOTO)
PREVIEW = LinkPreview(
    "https://example.com/story",
    "Example",
    "A *story*",
    (Run("About "), Run("cats", frozenset({Style.BOLD}))),
    (media(MediaKind.PHOTO),),
    large=True,
)
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
        ["One", "Two", "Three", "tg://x"],
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


@pytest.mark.parametrize("fallback", Fallback)
@pytest.mark.parametrize(("block", "expected"), [case[1:] for case in KINDS], ids=IDS)
def test_every_kind_alone_on_every_rung(block: Block, expected: list[str], fallback: Fallback) -> None:
    shown = words(checked(post(block), fallback=fallback))
    position = 0
    for part in expected if fallback < Fallback.LINK_ONLY else ["Cats & Co", "https://t.me/cats_daily/7"]:
        position = shown.index(part, position)


@pytest.mark.parametrize("fallback", [Fallback.FILES, Fallback.LINKS, Fallback.TEXT])
def test_all_kinds_together_come_in_the_order_of_the_page(fallback: Fallback) -> None:
    shown = words(checked(post(*(block for _, block, _ in KINDS)), fallback=fallback))
    position = 0
    for part in (part for _, _, parts in KINDS for part in parts):
        position = shown.index(part, position) + len(part)


@pytest.mark.parametrize("kind", MediaKind)
def test_what_is_not_at_hand_is_a_line(kind: MediaKind) -> None:
    one = media(kind, name="a_b.pdf", size="52.6 KB", duration="0:09", note="too big")
    message = checked(post(one), {})[0]
    assert not message.uploads
    line = message.payload["embeds"][0]["description"]
    assert all(part in text_of(read(line)) for part in (kind.value, "a_b.pdf", "52.6 KB", "0:09", "too big"))
    assert f"]({LINK})" in line


# --- the form -----------------------------------------------------------------------------------


def test_the_first_embed() -> None:
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


def test_nothing_that_is_missing_is_named() -> None:
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
def test_other_than_a_single_photo_files_are_plain_attachments(blocks: list[Block], names: list[str]) -> None:
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
def test_the_extension_is_that_of_the_content(kind: MediaKind, content_type: str, extension: str) -> None:
    upload = checked(post(media(kind)), {0: MediaFile(10, content_type)})[0].uploads[0]
    assert upload.filename == f"cats-daily-7-1.{extension}"


def test_animated_stickers_and_stills_of_videos_are_told() -> None:
    sticker = replace(media(MediaKind.STICKER), url="https://cdn/x.tgs?token=1")
    [message] = checked(post(sticker), {0: MediaFile(10, "application/x-tgsticker")})
    assert message.uploads[0].filename == "cats-daily-7-1.tgs"
    assert "Animated sticker" in words([message])
    [still] = checked(post(media(MediaKind.VIDEO, duration="9:00")), {0: MediaFile(10, "image/jpeg")})
    assert embeds([still])[0]["image"] == {"url": "attachment://cats-daily-7-1.jpg"}
    assert "Video · 9:00" in words([still])


def test_a_reply_links_its_discord_copy() -> None:
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
def test_usernames(title: str, expected: str) -> None:
    assert checked(post(text("Hi"), author=title))[0].payload["username"] == expected


# --- link previews ------------------------------------------------------------------------------


def test_a_link_preview_is_an_embed_of_its_own() -> None:
    message = checked(
        post(text("See"), PREVIEW, Buttons(((Button("Go", "https://a.b"),),)), signature="Tom")
    )[0]
    first, card, rest = message.payload["embeds"]
    assert first["description"] == "See"
    assert card == {
        "color": COLOR,
        "url": "https://example.com/story",
        "author": {"name": "Example"},
        "title": r"A \*story\*",
        "description": "About **cats**",
        "image": {"url": "attachment://cats-daily-7-1.jpg"},
    }
    assert rest == {"color": COLOR, "description": "[Go](https://a.b)", "footer": {"text": "Tom"}}


def test_a_small_preview_without_title_is_linked_by_its_site() -> None:
    preview = replace(PREVIEW, title="", large=False)
    card = embeds(checked(post(preview)))[1]
    assert card["author"] == {"name": "Example", "url": "https://example.com/story"}
    assert card["thumbnail"] == {"url": "attachment://cats-daily-7-1.jpg"}


def test_a_preview_of_the_post_itself_is_not_hidden() -> None:
    card = embeds(checked(post(text("Hi"), replace(PREVIEW, url="https://t.me/cats_daily/7"))))[1]
    assert "url" not in card


def test_a_preview_tells_of_a_video_that_is_not_at_hand() -> None:
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


def test_two_previews_of_one_page_are_both_shown() -> None:
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
def test_a_preview_that_no_embed_can_hold_becomes_lines(preview: LinkPreview) -> None:
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


# --- limits -------------------------------------------------------------------------------------


def test_a_long_text_goes_on_in_further_messages() -> None:
    long = " ".join(f"word{n}" for n in range(1300))
    messages = checked(post(PHOTO, text(long), signature="Tom"))
    assert len(messages) == 3
    assert [len(message.uploads) for message in messages] == [1, 0, 0]
    assert [embed.get("footer") for embed in embeds(messages)] == [None, None, {"text": "Tom"}]
    assert ["author" in embed for embed in embeds(messages)] == [True, False, False]
    assert all(
        embed["url"] == "https://t.me/cats_daily/7" and embed["color"] == COLOR for embed in embeds(messages)
    )
    assert " ".join(embed["description"] for embed in embeds(messages)).split() == long.split()


def test_bytes_are_counted_as_well() -> None:
    messages = checked(post(text("カ" * 4096)))
    assert "".join(embed["description"] for embed in embeds(messages)) == "カ" * 4096
    assert len(messages) == 2


def test_more_than_ten_files_go_on_in_further_messages() -> None:
    messages = checked(post(*[PHOTO] * 23, text("Hi")))
    assert [[one.media for one in message.uploads] for message in messages] == [
        list(range(10)),
        list(range(10, 20)),
        [20, 21, 22],
    ]
    assert [message.payload.keys() & {"embeds"} for message in messages] == [{"embeds"}, set(), set()]


def test_a_request_stays_below_25_mib() -> None:
    album = post(PHOTO, media(MediaKind.VIDEO), media(MediaKind.VIDEO), text("word " * 1200))
    messages = checked(album, fetched(album, 10 * MEBIBYTE))
    assert [len(message.uploads) for message in messages] == [2, 1]
    huge = post(media(MediaKind.VIDEO))
    [line] = render(huge, color=COLOR, fetched={0: MediaFile(40 * MEBIBYTE, "video/mp4")})
    assert not line.uploads and "Video" in words([line])


@pytest.mark.parametrize("fallback", [Fallback.FILES, Fallback.TEXT])
def test_white_space_without_end_is_no_text(fallback: Fallback) -> None:
    messages = checked(post(text("a" + "\n" * 9000 + "b")), fallback=fallback)
    assert words(messages).split()[-3:-1] == ["a", "b"] or words(messages).split()[-2:] == ["a", "b"]
    assert all(embed.get("description") for embed in embeds(messages))


def test_behind_a_card_nothing_is_no_text() -> None:
    messages = checked(post(text("Hi"), PREVIEW, text("\x00\x01")))
    assert len(embeds(messages)) == 2


@pytest.mark.parametrize("blocks", [[], [text(" \n ")], [text("\u2060")], [text("\x00")], [Buttons(())]])
def test_a_post_without_words_says_where_to_look(blocks: list[Block]) -> None:
    [message] = checked(post(*blocks))
    assert message.payload["embeds"][0]["description"] == "[Open in Telegram](https://t.me/cats_daily/7)"


# --- the ladder ---------------------------------------------------------------------------------


def test_the_ladder() -> None:
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


def test_long_plain_text_is_split_at_2000() -> None:
    messages = checked(post(text("word " * 1500)), fallback=Fallback.TEXT)
    assert len(messages) == 4
    assert words(messages).split() == ["word"] * 1500 + ["https://t.me/cats_daily/7"]


# --- edits and deletions ------------------------------------------------------------------------


def test_an_edit_keeps_the_files_and_replaces_the_rest() -> None:
    message = checked(post(text("Hi"), PHOTO))[0]
    body = edited(message)
    assert body == {"content": "", "embeds": message.payload["embeds"], "allowed_mentions": {"parse": []}}
    content = checked(post(text("Hi")), fallback=Fallback.TEXT)[0]
    assert edited(content)["embeds"] == []
    only_files = checked(post(*[PHOTO] * 12))[1]
    assert edited(only_files) == {"allowed_mentions": {"parse": []}}


MARKED = [
    ("plain", "one\n\ntwo", "~~one\n\ntwo~~"),
    ("quote", "> a\n> b\nc", "> ~~a\n> b~~\n~~c~~"),
    ("code block", "a\n```py\nx\n```\nb", "~~a~~\n```py\nx\n```\n~~b~~"),
    ("code block in a quote", "> a\n> ```\n> x\n> ```", "> ~~a~~\n> ```\n> x\n> ```"),
    ("struck already", "a ~~b~~ c", "~~a \u200bb\u200b c~~"),
    ("tildes", r"a \~\~ b\~", "~~a \\~\\~ b\\~\u200b~~"),
    ("code", "a `x~~y` `` a`~~b ``", "~~a `x~\u200b~y` `` a`~\u200b~b ``~~"),
    ("escaped backtick", r"\`a ~~b~~ \`", "~~\\`a \u200bb\u200b \\`~~"),
    (
        "target",
        "[a](https://b.c/~~d) <https://b.c/~~d>",
        "~~[a](https://b.c/%7E%7Ed) <https://b.c/%7E%7Ed>~~",
    ),
    ("empty lines", "a\n\n> b", "~~a~~\n\n> ~~b~~"),
]


@pytest.mark.parametrize(("before", "after"), [case[1:] for case in MARKED], ids=[case[0] for case in MARKED])
def test_marked_deleted(before: str, after: str) -> None:
    body = marked_deleted({"username": "x", "embeds": [{"description": before, "color": 1}]})
    assert body == {"content": "*deleted in Telegram*", "embeds": [{"description": after, "color": 1}]}
    assert marked_deleted(body) == body
    assert marked_deleted({"content": before})["content"] == "*deleted in Telegram*\n" + after


@given(RICH_TEXTS)
@FEW
def test_marking_strikes_everything_and_changes_nothing_else(runs: tuple[Run, ...]) -> None:
    [message, *_] = render(post(Text(runs), PHOTO), color=COLOR, fetched={})
    before = message.payload["embeds"][0]["description"]
    after = marked_deleted(message.payload)["embeds"][0]["description"]
    if before == after:
        return
    shown = [one for one in read(before) if not one.char.isspace() and one.char != "\u200b"]
    struck = [one for one in read(after) if not one.char.isspace() and one.char != "\u200b"]
    assert [one.char for one in struck] == [one.char for one in shown]
    wanted = [
        one.styles if any(s.startswith("pre") for s in one.styles) else one.styles | {"strike"}
        for one in shown
    ]
    assert [one.styles for one in struck] == wanted


def test_no_room_for_striking() -> None:
    full = {"content": "", "embeds": [{"description": "x" * 4096}], "allowed_mentions": {"parse": []}}
    assert marked_deleted(full)["embeds"] == full["embeds"]
    assert marked_deleted({"content": "x" * 2000})["content"].startswith("*deleted in Telegram*\nxxx")
    assert len(marked_deleted({"content": "x" * 2000})["content"]) == 2000


# --- anything -----------------------------------------------------------------------------------

ANYTHING = st.text(max_size=300)
URLS = st.sampled_from(
    [
        "https://a.b/c_d",
        "http://x.y/(z)",
        "tg://x",
        "",
        "javascript:1",
        "https://",
        "https://a.b/" + "x" * 2500,
    ]
)
MEDIA = st.builds(
    Media,
    st.sampled_from(MediaKind),
    URLS,
    st.none(),
    st.none(),
    ANYTHING,
    ANYTHING,
    ANYTHING,
    ANYTHING,
    ANYTHING,
    st.booleans(),
)
BLOCKS = st.one_of(
    st.builds(Text, RICH_TEXTS),
    st.builds(lambda runs: Text(runs * 20), RICH_TEXTS),
    MEDIA,
    st.builds(Forward, ANYTHING, st.none() | URLS, ANYTHING),
    st.builds(Reply, st.none() | URLS, ANYTHING, RICH_TEXTS),
    st.builds(ViaBot, ANYTHING, URLS),
    st.builds(
        Poll,
        ANYTHING,
        ANYTHING,
        st.lists(st.builds(PollOption, ANYTHING, ANYTHING), max_size=10).map(tuple),
        ANYTHING,
    ),
    st.builds(Location, URLS, ANYTHING, ANYTHING),
    st.builds(
        LinkPreview,
        URLS,
        ANYTHING,
        ANYTHING,
        RICH_TEXTS,
        st.lists(MEDIA, max_size=2).map(tuple),
        st.booleans(),
    ),
    st.builds(Card, ANYTHING, RICH_TEXTS, st.none() | URLS),
    st.builds(
        Buttons,
        st.lists(
            st.lists(st.builds(Button, ANYTHING, st.none() | URLS), max_size=3).map(tuple), max_size=3
        ).map(tuple),
    ),
    st.builds(Unsupported, ANYTHING),
    st.builds(Unknown, ANYTHING, RICH_TEXTS, ANYTHING),
)
POSTS = st.builds(
    lambda blocks, author, signature, photo: post(
        *blocks, author=author, signature=signature, photo_url=photo
    ),
    st.lists(BLOCKS, max_size=6),
    ANYTHING,
    ANYTHING,
    URLS,
)


@given(POSTS, st.sampled_from(Fallback), st.integers(0, 20 * MEBIBYTE))
@FEW
def test_discord_takes_whatever_a_post_holds(of: TelegramPost, fallback: Fallback, size: int) -> None:
    files = fetched(of, size)
    messages = checked(of, files, fallback=fallback)
    uploaded = [one.media for message in messages for one in message.uploads]
    assert sorted(uploaded) == (sorted(files) if fallback is Fallback.FILES else [])


@given(RICH_TEXTS, st.integers(1, 30), st.sampled_from([Fallback.FILES, Fallback.LINKS, Fallback.TEXT]))
@FEW
def test_no_character_of_a_text_is_lost(runs: tuple[Run, ...], times: int, fallback: Fallback) -> None:
    unlinked = (Run("Ж"), *(replace(run, href=None) for run in runs)) * times
    shown = "".join(
        text_of(read(part))
        for message in checked(post(Text(unlinked)), fallback=fallback)
        for part in [
            message.payload.get("content", ""),
            *(e.get("description", "") for e in embeds([message])),
        ]
    )
    kept = "".join(run.text for run in unlinked)
    assert _letters(shown.removesuffix("https://t.me/cats_daily/7")) == _letters(kept)


def _letters(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char not in "\u200b\ufeff")
