"""Archived threads, in which no message can be edited or deleted until a new one opens them.

Threads archive themselves, and each post of a forum has one of its own: what waits in one says nothing about
messages elsewhere. Owns how long nothing is tried there. Never sends.
"""

from __future__ import annotations

from collections.abc import Callable

EDITS_WAIT = 3600.0
"""Seconds until an edit is tried again in an archived thread that this worker has not opened meanwhile."""


class ArchivedThreads:
    """For one worker; None is the webhook's own channel. `clock` is monotonic."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._until: dict[str | None, float] = {}

    def found(self, thread_id: str | None) -> None:
        """Discord refused an edit there, because the thread is archived."""
        self._until[thread_id] = self._clock() + EDITS_WAIT

    def opened(self, thread_id: str | None) -> None:
        """A new message is there."""
        self._until.pop(thread_id, None)

    def wait(self, thread_id: str | None) -> bool:
        """Whether edits there wait."""
        return thread_id in self._until and self._clock() < self._until[thread_id]

    def any_wait(self) -> bool:
        """Whether edits wait anywhere."""
        return any(map(self.wait, self._until))
