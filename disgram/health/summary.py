"""What /health says, from what the monitor, the workers and the host last reported.

Owns the meaning of healthy, degraded and unhealthy. Makes no call and reads no clock; is given no secret,
so shows none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from disgram.api.schemas import (
    Delivery,
    ExternalServices,
    Gap,
    Health,
    JobConfiguration,
    JobHealth,
    JobProcesses,
    Jobs,
    LogFreshness,
    Processes,
    RateLimiting,
)
from disgram.health.host_stats import HostStats
from disgram.health.problems import Fault, Findings, one_per_channel, problem_list
from disgram.health.rows import problem_rows, worker_row
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"

_NOT_WORKING = frozenset({WorkerState.BACKOFF, WorkerState.FAILED})
_TELEGRAM_ANSWERED = frozenset(
    {"no_preview", "channel_not_found", "channel_replaced", "layout_changed", "account_logged_out"}
    | {"account_waits", "not_a_member", "channel_private", "content_protected"}
)
_DISCORD_DOWN = frozenset({"discord_unavailable", "blocked_by_cloudflare", "not_discord"})
_DISCORD_ANSWERED = frozenset(
    {"webhook_gone", "thread_gone", "thread_archived", "thread_locked", "thread_required", "not_a_forum"}
    | {"destination_refuses"}
)
_NAMES_SHOWN = 5
COOLDOWNS_LATE, LEAST_LATE = 3, 180.0
"""A worker that neither polls nor sends for so many cooldowns, and for so many seconds, is `stale`."""


@dataclass(frozen=True)
class LogFileState:
    """Disgram.log as its writer knows it: last growth (UTC), and why it cannot be written, if so."""

    last_write_at: datetime | None = None
    write_error: str | None = None


@dataclass(frozen=True)
class Moment:
    """When the question is asked, by the wall clock and the monotonic one; the rest in seconds."""

    now: datetime
    monotonic: float
    uptime: float = 0.0
    stale_after: float = 360.0
    monitor_interval: float = 30.0

    def silent(self, worker: WorkerStatus) -> bool:
        return self.monotonic - worker.last_line_at > self.stale_after


def summarise(
    snapshot: Snapshot,
    limits: Mapping[str, Any],
    host: HostStats,
    log: LogFileState,
    moment: Moment,
    jobs: Mapping[str, int],
    findings: Findings | None = None,
) -> Health:
    """The answer of GET /health. `jobs`: how many channels each job has, 0 while it is paused."""
    at_work = {name for name, channels in jobs.items() if channels}
    workers = judged(snapshot.workers, at_work, moment)
    findings = with_faults((findings or Findings()).of_jobs(at_work), snapshot, host, log, moment)
    problems = one_per_channel(problem_list(workers, findings))
    freshness = _log_freshness(workers, log, moment)
    services = ExternalServices(
        telegram_reachable=_telegram_reachable(workers), discord_reachable=_discord_reachable(workers)
    )
    broken = bool(
        snapshot.blocked or host.write_error or log.write_error or _monitor_silent(snapshot, moment)
    )
    degraded = bool(problems) or not freshness.is_fresh or services.discord_reachable is False
    return Health(
        status=UNHEALTHY if broken else _status(workers, problems=degraded),
        timestamp=moment.now.isoformat(),
        uptime_minutes=round(moment.uptime / 60, 2),
        processes=Processes(total=sum(jobs.values()), running=_running(workers)),
        jobs=Jobs(total_jobs=len(jobs), job_names=list(jobs)),
        external_services=services,
        log_freshness=freshness,
        system=host.system,
        rate_limiting=RateLimiting(**limits),
        delivery=_delivery(workers, findings, moment),
        problems=problem_rows(problems),
        problems_total=len(problems),
        errors=[fault.text for fault in findings.faults],
    )


def summarise_job(
    job: str,
    configuration: JobConfiguration,
    channels: Sequence[str],
    workers: Iterable[WorkerStatus],
    moment: Moment,
    findings: Findings | None = None,
    *,
    paused: bool = False,
) -> JobHealth:
    """The answer of GET /health with a JOB_NAME. `channels`: their names; `workers`: the job's."""
    known = judged(workers, {job}, moment)
    state = WorkerState.PAUSED if paused else WorkerState.STARTING
    known += _without_worker(job, configuration, channels, known, moment, state)
    findings = Findings() if paused else (findings or Findings()).of_job(job)
    problems = one_per_channel(problem_list(known, findings))
    return JobHealth(
        status=HEALTHY if paused else _status(known, problems=bool(problems)),
        timestamp=moment.now.isoformat(),
        job_name=job,
        processes=JobProcesses(
            total=0 if paused else len(channels),
            running=_running(known),
            dead_count=sum(worker.state in _NOT_WORKING for worker in known),
            channels=list(channels),
        ),
        configuration=configuration,
        workers=[worker_row(one, _forwarded_before(one, findings), moment.monotonic) for one in known],
        delivery=_delivery(known, findings, moment),
        problems=problem_rows(problems),
        problems_total=len(problems),
    )


