"""Which channels and groups the account can read, by name and by id; looks up what it does not know.

Telegram reads a channel only with its access hash, which comes with the account's dialogs, with updates and
with a username that is looked up.
"""

from __future__ import annotations

import asyncio
import re
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from telethon import errors
from telethon.tl import functions
from telethon.tl import types as tl

from disgram.telegram.account.process.calls import DIALOGS, Calls
from disgram.telegram.account.process.client import AccountClient
from disgram.telegram.account.process.refusals import (
    Refused,
    channel_not_found,
    channel_private,
    no_such_invite,
    not_a_member,
)

CONNECTED_AGAIN = 600.0
"""Seconds after which the dialogs are read again when the account connects anew."""

READ_AGAIN = 30.0
"""Seconds between two readings of the dialogs for one channel that is in none of them."""

READINGS, READINGS_WITHIN = 5, 150.0
"""How often the dialogs are read in so many seconds, whoever is not found in them."""

MISSING_FOR = 60.0
"""Seconds for which a name that nobody has is not looked up again: lookups are what Telegram limits most."""

DIALOG_SECONDS = 120.0

_PRIVATE = re.compile(r"c/([1-9][0-9]{0,18})")


@dataclass(frozen=True, slots=True)
class Listed:
    """A dialog, as a person chooses it: `kind` is "channel" or "group"; with `protected` its owner forbids
    saving, so that it is not forwarded."""

    address: str
    title: str
    kind: str
    protected: bool = False


