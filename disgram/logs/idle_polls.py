"""Polls that found nothing new, summed up: one line of the log for the polls of five minutes.

So a quiet night does not fill the log, and the log shows all the same that channels are being read. Owns the
counting and the text. Pure: never writes, and time is an argument (monotonic seconds).
"""

from __future__ import annotations

from collections.abc import Hashable

from disgram.report import counted

EVERY = 300.0
"""Seconds that are summed up."""


class IdlePolls:
    """A channel counts once, and only if none of its polls found anything. For one thread at a time."""

    def __init__(self, every: float = EVERY) -> None:
        self._every = every
        self._idle: set[Hashable] = set()
        self._busy: set[Hashable] = set()
        self._ends_at: float | None = None

    def polled(self, channel: Hashable, *, idle: bool, now: float) -> None:
        """A poll of this channel has read its page."""
        (self._idle if idle else self._busy).add(channel)
        if self._ends_at is None:
            self._ends_at = now + self._every

    def summary(self, now: float) -> str | None:
        """The line that is due; None if none is. Begins to count anew."""
        if self._ends_at is None or now < self._ends_at:
            return None
        count = len(self._idle - self._busy)
        self._idle, self._busy, self._ends_at = set(), set(), None
        return f"{counted(count, 'channel')} checked, nothing new" if count else None
