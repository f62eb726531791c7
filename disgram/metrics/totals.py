"""What all workers counted since the service started, added up from their reports.

Owns the sums, which outlive a worker and its job: a counter that falls would be read as a restart. Which
counters there are, and their labels, is a table here; a count of another form is ignored.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Mapping
from typing import Any, NamedTuple

LANES = ("bucket", "channel", "host", "cloudflare")

LABELS: Mapping[str, tuple[str, ...]] = {
    "posts": ("disgram_job", "result"),
    "discord_requests": ("status", "scope"),
    "discord_wait_seconds": ("lane",),
    "telegram_requests": ("outcome",),
    "upload_bytes": (),
    "parser_unknown_blocks": (),
}
"""Counter -> its labels. A worker does not name its job, which the service knows."""

DELAYS = (5.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0, 3600.0, 14_400.0, 86_400.0)
"""Seconds: upper ends of the histogram's buckets, around the default COOLDOWN of 300."""

_MOST = 1e15
"""No worker counts so much between two reports."""


class Deliveries(NamedTuple):
    """`numbers`: of posts, by the bucket of DELAYS that each falls in, the last for later ones; `seconds`: of
    all of them together."""

    numbers: tuple[int, ...] = (0,) * (len(DELAYS) + 1)
    seconds: float = 0.0

    def added(self, lag: float) -> Deliveries:
        numbers = list(self.numbers)
        numbers[bisect_left(DELAYS, lag)] += 1
        return Deliveries(tuple(numbers), self.seconds + lag)


NO_DELIVERIES = Deliveries()


class Totals:
    """Added to by one thread, read by any."""

    def __init__(self) -> None:
        self._sums: dict[tuple[str, ...], float] = {}
        self.deliveries = NO_DELIVERIES

    def add(self, job: str, facts: Mapping[str, Any]) -> None:
        """Take over what a report of one of the job's workers says; raises nothing."""
        match facts:
            case {"counts": dict(counts)}:
                for name, by in counts.items():
                    self._count(job, name.split(" "), by)
        match facts:
            case {"lag": int() | float() as lag} if 0 <= lag < _MOST:
                self.deliveries = self.deliveries.added(lag)

    def sums(self) -> dict[tuple[str, ...], float]:
        """(name, value of each label) -> sum; a copy."""
        return self._sums.copy()

    def _count(self, job: str, words: list[str], by: object) -> None:
        name, *values = words
        if "disgram_job" in LABELS.get(name, ()):
            values.insert(0, job)
        if name not in LABELS or len(values) != len(LABELS[name]):
            return
        match by:
            case int() | float() if 0 <= by < _MOST:
                key = (name, *values)
                self._sums[key] = self._sums.get(key, 0) + by