def _without_worker(
    job: str,
    configuration: JobConfiguration,
    channels: Iterable[str],
    workers: Iterable[WorkerStatus],
    moment: Moment,
    state: WorkerState,
) -> Iterable[WorkerStatus]:
    """Channels that the supervisor has no worker for: of a paused job, or of one created just now."""
    known = {worker.channel.lower() for worker in workers}
    script = "threadhook.py" if configuration.thread_id_configured else "webhook.py"
    return [
        WorkerStatus.without_process(job, channel, script, state, moment.monotonic)
        for channel in channels
        if channel.lower() not in known
    ]


def _status(workers: Collection[WorkerStatus], *, problems: bool = False) -> str:
    """From workers alone. None at all is healthy: there is no job, or it was created just now."""
    if workers and (
        all(worker.state in _NOT_WORKING for worker in workers) or _telegram_reachable(workers) is False
    ):
        return UNHEALTHY
    some_fail = any(worker.state in _NOT_WORKING or worker.reason or worker.gaps for worker in workers)
    return DEGRADED if some_fail or problems else HEALTHY


def judged(workers: Iterable[WorkerStatus], jobs: Collection[str], moment: Moment) -> list[WorkerStatus]:
    """The workers of these jobs, `stale` where one only looks well."""
    return [_judged(worker, moment) for worker in workers if worker.job in jobs]


def _judged(worker: WorkerStatus, moment: Moment) -> WorkerStatus:
    """A worker that gives no reason and does nothing all the same is not well."""
    silent = worker.state is WorkerState.RUNNING and moment.silent(worker)
    idle = moment.monotonic - worker.idle_since
    if worker.reason or not (silent or idle > max(COOLDOWNS_LATE * worker.cooldown, LEAST_LATE)):
        return worker
    return replace(worker, reason="stale")


def _running(workers: Iterable[WorkerStatus]) -> int:
    return sum(worker.state is WorkerState.RUNNING for worker in workers)


def _telegram_reachable(workers: Iterable[WorkerStatus]) -> bool | None:
    """False when no worker reached Telegram and at least one tried; None when none tried."""
    results = [reached for worker in workers if (reached := _reached_telegram(worker)) is not None]
    return any(results) if results else None


def _reached_telegram(worker: WorkerStatus) -> bool | None:
    if worker.reason == "telegram_unavailable":
        return False
    if worker.reason == "account_missing":
        return None  # nobody was asked
    return True if worker.reason in _TELEGRAM_ANSWERED else worker.last_poll_ok


