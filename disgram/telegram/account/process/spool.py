"""The newest messages of one channel, in memory: a few hundred bytes each, as Telegram sent them.

Owns whether they are still true: `pts` numbers everything that happens in a channel, so that a missing update
shows. Telethon's objects would take ten times as much.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from telethon.extensions import BinaryReader
from telethon.tl import types as tl

SPOOLED = 40
"""Messages kept for each channel: a page and the album that begins it, and some that may be deleted."""

ALBUM_SECONDS = 1.0
"""How long after a message of an album the next one may still come."""


def packed(thing: Any) -> bytes:
    return bytes(thing)


def unpacked(data: bytes) -> Any:
    return BinaryReader(data).tgread_object()


class Spool:
    """`fresh_at`: when (monotonic) it was read from Telegram; None: it must be read before it is believed.
    `at_start`: nothing older exists."""

    def __init__(self) -> None:
        self.fresh_at: float | None = None
        self.at_start = False
        self.pts = 0
        self.answered: dict[int, bytes] = {}
        """Messages that others reply to; empty bytes: there is none."""
        self.whole: dict[int, bytes] = {}
        """Those of which Telegram sends the beginning alone."""
        self._messages: dict[int, bytes] = {}
        self._reading: list[tuple[Any, int, int]] | None = None
        self._missed_meanwhile = False
        self._newest: tuple[int, float] = (0, 0.0)

    @property
    def size(self) -> int:
        """In bytes."""
        kept = (self._messages, self.answered, self.whole)
        return sum(len(data) for messages in kept for data in messages.values())

    @property
    def count(self) -> int:
        return len(self._messages)

    def messages(self) -> list[Any]:
        """Ascending."""
        return [unpacked(self._messages[number]) for number in sorted(self._messages)]

    def settles_in(self, now: float) -> float:
        """Seconds until an album that ends it is taken for whole: Telegram sends its messages one by one."""
        if not self._messages:
            return 0.0
        newest = max(self._messages)
        if newest != self._newest[0]:
            self._newest = (newest, now)
        grouped = getattr(unpacked(self._messages[newest]), "grouped_id", None)
        return self._newest[1] + ALBUM_SECONDS - now if grouped else 0.0

    def begin_reading(self) -> None:
        """From here on updates are kept, to be applied to what will have been read if it is older."""
        self._reading, self._missed_meanwhile = [], False

    def make_stale(self) -> None:
        """Something was missed; what is being read just now may not have it either."""
        self.fresh_at, self._missed_meanwhile = None, True

    def load(self, messages: Iterable[Any], pts: int, *, at_start: bool, now: float) -> None:
        """What Telegram has now."""
        self._messages = {message.id: packed(message) for message in messages}
        self.pts, self.at_start = pts, at_start
        self.fresh_at = None if self._missed_meanwhile else now
        self.whole.clear()
        meanwhile, self._reading = self._reading or [], None
        for update, new_pts, count in meanwhile:
            self.apply(update, new_pts, count)
        self._trim()

    def apply(self, update: Any, pts: int, count: int) -> None:
        """One update. `pts` after it and `count` of its events; a gap before it makes the spool stale."""
        if self._reading is not None:
            self._reading.append((update, pts, count))
        if self.fresh_at is None:
            return
        if pts != self.pts + count or isinstance(update, tl.UpdateChannelWebPage):
            known = 0 < pts <= self.pts and self._has(update)
            self.fresh_at = self.fresh_at if known else None
            return
        self.pts = pts
        match update:
            case tl.UpdateNewChannelMessage():
                self._messages[update.message.id] = packed(update.message)
            case tl.UpdateEditChannelMessage() if update.message.id in self._messages:
                self._messages[update.message.id] = packed(update.message)
                self.whole.pop(update.message.id, None)
            case tl.UpdateDeleteChannelMessages():
                for number in update.messages:
                    self._messages.pop(number, None)
        self._trim()

    def _has(self, update: Any) -> bool:
        """Whether an update that should have been read already was: its number alone is not believed."""
        match update:
            case tl.UpdateNewChannelMessage():
                return int(update.message.id) <= max(self._messages, default=0)
            case tl.UpdateEditChannelMessage():
                kept = self._messages.get(update.message.id)
                return kept is None or kept == packed(update.message)
            case tl.UpdateDeleteChannelMessages():
                return not any(number in self._messages for number in update.messages)
        return not isinstance(update, tl.UpdateChannelWebPage)

    def _trim(self) -> None:
        for number in sorted(self._messages)[:-SPOOLED]:
            del self._messages[number]
            self.at_start = False
        for kept in (self.answered, self.whole):
            while len(kept) > SPOOLED:
                del kept[next(iter(kept))]
