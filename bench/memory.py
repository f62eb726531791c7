"""What workers, service and fork server weigh, and whether they grow."""

from __future__ import annotations

from collections.abc import Iterator

from bench.figures import Figure
from bench.processes import children, median_weights, pss
from bench.stage import staged

MEDIA_POSTS = 64
"""Of every channel: an hour of a busy one. Albums, photos, films and voice messages in turn."""

_SETTLED = 2_000
"""Polls after which a worker has met whatever it will meet; until then it copies pages of the fork server."""


def weights(workers: int) -> Iterator[Figure]:
    """After polls only, and after an hour's worth of media."""
    with staged(COOLDOWN="1") as (stand_in, service):
        service.start_with(workers)
        stand_in.await_pages(4 * workers, 60)
        pids = service.worker_pids()
        yield from _each("worker that only polled", pids, "8 MB")
        for sent in range(8, MEDIA_POSTS + 1, 8):
            stand_in.publish(8, "media")
            stand_in.await_messages(sent * workers, 300)
        polled = stand_in.counts()["pages"]
        stand_in.await_pages(polled + 2 * workers, 60)
        yield from _each(f"worker after {MEDIA_POSTS} posts with media", pids, "11 MB")
        forkserver = sum(map(pss, children(service.pid)))
        yield Figure("service and fork server, PSS", f"{pss(service.pid) + forkserver:.0f} MB", "90 MB")


def _each(name: str, pids: list[int], target: str) -> Iterator[Figure]:
    shared, alone = median_weights(pids)
    yield Figure(f"{name}, PSS (median of {len(pids)})", f"{shared:.1f} MB", target, amount=shared)
    yield Figure(f"{name}, private (median of {len(pids)})", f"{alone:.1f} MB", amount=alone)


def growth(polls: int) -> Iterator[Figure]:
    """Of one worker that polls as fast as it can."""
    with staged(COOLDOWN="0.01") as (stand_in, service):
        service.start_with(1)
        stand_in.await_pages(_SETTLED, 120, every=0.5)
        pid = service.worker_pids()[0]
        before = pss(pid)
        stand_in.await_pages(polls, 600, every=0.5)
        yield Figure(f"growth from poll {_SETTLED:,} to {polls:,}", f"{pss(pid) - before:+.2f} MB", "0")
