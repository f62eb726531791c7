"""How long the files of one post may hold up the post, and with it the channel.

Owns the arithmetic; who downloads says what has come.
"""

from __future__ import annotations

import time
from collections.abc import Callable

POST_SECONDS = 120.0
"""For all files of a post together, every try and every pause between two included."""

BYTES_PER_SECOND = 100_000
"""What arrives earns more time at this rate: a connection that is faster never runs out of it, and ten files
of 20 MiB take half an hour at most."""


class MediaBudget:
    """For one post. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._ends_at = clock() + POST_SECONDS

    def earn(self, received: int) -> None:
        """Bytes that have come."""
        self._ends_at += received / BYTES_PER_SECOND

    @property
    def used_up(self) -> bool:
        return self._clock() >= self._ends_at
