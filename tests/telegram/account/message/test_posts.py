"""Messages -> posts: albums, authors, what is left out, and when a fingerprint changes."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from disgram.post import Media, Text, Unsupported, plain
from tests.builders import pages

pytest.importorskip("telethon")

from telethon.tl import types as tl

from disgram.telegram.account.message.files import FileAddress, find_file, parse_address
from disgram.telegram.account.message.peers import Peers
from disgram.telegram.account.message.posts import AccountPost, posts_of
from disgram.telegram.account.post_json import read_post, write_post
from tests.telegram.account.message import making
from tests.telegram.account.message.making import message, photo, read, service, video
from tests.telegram.account.message.test_kinds import GAME, STORY
from tests.telegram.account.message.test_same_as_page import BUTTONS, asked, voted


def only(*messages: Any, **changed: Any) -> AccountPost:
    (found,) = read(*messages, **changed)
    return found


def texts(found: AccountPost) -> list[str]:
    return [
        plain(block.runs) if isinstance(block, Text) else getattr(block, "url", None) or ""
        for block in found.post.blocks
    ]


def test_posts_come_in_the_order_of_their_ids() -> None:
    assert [each.post.id for each in read(message(7, "c"), message(5, "a"), message(6, "b"))] == [5, 6, 7]


def test_what_is_left_of_deleted_messages_is_no_post() -> None:
    gone = [
        tl.MessageEmpty(4, making.PEER),
        service(tl.MessageActionEmpty(), 6),
        service(tl.MessageActionHistoryClear(), 7),
    ]
    assert [each.post.id for each in read(*gone, message(5, "a"))] == [5]


def test_album_is_one_post_with_the_ids_of_its_messages() -> None:
    first, other = read(
        message(5, media=photo(1), grouped_id=9),
        message(6, "between"),
        message(8, media=photo(2), grouped_id=9),
    )
    assert (first.post.id, first.post.ids, other.post.ids) == (5, (5, 8), (6,))


def test_album_with_several_captions_has_each_behind_its_file() -> None:
    album = only(message(5, "one", photo(1), grouped_id=9), message(6, "two", photo(2), grouped_id=9))
    assert texts(album) == ["account:harbour/5/file", "one", "account:harbour/6/file", "two"]


def test_album_with_its_caption_above_begins_with_it() -> None:
    album = only(
        message(5, "cap", photo(1), grouped_id=9, invert_media=True),
        message(6, media=photo(2), grouped_id=9, invert_media=True),
    )
    assert texts(album) == ["cap", "account:harbour/5/file", "account:harbour/6/file"]


def test_album_of_which_one_file_is_restricted_has_the_reason_alone() -> None:
    reason = [tl.RestrictionReason("all", "terms", "Not here.")]
    album = only(
        message(5, "cap", photo(1), grouped_id=9),
        message(6, media=photo(2), grouped_id=9, restriction_reason=reason),
    )
    assert album.post.blocks == (Unsupported("Not here."),)


@pytest.mark.parametrize(
    ("fields", "author", "has_photo"),
    [
        ({}, pages.TITLE, True),
        ({"from_id": tl.PeerUser(1)}, pages.TITLE, True),
        ({"post": False, "from_id": tl.PeerUser(1)}, "Ann Lee", False),
        ({"post": False, "from_id": tl.PeerUser(4)}, "Deleted Account", False),
        ({"post": False, "from_id": tl.PeerChannel(200)}, "Pier", False),
        ({"post": False, "from_id": making.PEER}, pages.TITLE, True),
        ({"post": False}, pages.TITLE, True),
        ({"post": False, "from_id": tl.PeerUser(999)}, "Someone", False),
        ({"post": False, "from_id": tl.PeerUser(5)}, pages.TITLE, False),
    ],
)
def test_author_is_the_channel_or_who_wrote_in_the_group(fields: Any, author: str, has_photo: bool) -> None:
    post = only(message(5, "a", **fields)).post
    assert (post.author, post.photo_url is not None) == (author, has_photo)


def test_signature_date_and_edit_are_the_posts_own() -> None:
    post = only(message(5, "a", post_author="Ann", edit_date=making.DATE)).post
    assert (post.signature, post.date, post.edited) == ("Ann", making.DATE, True)


def test_author_whose_profile_a_channel_shows_signs_with_his_name() -> None:
    assert only(message(5, "a", from_id=tl.PeerUser(1))).post.signature == "Ann Lee"
    assert only(message(5, "a", from_id=tl.PeerUser(1), post=False)).post.signature == ""


def test_edit_that_telegram_hides_is_none() -> None:
    assert not only(message(5, "a", edit_date=making.DATE, edit_hide=True)).post.edited


def test_date_without_a_zone_is_utc() -> None:
    post = only(message(5, "a", date=datetime(2026, 8, 6))).post
    assert post.date == datetime(2026, 8, 6, tzinfo=timezone.utc)


def test_service_message_is_marked() -> None:
    assert only(service(tl.MessageActionChannelCreate("x"))).post.service


def test_message_or_channel_that_forbids_saving_is_protected() -> None:
    assert not only(message(5, "a")).protected
    assert only(message(5, "a", noforwards=True)).protected
    assert only(message(5, "a"), protected=True).protected
    assert only(
        message(5, media=photo(1), grouped_id=9), message(6, media=photo(2), grouped_id=9, noforwards=True)
    ).protected


def test_rich_text_nested_too_deeply_links_to_telegram() -> None:
    text: Any = tl.TextPlain("a")
    for _ in range(5000):
        text = tl.TextBold(text)
    post = only(message(5, rich_message=tl.RichMessage([tl.PageBlockParagraph(text)], [], []))).post
    assert post.blocks == (Unsupported("Please open Telegram to view this post"),)


BASE: dict[str, Any] = {"text": "a", "media": photo(70), "reply_markup": BUTTONS}
UNSEEN: dict[str, dict[str, Any]] = {
    "views": {"views": 9, "forwards": 3},
    "reactions": {"reactions": tl.MessageReactions([tl.ReactionCount(tl.ReactionEmoji("👏"), 5)])},
    "a hidden edit": {"edit_date": making.DATE, "edit_hide": True},
    "another file reference": {
        "media": tl.MessageMediaPhoto(photo=tl.Photo(70, 1, b"new", making.DATE, [making.size()], 4))
    },
    "a count on a bot's button": {
        "reply_markup": tl.ReplyInlineMarkup(
            [
                tl.KeyboardInlineButtonRow(
                    [
                        tl.KeyboardInlineButton("Site", tl.InlineButtonTypeUrl("https://a.example/")),
                        tl.KeyboardInlineButton("👍 6", tl.InlineButtonTypeCallback(b"like")),
                    ]
                )
            ]
        )
    },
}
SEEN: dict[str, dict[str, Any]] = {
    "text": {"text": "b"},
    "formatting": {"entities": [tl.MessageEntityBold(0, 1)]},
    "another file": {"media": photo(71)},
    "a spoiler": {"media": photo(70, spoiler=True)},
    "an edit": {"edit_date": making.DATE},
    "a button": {"reply_markup": None},
    "a signature": {"post_author": "Ann"},
    "caption above": {"invert_media": True},
}


@pytest.mark.parametrize("name", UNSEEN)
def test_fingerprint_stays_with_what_nobody_sees(name: str) -> None:
    assert only(message(**BASE | UNSEEN[name])).fingerprint == only(message(**BASE)).fingerprint


@pytest.mark.parametrize("name", SEEN)
def test_fingerprint_changes_with_what_is_seen(name: str) -> None:
    assert only(message(**BASE | SEEN[name])).fingerprint != only(message(**BASE)).fingerprint


def test_fingerprint_of_a_poll_follows_percentages_and_not_voters() -> None:
    def of(*votes: int) -> str:
        return only(message(media=tl.MessageMediaPoll(asked("?", "a", "b"), voted(*votes)))).fingerprint

    assert of(1, 1) == of(5, 5) != of(1, 3)


def test_fingerprint_needs_no_names_and_no_message_replied_to() -> None:
    one = message(
        5,
        "a",
        from_id=tl.PeerUser(1),
        reply_to=tl.MessageReplyHeader(reply_to_msg_id=3),
        fwd_from=tl.MessageFwdHeader(making.DATE, from_id=tl.PeerChannel(200)),
    )
    (known,) = posts_of([one], making.channel(message(3, "b")))
    (unknown,) = posts_of([one], making.channel(peers=Peers()))
    assert known.post.blocks != unknown.post.blocks
    assert known.post.signature != unknown.post.signature
    assert known.fingerprint == unknown.fingerprint


FILES: list[Any] = [
    message(media=photo()),
    message(media=video()),
    message(media=video(media={"video_cover": photo(74).photo})),
    message(media=making.document(tl.DocumentAttributeSticker("🐦", tl.InputStickerSetEmpty()),
                                  mime="application/x-tgsticker")),
    message(media=tl.MessageMediaGame(GAME)),
    message(media=tl.MessageMediaStory(making.PEER, 3, story=STORY)),
    message(media=tl.MessageMediaPaidMedia(5, [tl.MessageExtendedMedia(photo())])),
    message(media=tl.MessageMediaWebPage(
        tl.WebPage(1, "https://a.example", "", 0, document=video().document, photo=photo(75).photo))),
    message(media=tl.MessageMediaPoll(asked("?", "a"), tl.PollResults(), attached_media=video())),
    service(tl.MessageActionChatEditPhoto(photo().photo)),
    message(rich_message=tl.RichMessage(
        [tl.PageBlockPhoto(76, tl.PageCaption(tl.TextEmpty(), tl.TextEmpty())),
         tl.PageBlockVideo(80, tl.PageCaption(tl.TextEmpty(), tl.TextEmpty()))],
        [photo(76).photo], [video().document])),
]  # fmt: skip


@pytest.mark.parametrize("one", FILES)
def test_every_address_of_a_file_leads_to_it(one: Any) -> None:
    media = only(one).post.media
    addresses = [url for each in media for url in (each.url, each.preview_url) if url]
    assert addresses
    for url in addresses:
        address = parse_address(url)
        assert address is not None
        assert (address.channel, address.message_id) == (pages.CHANNEL, 5)
        found = find_file(one, address.which)
        assert found is not None
        assert str(found.media.id) in " ".join(each.identity for each in media) or "cover" in url


def test_largest_picture_is_fetched() -> None:
    sizes = [
        tl.PhotoStrippedSize("i", b"\1"),
        making.size("m", 320, 240),
        tl.PhotoSizeProgressive("y", 1280, 960, [9, 500, 90_000]),
        making.size("x", 800, 600),
    ]
    found = find_file(message(media=photo(sizes=sizes)), "file")
    assert found is not None
    assert (found.thumb_size, found.size, found.content_type) == ("y", 90_000, "image/jpeg")
    assert isinstance(found.location, tl.InputPhotoFileLocation)


def test_thumbnail_of_a_document_is_part_of_its_location() -> None:
    found = find_file(message(media=video()), "file-thumb")
    assert found is not None
    assert isinstance(found.location, tl.InputDocumentFileLocation)
    assert (found.location.thumb_size, found.content_type) == ("m", "image/jpeg")


def test_photo_of_which_nothing_can_be_fetched_has_no_address() -> None:
    (found,) = only(message(media=photo(sizes=[tl.PhotoStrippedSize("i", b"\1")]))).post.blocks
    assert isinstance(found, Media)
    assert found.url is None


def test_file_that_the_message_has_no_more_is_not_found() -> None:
    assert find_file(message(text="a"), "file") is None
    assert find_file(message(media=photo()), "file-thumb") is None


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("account:news/5/file", FileAddress("news", 5, "file")),
        ("account:c/123/5/option-1", FileAddress("c/123", 5, "option-1")),
        ("account:news/5/file.tgs", FileAddress("news", 5, "file")),
        ("account:news/0/file", None),
        ("account:news/../5/file", None),
        ("account:c/x/5/file", None),
        ("account:news/5/", None),
        ("account:news/5/file\n", None),
        ("https://t.me/news/5", None),
    ],
)
def test_address_of_a_file_is_read_strictly(url: str, address: FileAddress | None) -> None:
    assert parse_address(url) == address


@pytest.mark.parametrize("one", FILES)
def test_post_arrives_through_json(one: Any) -> None:
    post = only(one).post
    assert read_post(write_post(post)) == post
