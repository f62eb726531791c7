"""The stand-in for Telegram's MTProto servers behaves as they do, seen by an unpatched Telethon client."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("telethon")

from telethon import TelegramClient, errors, events
from telethon.sessions import SQLiteSession, StringSession
from telethon.tl import functions, types

from standins.mtproto.channels import Channel
from standins.mtproto.faults import FOREVER
from standins.mtproto.server import MtprotoStandIn
from standins.mtproto.world import DC

PATIENCE = 10.0
"""Seconds after which something that should happen at once has not."""


@pytest.fixture
def telegram() -> Iterator[MtprotoStandIn]:
    with MtprotoStandIn() as server:
        yield server


@pytest.fixture
def channel(telegram: MtprotoStandIn) -> Channel:
    return telegram.channel("News")


@asynccontextmanager
async def connected(telegram: MtprotoStandIn, session: str = "") -> AsyncIterator[Any]:
    """A client that is logged in, and knows the channels of the account."""
    client = TelegramClient(
        StringSession(session or telegram.session_string()), 1, "hash",
        flood_sleep_threshold=0, request_retries=1, retry_delay=0, raise_last_call_error=True,
    )  # fmt: skip
    try:
        await client.connect()
        await client.get_dialogs()
        yield client
    finally:
        await client.disconnect()


async def until(condition: Callable[[], bool]) -> None:
    async def wait() -> None:
        while not condition():
            await asyncio.sleep(0.01)

    await asyncio.wait_for(wait(), PATIENCE)


def seen_by_a_client(telegram: MtprotoStandIn, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    """What a client of its own answers."""

    async def run() -> Any:
        async with connected(telegram) as client:
            return await ask(client)

    return asyncio.run(run())


class Heard:
    """The updates that a client delivers, and waiting for them."""

    def __init__(self, client: Any, *kinds: Any) -> None:
        self._queue: asyncio.Queue[Any] = asyncio.Queue()
        for kind in kinds:
            client.add_event_handler(self._queue.put, kind)

    async def next(self) -> Any:
        return await asyncio.wait_for(self._queue.get(), PATIENCE)

    async def texts(self, count: int) -> list[str]:
        return [(await self.next()).message.message for _ in range(count)]

    @property
    def nothing_more(self) -> bool:
        return self._queue.empty()


# --- reading ---


def test_dialogs_name_the_channels_the_account_is_in(telegram: MtprotoStandIn, channel: Channel) -> None:
    group = telegram.channel("Talk", megagroup=True)
    telegram.channel("Elsewhere", username="elsewhere", member=False)
    group.post("hello", sender=telegram.user("Anna"))

    dialogs = seen_by_a_client(telegram, lambda client: client.get_dialogs())

    assert [(each.title, each.entity.id, each.is_group) for each in dialogs] == [
        ("Talk", group.id, True),
        ("News", channel.id, False),
    ]


def test_more_dialogs_than_one_page_are_all_listed(telegram: MtprotoStandIn) -> None:
    for number in range(130):
        telegram.channel(f"Channel {number}").post("hello")

    dialogs = seen_by_a_client(telegram, lambda client: client.get_dialogs())

    assert len({each.entity.id for each in dialogs}) == 130
    assert telegram.count("messages.getDialogs") > 2


def test_history_is_paged_in_both_directions(telegram: MtprotoStandIn, channel: Channel) -> None:
    for number in range(1, 231):
        channel.post(f"post {number}")

    async def numbers(client: Any, **how: Any) -> list[int]:
        return [message.id async for message in client.iter_messages(channel.peer, wait_time=0, **how)]

    async def ask(client: Any) -> list[list[int]]:
        return [
            await numbers(client),
            await numbers(client, min_id=20, reverse=True),
            await numbers(client, offset_id=101, limit=20),
        ]

    everything, from_20, page = seen_by_a_client(telegram, ask)
    assert everything == list(range(230, 0, -1))
    assert from_20 == list(range(21, 231))
    assert page == list(range(100, 80, -1))
    assert [call.request.limit for call in telegram.calls if call.method == "messages.getHistory"].count(100)


def test_a_deleted_number_is_empty_and_not_in_the_history(telegram: MtprotoStandIn, channel: Channel) -> None:
    first, second = channel.post("one"), channel.post("two")
    channel.delete(first)

    async def ask(client: Any) -> Any:
        return await client.get_messages(channel.peer, ids=[first, second]), await client.get_messages(
            channel.peer, limit=10
        )

    by_number, history = seen_by_a_client(telegram, ask)
    assert (by_number[0], by_number[1].message) == (None, "two")
    assert [message.id for message in history] == [second]


def test_a_message_keeps_entities_buttons_and_its_sender(telegram: MtprotoStandIn) -> None:
    group, anna = telegram.channel("Talk", megagroup=True), telegram.user("Anna", username="anna")
    button = types.KeyboardInlineButton("Open", types.InlineButtonTypeUrl("https://a.example"))
    buttons = types.ReplyInlineMarkup([types.KeyboardInlineButtonRow([button])])
    bold = [types.MessageEntityBold(3, 4)]
    number = group.post("🎉 bold", sender=anna, entities=bold, reply_markup=buttons)

    async def ask(client: Any) -> Any:
        message = await client.get_messages(group.peer, ids=number)
        return message, await message.get_sender()

    message, sender = seen_by_a_client(telegram, ask)
    assert message.get_entities_text() == [(bold[0], "bold")]
    assert message.buttons[0][0].url == "https://a.example"
    assert (sender.first_name, sender.username, message.post) == ("Anna", "anna", False)


def test_a_topic_holds_its_own_messages_only(telegram: MtprotoStandIn) -> None:
    forum = telegram.channel("Forum", forum=True)
    rules, other = forum.topic("Rules"), forum.topic("Other")
    first = forum.post("be kind", topic=rules)
    forum.post("elsewhere", topic=other)
    second = forum.post("yes", topic=rules, reply_to=first)

    async def ask(client: Any) -> Any:
        topics = await client(functions.messages.GetForumTopicsRequest(forum.peer, None, 0, 0, 100))
        found = [message.id async for message in client.iter_messages(forum.peer, reply_to=rules)]
        return [(topic.id, topic.title, topic.top_message) for topic in topics.topics], found

    topics, found = seen_by_a_client(telegram, ask)
    assert topics[1] == (rules, "Rules", second)
    assert found == [second, first]


# --- who may read what ---


def test_a_fresh_session_does_not_know_a_private_channel_before_its_dialogs(
    telegram: MtprotoStandIn, channel: Channel
) -> None:
    async def run() -> None:
        client = TelegramClient(StringSession(telegram.session_string()), 1, "hash")
        await client.connect()
        with pytest.raises(ValueError, match="Could not find the input entity"):
            await client.get_input_entity(channel.peer)
        await client.get_dialogs()
        assert (await client.get_input_entity(channel.peer)).channel_id == channel.id
        await client.disconnect()

    asyncio.run(run())


def test_a_wrong_access_hash_is_refused(telegram: MtprotoStandIn, channel: Channel) -> None:
    wrong = types.InputPeerChannel(channel.id, channel.chat.access_hash + 1)
    with pytest.raises(errors.ChannelInvalidError):
        seen_by_a_client(telegram, lambda client: client.get_messages(wrong, limit=1))


def test_a_public_channel_is_read_without_being_in_it(telegram: MtprotoStandIn) -> None:
    elsewhere = telegram.channel("Elsewhere", username="Elsewhere", member=False, restricted="Not here")
    elsewhere.post("hello")

    async def ask(client: Any) -> Any:
        return await client.get_entity("elsewhere"), await client.get_messages("elsewhere", limit=5)

    entity, found = seen_by_a_client(telegram, ask)
    assert [message.message for message in found] == ["hello"]
    assert (entity.left, entity.restricted, entity.restriction_reason[0].text) == (True, True, "Not here")


def test_a_channel_is_private_after_the_account_was_thrown_out(
    telegram: MtprotoStandIn, channel: Channel
) -> None:
    channel.post("hello")

    async def ask(client: Any) -> None:
        channel.throw_out()
        await client.get_messages(channel.peer, limit=1)

    with pytest.raises(errors.ChannelPrivateError):
        seen_by_a_client(telegram, ask)


def test_an_unknown_name_is_not_occupied(telegram: MtprotoStandIn) -> None:
    with pytest.raises(ValueError, match='No user has "nobody_here"'):
        seen_by_a_client(telegram, lambda client: client.get_entity("nobody_here"))


def test_an_invite_link_tells_whether_the_account_is_in(telegram: MtprotoStandIn, channel: Channel) -> None:
    elsewhere = telegram.channel("Elsewhere", member=False)

    async def ask(client: Any) -> Any:
        check = functions.messages.CheckChatInviteRequest
        return await client(check(channel.invite)), await client(check(elsewhere.invite))

    inside, outside = seen_by_a_client(telegram, ask)
    assert (type(inside), inside.chat.id) == (types.ChatInviteAlready, channel.id)
    assert (type(outside), outside.title) == (types.ChatInvite, "Elsewhere")


# --- updates ---


def test_posts_edits_and_deletions_are_pushed(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> None:
        heard = Heard(client, events.NewMessage(), events.MessageEdited(), events.MessageDeleted())
        number = channel.post("hello")
        assert await heard.texts(1) == ["hello"]
        channel.edit(number, "hello again")
        edited = await heard.next()
        assert (edited.message.message, edited.message.edit_date is not None) == ("hello again", True)
        channel.delete(number)
        deleted = await heard.next()
        assert (deleted.deleted_ids, deleted.chat_id) == ([number], int(f"-100{channel.id}"))

    seen_by_a_client(telegram, ask)


def test_the_files_of_an_album_arrive_as_one_event(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> None:
        heard = Heard(client, events.Album())
        numbers = channel.album([telegram.photo(b"one"), telegram.photo(b"two")], "both")
        album = await heard.next()
        assert ([message.id for message in album.messages], album.text) == (numbers, "both")

    seen_by_a_client(telegram, ask)


def test_a_lost_update_is_recovered_by_the_difference(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> None:
        heard = Heard(client, events.NewMessage())
        telegram.lose_updates(2)
        for text in ("lost", "lost too", "heard"):
            channel.post(text)
        assert await heard.texts(3) == ["lost", "lost too", "heard"]
        assert telegram.count("updates.getChannelDifference") == 1

    seen_by_a_client(telegram, ask)


def test_a_long_difference_comes_in_slices(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> None:
        heard = Heard(client, events.NewMessage())
        telegram.lose_updates(FOREVER)
        wanted = [f"post {number}" for number in range(250)]
        for text in wanted:
            channel.post(text)
        telegram.heal()
        channel.post("heard")
        assert await heard.texts(251) == [*wanted, "heard"]
        assert telegram.count("updates.getChannelDifference") == 3

    seen_by_a_client(telegram, ask)


def test_a_difference_names_edits_and_deletions_and_leaves_out_what_is_gone(
    telegram: MtprotoStandIn, channel: Channel
) -> None:
    kept = channel.post("before")

    async def ask(client: Any) -> Any:
        pts = channel.pts
        gone = channel.post("gone")
        channel.edit(kept, "after")
        channel.delete(gone)
        request = functions.updates.GetChannelDifferenceRequest(
            channel.peer, types.ChannelMessagesFilterEmpty(), pts, 100
        )
        return await client(request)

    difference = seen_by_a_client(telegram, ask)
    assert difference.new_messages == []
    edited, deleted = difference.other_updates
    assert (edited.message.message, deleted.messages) == ("after", [2])
    assert (difference.pts, difference.final) == (channel.pts, True)


def test_too_many_missed_updates_are_too_long(telegram: MtprotoStandIn, channel: Channel) -> None:
    channel.too_long_after = 5

    async def ask(client: Any) -> Any:
        pts = channel.pts
        for number in range(6):
            channel.post(f"post {number}")
        request = functions.updates.GetChannelDifferenceRequest(
            channel.peer, types.ChannelMessagesFilterEmpty(), pts, 100
        )
        return await client(request)

    difference = seen_by_a_client(telegram, ask)
    assert isinstance(difference, types.updates.ChannelDifferenceTooLong)
    assert (difference.dialog.pts, difference.messages[0].message) == (channel.pts, "post 5")


def test_what_was_posted_while_a_client_was_away_is_caught_up(
    telegram: MtprotoStandIn, channel: Channel
) -> None:
    async def ask(client: Any) -> None:
        heard = Heard(client, events.NewMessage())
        telegram.refuses_connections = True
        telegram.drop_connections()
        channel.post("missed")
        telegram.refuses_connections = False
        await until(lambda: telegram.followers == 1)
        await client.catch_up()
        channel.post("heard")
        assert await heard.texts(2) == ["missed", "heard"]

    seen_by_a_client(telegram, ask)


def test_a_client_that_does_not_read_holds_up_nobody(telegram: MtprotoStandIn, channel: Channel) -> None:
    """Its buffers hold a few MiB; all of this is posted while the client's own loop stands still."""

    async def ask(client: Any) -> None:
        heard = Heard(client, events.NewMessage())
        wanted = [f"post {number}" for number in range(130)]
        media = telegram.photo(b"content")
        media.photo.sizes.append(types.PhotoStrippedSize("i", bytes(100_000)))
        for text in wanted:
            channel.post(text, media=media)
        assert await heard.texts(len(wanted)) == wanted

    seen_by_a_client(telegram, ask)


