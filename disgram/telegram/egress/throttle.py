"""Limits the rate of requests to Telegram across all workers of the host.

Each request reserves the next free turn, one every 1/rate seconds, in the shared database, and waits for it.
Turns are given in the order of asking, so workers that start together are spread out. Sends nothing.

A stored turn or rest that is later than any can be (the clock began anew) is not waited for.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from disgram.errors import TelegramUnavailable
from disgram.report import Level, Reporter
from disgram.storage.limit_rows import CLOCK_SLACK, LimitRows
from disgram.storage.rate_limits import LimitStore

LONGEST_REST = 3600.0
"""Seconds all workers stay away after a 429, whatever time it names."""

LONGEST_QUEUE = 2000
"""Turns: more than a host has workers that wait for one."""

SHOWN_FROM = 180.0
"""Seconds: a rest that is at least as long is reported, also to a worker that did not cause it."""

_TURNS = "telegram"
_REST = "telegram-rest"
_MEDIA_REST = "telegram-media-rest"


class TelegramThrottle:
    """`rate` in requests per second. `wait` sleeps and keeps the worker's heartbeat. `on_rest` is called
    before a long wait for the end of a rest, with its seconds, and with None when that is over."""

    def __init__(
        self,
        store: LimitStore,
        rate: float,
        wait: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
        on_rest: Callable[[float | None], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._gap = 1.0 / rate
        self._wait = wait
        self._clock = clock
        self._on_rest = on_rest

    def turn(self) -> None:
        """Block until the next request may be sent. Raises what `wait` raises, and StorageUnavailable."""
        turn, shown = self._reserve(), False
        while (delay := turn - self._clock()) > 0:
            if delay >= SHOWN_FROM and self._resting():
                self._on_rest(delay)
                shown = True
            self._wait(delay)
            if self._resting():
                turn = self._reserve()  # turns reserved before the rest began would all be due at once
        if shown:
            self._on_rest(None)

    def _reserve(self) -> float:
        now = self._clock()
        with self._store.transaction() as rows:
            return reserve(rows, _TURNS, now, self._gap, rest_end(rows, _REST, now))

    def _resting(self) -> bool:
        now = self._clock()
        with self._store.reading() as rows:
            return rest_end(rows, _REST, now) > now

    def rest(self, seconds: float, *, media: bool = False) -> None:
        """After a 429 of t.me: no worker sends a request for so long, an hour at most; then turns go on at
        the usual rate. `media`: of a host of files, which rests alone."""
        name, now = _MEDIA_REST if media else _REST, self._clock()
        with self._store.transaction() as rows:
            until = max(now + min(seconds, LONGEST_REST), rest_end(rows, name, now))
            rows.put_next_turn(name, until)

    def media_rests(self) -> bool:
        """Whether files must not be asked for now."""
        now = self._clock()
        with self._store.reading() as rows:
            return rest_end(rows, _MEDIA_REST, now) > now


def reserve(rows: LimitRows, name: str, now: float, gap: float, rest: float = float("-inf")) -> float:
    """Take the next free turn of that name, and return when it is: one every `gap` seconds, none before
    `rest`."""
    turn = rows.next_turn(name)
    if turn > max(now, rest) + LONGEST_QUEUE * gap + CLOCK_SLACK:
        turn = now
    turn = max(now, turn, rest)
    rows.put_next_turn(name, turn + gap)
    return turn


def rest_end(rows: LimitRows, name: str, now: float) -> float:
    """When the rest of that name ends; `now` or earlier: there is none."""
    end = rows.next_turn(name)
    return end if end <= now + LONGEST_REST + CLOCK_SLACK else now


def report_rest(report: Reporter, seconds: float | None) -> None:
    """The `on_rest` of a worker."""
    if seconds is None:
        report(None, "", reason=None)
    else:
        text = f"Waiting {seconds:.0f} s: Telegram asked this address to stay away"
        report(Level.STATUS, text, reason=TelegramUnavailable.reason, lasts=seconds)