class Directory:
    def __init__(self, calls: Calls, clock: Callable[[], float]) -> None:
        self._calls = calls
        self._clock = clock
        self._by_id: dict[int, Any] = {}
        self._ids: dict[str, int] = {}
        self._missing: dict[str, float] = {}
        self._dialogs: list[int] = []
        self._not_in_them: dict[int, float] = {}
        self._readings: deque[float] = deque(maxlen=READINGS)
        self._reading = asyncio.Lock()

    async def read_dialogs(self, after: float | None = None) -> None:
        """Unless that was done after that time (by default within CONNECTED_AGAIN). Raises Refused."""
        async with self._reading:
            enough = self._clock() - CONNECTED_AGAIN if after is None else after
            if not self._readings or self._readings[-1] <= enough:
                await self._read_dialogs()

    async def _read_dialogs_for(self, channel_id: int) -> None:
        """The account may have joined it since they were read. Raises Refused."""
        now = self._clock()
        often = len(self._readings) == READINGS and now - self._readings[0] < READINGS_WITHIN
        if often or now - self._not_in_them.get(channel_id, float("-inf")) < READ_AGAIN:
            return
        await self.read_dialogs(after=now)
        if channel_id not in self._by_id:
            self._not_in_them[channel_id] = now
            forget_oldest(self._not_in_them)

    async def _read_dialogs(self) -> None:
        began = self._clock()

        async def read(client: AccountClient) -> list[Any]:
            return [dialog.entity async for dialog in client.iter_dialogs(ignore_migrated=True)]

        entities = await self._calls.run(DIALOGS, read, DIALOG_SECONDS)
        self._readings.append(began)
        self.learn(entities)
        self._dialogs = [each.id for each in entities if isinstance(each, tl.Channel)]

    def learn(self, entities: Iterable[Any]) -> None:
        """What an answer or an update says of channels."""
        for entity in entities:
            known = isinstance(entity, tl.Channel) and not entity.min
            if known or isinstance(entity, tl.ChannelForbidden):
                self._know(entity)

    def _know(self, entity: Any) -> None:
        """The latest state of a channel; a name it has no more may be another's."""
        before = self._by_id.get(entity.id)
        for name in _usernames(before) if before else ():
            self._ids.pop(name.lower(), None)
        self._by_id[entity.id] = entity
        for name in _usernames(entity):
            self._ids[name.lower()] = entity.id

    def listed(self) -> list[Listed]:
        """The channels and groups the account is in, the one with the newest message first."""
        return listed(self._by_id[number] for number in self._dialogs)

    async def find(self, name: str) -> Any:
        """The channel or group of a name (`news`, `c/123`). Raises Refused."""
        if not self._readings:
            await self.read_dialogs()
        private = _PRIVATE.fullmatch(name)
        found = await (self._private(int(private[1]), name) if private else self._public(name))
        if isinstance(found, tl.ChannelForbidden):
            raise channel_private(name)
        return found

    def refusal(self, channel: Any, name: str, error: errors.RPCError) -> Exception:
        """What an error about one channel means."""
        if isinstance(error, errors.ChannelPrivateError):
            was_in = channel.id in self._dialogs or not channel.left
            return channel_private(name) if was_in else not_a_member(name)
        if isinstance(error, errors.ChannelInvalidError):
            self._by_id.pop(channel.id, None)
            return not_a_member(name)
        failure: Exception = error
        return failure

    async def joined_by(self, invite: str) -> Any:
        """The channel of an invite link, if the account is in it. Raises Refused."""
        try:
            answer = await self._calls(functions.messages.CheckChatInviteRequest(invite))
        except (errors.InviteHashExpiredError, errors.InviteHashInvalidError, errors.InviteHashEmptyError):
            raise no_such_invite() from None
        if not isinstance(answer, tl.ChatInviteAlready) or not isinstance(answer.chat, tl.Channel):
            raise not_a_member("behind this invite link")
        self.learn([answer.chat])
        return answer.chat

    async def _private(self, channel_id: int, name: str) -> Any:
        if channel_id not in self._by_id:
            await self._read_dialogs_for(channel_id)
        if channel_id not in self._by_id:
            raise not_a_member(name)
        return self._by_id[channel_id]

    async def _public(self, name: str) -> Any:
        key = name.lower()
        if key in self._ids:
            return self._by_id[self._ids[key]]
        if self._missing.get(key, float("-inf")) > self._clock():
            raise channel_not_found(name)
        try:
            answer = await self._calls(functions.contacts.ResolveUsernameRequest(name))
        except (errors.UsernameNotOccupiedError, errors.UsernameInvalidError):
            raise self._not_found(name) from None
        self.learn(answer.chats)
        if not isinstance(answer.peer, tl.PeerChannel):
            raise self._not_found(name)
        self._ids[key] = answer.peer.channel_id
        return self._by_id[answer.peer.channel_id]

    def _not_found(self, name: str) -> Refused:
        self._missing[name.lower()] = self._clock() + MISSING_FOR
        forget_oldest(self._missing)
        return channel_not_found(name)


MOST_MISSING = 1_000


def forget_oldest(missing: dict[Any, float]) -> None:
    """So that no more than MOST_MISSING are remembered."""
    if len(missing) > MOST_MISSING:
        del missing[next(iter(missing))]


def listed(entities: Iterable[Any]) -> list[Listed]:
    """Those of an account's dialogs that are channels or groups it can read."""
    return [
        Listed(
            f"https://t.me/{name_of(each)}",
            each.title,
            "channel" if each.broadcast else "group",
            bool(each.noforwards),
        )
        for each in entities
        if isinstance(each, tl.Channel) and not each.left
    ]


def input_channel(channel: Any) -> tl.InputChannel:
    return tl.InputChannel(channel.id, channel.access_hash)


def input_peer(channel: Any) -> tl.InputPeerChannel:
    return tl.InputPeerChannel(channel.id, channel.access_hash)


def name_of(channel: Any) -> str:
    """As in its address: the username of a public one, else `c/<id>`."""
    return next(iter(_usernames(channel)), f"c/{channel.id}")


def _usernames(channel: Any) -> list[str]:
    several = [each.username for each in getattr(channel, "usernames", None) or () if each.active]
    first = getattr(channel, "username", None)
    return [first, *several] if first else several
