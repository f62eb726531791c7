"""The text that Prometheus reads, of a running service.

Owns the gathering, which makes no outside call. Never decides what a problem is: it counts those of /health.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from prometheus_client.exposition import CONTENT_TYPE_PLAIN_0_0_4, generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from disgram import __version__
from disgram.errors import StorageUnavailable
from disgram.health import known as health
from disgram.health.problems import one_per_channel
from disgram.health.rows import HostSeen
from disgram.health.summary import judged
from disgram.metrics.families import Known, families
from disgram.metrics.totals import Totals
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus

CONTENT_TYPE = CONTENT_TYPE_PLAIN_0_0_4


class Pace(Protocol):
    @property
    def telegram_requests_per_second(self) -> float: ...


class InvalidRequests(Protocol):
    """Raises StorageUnavailable."""

    def invalid_requests(self) -> int: ...


class MeasuredService(health.WatchedService, Protocol):
    """The parts of a service that its metrics are about."""

    @property
    def settings(self) -> Pace: ...
    @property
    def limits(self) -> InvalidRequests: ...
    @property
    def totals(self) -> Totals: ...
    @property
    def hosts(self) -> Callable[[], Sequence[HostSeen] | None]: ...


def exposition(service: MeasuredService) -> bytes:
    """The answer of GET /metrics, of CONTENT_TYPE."""
    return generate_latest(ServiceCollector(service))


class ServiceCollector(Collector):
    """Prometheus' client asks it for every metric; nothing is kept between two scrapes."""

    def __init__(self, service: MeasuredService) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        return families(known(self._service))


def known(service: MeasuredService) -> Known:
    """What the service knows now."""
    counts, view = health.channel_counts(service), health.view(service)
    at_work = {name for name, channels in counts.items() if channels}
    workers = judged(_of_this_host(service, service.supervisor.snapshot()), at_work, service.moment())
    return Known(
        version=__version__,
        jobs=list(counts),
        workers=workers,
        states=_states(service),
        problems=one_per_channel(view.problems) if view else (),
        forwarded=service.watch.findings.forwarded,
        sums=service.totals.sums(),
        deliveries=service.totals.deliveries,
        telegram_rate=service.settings.telegram_requests_per_second,
        invalid_requests=_invalid_requests(service.limits),
    )


def _of_this_host(service: MeasuredService, snapshot: Snapshot) -> list[WorkerStatus]:
    """Prometheus asks each host, and adds their numbers up."""
    elsewhere = {host.name for host in service.hosts() or () if not host.is_this}
    return [one for one in snapshot.workers if one.host not in elsewhere]


def _states(service: MeasuredService) -> Counter[WorkerState]:
    """A job that was paused just now may still have workers that stop; they count as paused."""
    jobs = service.jobs.jobs()
    paused = {name for name, job in jobs.items() if job.paused}
    known_jobs = {*jobs, *service.jobs.unusable()} - paused
    workers = _of_this_host(service, health.snapshot(service))
    states = Counter(one.state for one in workers if one.job in known_jobs)
    states[WorkerState.PAUSED] += sum(len(jobs[name].telegramChannels) for name in paused)
    return states


def _invalid_requests(limits: InvalidRequests) -> int | None:
    try:
        return limits.invalid_requests()
    except StorageUnavailable:
        return None