def test_a_channel_the_account_is_not_in_sends_no_updates(telegram: MtprotoStandIn, channel: Channel) -> None:
    elsewhere = telegram.channel("Elsewhere", username="elsewhere", member=False)

    async def ask(client: Any) -> None:
        heard = Heard(client, events.NewMessage())
        elsewhere.post("unheard")
        channel.post("heard")
        assert await heard.texts(1) == ["heard"]
        assert heard.nothing_more

    seen_by_a_client(telegram, ask)


# --- files ---


def test_a_file_is_streamed_in_parts(telegram: MtprotoStandIn, channel: Channel) -> None:
    size = 3 * 1024 * 1024 + 17
    number = channel.post(media=telegram.document(size, "video/mp4", name="film.mp4"))

    async def ask(client: Any) -> Any:
        message = await client.get_messages(channel.peer, ids=number)
        parts = [bytes(part) async for part in client.iter_download(message.media, request_size=512 * 1024)]
        return message.file.name, parts

    name, parts = seen_by_a_client(telegram, ask)
    whole = b"".join(parts)
    assert (name, len(parts), len(whole)) == ("film.mp4", 7, size)
    assert whole == (bytes(range(251)) * (size // 251 + 1))[:size]


def test_a_photo_and_its_thumbnail_are_two_files(telegram: MtprotoStandIn, channel: Channel) -> None:
    number = channel.post(media=telegram.photo(b"large", thumbnail=b"small"))

    async def ask(client: Any) -> Any:
        message = await client.get_messages(channel.peer, ids=number)
        return [await client.download_media(message, bytes, thumb=size) for size in (None, 0)]

    assert seen_by_a_client(telegram, ask) == [b"large", b"small"]


def test_an_expired_reference_is_refused_until_the_message_is_read_again(
    telegram: MtprotoStandIn, channel: Channel
) -> None:
    number = channel.post(media=telegram.photo(b"content"))

    async def ask(client: Any) -> Any:
        message = await client.get_messages(channel.peer, ids=number)
        telegram.expire_references()
        with pytest.raises(errors.FileReferenceExpiredError):
            await client.download_media(message.media, bytes)
        message = await client.get_messages(channel.peer, ids=number)
        return await client.download_media(message.media, bytes)

    assert seen_by_a_client(telegram, ask) == b"content"


@pytest.mark.parametrize(
    ("offset", "limit", "error"),
    [
        (0, 5000, errors.LimitInvalidError),
        (0, 12 * 1024, errors.LimitInvalidError),
        (0, 2 * 1024 * 1024, errors.LimitInvalidError),
        (100, 4096, errors.OffsetInvalidError),
    ],
)
def test_a_part_that_is_not_telegrams_is_refused(
    telegram: MtprotoStandIn, channel: Channel, offset: int, limit: int, error: type[Exception]
) -> None:
    document = telegram.document(b"content").document
    location = types.InputDocumentFileLocation(document.id, document.access_hash, document.file_reference, "")
    with pytest.raises(error):
        seen_by_a_client(
            telegram, lambda client: client(functions.upload.GetFileRequest(location, offset, limit))
        )


def test_a_slow_file_does_not_hold_up_other_calls(telegram: MtprotoStandIn, channel: Channel) -> None:
    number = channel.post("hello", media=telegram.document(b"content"))
    telegram.delay("upload.getFile", 60)

    async def ask(client: Any) -> Any:
        message = await client.get_messages(channel.peer, ids=number)
        file = asyncio.ensure_future(client.download_media(message, bytes))
        await until(lambda: telegram.delayed == 1)
        await client.get_messages(channel.peer, limit=1)
        waiting = not file.done()
        telegram.heal()
        return waiting, await asyncio.wait_for(file, PATIENCE)

    assert seen_by_a_client(telegram, ask) == (True, b"content")


# --- faults ---


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("FLOOD_WAIT_30", errors.FloodWaitError),
        ("CHANNEL_PRIVATE", errors.ChannelPrivateError),
        ("USER_DEACTIVATED_BAN", errors.UserDeactivatedBanError),
        ("AUTH_KEY_DUPLICATED", errors.AuthKeyDuplicatedError),
    ],
)
def test_the_next_call_gets_the_error_that_was_commanded(
    telegram: MtprotoStandIn,
    channel: Channel,
    name: str,
    error: type[Exception],
) -> None:
    channel.post("hello")

    async def ask(client: Any) -> Any:
        telegram.fail("messages.getHistory", name)
        with pytest.raises(error) as caught:
            await client.get_messages(channel.peer, limit=1)
        client._flood_waited_requests.clear()
        return caught.value, await client.get_messages(channel.peer, limit=1)

    refused, found = seen_by_a_client(telegram, ask)
    assert getattr(refused, "seconds", 30) == 30
    assert [message.message for message in found] == ["hello"]


