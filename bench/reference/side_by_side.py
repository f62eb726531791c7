"""What the reference needs for the same work, on the same machine, moments after ours or at once.

Where a benchmark measures ours already, only the reference is measured here. What is not compared: TLS. Both
sides speak plain HTTP to the stand-in, and the reference, which opens a connection for each request, would
shake hands each time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.answers import launch
from bench.figures import Figure, Theirs
from bench.memory import MEDIA_POSTS
from bench.processes import children, cpu_seconds, median_weights
from bench.reference.stage import log_of, running
from bench.stage import StandIn, channel_names, staged

_WEIGHED = 10
"""Workers; each holds half a hundred megabytes."""

_STARTED = 50
_MESSAGES = 14
"""It makes of eight posts with media: four of an album, one of each other."""

_LOGS = ((0, 60), (1, 12), (10, 3))
"""Megabytes of log, and how many polls are enough to see what one costs."""


def memory(checkout: Path) -> Iterator[Figure | Theirs]:
    """After polls only, and after the same posts as ours."""
    with running(checkout, longest_sleep=1) as reference:
        pids = [reference.start_worker(name, log_of(0, name)) for name in channel_names(_WEIGHED)]
        reference.await_quiet(4 * _WEIGHED)
        yield from _weights("worker that only polled", pids)
        for sent in range(8, MEDIA_POSTS + 1, 8):
            reference.stand_in.publish(8, "media")
            reference.stand_in.await_messages(sent // 8 * _MESSAGES * _WEIGHED, 120)
        reference.await_polls(reference.stand_in.counts()["pages"] + 2 * _WEIGHED)
        yield from _weights(f"worker after {MEDIA_POSTS} posts with media", pids)


def _weights(name: str, pids: list[int]) -> Iterator[Theirs]:
    shared, alone = median_weights(pids)
    yield Theirs(f"{name}, PSS", f"{shared:.0f} MB, median of {len(pids)}", shared)
    yield Theirs(f"{name}, private", f"{alone:.0f} MB, median of {len(pids)}", alone)


def start(checkout: Path) -> Iterator[Figure | Theirs]:
    """Of both services, one after the other, with the same number of workers."""
    with staged() as (stand_in, service):
        ours, _ = launch(service, stand_in, _STARTED)
    theirs, spent = _launch(checkout)
    name = f"start of the service with {_STARTED} workers, through their first polls"
    yield Figure(name, f"{ours:.1f} s", amount=ours)
    yield Theirs(name, f"{theirs:.1f} s", theirs)
    yield Theirs("worker's start and first poll, CPU", f"{spent * 1e3:.0f} ms", spent)


def _launch(checkout: Path) -> tuple[float, float]:
    with running(checkout, longest_sleep=300) as reference:
        began = time.monotonic()
        pid = reference.start_service(channel_names(_STARTED))
        reference.await_quiet(_STARTED)
        passed = time.monotonic() - began
        return passed, sum(map(cpu_seconds, children(pid))) / _STARTED


def quiet_polls(checkout: Path) -> Iterator[Figure | Theirs]:
    """Of one worker each, at once, with logs that say the same."""
    for megabytes, polls in _LOGS:
        ours, theirs = _quiet_polls(checkout, megabytes, polls)
        log = f"{megabytes} MB of log" if megabytes else "an empty log"
        name = f"quiet poll, its HTTP request included, {log}, CPU"
        yield Figure(name, f"{ours * 1e3:.1f} ms", amount=ours)
        yield Theirs(name, f"{theirs * 1e3:.0f} ms", theirs)


def _quiet_polls(checkout: Path, megabytes: int, polls: int) -> tuple[float, float]:
    [channel] = channel_names(1)
    log = log_of(megabytes, channel)
    with (
        staged(COOLDOWN="0.1", LOG_MAX_MB="100") as (stand_in, service),
        running(checkout, longest_sleep=0.1) as reference,
    ):
        (service.data / "Disgram.log").write_text(log)
        service.start_with(1)
        pid = reference.start_worker(channel, log)
        stand_in.await_pages(20, 30)
        reference.await_quiet(2)
        ours, theirs = _Meter(stand_in, service.worker_pids()[0]), _Meter(reference.stand_in, pid)
        reference.await_quiet(2 + polls)
        return ours.per_poll(), theirs.per_poll()


class _Meter:
    """CPU seconds of a worker from now on."""

    def __init__(self, stand_in: StandIn, pid: int) -> None:
        self._stand_in, self._pid = stand_in, pid
        self._pages, self._spent = stand_in.counts()["pages"], cpu_seconds(pid)

    def per_poll(self) -> float:
        spent = cpu_seconds(self._pid) - self._spent
        return spent / (self._stand_in.counts()["pages"] - self._pages)


COMPARISONS: dict[str, Callable[[Path], Iterator[Figure | Theirs]]] = {
    "memory": memory,
    "polling": quiet_polls,
    "start": start,
}
"""By the name of the benchmark whose rows they belong to."""
