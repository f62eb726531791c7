"""Kinds of messages that t.me's preview does not show, or shows no real page of."""

from __future__ import annotations

from typing import Any

import pytest

from disgram.discord.text import sections
from disgram.post import (
    Block,
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
    Unsupported,
    ViaBot,
    plain,
)

pytest.importorskip("telethon")

from telethon.tl import types as tl

from tests.telegram.account.message import making
from tests.telegram.account.message.making import (
    blocks,
    document,
    file,
    message,
    photo,
    service,
    video,
    words,
)
from tests.telegram.account.message.test_same_as_page import asked, point, voted

BOLD = frozenset({Style.BOLD})
LINK = "https://t.me/harbour/5"
LOCKED = tl.MessageExtendedMediaPreview(w=8, h=8)
LOCKED_VIDEO = tl.MessageExtendedMediaPreview(w=8, h=8, video_duration=9)
GAME = tl.Game(1, 2, "pier", "Pier", "Jump!", photo(number=71).photo)
STORY = tl.StoryItem(3, making.DATE, making.DATE, photo(number=72), caption="cap")


def card(kind: str, text: str, url: str | None = LINK) -> Card:
    return Card(kind, (Run(text),) if text else (), url)


def giveaway(**fields: Any) -> Any:
    return tl.MessageMediaGiveaway([200], 10, making.DATE, **fields)


def results(**fields: Any) -> Any:
    return tl.MessageMediaGiveawayResults(100, 4, 2, 0, [1, 2], making.DATE, **fields)


CARDS: list[tuple[str, Any, Block]] = [
    ("game", tl.MessageMediaGame(GAME), card("Game", "Pier\nJump!")),
    (
        "invoice",
        tl.MessageMediaInvoice("Ticket", "To the pier", "EUR", 1250, ""),
        card("Invoice", "Ticket\nTo the pier\n12.50 EUR"),
    ),
    (
        "invoice in yen",
        tl.MessageMediaInvoice("Ticket", "", "JPY", 1250, ""),
        card("Invoice", "Ticket\n1250 JPY"),
    ),
    (
        "paid media",
        tl.MessageMediaPaidMedia(50, [LOCKED, LOCKED, LOCKED_VIDEO]),
        card("Paid media", "⭐ 50 · 2 photos · 1 video"),
    ),
    (
        "giveaway of subscriptions",
        giveaway(months=3, prize_description="and a hat", countries_iso2=["DE", "FR"]),
        card(
            "Giveaway",
            "10 subscriptions to Telegram Premium for 3 months\nand a hat\nParticipants: Pier\n"
            "Countries: DE, FR\nWinners are drawn on 2026-08-06 07:59 UTC",
        ),
    ),
    (
        "giveaway of stars",
        giveaway(stars=500),
        card(
            "Giveaway",
            "⭐ 500 for 10 winners\nParticipants: Pier\nWinners are drawn on 2026-08-06 07:59 UTC",
        ),
    ),
    (
        "giveaway results",
        results(months=1),
        card(
            "Giveaway results",
            "2 winners\n2 subscriptions to Telegram Premium for 1 month\nWinners: Ann Lee, Bo",
        ),
    ),
    (
        "story without its content",
        tl.MessageMediaStory(tl.PeerChannel(200), 3),
        card("Story", "Pier", "https://t.me/pier/s/3"),
    ),
    (
        "live stream",
        tl.MessageMediaVideoStream(tl.InputGroupCall(1, 1)),
        card("Live stream", "Harbour News"),
    ),
    ("dice", tl.MessageMediaDice(4, "🎲"), Text((Run("🎲 4"),))),
    ("dice before it has fallen", tl.MessageMediaDice(0, "🎲"), Text((Run("🎲"),))),
    (
        "venue without a point",
        tl.MessageMediaVenue(tl.GeoPointEmpty(), "Pier 4", "", "", "", ""),
        Location(LINK, "Pier 4", ""),
    ),
    (
        "unsupported",
        tl.MessageMediaUnsupported(),
        Unsupported("Please open Telegram to view this post"),
    ),
]


@pytest.mark.parametrize(("media", "block"), [case[1:] for case in CARDS], ids=[case[0] for case in CARDS])
def test_kind_is_shown(media: Any, block: Block) -> None:
    assert blocks(message(media=media))[0] == block


def test_empty_message_links_to_telegram() -> None:
    assert blocks(message()) == (Unsupported("Please open Telegram to view this post"),)


def test_story_brings_its_picture_and_its_words() -> None:
    found = blocks(message(media=tl.MessageMediaStory(tl.PeerChannel(200), 3, story=STORY)))
    assert isinstance(found[1], Media)
    assert found[1].url == "account:harbour/5/story"
    assert found[2] == Text((Run("cap"),))


