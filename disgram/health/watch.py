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
from typing import NamedTuple, Protocol

from disgram.errors import StorageUnavailable
from disgram.health.memory import Began, HealthMemory
from disgram.health.problems import Channels, Findings, Problem, RefusedPosts

LOOK_EVERY = 5.0
"""Seconds between two looks at most."""
LONG_WAIT = 60.0
"""Seconds from which on a wait is remembered over a restart; shorter ones come and go with every post."""


class Counts(Protocol):
    """What of the ledger is asked. Raises StorageUnavailable."""

    def failed_counts(self) -> Mapping[tuple[str, str], tuple[int, float]]: ...
    def last_confirmed(self) -> Mapping[tuple[str, str], float]: ...


class View(NamedTuple):
    """What is wrong at one moment: every problem, also those behind a more urgent one of the same channel;
    the channels of which nothing is known yet; since when posts wait in a channel, where they do; and the
    channels that have a worker."""

    problems: Sequence[Problem]
    unheard: Channels
    waiting: Mapping[tuple[str, str], datetime]
    at_work: Channels = frozenset()


class HealthWatch:
    """`findings` is always there. `interval` in seconds."""

    def __init__(self, counts: Counts, memory: HealthMemory, interval: float = LOOK_EVERY) -> None:
        self._counts = counts
        self._memory = memory
        self._interval = min(interval, LOOK_EVERY)
        self._wake = threading.Event()
        self._stopping = False
        self._thread: threading.Thread | None = None
        self._at_work: Channels = frozenset()
        self._confirmed_due = True
        self.findings = Findings()

    def start(self, view: Callable[[], View | None]) -> None:
        """Count once before returning; then, in the background, count again and look at the `view`."""
        began = self._memory.load()
        self.findings = replace(self.findings, begun=began.problems, waiting=began.waiting)
        self._count()
        self._thread = threading.Thread(target=self._run, args=(view,), name="health watch", daemon=True)
        self._thread.start()

    def look_soon(self) -> None:
        """A person has changed something: count now, and not in a few seconds."""
        self._confirmed_due = True
        self._wake.set()

    def stop(self) -> None:
        self._stopping = True
        self._wake.set()
        if self._thread:
            self._thread.join()

    def look(self, view: View, now: datetime) -> None:
        """Keep when each problem was first seen, and each long wait, as long as it is there or may be; and
        when posts were confirmed of what has lost its worker."""
        if view.at_work != self._at_work:
            self._at_work, self._confirmed_due = view.at_work, True
            self._count()
        begun, waiting = self.findings.begun, self.findings.waiting
        problems = {
            found.key: min(begun.get(found.key) or found.since or now, now) for found in view.problems
        }
        problems |= {key: since for key, since in begun.items() if key.may_be_of(view.unheard)}
        waits = {
            channel: min(waiting.get(channel, since), since)
            for channel, since in view.waiting.items()
            if (now - since).total_seconds() >= LONG_WAIT or channel in waiting
        }
        waits |= {channel: since for channel, since in waiting.items() if channel in view.unheard}
        self.findings = replace(self.findings, begun=problems, waiting=waits)
        self._memory.save(Began(problems, waits))

    def _run(self, view: Callable[[], View | None]) -> None:
        while not self._stopping:
            self._wake.wait(self._interval)
            self._wake.clear()
            try:
                self._count()
                if seen := view():
                    self.look(seen, datetime.now(timezone.utc))
            except Exception:
                logging.getLogger(__name__).exception("The look at the service's health failed")

    def _count(self) -> None:
        """What cannot be read now stays as it was; a worker that cannot write says so itself."""
        try:
            failed = self._counts.failed_counts()
            refused = {key: RefusedPosts(number, _moment(at)) for key, (number, at) in failed.items()}
            self.findings = replace(self.findings, refused=refused)
            if self._confirmed_due:
                self._confirmed_due = False
                confirmed = self._counts.last_confirmed().items()
                forwarded = {key: moment for key, at in confirmed if (moment := _moment(at))}
                self.findings = replace(self.findings, forwarded=forwarded)
        except StorageUnavailable:
            return


def _moment(seconds: float) -> datetime | None:
    return datetime.fromtimestamp(seconds, timezone.utc) if seconds > 0 else None