def test_a_revoked_session_is_refused_everything(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> None:
        telegram.revoke()
        with pytest.raises(errors.SessionRevokedError):
            await client.get_messages(channel.peer, limit=1)
        with pytest.raises(errors.SessionRevokedError):
            await client.get_dialogs()

    seen_by_a_client(telegram, ask)


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("SESSION_REVOKED", errors.SessionRevokedError),
        ("USER_DEACTIVATED_BAN", errors.UserDeactivatedBanError),
        ("AUTH_KEY_DUPLICATED", errors.AuthKeyDuplicatedError),
    ],
)
def test_a_void_session_cannot_be_used_again(
    telegram: MtprotoStandIn, name: str, error: type[Exception]
) -> None:
    session = telegram.session_string()
    telegram.revoke(name)

    async def run() -> None:
        async with connected(telegram, session):
            pass

    with pytest.raises(error):
        asyncio.run(run())


def test_a_client_comes_back_after_its_connection_was_closed(
    telegram: MtprotoStandIn, channel: Channel
) -> None:
    async def ask(client: Any) -> int:
        telegram.drop_connections()
        channel.post("hello")
        return len(await client.get_messages(channel.peer, limit=5))

    assert seen_by_a_client(telegram, ask) == 1
    assert telegram.accepted == 2