def test_paid_media_shows_what_the_account_has_bought() -> None:
    bought = tl.MessageExtendedMedia(photo())
    _, picture = blocks(message(media=tl.MessageMediaPaidMedia(5, [LOCKED, bought])))
    assert isinstance(picture, Media)
    assert picture.url == "account:harbour/5/paid-1"


def test_checklist_has_a_line_for_each_task() -> None:
    tasks = [tl.TodoItem(1, words("paint", tl.MessageEntityItalic(0, 5))), tl.TodoItem(2, words("sweep"))]
    done = [tl.TodoCompletion(2, tl.PeerUser(1), making.DATE)]
    media = tl.MessageMediaToDo(tl.TodoList(words("Pier"), tasks), completions=done)
    assert blocks(message(media=media)) == (
        Text(
            (
                Run("Pier", BOLD),
                Run("\n"),
                Run("☐ "),
                Run("paint", frozenset({Style.ITALIC})),
                Run("\n"),
                Run("☑ "),
                Run("sweep"),
            )
        ),
    )


def test_quiz_shows_its_answer_and_explanation_once_they_are_known() -> None:
    votes = voted(1, 3, correct=1)
    votes.solution = "Because."
    found = blocks(message(media=tl.MessageMediaPoll(asked("?", "a", "b", quiz=True, closed=True), votes)))
    assert found == (
        Poll("?", "Final Results", (PollOption("a", "25%"), PollOption("b", "75%", correct=True)), "4"),
        Card("Explanation", (Run("Because."),)),
    )


def test_poll_without_votes_told_has_no_percentages() -> None:
    (found,) = blocks(message(media=tl.MessageMediaPoll(asked("?", "a"), tl.PollResults(total_voters=1234))))
    assert found == Poll("?", "Anonymous Poll", (PollOption("a", ""),), "1.2K")


def test_files_of_a_poll_are_shown_with_their_options() -> None:
    question = asked("?", "cat", "dog")
    question.answers[1].media = photo(number=73)
    found = blocks(message(media=tl.MessageMediaPoll(question, tl.PollResults(), attached_media=video())))
    files = [block for block in found if isinstance(block, Media)]
    assert [(each.url, each.note) for each in files] == [
        ("account:harbour/5/poll", ""),
        ("account:harbour/5/option-1", "dog"),
    ]


@pytest.mark.parametrize(
    ("media", "kind"),
    [
        (tl.MessageMediaPhoto(ttl_seconds=5), MediaKind.PHOTO),
        (tl.MessageMediaDocument(ttl_seconds=5, round=True), MediaKind.ROUND_VIDEO),
        (tl.MessageMediaDocument(document=tl.DocumentEmpty(5)), MediaKind.DOCUMENT),
    ],
)
def test_expired_file_is_named(media: Any, kind: MediaKind) -> None:
    (found,) = blocks(message(media=media))
    assert isinstance(found, Media)
    assert (found.kind, found.url, found.note) == (kind, None, "no longer available")


def test_file_has_its_address_its_size_and_its_picture() -> None:
    (film,) = blocks(message(media=video(3723, number=81, bytes_=5_000_000_000)))
    assert film == Media(
        MediaKind.VIDEO, LINK, url="account:harbour/5/file", preview_url="account:harbour/5/file-thumb",
        size="4.7 GB", duration="1:02:03", identity="video 81",
    )  # fmt: skip


def test_chosen_cover_of_a_video_is_its_picture() -> None:
    (film,) = blocks(message(media=video(media={"video_cover": photo().photo})))
    assert isinstance(film, Media)
    assert film.preview_url == "account:harbour/5/file-cover"


def test_animated_sticker_is_known_by_its_address() -> None:
    attribute = tl.DocumentAttributeSticker("🐦", tl.InputStickerSetEmpty())
    (found,) = blocks(message(media=document(attribute, mime="application/x-tgsticker")))
    assert isinstance(found, Media)
    assert found.url == "account:harbour/5/file.tgs"


def web_page(**fields: Any) -> Any:
    return tl.WebPage(1, "https://a.example", "a.example", 0, **fields)


@pytest.mark.parametrize(
    "page", [tl.WebPageEmpty(1), tl.WebPagePending(1, making.DATE), tl.WebPageNotModified(), web_page()]
)
def test_link_without_a_preview_shows_none(page: Any) -> None:
    assert blocks(message(text="a", media=tl.MessageMediaWebPage(page))) == (Text((Run("a"),)),)


