"""Failures of addresses within one worker, and what follows once another address gets an answer.

Owns how long a failure is remembered, and the log lines about addresses that begin or end to rest for a
fault. What a fault costs is for rests.py to say.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple

from disgram.errors import HttpError, StorageUnavailable
from disgram.http.one_way import Fault, WayFailed
from disgram.report import Level, Reporter
from disgram.storage.limit_rows import LimitRows, RestRow
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress import rests

DOUBTED_FOR = 60.0
"""Seconds a failure counts if another address answers then, and others are preferred."""


class Doubt(NamedTuple):
    """A failure of an address, which may have been Telegram's, of a request that `began` then. `trial`: of
    the one that tries it anew."""

    began: float
    at: float
    fault: Fault
    certain: bool
    text: str
    trial: bool


class Doubts:
    """For one worker. `clock` is monotonic."""

    def __init__(self, limits: LimitStore, report: Reporter, clock: Callable[[], float]) -> None:
        self._limits, self._report, self._clock = limits, report, clock
        self._doubts: dict[str, Doubt] = {}
        """By address, the longest ago first."""

    def failed(self, name: str, error: HttpError, began: float, *, trial: bool) -> None:
        """No answer came through it to a request that `began` then."""
        fault, certain = Fault.UNREACHABLE, False
        if isinstance(error, WayFailed):
            fault, certain = error.fault, error.certain
        self._doubts.pop(name, None)
        self._doubts[name] = Doubt(began, self._clock(), fault, certain, f"{error}", trial)

    def names(self) -> list[str]:
        """The addresses that failed lately, the longest ago first."""
        since = self._clock() - DOUBTED_FOR
        self._doubts = {name: doubt for name, doubt in self._doubts.items() if doubt.at >= since}
        return list(self._doubts)

    def answered(self, name: str, *, had_row: bool) -> None:
        """An answer came through it, so that it is well, and those are not that failed lately. `had_row`:
        there was a row of it. Without one, and without failures, nothing is read or written."""
        self._doubts.pop(name, None)
        if not (self.names() or had_row):
            return
        with suppress(StorageUnavailable):  # the next request will show it again
            with self._limits.transaction() as rows:
                found = [self._recovered(rows, name), *self._rested(rows)]
            self._doubts.clear()
            for level, text in filter(None, found):
                self._report(level, text)

    def _recovered(self, rows: LimitRows, name: str) -> tuple[Level, str] | None:
        row = rows.rests().get(name)
        if row is None or (row.reason == rests.REFUSED and row.until > self._clock()):
            return None
        rows.delete_rest(name)
        return (Level.STATUS, f"Telegram answers through {name} again") if row.strikes else None

    def _rested(self, rows: LimitRows) -> list[tuple[Level, str]]:
        known, now = rests.believable(rows.rests(), self._clock()), self._clock()
        lines = []
        for name, doubt in self._doubts.items():
            row = rests.after_fault(
                known.get(name), name, doubt.fault.value, now,
                began=doubt.began, certain=doubt.certain, trial=doubt.trial,
            )  # fmt: skip
            if row:
                rows.put_rest(row)
            if row and row.strikes:
                lines.append(_line_of(row, doubt, now))
        return lines


def _line_of(row: RestRow, doubt: Doubt, now: float) -> tuple[Level, str]:
    level = Level.STATUS if row.strikes == 1 else Level.INFO
    return level, f"{row.name} rests {row.until - now:.0f} s, its channels use other addresses: {doubt.text}"
