"""One channel or supergroup: its messages, and the numbered log (pts) of what happened to them.

Every change is one Telegram update with its `pts`; who was away asks for the updates after the last one seen.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence
from copy import copy
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from telethon.tl import types

DIFFERENCE_MOST = 100
"""Updates in one answer to updates.getChannelDifference, whatever the client asks for."""

Publish = Callable[["Channel", Any], None]
"""Sends one update of a channel to every client that follows."""


@dataclass(frozen=True, slots=True)
class Event:
    pts: int
    update: Any
    time: datetime


class Channel:
    """Thread-safe; made by `World.channel`. Numbers of messages are never used twice.

    `chat` is Telegram's own description; a test may change its fields (`title`, `noforwards`, …) at any time.
    """

    def __init__(
        self, chat: Any, *, member: bool, invite: str, lock: threading.RLock, publish: Publish
    ) -> None:
        self.chat = chat
        self.invite = invite
        """What follows `t.me/+` in its invite link."""
        self.thrown_out = False
        self.pts = 1
        self.too_long_after = 1000
        """Missed updates from which the difference is "too long" and only names the newest messages."""
        self.events: list[Event] = []
        self.topics: dict[int, str] = {}
        self.rich: dict[int, Any] = {}
        """The whole rich message of every number where only its beginning is sent along."""
        self._messages: dict[int, Any] = {}
        self._next = 1
        self._group = 13_000_000_000
        self._lock = lock
        self._publish = publish
        self.member = member

    # --- what a test reads ---

    @property
    def id(self) -> int:
        """As in `t.me/c/<id>`."""
        return int(self.chat.id)

    @property
    def peer(self) -> Any:
        return types.PeerChannel(self.id)

    @property
    def member(self) -> bool:
        return not self.chat.left

    @member.setter
    def member(self, member: bool) -> None:
        self.chat.left = not member

    @property
    def readable(self) -> bool:
        """Members read everything, others what has a username."""
        return not self.thrown_out and bool(self.member or self.chat.username)

    @property
    def numbers(self) -> list[int]:
        """Of the messages that are there, ascending."""
        with self._lock:
            return sorted(self._messages)

    def message(self, number: int) -> Any:
        """The message as it would be sent now; None when it is not there."""
        return self._messages.get(number)

    # --- what a test does ---

    def post(
        self,
        text: str = "",
        *,
        sender: Any = None,
        topic: int | None = None,
        reply_to: int | None = None,
        date: datetime | None = None,
        **fields: Any,
    ) -> int:
        """Publish a message and return its number.

        `fields` are Telegram's own (`entities`, `media`, `grouped_id`, `fwd_from`, `reply_markup`, …).
        `sender` is a user of the world, for a group; `topic` the number that `topic()` returned.
        """
        with self._lock:
            message = types.Message(
                id=self._next, peer_id=self.peer, date=date or _now(), message=text,
                post=bool(self.chat.broadcast), reply_to=_reply(topic, reply_to),
                from_id=types.PeerUser(sender.id) if sender else None, **fields,
            )  # fmt: skip
            return self._add(message)

    def post_rich(self, blocks: Sequence[Any], *, shown: int | None = None, **fields: Any) -> int:
        """Publish a rich message of PageBlocks.

        With `shown` only so many come with the message (`part`); the rest has to be asked for. The photos and
        documents that its blocks name are the fields `photos` and `documents`: `telegram.photo(…).photo`.
        """
        files = {name: list(fields.pop(name, [])) for name in ("photos", "documents")}
        with self._lock:
            whole = types.RichMessage(list(blocks), **files)
            if shown is None:
                return self.post(rich_message=whole, **fields)
            beginning = types.RichMessage(list(blocks[:shown]), **files, part=True)
            self.rich[self._next] = whole
            return self.post(rich_message=beginning, **fields)

    def album(self, media: Sequence[Any], text: str = "", **fields: Any) -> list[int]:
        """Several files as one post; the text stands at the first. Returns their numbers."""
        with self._lock:
            self._group += 1
            texts = [text, *[""] * (len(media) - 1)]
            entities = fields.pop("entities", None)
            return [
                self.post(
                    words, media=each, grouped_id=self._group, entities=entities if words else None, **fields
                )
                for words, each in zip(texts, media, strict=True)
            ]

    def service(self, action: Any, **fields: Any) -> int:
        """Publish what Telegram itself says in a channel (`MessageActionPinMessage`, …)."""
        with self._lock:
            message = types.MessageService(
                id=self._next,
                peer_id=self.peer,
                date=_now(),
                action=action,
                post=bool(self.chat.broadcast),
                **fields,
            )
            return self._add(message)

    def topic(self, title: str) -> int:
        """Open a topic of a forum; its number is that of its first message."""
        with self._lock:
            number = self.service(types.MessageActionTopicCreate(title, 0x6FB9F0))
            self.topics[number] = title
            return number

    def edit(self, number: int, text: str | None = None, **fields: Any) -> None:
        """Change a message; with `edit_hide=True` it is not marked as edited (views, reactions)."""
        with self._lock:
            message = copy(self._messages[number])
            if text is not None:
                message.message = text
            for name, value in {"edit_date": _now(), "edit_hide": None, **fields}.items():
                setattr(message, name, value)
            self._messages[number] = message
            self._happen(1, lambda pts: types.UpdateEditChannelMessage(message, pts, 1))

    def delete(self, *numbers: int) -> None:
        with self._lock:
            there = [number for number in numbers if self._messages.pop(number, None)]
            self._happen(
                len(there), lambda pts: types.UpdateDeleteChannelMessages(self.id, there, pts, len(there))
            )

    def skip(self, count: int) -> None:
        """Use up numbers without anybody hearing of them."""
        with self._lock:
            self._next += count

    def throw_out(self) -> None:
        """Take the account out of the channel; from now on it is private to it."""
        with self._lock:
            self.thrown_out, self.member = True, False
            self._publish(self, types.UpdateChannel(self.id))

    def let_in(self) -> None:
        with self._lock:
            self.thrown_out, self.member = False, True
            self._publish(self, types.UpdateChannel(self.id))

    # --- what the servers' methods read; they hold the lock ---

    def as_chat(self) -> Any:
        """As an answer names it: once thrown out, little more than its title."""
        if not self.thrown_out:
            return self.chat
        chat = self.chat
        return types.ChannelForbidden(chat.id, chat.access_hash, chat.title, chat.broadcast, chat.megagroup)

    def newest_first(self, topic: int | None = None) -> list[Any]:
        chosen: Iterable[Any] = self._messages.values()
        if topic is not None:
            chosen = (each for each in chosen if topic_of(each) == topic)
        return sorted(chosen, key=lambda message: -message.id)

    def after(self, pts: int, limit: int) -> tuple[list[Event], bool]:
        """What happened after a `pts`, as much as one answer holds, and whether that is all."""
        missed = [event for event in self.events if event.pts > pts]
        count = min(limit, DIFFERENCE_MOST)
        return missed[:count], len(missed) <= count

    def _add(self, message: Any) -> int:
        self._messages[message.id] = message
        self._next = message.id + 1
        self._happen(1, lambda pts: types.UpdateNewChannelMessage(message, pts, 1))
        return int(message.id)

    def _happen(self, count: int, update_at: Callable[[int], Any]) -> None:
        if count:
            self.pts += count
            self.events.append(Event(self.pts, update_at(self.pts), _now()))
            self._publish(self, self.events[-1].update)


def topic_of(message: Any) -> int | None:
    reply = message.reply_to
    if not isinstance(reply, types.MessageReplyHeader) or not reply.forum_topic:
        return None
    return int(reply.reply_to_top_id or reply.reply_to_msg_id)


def _reply(topic: int | None, reply_to: int | None) -> Any:
    if topic is None and reply_to is None:
        return None
    return types.MessageReplyHeader(
        forum_topic=topic is not None,
        reply_to_msg_id=reply_to or topic,
        reply_to_top_id=topic if reply_to else None,
    )


def _now() -> datetime:
    return datetime.now(timezone.utc)
