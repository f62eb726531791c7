"""An unpatched Telethon client with a pause between connections, and with nothing written to disk.

Telethon by itself reconnects without any pause to a server that accepts and closes at once (1.45: some 45
connections in 0.1 s), and asks for the difference of every channel of the account every 15 minutes.
"""

from __future__ import annotations

import logging
import struct
from collections.abc import Callable
from typing import Any

from telethon import TelegramClient
from telethon.network.connection import ConnectionTcpFull
from telethon.sessions import StringSession
from telethon.tl import functions
from telethon.tl import types as tl

from disgram import __version__
from disgram.errors import BadSetting
from disgram.telegram.account.process.pace import Brake

FLOOD_SLEEP = 14
"""Seconds of a flood wait that a request sleeps; longer ones are told to the worker."""

CONNECT_SECONDS = 10
_FOREVER = -1


class MemorySession(StringSession):  # type: ignore[misc]
    """Remembers nobody: the directory has what is needed of channels, and users would only fill memory."""

    def process_entities(self, tlo: object) -> None:
        pass


def check_session(session: str) -> None:
    """Raises BadSetting for what is no string session."""
    try:
        usable = MemorySession(session).auth_key is not None
    except (ValueError, struct.error):
        usable = False
    if not usable:
        raise BadSetting("session", "The account's session is malformed: log in with `make account`")


class AccountClient(TelegramClient):  # type: ignore[misc]
    """`follows(channel_id)`: whether missed updates of a channel are worth a request. `missed(channel_id)`
    hears that some were: Telethon hands on only the new messages among them, no edits and no deletions."""

    def __init__(
        self, *args: Any, follows: Callable[[int], bool], missed: Callable[[int], None], **options: Any
    ) -> None:
        super().__init__(*args, **options)
        self._follows = follows
        self._missed = missed

    async def __call__(self, request: Any, *args: Any, **options: Any) -> Any:
        if not isinstance(request, functions.updates.GetChannelDifferenceRequest):
            return await super().__call__(request, *args, **options)
        channel_id = request.channel.channel_id
        if not self._follows(channel_id):
            return tl.updates.ChannelDifferenceEmpty(request.pts, final=True)
        missed = await super().__call__(request, *args, **options)
        if not isinstance(missed, tl.updates.ChannelDifferenceEmpty):
            self._missed(channel_id)
        return missed


def make_client(
    session: str,
    api_id: int,
    api_hash: str,
    *,
    clock: Callable[[], float],
    opened: Callable[[], None],
    closed: Callable[[], None],
    follows: Callable[[int], bool],
    missed: Callable[[int], None],
) -> AccountClient:
    """`opened` and `closed` hear of the connection to the account's own data centre. Raises ValueError."""
    known = MemorySession(session)
    return AccountClient(
        known, api_id, api_hash, follows=follows, missed=missed,
        connection=_connection(known.dc_id, clock, opened, closed),
        timeout=CONNECT_SECONDS, request_retries=1, connection_retries=_FOREVER, retry_delay=1,
        flood_sleep_threshold=FLOOD_SLEEP, raise_last_call_error=True, sequential_updates=True,
        device_model="Disgram", app_version=__version__, base_logger=quiet_logger(),
    )  # fmt: skip


def quiet_logger() -> logging.Logger:
    """Telethon's own lines may hold requests, and so a phone number or a code: none is written."""
    logger = logging.getLogger("disgram.telethon")
    logger.addHandler(logging.NullHandler())
    logger.propagate = False
    logger.setLevel(logging.CRITICAL + 1)
    return logger


def _connection(
    own: int, clock: Callable[[], float], opened: Callable[[], None], closed: Callable[[], None]
) -> type:
    """A class, as Telethon wants it; files of other data centres have connections of their own."""
    brakes: dict[int, Brake] = {}

    class PacedConnection(ConnectionTcpFull):  # type: ignore[misc]
        async def connect(self, timeout: float | None = None, ssl: Any = None) -> None:
            await brakes.setdefault(self._dc_id, Brake(clock)).turn()
            await super().connect(timeout, ssl)
            if self._dc_id == own:
                opened()

        async def disconnect(self) -> None:
            if self._connected:
                brakes[self._dc_id].closed()
                if self._dc_id == own:
                    closed()
            await super().disconnect()

    return PacedConnection
