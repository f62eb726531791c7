"""A thousand channels for a while: memory, CPU, cycles missed, and what the shared store takes meanwhile."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from itertools import count
from pathlib import Path

from bench.figures import Figure
from bench.processes import children, cpu_seconds, pss
from bench.stage import Measured, staged
from disgram.discord.message import RateLimitHeaders
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress.throttle import TelegramThrottle
from rate_limiter import DiscordRateLimiter, Route


def thousand(channels: int, seconds: float, cooldown: float) -> Iterator[Figure]:
    """`cooldown` below 300 is the same work, compressed."""
    pace = channels / cooldown * 1.5
    paced = {"COOLDOWN": str(cooldown), "TELEGRAM_REQUESTS_PER_SECOND": str(pace)}
    with staged(**paced) as (stand_in, service):
        service.start_with(channels)
        stand_in.await_pages(channels, 60 + 2 * cooldown, every=0.5)
        pages, began, spent = stand_in.counts()["pages"], time.monotonic(), _spent(service)
        waits = sorted(_waits(service.data, seconds))
        passed = time.monotonic() - began
        polls = stand_in.counts()["pages"] - pages
        share = (_spent(service) - spent) / passed
        beside = f"{channels} channels, COOLDOWN={cooldown:g}, {passed:.0f} s"
        yield Figure(f"{beside}: memory in all, PSS", f"{_weight(service) / 1024:.2f} GB", "10 GB")
        yield Figure(f"{beside}: CPU of service, fork server and workers", f"{share:.0%} of a core", "25 %")
        name = f"{beside}: polls per channel (one each cooldown)"
        yield Figure(name, f"{polls / channels:.2f}", f"{passed / cooldown:.2f}")
        late = _late(service, cooldown)
        yield Figure(f"{beside}: channels not polled in time", str(late), "0")
        p99 = waits[int(len(waits) * 0.99)]
        yield Figure(f"{beside}: limiter and pace, p99 of {len(waits)}", f"{p99 * 1e3:.1f} ms", "50 ms")


def _processes(service: Measured) -> list[int]:
    return [service.pid, *children(service.pid), *service.worker_pids()]


def _spent(service: Measured) -> float:
    return sum(map(cpu_seconds, _processes(service)))


def _weight(service: Measured) -> float:
    return sum(map(pss, _processes(service)))


def _waits(folder: Path, seconds: float) -> Iterator[float]:
    """How long acquire, observe and a turn take in the store all workers share; a new webhook each time."""
    store = LimitStore(folder / "limits.db")
    limiter = DiscordRateLimiter(store)
    # A turn in a lane of its own would not compete: this one is reserved, not waited for.
    throttle = TelegramThrottle(store, 1e6, lambda seconds: None)
    until = time.monotonic() + seconds
    for number in count():
        if time.monotonic() > until:
            break
        route = Route("bench", f"bench-{number}", f"POST:bench-{number}")
        yield _timed(partial(_pass, limiter, route))
        yield _timed(throttle._reserve)
        time.sleep(0.05)
    store.close()


def _pass(limiter: DiscordRateLimiter, route: Route) -> None:
    limiter.observe(route, limiter.acquire(route, time.sleep), RateLimitHeaders())


def _timed(work: Callable[[], object]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def _late(service: Measured, cooldown: float) -> int:
    """Channels whose last poll lies further back than a cooldown, its jitter and a second of grace."""
    jobs = service.call("GET", "/jobs").json()
    now, late = time.time(), 0
    for job in jobs:
        for worker in service.workers(job).values():
            age = now - _stamp(worker["last_poll_at"])
            late += age > cooldown * 1.05 + 1 + 0.02 * len(jobs)
    return late


def _stamp(text: str | None) -> float:
    return datetime.fromisoformat(text).timestamp() if text else 0.0
