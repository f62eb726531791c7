"""What an account reads: dialogs, histories, messages, names, differences, files. One function a method.

Every function is called with the world's lock held, raises Refusal, and returns Telegram's own object.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from copy import copy
from datetime import datetime, timezone
from typing import Any

from telethon.tl import types
from telethon.tl.types import contacts, messages, updates

from standins.mtproto.channels import Channel
from standins.mtproto.refusals import Refusal
from standins.mtproto.world import DC, World

MOST = 100
"""Messages or dialogs in one answer, whatever the client asks for."""

Method = Callable[[World, Any], Any]


def readable_channel(world: World, asked: Any) -> Channel:
    """The channel an InputChannel or InputPeerChannel means, when its hash is right and it may be read."""
    channel = world.channels.get(getattr(asked, "channel_id", 0))
    if channel is None or asked.access_hash != channel.chat.access_hash:
        raise Refusal("CHANNEL_INVALID")
    if not channel.readable:
        raise Refusal("CHANNEL_PRIVATE")
    return channel


# --- lists of messages ---


def get_history(world: World, request: Any) -> Any:
    channel = readable_channel(world, request.peer)
    return _page(world, channel, channel.newest_first(), request)


def get_replies(world: World, request: Any) -> Any:
    """The messages of a topic."""
    channel = readable_channel(world, request.peer)
    if request.msg_id not in channel.topics:
        raise Refusal("MSG_ID_INVALID")
    return _page(world, channel, channel.newest_first(request.msg_id), request)


def search(world: World, request: Any) -> Any:
    """Only by text and topic; the filters by kind are not imitated."""
    channel = readable_channel(world, request.peer)
    found = [
        message
        for message in channel.newest_first(request.top_msg_id)
        if request.q.lower() in (message.message or "").lower()
    ]
    return _page(world, channel, found, request)


def get_channel_messages(world: World, request: Any) -> Any:
    channel = readable_channel(world, request.channel)
    wanted = [each.id for each in request.id if isinstance(each, types.InputMessageID)]
    if not wanted:
        raise Refusal("MESSAGE_IDS_EMPTY")
    found = [channel.message(number) or types.MessageEmpty(number, channel.peer) for number in wanted[:MOST]]
    return _messages(world, channel, found, len(found))


def get_rich_message(world: World, request: Any) -> Any:
    """A message with all of its blocks."""
    channel = readable_channel(world, request.peer)
    message = copy(channel.message(request.id))
    if message is None:
        raise Refusal("MESSAGE_ID_INVALID")
    message.rich_message = channel.rich.get(request.id, message.rich_message)
    return _messages(world, channel, [message], 1)


def _page(world: World, channel: Channel, newest_first: list[Any], request: Any) -> Any:
    """core.telegram.org/api/offsets: the offset says where to start, add_offset moves that."""
    start = sum(_skipped(message, request) for message in newest_first) + request.add_offset
    end = start + min(request.limit, MOST)
    chosen = [
        message
        for message in newest_first[max(0, start) : max(0, end)]
        if message.id > request.min_id and (not request.max_id or message.id < request.max_id)
    ]
    return _messages(world, channel, chosen, len(newest_first))


def _skipped(message: Any, request: Any) -> bool:
    if request.offset_id:
        return bool(message.id >= request.offset_id)
    date = getattr(request, "offset_date", None)
    return bool(date and date.timestamp() and message.date >= date)


def _messages(world: World, channel: Channel, found: list[Any], count: int) -> Any:
    chats, users = world.named_in(channel.peer, found)
    return messages.ChannelMessages(channel.pts, count, found, [], chats, users)


# --- channels, users, names ---


def get_dialogs(world: World, request: Any) -> Any:
    """Channels the account is in, the one with the newest message first."""
    everything = sorted(
        (channel for channel in world.channels.values() if channel.member), key=_newest_date, reverse=True
    )
    last = getattr(request.offset_peer, "channel_id", None)
    ids = [channel.id for channel in everything]
    start = ids.index(last) + 1 if last in ids else 0
    chosen = everything[start : start + min(request.limit, MOST)]
    newest = [channel.newest_first()[0] for channel in chosen if channel.numbers]
    dialogs = [_dialog(channel) for channel in chosen]
    chats, users = world.named_in([channel.peer for channel in chosen], newest)
    if len(everything) <= len(chosen):
        return messages.Dialogs(dialogs, newest, chats, users)
    return messages.DialogsSlice(len(everything), dialogs, newest, chats, users)


def get_peer_dialogs(world: World, request: Any) -> Any:
    chosen = [readable_channel(world, each.peer) for each in request.peers]
    newest = [channel.newest_first()[0] for channel in chosen if channel.numbers]
    chats, users = world.named_in([channel.peer for channel in chosen], newest)
    return messages.PeerDialogs(
        [_dialog(channel) for channel in chosen], newest, chats, users, get_state(world, request)
    )


def _newest_date(channel: Channel) -> datetime:
    newest = channel.newest_first()[:1]
    return newest[0].date if newest else channel.chat.date  # type: ignore[no-any-return]


def _dialog(channel: Channel) -> Any:
    newest = max(channel.numbers, default=0)
    settings = types.PeerNotifySettings()
    return types.Dialog(channel.peer, newest, newest, 0, 0, 0, 0, 0, settings, pts=channel.pts)


def get_users(world: World, request: Any) -> list[Any]:
    found = (
        world.me if isinstance(each, types.InputUserSelf) else world.users.get(getattr(each, "user_id", 0))
        for each in request.id
    )
    return [user or types.UserEmpty(0) for user in found]


def get_channels(world: World, request: Any) -> Any:
    return messages.Chats([readable_channel(world, each).as_chat() for each in request.id])


def get_full_channel(world: World, request: Any) -> Any:
    channel = readable_channel(world, request.channel)
    settings, picture = types.PeerNotifySettings(), types.PhotoEmpty(0)
    full = types.ChannelFull(channel.id, "", 0, 0, 0, picture, settings, [], channel.pts)
    chats, users = world.named_in(channel.peer)
    return messages.ChatFull(full, chats, users)


def get_forum_topics(world: World, request: Any) -> Any:
    channel = readable_channel(world, request.peer)
    if not channel.chat.forum:
        raise Refusal("CHANNEL_FORUM_MISSING")
    topics = [_topic(world, channel, number) for number in sorted(channel.topics, reverse=True)]
    chats, users = world.named_in(channel.peer)
    return messages.ForumTopics(len(topics), topics, [], chats, users, channel.pts)


def _topic(world: World, channel: Channel, number: int) -> Any:
    newest = max([number, *(each.id for each in channel.newest_first(number))])
    me, settings = types.PeerUser(world.me.id), types.PeerNotifySettings()
    return types.ForumTopic(
        number, channel.message(number).date, channel.peer, channel.topics[number], 0x6FB9F0,
        newest, newest, 0, 0, 0, 0, 0, me, settings,
    )  # fmt: skip


def resolve_username(world: World, request: Any) -> Any:
    wanted = request.username.lower()
    for channel in world.channels.values():
        if (channel.chat.username or "").lower() == wanted:
            return contacts.ResolvedPeer(channel.peer, [channel.as_chat()], [])
    for user in world.users.values():
        if (user.username or "").lower() == wanted:
            return contacts.ResolvedPeer(types.PeerUser(user.id), [], [user])
    raise Refusal("USERNAME_NOT_OCCUPIED")


def check_chat_invite(world: World, request: Any) -> Any:
    for channel in world.channels.values():
        if channel.invite == request.hash:
            return types.ChatInviteAlready(channel.chat) if channel.member else _invite(channel)
    raise Refusal("INVITE_HASH_EXPIRED")


def _invite(channel: Channel) -> Any:
    chat = channel.chat
    return types.ChatInvite(
        chat.title,
        types.PhotoEmpty(0),
        1,
        1,
        channel=True,
        broadcast=chat.broadcast,
        megagroup=chat.megagroup,
    )


# --- what was missed ---


def get_state(world: World, request: Any) -> Any:
    return updates.State(pts=1, qts=0, date=datetime.now(timezone.utc), seq=1, unread_count=0)


def get_difference(world: World, request: Any) -> Any:
    """Of the account: it names the channels where something happened since, to be asked one by one."""
    since = int(request.date.timestamp()) if request.date else 0
    changed = [
        channel
        for channel in world.channels.values()
        if channel.member and channel.events and int(channel.events[-1].time.timestamp()) >= since
    ]
    state = get_state(world, request)
    if not changed:
        return updates.DifferenceEmpty(state.date, state.seq)
    too_long = [types.UpdateChannelTooLong(channel.id, channel.pts) for channel in changed]
    chats, users = world.named_in([channel.peer for channel in changed])
    return updates.Difference([], [], too_long, chats, users, state)


def get_channel_difference(world: World, request: Any) -> Any:
    """What happened in one channel; a message comes as it is now, and one that is gone not at all."""
    channel = readable_channel(world, request.channel)
    if request.pts <= 0:
        raise Refusal("PERSISTENT_TIMESTAMP_EMPTY")
    if request.pts > channel.pts:
        raise Refusal("PERSISTENT_TIMESTAMP_INVALID")
    events, whole = channel.after(request.pts, request.limit)
    if not events:
        return updates.ChannelDifferenceEmpty(channel.pts, final=True, timeout=30)
    if channel.pts - request.pts > channel.too_long_after:
        return _too_long(world, channel)
    posted, others = [], []
    for update in (event.update for event in events):
        kind, now = type(update), _as_it_is_now(channel, update)
        if kind is types.UpdateNewChannelMessage and now:
            posted.append(now.message)
        elif kind is not types.UpdateNewChannelMessage and now:
            others.append(now)
    chats, users = world.named_in(channel.peer, posted, others)
    return updates.ChannelDifference(events[-1].pts, posted, others, chats, users, final=whole, timeout=30)


def _as_it_is_now(channel: Channel, update: Any) -> Any:
    if isinstance(update, types.UpdateDeleteChannelMessages):
        return update
    message = channel.message(update.message.id)
    return type(update)(message, update.pts, update.pts_count) if message else None


def _too_long(world: World, channel: Channel) -> Any:
    newest = channel.newest_first()[:20]
    chats, users = world.named_in(channel.peer, newest)
    return updates.ChannelDifferenceTooLong(_dialog(channel), newest, chats, users, final=True, timeout=30)


# --- the rest ---


def update_status(world: World, request: Any) -> bool:
    """Online or offline: nothing comes of it here."""
    return True


def config(address: str, port: int) -> Any:
    """help.getConfig's answer: all data centres are this one."""
    now = datetime.now(timezone.utc)
    centres = [types.DcOption(number, address, port) for number in range(1, 6)]
    return types.Config(
        date=now, expires=now, test_mode=False, this_dc=DC, dc_options=centres, dc_txt_domain_name="",
        chat_size_max=200, megagroup_size_max=200_000, forwarded_count_max=100,
        online_update_period_ms=210_000,
        offline_blur_timeout_ms=5_000, offline_idle_timeout_ms=30_000, online_cloud_timeout_ms=300_000,
        notify_cloud_delay_ms=30_000, notify_default_delay_ms=1_500, push_chat_period_ms=60_000,
        push_chat_limit=2, edit_time_limit=172_800, revoke_time_limit=172_800,
        revoke_pm_time_limit=172_800, rating_e_decay=2_419_200,
        stickers_recent_limit=200, channels_read_media_period=604_800, call_receive_timeout_ms=20_000,
        call_ring_timeout_ms=90_000, call_connect_timeout_ms=30_000, call_packet_timeout_ms=10_000,
        me_url_prefix="https://t.me/", caption_length_max=1024, message_length_max=4096, webfile_dc_id=4,
    )  # fmt: skip


METHODS: Mapping[str, Method] = {
    "messages.getHistory": get_history,
    "messages.getReplies": get_replies,
    "messages.search": search,
    "messages.getRichMessage": get_rich_message,
    "messages.getPeerDialogs": get_peer_dialogs,
    "messages.getDialogs": get_dialogs,
    "messages.getForumTopics": get_forum_topics,
    "messages.checkChatInvite": check_chat_invite,
    "channels.getMessages": get_channel_messages,
    "channels.getChannels": get_channels,
    "channels.getFullChannel": get_full_channel,
    "account.updateStatus": update_status,
    "contacts.resolveUsername": resolve_username,
    "users.getUsers": get_users,
    "updates.getState": get_state,
    "updates.getDifference": get_difference,
    "updates.getChannelDifference": get_channel_difference,
}
