"""The account's connection, kept up: connect, read the dialogs once, and from the beginning if it ends."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any

from telethon import errors, events
from telethon.tl import functions

from disgram.backoff import REQUEST_BACKOFF_MAX, STABLE_AFTER, jittered_backoff
from disgram.report import Level, Reporter
from disgram.telegram.account.process.calls import DIALOGS, Calls
from disgram.telegram.account.process.client import AccountClient
from disgram.telegram.account.process.directory import Directory
from disgram.telegram.account.process.pace import Sleep
from disgram.telegram.account.process.refusals import Refused, described
from disgram.telegram.account.process.spools import Names, Spools

LOOK_EVERY = 30.0
"""Seconds between two small requests that show whether the session has ended: Telegram says so to nobody who
asks nothing."""


class AccountConnection:
    """`make` returns a client that reports to `opened`, `closed` and `missed`."""

    def __init__(
        self,
        make: Callable[[AccountConnection], AccountClient],
        calls: Calls,
        directory: Directory,
        spools: Spools,
        names: Names,
        report: Reporter,
        clock: Callable[[], float],
        sleep: Sleep = asyncio.sleep,
        look_every: float = LOOK_EVERY,
    ) -> None:
        self._make = make
        self._calls = calls
        self._directory = directory
        self._spools = spools
        self._names = names
        self._report = report
        self._clock = clock
        self._sleep = sleep
        self._look_every = look_every
        self._started = False
        self._lost = False

    async def keep(self) -> None:
        """Until the account's session has ended, or for ever."""
        failures = 0
        while not self._calls.ended:
            began = self._clock()
            why, pause = await self._lived()
            if self._calls.ended:
                return
            failures = 1 if self._clock() - began >= STABLE_AFTER else failures + 1
            self._report(Level.ERROR, f"{why}; trying again")
            await self._sleep(pause or jittered_backoff(failures, REQUEST_BACKOFF_MAX))

    async def _lived(self) -> tuple[str, float | None]:
        """Why a client ended, and how long Telegram wants us to wait, if it says so."""
        try:
            await self._live()
        except Refused as refusal:
            return f"{refusal}", refusal.retry_after
        except Exception as error:  # noqa: BLE001  # whatever Telethon raises while it connects
            meant = self._calls.translated(error, DIALOGS)  # the end of the session, or a flood wait
            if isinstance(meant, Refused) and meant.retry_after:
                return f"{meant}", meant.retry_after
            return f"Telegram cannot be reached by the account ({type(error).__name__})", None
        return "The account's connection to Telegram has ended", None

    async def _live(self) -> None:
        """One client, from its connecting to its end."""
        client = self._make(self)
        client.add_event_handler(self._hear, events.Raw)
        ended = self._calls.session_ended
        try:
            if not await _first_of(client.connect(), ended.wait()):
                return
            self._calls.client = client
            self._started = True
            self._calls.connected.set()
            await self._directory.read_dialogs()
            self._report(Level.INFO, "The account is connected to Telegram")
            await _first_of(client.disconnected, self._look())
        finally:
            self._started = False
            self.closed()
            self._calls.client = None
            await client.disconnect()

    async def _look(self) -> None:
        """Until the session has ended."""
        ended = self._calls.session_ended
        while not ended.is_set():
            with contextlib.suppress(asyncio.TimeoutError):
                await asyncio.wait_for(ended.wait(), self._look_every)
            with contextlib.suppress(Refused, errors.RPCError):
                await self._calls(functions.updates.GetStateRequest())

    # --- what a client reports ---

    def opened(self) -> None:
        """A connection is there, the first or a later one."""
        if self._started:
            self._calls.connected.set()
        if self._lost:
            self._report(Level.INFO, "The account's connection to Telegram is back")
        self._lost = False

    def closed(self) -> None:
        """What happens from now on may be missed: every channel is read again."""
        self._calls.connected.clear()
        self._spools.make_stale()
        if self._started and not self._lost and not self._calls.ended:
            self._lost = True
            self._report(Level.INFO, "The account's connection to Telegram is lost; connecting again")

    def missed(self, channel_id: int) -> None:
        self._spools.make_stale(channel_id)

    async def _hear(self, update: Any) -> None:
        entities = list((getattr(update, "_entities", None) or {}).values())
        try:
            self._directory.learn(entities)
            if self._spools.take(update):
                self._names.learn(entities)
        except Exception as error:  # noqa: BLE001  # nobody above would hear of it, and an edit be lost
            self._spools.make_stale()
            self._report(Level.ERROR, f"An update of Telegram's was not understood: {described(error)}")


async def _first_of(work: Any, end: Any) -> bool:
    """Whether `work` was done first. Raises what it raises."""
    working, ending = asyncio.ensure_future(work), asyncio.ensure_future(end)
    try:
        await asyncio.wait({working, ending}, return_when=asyncio.FIRST_COMPLETED)
        if working.done() and not working.cancelled():
            working.result()
            return True
        return False
    finally:
        working.cancel()
        ending.cancel()
