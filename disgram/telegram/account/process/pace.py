"""How fast the account asks: requests of one kind a second, and pauses between connections. No Telethon."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from disgram.backoff import STABLE_AFTER, backoff
from disgram.telegram.account.process.refusals import unavailable

Sleep = Callable[[float], Awaitable[None]]

LONGEST_TURN = 15.0
"""Seconds a request waits for its turn; a worker waits 20 for an answer."""

LONGEST_PAUSE = 60.0
"""Seconds between two connections, at most."""


class Pace:
    """`burst` requests at once, then `per_second`."""

    def __init__(
        self, burst: int, per_second: float, clock: Callable[[], float], sleep: Sleep = asyncio.sleep
    ) -> None:
        self._sleep = sleep
        self._ahead = (burst - 1) / per_second
        self._between = 1 / per_second
        self._clock = clock
        self._next = float("-inf")

    async def turn(self) -> None:
        """Wait for it. Raises Refused if that took too long; the place in the queue is not kept."""
        now = self._clock()
        delay = max(self._next - now, 0.0)
        if delay > LONGEST_TURN:
            raise unavailable("the account has too much to read just now", delay)
        self._next = max(self._next, now - self._ahead) + self._between
        if delay:
            await self._sleep(delay)


class Brake:
    """Between connections to one data centre: none before the first and after one that lasted, else 1 s, 2 s,
    4 s, up to a minute. A server that accepts and closes at once would otherwise be asked without a pause."""

    def __init__(self, clock: Callable[[], float], sleep: Sleep = asyncio.sleep) -> None:
        self._sleep = sleep
        self._clock = clock
        self._opened = float("-inf")
        self._failures = 0

    async def turn(self) -> None:
        """Wait until the next connection may be opened; counts it."""
        now = self._clock()
        if now - self._opened >= STABLE_AFTER + LONGEST_PAUSE:
            self._failures = 0
        if self._failures:
            await self._sleep(max(self._opened + backoff(self._failures, LONGEST_PAUSE) - now, 0.0))
        self._failures += 1
        self._opened = self._clock()

    def closed(self) -> None:
        """The connection has ended."""
        if self._clock() - self._opened >= STABLE_AFTER:
            self._failures = 0
