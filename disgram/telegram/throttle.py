"""The pace towards Telegram, kept by all workers of the host together.

Each request reserves the next free turn, one every 1/rate seconds, and waits for it: turns go in the
order of asking, starts spread by themselves, and no process runs to keep them. Never sends anything.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from disgram.storage.rate_limits import LimitStore

_TURNS = "telegram"
_REST = "telegram-rest"


class TelegramThrottle:
    """`rate` in requests per second. `wait` is the worker's pulse."""

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
        """Return when the next request may go out. Raises what `wait` raises, and StorageUnavailable."""
        turn = self._reserve()
        while (delay := turn - self._clock()) > 0:
            self._wait(delay)
            if self._resting():
                turn = self._reserve()  # turns given out before the rest began would end in a burst

    def _reserve(self) -> float:
        now = self._clock()
        with self._store.transaction() as rows:
            turn = max(now, rows.next_turn(_TURNS), rows.next_turn(_REST))
            rows.put_next_turn(_TURNS, turn + self._gap)
        return turn

    def _resting(self) -> bool:
        with self._store.reading() as rows:
            return rows.next_turn(_REST) > self._clock()

    def rest(self, seconds: float) -> None:
        """t.me said 429: nobody asks for so long, and turns go on from there at the usual pace."""
        until = self._clock() + seconds
        with self._store.transaction() as rows:
            rows.put_next_turn(_REST, max(until, rows.next_turn(_REST)))
