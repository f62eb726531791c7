"""Service messages -> their words, as t.me's preview has them where it shows any.

Seen on pages: channel created, renamed, new photo, pinned, live stream started and finished. The others
follow Telegram's applications. An action without a reader is named after its TL type.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from telethon.tl import types as tl

from disgram.post import Block, RichText, Run, Text, plain
from disgram.telegram.account.message.context import Item
from disgram.telegram.account.message.media import FILE, photo
from disgram.telegram.account.message.words import plural

_PINNED_WORDS = 40
"""Characters of a pinned message's text that are shown."""

INVISIBLE = (tl.MessageActionEmpty, tl.MessageActionHistoryClear)
"""Actions of which nothing is shown to anyone."""


def service_blocks(item: Item) -> Iterator[Block]:
    action = item.message.action
    write = _WRITERS.get(type(action))
    words = write(action, item) if write else (Run(_name_of(action)),)
    if isinstance(action, tl.MessageActionChatEditPhoto):
        yield photo(action.photo, item, FILE)
    yield Text(words)


def _name_of(action: tl.TypeMessageAction) -> str:
    """MessageActionBoostApply -> "Boost apply"."""
    words = re.findall(r"[A-Z][a-z0-9]*", type(action).__name__.removeprefix("MessageAction"))
    return " ".join(words).capitalize() or "Service message"


def _what(item: Item) -> str:
    return "Channel" if item.message.post else "Group"


def _actor(item: Item) -> RichText:
    """Who did it: the channel itself for its own posts."""
    peer, name = item.message.from_id, item.channel.name
    if peer:
        return (Run(item.channel.peers.name(peer) or "Someone", href=item.channel.peers.url(peer)),)
    return (Run(item.channel.title, href=None if "/" in name else f"https://t.me/{name}"),)


def _users(ids: list[int], item: Item) -> str:
    names = [item.channel.peers.user_name(user_id) or "a user" for user_id in ids]
    return ", ".join(names)


def _created(action: tl.MessageActionChannelCreate, item: Item) -> RichText:
    return (Run(f"{_what(item)} created"),)


def _group_created(action: tl.MessageActionChatCreate, item: Item) -> RichText:
    return (*_actor(item), Run(f" created the group «{action.title}»"))


def _renamed(action: tl.MessageActionChatEditTitle, item: Item) -> RichText:
    return (Run(f"{_what(item)} name was changed to «{action.title}»"),)


def _new_photo(action: tl.MessageActionChatEditPhoto, item: Item) -> RichText:
    return (Run(f"{_what(item)} photo updated"),)


def _no_photo(action: tl.MessageActionChatDeletePhoto, item: Item) -> RichText:
    return (Run(f"{_what(item)} photo removed"),)


def _pinned(action: tl.MessageActionPinMessage, item: Item) -> RichText:
    """With the beginning of the pinned message, if it is known."""
    header = item.message.reply_to
    pinned = item.channel.messages.get(getattr(header, "reply_to_msg_id", None) or 0)
    words = " ".join(plain(item.runs(pinned.message, None)).split()) if pinned else ""
    short = words if len(words) <= _PINNED_WORDS else words[:_PINNED_WORDS].rstrip() + "…"
    return (*_actor(item), Run(f" pinned «{short}»" if short else " pinned a message"))


def _joined(action: tl.MessageActionChatAddUser, item: Item) -> RichText:
    sender = getattr(item.message.from_id, "user_id", None)
    if action.users == [sender]:
        return (*_actor(item), Run(" joined the group"))
    return (*_actor(item), Run(f" added {_users(action.users, item)}"))


def _left(action: tl.MessageActionChatDeleteUser, item: Item) -> RichText:
    if action.user_id == getattr(item.message.from_id, "user_id", None):
        return (*_actor(item), Run(" left the group"))
    return (*_actor(item), Run(f" removed {_users([action.user_id], item)}"))


def _did(words: str) -> Callable[[tl.TypeMessageAction, Item], RichText]:
    """For actions of which the one who did it is all that is said."""
    return lambda action, item: (*_actor(item), Run(f" {words}"))


def _says(words: str) -> Callable[[tl.TypeMessageAction, Item], RichText]:
    return lambda action, item: (Run(words),)


