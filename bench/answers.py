"""How long the service takes: to start workers, to answer POST /job, and to answer people meanwhile."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

import requests

from bench.figures import Figure
from bench.processes import cpu_seconds, pss
from bench.stage import Measured, StandIn, staged

_LINE = "2026-09-01 12:00:00 [INFO] [job {}] [channel_{:04d}] Checked: nothing new, post {}\n"


def start(workers: int) -> Iterator[Figure]:
    """From `python main.py` until every worker has asked for its first page; then POST /job."""
    with staged() as (stand_in, service):
        passed, spent = launch(service, stand_in, workers)
        name = f"start of the service with {workers} workers, through their first polls"
        yield Figure(name, f"{passed:.1f} s", "10 s")
        yield Figure("worker's start and first poll, CPU", f"{spent * 1e3:.0f} ms", amount=spent)
        answered = sorted(_seconds(service, number) for number in range(20))
        shown = f"{median(answered) * 1e3:.0f} ms (slowest of 20: {answered[-1] * 1e3:.0f} ms)"
        yield Figure(f"POST /job beside {workers} workers, median", shown, "150 ms")


def launch(service: Measured, stand_in: StandIn, workers: int) -> tuple[float, float]:
    """Seconds that passed until the last worker's first poll, and CPU seconds per worker."""
    began = time.monotonic()
    service.start_with(workers)
    stand_in.await_pages(workers, 60)
    return time.monotonic() - began, sum(map(cpu_seconds, service.worker_pids())) / workers


def _seconds(service: Measured, number: int) -> float:
    began = time.monotonic()
    service.add_job(f"new {number}", f"new_channel_{number}")
    return time.monotonic() - began


def reads(workers: int, log_mb: int, *, times: int = 100) -> Iterator[Figure]:
    """GET /health, /jobs and /logs while the workers poll, each about every 15 s."""
    with staged(COOLDOWN="15", LOG_MAX_MB=str(2 * log_mb)) as (stand_in, service):
        _write_log(service.data / "Disgram.log", log_mb)
        service.start_with(workers)
        stand_in.await_pages(workers, 120)
        beside = f"{workers} workers, {log_mb} MB of log"
        for path in ("/health", "/jobs", "/logs"):
            yield Figure(f"GET {path} with {beside}, median", _milliseconds(service, path, times), "10 ms")
        name = f"GET /logs?level=ERROR (none there) with {beside}"
        yield Figure(f"{name}, the first time", _milliseconds(service, "/logs?level=ERROR", 1))
        yield Figure(f"{name}, median from then on", _milliseconds(service, "/logs?level=ERROR", times))


def scrapes(workers: int) -> Iterator[Figure]:
    """GET /metrics while the workers poll at the default COOLDOWN; each job has fifty channels."""
    with staged(COOLDOWN="300") as (stand_in, service):
        service.start_with(workers)
        stand_in.await_pages(workers, 300)
        before, spent = pss(service.pid), cpu_seconds(service.pid)
        shown = _milliseconds(service, "/metrics", 50)
        yield Figure(f"GET /metrics with {workers} workers, median", shown, "100 ms")
        each = (cpu_seconds(service.pid) - spent) / 50
        yield Figure("… CPU of the service for each, its other work included", f"{each * 1e3:.0f} ms")
        yield Figure(f"service with {workers} workers, PSS, before any scrape", f"{before:.0f} MB", "100 MB")
        yield Figure("… after 50 scrapes", f"{pss(service.pid):.0f} MB", "100 MB")


def _milliseconds(service: Measured, path: str, times: int) -> str:
    spent = sorted(_times(service, path, times))
    slowest = f" (p99: {spent[int(times * 0.99) - 1] * 1e3:.0f} ms)" if times > 1 else ""
    return f"{median(spent) * 1e3:.1f} ms{slowest}"


def _times(service: Measured, path: str, times: int) -> Iterator[float]:
    with requests.Session() as session:
        for _ in range(times):
            began = time.monotonic()
            session.get(
                service.url + path, timeout=60, headers={"Authorization": f"Bearer {service.password}"}
            )
            yield time.monotonic() - began
            time.sleep(0.02)


def _write_log(path: Path, megabytes: int) -> None:
    block = "".join(_LINE.format(number % 10, number % 500, number) for number in range(14_000))
    with path.open("w") as log:
        for _ in range(megabytes * 1024 * 1024 // len(block)):
            log.write(block)
