"""What is known of a running service beside its workers' own words, and all its problems together.

Owns the gathering. Never decides what a problem is, and asks nothing that could make it wait.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from disgram.health.host_stats import HostMonitor
from disgram.health.problems import Fault, Findings, Problem, problem_list
from disgram.health.summary import LogFileState, Moment, judged, with_faults
from disgram.health.watch import HealthWatch
from disgram.logs.log_file import LogFile
from disgram.workers.spec import Snapshot, WorkerStatus


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


def workers(service: WatchedService) -> list[WorkerStatus]:
    """Those of jobs there are, `stale` where one only looks well."""
    return judged(service.supervisor.snapshot().workers, service.jobs.jobs(), service.moment())


def problems(service: WatchedService) -> list[Problem]:
    """Every one, also those that stand behind a more urgent one of the same channel."""
    known = findings(service).of_jobs(service.jobs.jobs())
    snapshot, host = service.supervisor.snapshot(), service.host.latest
    known = with_faults(known, snapshot, host, log_state(service), service.moment())
    return problem_list(workers(service), known)