@pytest.mark.parametrize(
    ("page", "flags", "large"),
    [
        ({"title": "T", "type": "article"}, {}, False),
        ({"title": "T", "type": "article"}, {"force_large_media": True}, True),
        ({"title": "T", "type": "photo"}, {}, True),
        ({"title": "T", "type": "photo"}, {"force_small_media": True}, False),
        ({}, {}, True),
    ],
)
def test_picture_of_a_link_is_as_wide_as_in_telegram(page: Any, flags: Any, large: bool) -> None:
    shown = tl.MessageMediaWebPage(web_page(photo=photo().photo, **page), **flags)
    _, found = blocks(message(text="a", media=shown))
    assert isinstance(found, LinkPreview)
    assert found.large is large


def test_link_preview_above_the_text_comes_first() -> None:
    shown = tl.MessageMediaWebPage(web_page(title="T"))
    found = blocks(message(text="a", media=shown, invert_media=True))
    assert [type(block) for block in found] == [LinkPreview, Text]


def test_video_of_a_link_is_a_file_of_its_preview() -> None:
    clip = file(tl.DocumentAttributeVideo(9, 8, 8))
    _, found = blocks(message(text="a", media=tl.MessageMediaWebPage(web_page(title="T", document=clip))))
    assert isinstance(found, LinkPreview)
    assert [(each.kind, each.url, each.link) for each in found.media] == [
        (MediaKind.VIDEO, "account:harbour/5/webpage", "https://a.example")
    ]


@pytest.mark.parametrize(
    ("header", "forward"),
    [
        ({"from_id": tl.PeerUser(1)}, Forward("Ann Lee", "https://t.me/annlee")),
        ({"from_id": tl.PeerUser(2)}, Forward("Bo")),
        ({"from_id": tl.PeerUser(4)}, Forward("Deleted Account")),
        (
            {"from_id": tl.PeerChannel(200), "channel_post": 7, "post_author": "Ann"},
            Forward("Pier", "https://t.me/pier/7", "Ann"),
        ),
        (
            {"from_id": tl.PeerChannel(300), "channel_post": 7},
            Forward("Hidden Pier", "https://t.me/c/300/7"),
        ),
        ({"from_name": "Somebody", "post_author": "Somebody"}, Forward("Somebody")),
        ({"from_id": tl.PeerChannel(999)}, Forward("a private channel")),
    ],
)
def test_forward_names_its_source(header: Any, forward: Forward) -> None:
    one = message(text="a", fwd_from=tl.MessageFwdHeader(making.DATE, **header))
    assert blocks(one) == (forward, Text((Run("a"),)))


def test_bot_is_named_behind_the_forward() -> None:
    header = tl.MessageFwdHeader(making.DATE, from_name="Somebody")
    found = blocks(message(text="a", fwd_from=header, via_bot_id=3))
    assert found[:2] == (Forward("Somebody"), ViaBot("@gifbot", "https://t.me/gifbot"))


ANSWERED = message(3, text="w" * 200)


@pytest.mark.parametrize(
    ("header", "reply"),
    [
        (
            tl.MessageReplyHeader(reply_to_msg_id=3),
            Reply("https://t.me/harbour/3", "Harbour News", (Run("w" * 160 + "…"),)),
        ),
        (
            tl.MessageReplyHeader(
                reply_to_msg_id=3, quote_text="w w", quote_entities=[tl.MessageEntityBold(0, 1)]
            ),
            Reply("https://t.me/harbour/3", "Harbour News", (Run("w", BOLD), Run(" w"))),
        ),
        (tl.MessageReplyHeader(reply_to_msg_id=2), Reply("https://t.me/harbour/2", "", ())),
        (
            tl.MessageReplyHeader(
                reply_to_msg_id=3, reply_to_peer_id=tl.PeerChannel(200), reply_media=photo()
            ),
            Reply("https://t.me/pier/3", "Pier", (Run("Photo"),)),
        ),
        (
            tl.MessageReplyStoryHeader(tl.PeerChannel(200), 8),
            Reply("https://t.me/pier/s/8", "Pier", (Run("Story"),)),
        ),
    ],
)
def test_reply_says_whom_it_answers(header: Any, reply: Reply) -> None:
    assert blocks(message(text="a", reply_to=header), ANSWERED) == (reply, Text((Run("a"),)))


def test_message_of_a_topic_is_no_reply() -> None:
    header = tl.MessageReplyHeader(reply_to_msg_id=3, forum_topic=True)
    assert blocks(message(text="a", reply_to=header), ANSWERED) == (Text((Run("a"),)),)