def test_a_connection_is_accepted_and_closed_at_once_until_healed(telegram: MtprotoStandIn) -> None:
    telegram.refuses_connections = True

    async def run() -> None:
        client = TelegramClient(StringSession(telegram.session_string()), 1, "hash")
        asked = asyncio.ensure_future(client.connect())
        await until(lambda: telegram.accepted >= 3)
        assert not asked.done()
        telegram.heal()
        await asyncio.wait_for(asked, PATIENCE)
        await client.disconnect()

    asyncio.run(run())


def test_a_silent_server_answers_nothing(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> None:
        telegram.silent = True
        asked = asyncio.ensure_future(client.get_messages(channel.peer, limit=1))
        done, _ = await asyncio.wait([asked], timeout=0.2)
        assert not done
        telegram.silent = False
        telegram.drop_connections()
        await asyncio.wait_for(asked, PATIENCE)

    seen_by_a_client(telegram, ask)


def test_a_changed_salt_costs_no_call(telegram: MtprotoStandIn, channel: Channel) -> None:
    channel.post("hello")

    async def ask(client: Any) -> Any:
        telegram.change_salt()
        return await client.get_messages(channel.peer, limit=1)

    assert [message.message for message in seen_by_a_client(telegram, ask)] == ["hello"]


def test_a_restarted_server_still_knows_the_session(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> Any:
        telegram.stop()
        telegram.start()
        channel.post("hello")
        return await client.get_messages(channel.peer, limit=1)

    assert [message.message for message in seen_by_a_client(telegram, ask)] == ["hello"]


# --- more of what is read ---


def test_a_long_rich_message_is_cut_and_read_whole_on_request(
    telegram: MtprotoStandIn, channel: Channel
) -> None:
    blocks = [
        types.PageBlockHeader(types.TextPlain("Title")),
        types.PageBlockParagraph(types.TextPlain("Rest")),
    ]
    number = channel.post_rich(blocks, shown=1)

    async def ask(client: Any) -> Any:
        cut = await client.get_messages(channel.peer, ids=number)
        whole = await client(functions.messages.GetRichMessageRequest(channel.peer, number))
        return cut.rich_message, whole.messages[0].rich_message

    cut, whole = seen_by_a_client(telegram, ask)
    assert (cut.part, len(cut.blocks)) == (True, 1)
    assert (whole.part, whole.blocks) == (False, blocks)


def test_a_channels_state_can_be_asked_for_alone(telegram: MtprotoStandIn, channel: Channel) -> None:
    channel.post("hello")

    async def ask(client: Any) -> Any:
        full = await client(functions.channels.GetFullChannelRequest(channel.peer))
        peers = [types.InputDialogPeer(await client.get_input_entity(channel.peer))]
        dialogs = await client(functions.messages.GetPeerDialogsRequest(peers))
        return full.full_chat.pts, dialogs.dialogs[0].pts, dialogs.messages[0].message

    assert seen_by_a_client(telegram, ask) == (channel.pts, channel.pts, "hello")


def test_a_method_that_is_not_imitated_is_refused(telegram: MtprotoStandIn) -> None:
    with pytest.raises(errors.InputMethodInvalidError):
        seen_by_a_client(telegram, lambda client: client(functions.contacts.GetTopPeersRequest(0, 1, 0)))


def test_a_bug_of_the_stand_in_answers_once(
    telegram: MtprotoStandIn, channel: Channel, capsys: pytest.CaptureFixture[str]
) -> None:
    async def ask(client: Any) -> None:
        channel.chat.username = ["news"]
        with pytest.raises(errors.RPCError, match="STAND_IN_FAILED"):
            await client(functions.contacts.ResolveUsernameRequest("news"))
        channel.chat.username = None

    seen_by_a_client(telegram, ask)
    assert "AttributeError" in capsys.readouterr().err


def test_being_thrown_out_and_let_in_again_is_pushed(telegram: MtprotoStandIn, channel: Channel) -> None:
    async def ask(client: Any) -> None:
        heard = Heard(client, events.Raw(types.UpdateChannel))
        channel.throw_out()
        assert isinstance((await heard.next())._entities[int(f"-100{channel.id}")], types.ChannelForbidden)
        channel.let_in()
        assert not (await heard.next())._entities[int(f"-100{channel.id}")].left

    seen_by_a_client(telegram, ask)


def test_a_session_file_resumes_where_it_was_left(
    telegram: MtprotoStandIn, channel: Channel, tmp_path: Path
) -> None:
    session = SQLiteSession(str(tmp_path / "account"))
    key = StringSession(telegram.session_string()).auth_key
    session.set_dc(DC, "127.0.0.1", telegram.port)
    session.auth_key = key
    session.save()

    async def run() -> None:
        client = TelegramClient(session, 1, "hash")
        await client.connect()
        await client.get_dialogs()
        heard = Heard(client, events.NewMessage())
        channel.post("live")
        assert await heard.texts(1) == ["live"]
        await client.disconnect()
        for text in ("missed", "missed too"):
            channel.post(text)
        client = TelegramClient(str(tmp_path / "account"), 1, "hash", catch_up=True)
        heard = Heard(client, events.NewMessage())
        await client.connect()
        assert await heard.texts(2) == ["missed", "missed too"]
        await client.disconnect()

    asyncio.run(run())
