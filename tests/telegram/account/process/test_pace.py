"""How fast the account asks and connects, by a clock of the test's own."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

pytest.importorskip("telethon")

from disgram.telegram.account.process.pace import Brake, Pace
from disgram.telegram.account.process.refusals import Refused


class Clock:
    """Sleeping moves it on at once."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    async def sleep(self, seconds: float) -> None:
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


def times(clock: Clock, turn: Callable[[], Awaitable[None]], count: int) -> list[float]:
    """When each of so many turns came, in seconds from now."""

    async def run() -> list[float]:
        start, found = clock.now, []
        for _ in range(count):
            await turn()
            found.append(clock.now - start)
        return found

    return asyncio.run(run())


def test_a_burst_goes_at_once_and_the_rest_evenly(clock: Clock) -> None:
    assert times(clock, Pace(3, 2.0, clock, clock.sleep).turn, 6) == [0, 0, 0, 0.5, 1.0, 1.5]


def test_a_pause_allows_another_burst_of_the_same_size(clock: Clock) -> None:
    paced = Pace(3, 2.0, clock, clock.sleep)
    times(clock, paced.turn, 3)
    clock.now += 1000
    assert times(clock, paced.turn, 4) == [0, 0, 0, 0.5]


def test_nobody_waits_longer_for_a_turn_than_a_worker_does() -> None:
    async def run() -> int:
        paced = Pace(1, 0.01, lambda: 0.0)
        await paced.turn()
        refused = 0
        for _ in range(3):
            try:
                await paced.turn()
            except Refused as refusal:
                assert refusal.retry_after == 100
                refused += 1
        return refused

    assert asyncio.run(run()) == 3


def test_connections_that_end_at_once_come_ever_more_slowly(clock: Clock) -> None:
    brake = Brake(clock, clock.sleep)

    async def turn() -> None:
        await brake.turn()
        brake.closed()

    assert times(clock, turn, 9) == [0, 1, 3, 7, 15, 31, 63, 123, 183]


def test_a_connection_that_lasted_is_replaced_at_once(clock: Clock) -> None:
    brake = Brake(clock, clock.sleep)
    times(clock, brake.turn, 4)
    clock.now += 61
    brake.closed()
    assert times(clock, brake.turn, 2) == [0, 1]