def _discord_reachable(workers: Collection[WorkerStatus]) -> bool | None:
    """False when a worker could not reach Discord and none got an answer; most send nothing for hours. None
    when none asked anything."""
    reasons = {worker.reason for worker in workers}
    if reasons & _DISCORD_DOWN:
        return bool(reasons & _DISCORD_ANSWERED)
    return True if reasons & _DISCORD_ANSWERED or any(worker.discord_asked for worker in workers) else None


def _monitor_silent(snapshot: Snapshot, moment: Moment) -> bool:
    """The monitor publishes a snapshot at least once an interval; 0: it has only just started."""
    allowed = 3 * moment.monitor_interval + 60
    return snapshot.taken_at > 0 and moment.monotonic - snapshot.taken_at > allowed


def with_faults(
    findings: Findings, snapshot: Snapshot, host: HostStats, log: LogFileState, moment: Moment
) -> Findings:
    """The findings, and what hinders the service itself."""
    return replace(findings, faults=(*findings.faults, *_faults(snapshot, host, log, moment)))


def _faults(snapshot: Snapshot, host: HostStats, log: LogFileState, moment: Moment) -> Iterator[Fault]:
    for text in snapshot.blocked:
        yield Fault("storage_unavailable", text)
    for text in snapshot.errors:
        yield Fault("service_error", text)
    if host.write_error:
        yield Fault("storage_unavailable", f"The data directory cannot be written: {host.write_error}")
    if log.write_error:
        yield Fault("storage_unavailable", f"Disgram.log cannot be written: {log.write_error}")
    if _monitor_silent(snapshot, moment):
        silent = moment.monotonic - snapshot.taken_at
        yield Fault("monitor_silent", f"The monitor has been silent for {silent:.0f} s")


def _log_freshness(workers: Iterable[WorkerStatus], log: LogFileState, moment: Moment) -> LogFreshness:
    """By the heartbeats of workers, not by the file's age: quiet channels write no lines."""
    running = [worker for worker in workers if worker.state is WorkerState.RUNNING]
    ages = [moment.monotonic - worker.last_line_at for worker in running]
    stale = [worker.channel for worker in running if moment.silent(worker)]
    last = log.last_write_at
    return LogFreshness(
        is_fresh=not stale,
        message=_freshness_message(ages, stale, moment.stale_after),
        last_modified=last.isoformat() if last else None,
        age_minutes=round(max(0.0, (moment.now - last).total_seconds()) / 60, 1) if last else None,
    )


def _freshness_message(ages: Collection[float], stale: list[str], stale_after: float) -> str:
    if stale:
        names = ", ".join(stale[:_NAMES_SHOWN]) + (" …" if len(stale) > _NAMES_SHOWN else "")
        return f"{len(stale)} of {len(ages)} workers have been silent for over {stale_after:.0f} s: {names}"
    if not ages:
        return "No worker is running"
    return f"All {len(ages)} running workers reported within {max(ages):.0f} s"


def _waiting_since(worker: WorkerStatus, findings: Findings) -> datetime | None:
    since = worker.traffic.waiting_since
    return since and min(since, findings.waiting.get((worker.job, worker.channel.lower()), since))


def _forwarded_before(worker: WorkerStatus, findings: Findings) -> datetime | None:
    return findings.forwarded.get((worker.job, worker.channel.lower()))


def _delivery(workers: Collection[WorkerStatus], findings: Findings, moment: Moment) -> Delivery:
    """Posts that are not in Discord (yet), and parts of pages that were not understood."""
    since = min(filter(None, (_waiting_since(worker, findings) for worker in workers)), default=None)
    gaps = [
        Gap(job=worker.job, channel=worker.channel, first=first, last=last)
        for worker in workers
        for first, last in worker.gaps
    ]
    return Delivery(
        failed=sum(posts.number for posts in findings.refused.values()),
        waiting=sum(worker.traffic.waiting for worker in workers),
        oldest_waiting_seconds=round(max(0.0, (moment.now - since).total_seconds()), 1) if since else None,
        gaps=gaps,
        layout_changed=sum(worker.layout_changed for worker in workers),
    )
