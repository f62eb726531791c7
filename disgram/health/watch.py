"""What the service finds out by looking now and then: refused posts, and when problems began.

Owns a thread, so that no request and no worker waits for the ledger. Decides nothing: what is a problem is
problems.py's.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timezone
from typing import Protocol

from disgram.errors import StorageUnavailable
from disgram.health.problems import Findings, Key, Problem, RefusedPosts

LOOK_EVERY = 5.0
"""Seconds between two looks at most."""


class Counts(Protocol):
    """What of the ledger is asked. Raises StorageUnavailable."""

    def failed_counts(self) -> Mapping[tuple[str, str], tuple[int, float]]: ...
    def last_confirmed(self) -> Mapping[tuple[str, str], float]: ...


class HealthWatch:
    """`findings` is always there. `interval` in seconds."""

    def __init__(self, counts: Counts, interval: float = LOOK_EVERY) -> None:
        self._counts = counts
        self._interval = min(interval, LOOK_EVERY)
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self.findings = Findings()

    def start(self, problems: Callable[[], Sequence[Problem]]) -> None:
        """Count once before returning; then, in the background, count again and look at `problems()`."""
        self._count(first=True)
        run = (problems,)
        self._thread = threading.Thread(target=self._run, args=run, name="health watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread:
            self._thread.join()

    def look(self, problems: Sequence[Problem], now: datetime) -> None:
        """Keep when each problem was first seen, as long as it is there."""
        known = self.findings.begun
        begun: Mapping[Key, datetime] = {
            problem.key: known.get(problem.key) or problem.since or now for problem in problems
        }
        self.findings = replace(self.findings, begun=begun)

    def _run(self, problems: Callable[[], Sequence[Problem]]) -> None:
        while not self._stop.wait(self._interval):
            try:
                self._count()
                self.look(problems(), datetime.now(timezone.utc))
            except Exception:
                logging.getLogger(__name__).exception("The look at the service's health failed")

    def _count(self, *, first: bool = False) -> None:
        """What cannot be read now stays as it was; a worker that cannot write says so itself."""
        try:
            failed = self._counts.failed_counts()
            refused = {key: RefusedPosts(number, _moment(at)) for key, (number, at) in failed.items()}
            self.findings = replace(self.findings, refused=refused)
            if first:
                confirmed = self._counts.last_confirmed().items()
                forwarded = {key: moment for key, at in confirmed if (moment := _moment(at))}
                self.findings = replace(self.findings, forwarded=forwarded)
        except StorageUnavailable:
            return


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds > 0 else None
