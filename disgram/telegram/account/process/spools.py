"""The spools of all followed channels, and who is named in them. Owns their bounds.

Updates come in here. A channel is followed once a worker has asked for it.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

from telethon.tl import types as tl

from disgram.telegram.account.process.spool import Spool, packed, unpacked

MOST_BYTES = 16 * 1024 * 1024
"""Of all messages kept: 300 channels of 40 messages have about 6 MB. The rest is read again."""

MOST_NAMES = 5_000
"""Users and channels whose names are kept: those who write in groups, and whose posts are forwarded."""

_PEER_FIELDS = {
    "user_id": "user", "via_bot_id": "user", "channel_id": "channel", "chat_id": "chat", "bot_id": "user",
}  # fmt: skip


class Spools:
    def __init__(self) -> None:
        self._spools: OrderedDict[int, Spool] = OrderedDict()

    def __len__(self) -> int:
        return len(self._spools)

    def of(self, channel_id: int) -> Spool:
        """The channel's spool, from now on followed; it may have nothing in it yet."""
        spool = self._spools.setdefault(channel_id, Spool())
        self._spools.move_to_end(channel_id)
        return spool

    def follows(self, channel_id: int) -> bool:
        return channel_id in self._spools

    def make_stale(self, channel_id: int | None = None) -> None:
        """Read again before the next answer: one channel, or all."""
        chosen = self._spools.values() if channel_id is None else [self._spools.get(channel_id)]
        for spool in filter(None, chosen):
            spool.make_stale()

    def take(self, update: Any) -> bool:
        """An update of any kind; whether it is of a channel that somebody asks for: others are ignored."""
        spool = self._spools.get(_channel_of(update))
        if spool is None:
            return False
        pts, count = getattr(update, "pts", None), getattr(update, "pts_count", None)
        if pts is None or isinstance(update, tl.UpdateChannelTooLong):
            if isinstance(update, (tl.UpdateChannel, tl.UpdateChannelTooLong)):
                spool.make_stale()
        elif count is not None:
            spool.apply(update, pts, count)
        return True

    def shrink(self) -> None:
        """Drop what was asked for longest ago, until the rest is small enough."""
        total = sum(spool.size for spool in self._spools.values())
        while total > MOST_BYTES and len(self._spools) > 1:
            _, dropped = self._spools.popitem(last=False)
            total -= dropped.size


def _channel_of(update: Any) -> int:
    peer = getattr(getattr(update, "message", None), "peer_id", update)
    return int(getattr(peer, "channel_id", 0) or 0)


class Names:
    """Users, channels and groups by what they are and their id; who was seen longest ago is forgotten."""

    def __init__(self) -> None:
        self._known: OrderedDict[tuple[str, int], bytes] = OrderedDict()

    def learn(self, entities: Iterable[Any]) -> None:
        for entity in entities:
            key = (_kind(entity), entity.id)
            if not (getattr(entity, "min", False) and key in self._known):
                self._known[key] = packed(entity)
            self._known.move_to_end(key)
        while len(self._known) > MOST_NAMES:
            self._known.popitem(last=False)

    def named_in(self, messages: Iterable[Any]) -> list[Any]:
        """Those whom messages name, as far as they are known."""
        keys = {key for message in messages for key in _peers_in(message)}
        return [unpacked(self._known[key]) for key in keys if key in self._known]


def _kind(entity: Any) -> str:
    if isinstance(entity, (tl.User, tl.UserEmpty)):
        return "user"
    return "channel" if isinstance(entity, (tl.Channel, tl.ChannelForbidden)) else "chat"


def _peers_in(thing: Any) -> Iterable[tuple[str, int]]:
    """Without recursion: a hostile message may be nested deeply."""
    waiting = [thing]
    while waiting:
        each = waiting.pop()
        if isinstance(each, list):
            waiting += each
        elif hasattr(each, "CONSTRUCTOR_ID"):
            for name, value in vars(each).items():
                if name in _PEER_FIELDS and isinstance(value, int):
                    yield _PEER_FIELDS[name], value
                elif isinstance(value, list) or hasattr(value, "CONSTRUCTOR_ID"):
                    waiting.append(value)