def _stream(action: tl.MessageActionGroupCall, item: Item) -> RichText:
    word = "Live stream" if item.message.post else "Video chat"
    if action.duration is None:
        return (Run(f"{word} started"),)
    return (Run(f"{word} finished ({_length(action.duration)})"),)


def _stream_planned(action: tl.MessageActionGroupCallScheduled, item: Item) -> RichText:
    word = "Live stream" if item.message.post else "Video chat"
    when = f" for {action.schedule_date:%Y-%m-%d %H:%M} UTC" if action.schedule_date else ""
    return (Run(f"{word} scheduled{when}"),)


def _length(seconds: int) -> str:
    """ "12 minutes", as t.me rounds it."""
    for length, word in ((86400, "day"), (3600, "hour"), (60, "minute")):
        if seconds >= length:
            return plural(seconds // length, word)
    return plural(seconds, "second")


def _topic(action: tl.MessageActionTopicCreate, item: Item) -> RichText:
    return (Run(f"Topic «{action.title}» created"),)


def _topic_edited(action: tl.MessageActionTopicEdit, item: Item) -> RichText:
    if action.title:
        return (Run(f"Topic name was changed to «{action.title}»"),)
    if action.closed is not None:
        return (Run("Topic closed" if action.closed else "Topic reopened"),)
    return (Run("Topic changed"),)


def _custom(action: tl.MessageActionCustomAction, item: Item) -> RichText:
    return (Run(action.message),)


def _boosted(action: tl.MessageActionBoostApply, item: Item) -> RichText:
    times = f" {action.boosts} times" if action.boosts > 1 else ""
    return (*_actor(item), Run(f" boosted the {_what(item).lower()}{times}"))


def _giveaway_results(action: tl.MessageActionGiveawayResults, item: Item) -> RichText:
    return (Run(f"{plural(action.winners_count, 'winner')} of the giveaway selected"),)


def _tasks(action: tl.MessageActionTodoAppendTasks, item: Item) -> RichText:
    words = ", ".join(f"«{plain(item.text_of(each.title))}»" for each in action.list)
    return (*_actor(item), Run(f" added {words} to the checklist"))


def _tasks_done(action: tl.MessageActionTodoCompletions, item: Item) -> RichText:
    done, undone = len(action.completed), len(action.incompleted)
    words = f"{plural(done, 'task')} as done" if done else f"{plural(undone, 'task')} as not done"
    return (*_actor(item), Run(f" marked {words}"))


_WRITERS: dict[type, Callable[[tl.TypeMessageAction, Item], RichText]] = {
    tl.MessageActionChannelCreate: _created,
    tl.MessageActionChatCreate: _group_created,
    tl.MessageActionChatEditTitle: _renamed,
    tl.MessageActionChatEditPhoto: _new_photo,
    tl.MessageActionChatDeletePhoto: _no_photo,
    tl.MessageActionPinMessage: _pinned,
    tl.MessageActionChatAddUser: _joined,
    tl.MessageActionChatDeleteUser: _left,
    tl.MessageActionChatJoinedByLink: _did("joined the group via an invite link"),
    tl.MessageActionChatJoinedByRequest: _did("was accepted to the group"),
    tl.MessageActionChannelMigrateFrom: _says("Group was turned into a supergroup"),
    tl.MessageActionChatMigrateTo: _says("Group was turned into a supergroup"),
    tl.MessageActionGroupCall: _stream,
    tl.MessageActionGroupCallScheduled: _stream_planned,
    tl.MessageActionTopicCreate: _topic,
    tl.MessageActionTopicEdit: _topic_edited,
    tl.MessageActionCustomAction: _custom,
    tl.MessageActionBoostApply: _boosted,
    tl.MessageActionGiveawayLaunch: _did("started a giveaway"),
    tl.MessageActionGiveawayResults: _giveaway_results,
    tl.MessageActionTodoAppendTasks: _tasks,
    tl.MessageActionTodoCompletions: _tasks_done,
    tl.MessageActionSetChatTheme: _did("changed the theme"),
    tl.MessageActionSetChatWallPaper: _did("set a new background"),
    tl.MessageActionSetMessagesTTL: _did("changed the auto-delete timer"),
}
