"""Limits the rate of requests to Telegram across all workers of the host.

Each request reserves the next free turn, one every 1/rate seconds, in the shared database, and waits for it.
Turns are given in the order of asking, so workers that start together are spread out. Sends nothing.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from disgram.storage.rate_limits import LimitStore

_TURNS = "telegram"
_REST = "telegram-rest"
_MEDIA_REST = "telegram-media-rest"


class TelegramThrottle:
    """`rate` in requests per second. `wait` sleeps and keeps the worker's heartbeat."""

    def __init__(
        self,
        store: LimitStore,
        rate: float,
        wait: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._gap = 1.0 / rate
        self._wait = wait
        self._clock = clock

    def turn(self) -> None:
        """Block until the next request may be sent. Raises what `wait` raises, and StorageUnavailable."""
        turn = self._reserve()
        while (delay := turn - self._clock()) > 0:
            self._wait(delay)
            if self._resting():
                turn = self._reserve()  # turns reserved before the rest began would all be due at once

    def _reserve(self) -> float:
        now = self._clock()
        with self._store.transaction() as rows:
            turn = max(now, rows.next_turn(_TURNS), rows.next_turn(_REST))
            rows.put_next_turn(_TURNS, turn + self._gap)
        return turn

    def _resting(self) -> bool:
        with self._store.reading() as rows:
            return rows.next_turn(_REST) > self._clock()

    def rest(self, seconds: float, *, media: bool = False) -> None:
        """After a 429 of t.me: no worker sends a request for so long; then turns go on at the usual rate.
        `media`: of a host of files, which rests alone."""
        name, until = _MEDIA_REST if media else _REST, self._clock() + seconds
        with self._store.transaction() as rows:
            rows.put_next_turn(name, max(until, rows.next_turn(name)))

    def media_rests(self) -> bool:
        """Whether files must not be asked for now."""
        with self._store.reading() as rows:
            return rows.next_turn(_MEDIA_REST) > self._clock()
