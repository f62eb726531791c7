"""What is known of a running service beside its workers' own words, and all its problems together.

Owns the gathering. Never decides what a problem is, and asks nothing that could make it wait.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from disgram.addresses import ChannelRef
from disgram.api.schemas import TelegramEgress
from disgram.errors import StorageUnavailable
from disgram.health import egress, unusable_jobs
from disgram.health.host_stats import HostMonitor
from disgram.health.problems import Fault, Findings, Problem, problem_list
from disgram.health.sentences import sentence_of
from disgram.health.summary import LogFileState, Moment, judged, with_faults
from disgram.health.watch import HealthWatch, View
from disgram.jobs.job import Job
from disgram.jobs.unusable import UnusableJob
from disgram.logs.log_file import LogFile
from disgram.workers.spec import Snapshot


class Jobs(Protocol):
    """`problem`: why jobs.json cannot be used as it is, if so."""

    @property
    def problem(self) -> str | None: ...
    def jobs(self) -> Mapping[str, Job]: ...
    def unusable(self) -> Mapping[str, UnusableJob]: ...


class Workers(Protocol):
    def snapshot(self) -> Snapshot: ...


class WatchedService(Protocol):
    """The parts of a service that its health is about."""

    @property
    def jobs(self) -> Jobs: ...
    @property
    def supervisor(self) -> Workers: ...
    @property
    def host(self) -> HostMonitor: ...
    @property
    def log(self) -> LogFile: ...
    @property
    def watch(self) -> HealthWatch: ...
    @property
    def egress(self) -> Callable[[Iterable[str]], Sequence[egress.Address]] | None: ...
    @property
    def lost_files(self) -> Callable[[], tuple[str, ...]]: ...
    def moment(self) -> Moment: ...


def log_state(service: WatchedService) -> LogFileState:
    return LogFileState(service.log.last_write_at, service.log.write_error)


def channel_counts(service: WatchedService) -> dict[str, int]:
    """How many channels each job has: 0 while it is paused, at least 1 for one that cannot run."""
    jobs = service.jobs.jobs().items()
    counts = {name: 0 if job.paused else len(job.telegramChannels) for name, job in jobs}
    return counts | {name: max(1, len(job.addresses)) for name, job in service.jobs.unusable().items()}


def snapshot(service: WatchedService) -> Snapshot:
    """The supervisor's, with the channels of jobs that cannot run, and what stands in the way of all."""
    seen, now = service.supervisor.snapshot(), service.moment().monotonic
    cannot_run = (one for job in service.jobs.unusable().values() for one in unusable_jobs.statuses(job, now))
    return replace(seen, workers=(*seen.workers, *cannot_run), blocked=service.lost_files())


def findings(service: WatchedService) -> Findings:
    faults = (Fault("jobs_file", problem),) if (problem := service.jobs.problem) else ()
    cannot_run = (
        Problem(name, None, job.reason, sentence_of(job.reason).message(f"{job.error}".rstrip(".")))
        for name, job in service.jobs.unusable().items()
    )
    rests = egress.problems(egress_states(service), service.moment().now)
    return replace(service.watch.findings, faults=faults, others=(*cannot_run, *rests))


def egress_states(service: WatchedService, channels: Iterable[str] = ()) -> Sequence[egress.Address]:
    """Of every address of TELEGRAM_EGRESS, with the number of these channels that use it; of none while
    limits.db cannot be read."""
    try:
        return service.egress(channels) if service.egress else ()
    except StorageUnavailable:
        return ()


def shown_egress(service: WatchedService) -> list[TelegramEgress] | None:
    """What /health shows of them; None: there are none."""
    if not service.egress:
        return None
    channels = (ChannelRef(worker.channel) for worker in service.supervisor.snapshot().workers)
    public = [channel.key for channel in channels if not channel.private]
    return egress.shown(egress_states(service, public), service.moment().now)


def view(service: WatchedService) -> View | None:
    """See there. Before the supervisor's first turn nothing is known."""
    seen, moment = snapshot(service), service.moment()
    if not seen.taken_at:
        return None
    jobs = {name for name, channels in channel_counts(service).items() if channels}
    found = with_faults(
        findings(service).of_jobs(jobs), seen, service.host.latest, log_state(service), moment
    )
    workers = judged(seen.workers, jobs, moment)
    channels = [((worker.job, worker.channel.lower()), worker) for worker in workers]
    return View(
        problem_list(workers, found),
        {channel for channel, worker in channels if not (worker.settled or worker.reason)},
        {channel: since for channel, worker in channels if (since := worker.traffic.waiting_since)},
        frozenset(channel for channel, _ in channels),
    )
