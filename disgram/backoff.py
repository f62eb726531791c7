"""Exponential backoff: how long to wait before the next try, by the number of failures in a row.

Owns the formula and its bounds. Never waits and never counts.
"""

from __future__ import annotations

import random
from collections.abc import Callable

REQUEST_BACKOFF_MAX = 60.0
"""Longest wait in seconds between two tries of one request to Telegram or Discord."""

RESTART_BACKOFF_MAX = 300.0
"""Longest wait in seconds before a process that keeps crashing is started again."""

STABLE_AFTER = 60.0
"""Seconds a process must have run for its earlier failures not to count any more."""

JITTER = 0.25
"""Share of the wait that `jittered_backoff` may leave out."""


def backoff(failures: int, longest: float) -> float:
    """Seconds to wait after failure number `failures` in a row (from 1): 1, 2, 4, 8 … `longest`."""
    return min(2.0 ** min(failures - 1, 30), longest)


def jittered_backoff(failures: int, longest: float, rand: Callable[[], float] = random.random) -> float:
    """`backoff`, less up to a quarter, so that many workers do not try again at the same moment.

    `rand` returns a number from 0 up to 1.
    """
    return backoff(failures, longest) * (1.0 - JITTER * rand())