def test_buttons_that_only_telegram_understands_have_no_url() -> None:
    kinds = [
        tl.InlineButtonTypeUrlAuth("https://a.example", 1),
        tl.InlineButtonTypeWebView("https://b.example"),
        tl.InlineButtonTypeCopy("c"),
        tl.InlineButtonTypeSwitchInline("d"),
        tl.InlineButtonTypeUserProfile(1),
    ]
    row = tl.KeyboardInlineButtonRow([tl.KeyboardInlineButton(str(n), kind) for n, kind in enumerate(kinds)])
    found = blocks(
        message(text="a", reply_markup=tl.ReplyInlineMarkup([row, tl.KeyboardInlineButtonRow([])]))
    )
    shown = [Button("0", "https://a.example"), *(Button(str(n)) for n in range(1, 5))]
    assert found[1:] == (Buttons((tuple(shown),)),)


def test_keyboard_for_the_writers_is_not_shown() -> None:
    row = tl.KeyboardButtonRow([tl.KeyboardButton("a", tl.ButtonTypeDefault())])
    assert len(blocks(message(text="a", reply_markup=tl.ReplyKeyboardMarkup([row])))) == 1


def test_fact_check_stands_below_the_text() -> None:
    check = tl.FactCheck(0, country="DE", text=words("It is not so."))
    assert blocks(message(text="a", factcheck=check))[1:] == (Card("Fact check", (Run("It is not so."),)),)


def test_message_that_no_application_shows_has_the_reason_alone() -> None:
    reasons = [tl.RestrictionReason("ios", "porn", "No."), tl.RestrictionReason("all", "terms", "Not here.")]
    assert blocks(message(text="a", restriction_reason=reasons)) == (Unsupported("Not here."),)
    assert blocks(message(text="a", restriction_reason=reasons[:1])) == (Text((Run("a"),)),)


ANN = {"post": False, "from_id": tl.PeerUser(1)}
SERVICE: list[tuple[Any, dict[str, Any], str]] = [
    (tl.MessageActionChannelCreate("x"), {"post": False}, "Group created"),
    (tl.MessageActionChatDeletePhoto(), {}, "Channel photo removed"),
    (tl.MessageActionPinMessage(), ANN, "Ann Lee pinned a message"),
    (tl.MessageActionChatAddUser([1]), ANN, "Ann Lee joined the group"),
    (tl.MessageActionChatAddUser([2, 9]), ANN, "Ann Lee added Bo, a user"),
    (tl.MessageActionChatDeleteUser(1), ANN, "Ann Lee left the group"),
    (tl.MessageActionChatDeleteUser(2), ANN, "Ann Lee removed Bo"),
    (tl.MessageActionChatJoinedByLink(2), ANN, "Ann Lee joined the group via an invite link"),
    (tl.MessageActionGroupCall(tl.InputGroupCall(1, 1), 3700), ANN, "Video chat finished (1 hour)"),
    (
        tl.MessageActionGroupCallScheduled(tl.InputGroupCall(1, 1), making.DATE),
        {},
        "Live stream scheduled for 2026-08-06 07:59 UTC",
    ),
    (tl.MessageActionGroupCallScheduled(tl.InputGroupCall(1, 1), None), {}, "Live stream scheduled"),
    (tl.MessageActionTopicCreate("Tides", 0), ANN, "Topic «Tides» created"),
    (tl.MessageActionTopicEdit(closed=True), ANN, "Topic closed"),
    (tl.MessageActionTodoCompletions([1], []), ANN, "Ann Lee marked 1 task as done"),
    (tl.MessageActionBoostApply(2), ANN, "Ann Lee boosted the group 2 times"),
    (tl.MessageActionPaidMessagesPrice(5), {}, "Paid messages price"),
]


@pytest.mark.parametrize(("action", "fields", "text"), SERVICE)
def test_service_message_says_what_happened(action: Any, fields: dict[str, Any], text: str) -> None:
    (found,) = blocks(service(action, **fields))
    assert isinstance(found, Text)
    assert plain(found.runs) == text


def test_new_photo_of_the_channel_is_shown() -> None:
    picture, text = blocks(service(tl.MessageActionChatEditPhoto(photo().photo)))
    assert isinstance(picture, Media)
    assert (picture.url, text) == ("account:harbour/5/file", Text((Run("Channel photo updated"),)))


def test_every_kind_has_words_for_discord() -> None:
    medias = [case[1] for case in CARDS] + [tl.MessageMediaGeoLive(point(), 5), video(), photo()]
    for media in medias:
        (found,) = making.read(message(media=media))
        assert sections(found.post, lines_for=range(9), reply_link=None)
