"""What is known of a running service beside its workers' own words, and all its problems together.

Owns the gathering. Never decides what a problem is, and asks nothing that could make it wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from disgram.health.host_stats import HostMonitor
from disgram.health.problems import Fault, Findings, problem_list
from disgram.health.summary import LogFileState, Moment, judged, with_faults
from disgram.health.watch import HealthWatch, View
from disgram.logs.log_file import LogFile
from disgram.workers.spec import Snapshot


class Jobs(Protocol):
    """`problem`: why jobs.json cannot be used as it is, if so."""

    @property
    def problem(self) -> str | None: ...
    def jobs(self) -> Mapping[str, Any]: ...


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
    def moment(self) -> Moment: ...


def log_state(service: WatchedService) -> LogFileState:
    return LogFileState(service.log.last_write_at, service.log.write_error)


def findings(service: WatchedService) -> Findings:
    faults = (Fault("jobs_file", problem),) if (problem := service.jobs.problem) else ()
    return replace(service.watch.findings, faults=faults)


def view(service: WatchedService) -> View | None:
    """See there. Before the supervisor's first turn nothing is known."""
    snapshot, jobs, moment = service.supervisor.snapshot(), service.jobs.jobs(), service.moment()
    if not snapshot.taken_at:
        return None
    found = with_faults(
        findings(service).of_jobs(jobs), snapshot, service.host.latest, log_state(service), moment
    )
    workers = judged(snapshot.workers, jobs, moment)
    channels = [((worker.job, worker.channel.lower()), worker) for worker in workers]
    return View(
        problem_list(workers, found),
        {channel for channel, worker in channels if not (worker.settled or worker.reason)},
        {channel: since for channel, worker in channels if (since := worker.traffic.waiting_since)},
    )
