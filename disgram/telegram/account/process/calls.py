"""Every request of ours to Telegram goes through here: waits, time limits, and what a failure means.

A method that Telegram lets wait is not called before that time. After the session's end nothing is called.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from telethon import errors
from telethon.errors.common import AuthKeyNotFound, SecurityError
from telethon.tl import functions

from disgram.telegram.account.process import refusals
from disgram.telegram.account.process.client import FLOOD_SLEEP, AccountClient
from disgram.telegram.account.process.pace import Pace

SECONDS = 18.0
"""How long one request may take: below the 20 s that a worker waits, flood waits that are slept included."""

CONNECT_PATIENCE = 5.0
"""Seconds that a request waits for the connection."""

DIALOGS = "dialogs"
"""The name of reading the account's dialogs, without which there is no connection."""

FILES = "upload.getFile"
"""The name of reading a file, often from another data centre, whose refusal tells nothing of the session."""

HISTORY_BURST, HISTORY_PER_SECOND = 30, 2.0
"""Telegram names no limits; accounts that read histories for hours at this pace had no flood waits."""

_WAITS = (errors.FloodWaitError, errors.FloodPremiumWaitError)
_ENDED = (errors.UnauthorizedError, errors.AuthKeyDuplicatedError, AuthKeyNotFound)
"""AuthKeyDuplicatedError is the one 406 that is about the session; others are about what was asked for."""

_FAILURES = (
    errors.ServerError, errors.TimedOutError, errors.RpcCallFailError, errors.RpcMcgetFailError,
    errors.InterdcCallErrorError, errors.InterdcCallRichErrorError, SecurityError, OSError, ValueError,
)  # fmt: skip

_Result = TypeVar("_Result")


@dataclass(frozen=True, slots=True)
class _Pause:
    """A flood wait until a time of the clock. A `long` one is a problem to show; others are waited for."""

    until: float
    long: bool

    def refusal(self, left: float) -> refusals.Refused:
        if self.long:
            return refusals.waits(left)
        return refusals.unavailable("Telegram asked the account to wait a little", left)


class Calls:
    """`report_end` is called once, when the session has ended."""

    def __init__(self, *, clock: Callable[[], float], report_end: Callable[[refusals.Refused], None]) -> None:
        self.client: AccountClient | None = None
        self.connected = asyncio.Event()
        self.ended: refusals.Refused | None = None
        self.session_ended = asyncio.Event()
        self._clock = clock
        self._report_end = report_end
        self._pauses: dict[str, _Pause] = {}
        self._paces = {"GetHistoryRequest": Pace(HISTORY_BURST, HISTORY_PER_SECOND, clock)}

    async def __call__(self, request: Any) -> Any:
        """The answer. Raises Refused, and RPCError for what only the caller can judge."""
        return await self.run(type(request).__name__, lambda client: client(request))

    async def run(
        self, method: str, ask: Callable[[AccountClient], Awaitable[_Result]], seconds: float = SECONDS
    ) -> _Result:
        """The same for what Telethon does in several requests; `method` names them together."""
        self._check(method)
        client = await self._connected_client()
        if method in self._paces:
            await self._paces[method].turn()
            self._check(method)
        asking = asyncio.ensure_future(ask(client))
        try:
            await asyncio.wait({asking}, timeout=seconds)
            if asking.done() and not asking.cancelled():
                return asking.result()
        except Exception as error:  # noqa: BLE001  # raised again, as what it means
            if method == FILES and is_end(error):
                await self(functions.updates.GetStateRequest())  # if the session has ended, this says so
                raise refusals.unavailable("Telegram's file server does not know the account") from None
            raise self.translated(error, method) from None
        finally:
            asking.cancel()
        raise refusals.unavailable("Telegram did not answer the account in time")

    def translated(self, error: Exception, method: str) -> Exception:
        """What the caller is to raise in place of an error of Telethon's."""
        if isinstance(error, _WAITS):
            self._pauses[method] = _Pause(self._clock() + error.seconds, error.seconds > FLOOD_SLEEP)
            return self._pauses[method].refusal(error.seconds)
        if isinstance(error, _ENDED):
            return self.end(error)
        if isinstance(error, _FAILURES):
            return refusals.unavailable(f"Telegram does not answer the account ({type(error).__name__})")
        return error

    def end(self, error: Exception) -> refusals.Refused:
        """The session has ended: nothing is asked any more."""
        return self.refuse(refusals.logged_out(_why(error)))

    def refuse(self, refusal: refusals.Refused) -> refusals.Refused:
        """Whatever is asked from now on, but for an earlier refusal."""
        if self.ended is None:
            self.ended = refusal
            self.session_ended.set()
            self.connected.set()  # nobody waits for a connection any more
            self._report_end(self.ended)
        return self.ended

    def _check(self, method: str) -> None:
        if self.ended:
            raise self.ended
        pause = self._pauses.get(method)
        if pause and (left := pause.until - self._clock()) > 0:
            raise pause.refusal(left)

    async def _connected_client(self) -> AccountClient:
        if not self.connected.is_set():
            self._check(DIALOGS)
        try:
            await asyncio.wait_for(self.connected.wait(), CONNECT_PATIENCE)
        except asyncio.TimeoutError:
            raise refusals.unavailable("the account is not connected to Telegram") from None
        if self.ended:
            raise self.ended
        if self.client is None:
            raise refusals.unavailable("the account is not connected to Telegram")
        return self.client


def is_end(error: BaseException) -> bool:
    """Whether the account's session is over, so that a person has to log in again."""
    return isinstance(error, _ENDED)


def _why(error: Exception) -> str:
    if isinstance(error, errors.AuthKeyDuplicatedError):
        return "it was used from two places at once"
    if isinstance(error, errors.UserDeactivatedBanError):
        return "the account is banned"
    if isinstance(error, errors.UserDeactivatedError):
        return "the account was deleted"
    return "it was logged out"
