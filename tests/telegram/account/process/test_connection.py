"""The account's connection is kept up, with a pause between two clients however they end."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

pytest.importorskip("telethon")

from telethon import errors

from disgram.report import Level
from disgram.telegram.account.process.calls import Calls
from disgram.telegram.account.process.connection import AccountConnection
from disgram.telegram.account.process.directory import Directory
from disgram.telegram.account.process.spools import Names, Spools


class ShortLived:
    """A client that ends as soon as it is connected, or fails to connect."""

    def __init__(self, failure: Exception | None = None) -> None:
        self._failure = failure
        self.disconnected = asyncio.get_running_loop().create_future()
        self.disconnected.set_result(None)

    def add_event_handler(self, *_: object) -> None:
        pass

    async def connect(self) -> None:
        if self._failure:
            raise self._failure

    async def disconnect(self) -> None:
        pass

    async def iter_dialogs(self, **_: object) -> AsyncIterator[Any]:
        return
        yield


class Enough(Exception):
    """The test has seen what it wanted to see."""


def pauses(make: Callable[[], Any], count: int, look_every: float = 60.0) -> tuple[list[float], list[str]]:
    """Between the first clients, and what was reported."""
    slept: list[float] = []
    said: list[str] = []

    async def sleep(seconds: float) -> None:
        slept.append(seconds)
        if len(slept) == count:
            raise Enough

    def report(level: Level | None, text: str, **facts: Any) -> None:
        said.append(text)

    async def run() -> None:
        def clock() -> float:
            return 0.0

        calls = Calls(clock=clock, report_end=lambda end: said.append(f"{end}"))
        account = AccountConnection(
            lambda _: make(),
            calls,
            Directory(calls, clock),
            Spools(),
            Names(),
            report,
            clock,
            sleep,
            look_every,
        )
        await account.keep()

    with contextlib.suppress(Enough):
        asyncio.run(run())
    return slept, said


@pytest.mark.parametrize("failure", [None, ConnectionError("no"), TypeError("odd")])
def test_a_client_that_ends_at_once_is_replaced_ever_more_slowly(failure: Exception | None) -> None:
    slept, said = pauses(lambda: ShortLived(failure), 8)
    for pause, longest in zip(slept, [1, 2, 4, 8, 16, 32, 60, 60], strict=True):
        assert 0.75 * longest <= pause <= longest
    assert all("trying again" in each for each in said if "connected to" not in each)


class LoggedOut(ShortLived):
    """A client whose session ended while it is connected: it hears of that once it asks something."""

    def __init__(self) -> None:
        super().__init__()
        self.disconnected = asyncio.get_running_loop().create_future()
        self.asked: list[str] = []

    async def __call__(self, request: Any) -> None:
        self.asked.append(type(request).__name__)
        if len(self.asked) == 3:
            raise errors.SessionRevokedError(request)


def test_a_session_that_ends_while_nobody_asks_is_noticed() -> None:
    clients: list[LoggedOut] = []

    def make() -> LoggedOut:
        clients.append(LoggedOut())
        return clients[-1]

    slept, said = pauses(make, 1, look_every=0.0)
    assert slept == []
    assert [client.asked for client in clients] == [["GetStateRequest"] * 3]
    assert [each[:45] for each in said[1:]] == ["Telegram has ended the account's session (it "]


def test_an_ended_session_is_met_with_no_other_client() -> None:
    slept, said = pauses(lambda: ShortLived(errors.SessionRevokedError(None)), 1)
    assert slept == []
    assert [each[:45] for each in said] == ["Telegram has ended the account's session (it "]
