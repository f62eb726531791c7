"""What /health says, from what the monitor, the workers and the host last reported.

Owns the meaning of healthy, degraded and unhealthy. Makes no call and reads no clock; is given no secret,
so shows none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
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
    Worker,
)
from disgram.health.host_stats import HostStats
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"

_NOT_WORKING = frozenset({WorkerState.BACKOFF, WorkerState.FAILED})
_TELEGRAM_ANSWERED = frozenset({"no_preview", "channel_not_found", "channel_replaced", "layout_changed"})
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


def summarise(
    snapshot: Snapshot,
    limits: Mapping[str, Any],
    host: HostStats,
    log: LogFileState,
    moment: Moment,
    jobs: Mapping[str, int],
) -> Health:
    """The answer of GET /health. `jobs`: how many channels each job has, 0 while it is paused."""
    workers = [_judged(worker, moment) for worker in snapshot.workers if jobs.get(worker.job)]
    freshness = _log_freshness(workers, log, moment)
    services = ExternalServices(
        telegram_reachable=_telegram_reachable(workers), discord_reachable=_discord_reachable(workers)
    )
    errors = list(_errors(snapshot, host, log, moment))
    broken = bool(
        snapshot.blocked or host.write_error or log.write_error or _monitor_silent(snapshot, moment)
    )
    problems = bool(errors) or not freshness.is_fresh or not services.discord_reachable
    return Health(
        status=UNHEALTHY if broken else _status(workers, problems=problems),
        timestamp=moment.now.isoformat(),
        uptime_minutes=round(moment.uptime / 60, 2),
        processes=Processes(total=sum(jobs.values()), running=_running(workers)),
        jobs=Jobs(total_jobs=len(jobs), job_names=list(jobs)),
        external_services=services,
        log_freshness=freshness,
        system=host.system,
        rate_limiting=RateLimiting(**limits),
        delivery=_delivery(workers),
        errors=errors,
    )


def summarise_job(
    job: str,
    configuration: JobConfiguration,
    channels: Sequence[str],
    workers: Iterable[WorkerStatus],
    moment: Moment,
    *,
    paused: bool = False,
) -> JobHealth:
    """The answer of GET /health with a JOB_NAME. `channels`: their names; `workers`: the job's."""
    known = [_judged(worker, moment) for worker in workers]
    state = WorkerState.PAUSED if paused else WorkerState.STARTING
    known += _without_worker(job, configuration, channels, known, moment, state)
    return JobHealth(
        status=HEALTHY if paused else _status(known),
        timestamp=moment.now.isoformat(),
        job_name=job,
        processes=JobProcesses(
            total=0 if paused else len(channels),
            running=_running(known),
            dead_count=sum(worker.state in _NOT_WORKING for worker in known),
            channels=list(channels),
        ),
        configuration=configuration,
        workers=[_worker(worker, moment) for worker in known],
        delivery=_delivery(known),
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
        all(worker.state in _NOT_WORKING for worker in workers) or not _telegram_reachable(workers)
    ):
        return UNHEALTHY
    some_fail = any(worker.state in _NOT_WORKING or worker.reason or worker.gaps for worker in workers)
    return DEGRADED if some_fail or problems else HEALTHY


def _judged(worker: WorkerStatus, moment: Moment) -> WorkerStatus:
    """A worker that gives no reason and does nothing all the same is not well."""
    idle = moment.monotonic - worker.idle_since
    if worker.reason or idle <= max(COOLDOWNS_LATE * worker.cooldown, LEAST_LATE):
        return worker
    return replace(worker, reason="stale")


def _running(workers: Iterable[WorkerStatus]) -> int:
    return sum(worker.state is WorkerState.RUNNING for worker in workers)


def _telegram_reachable(workers: Iterable[WorkerStatus]) -> bool:
    """False when no worker reached Telegram and at least one tried."""
    results = [reached for worker in workers if (reached := _reached_telegram(worker)) is not None]
    return any(results) or not results


def _reached_telegram(worker: WorkerStatus) -> bool | None:
    if worker.reason == "telegram_unavailable":
        return False
    return True if worker.reason in _TELEGRAM_ANSWERED else worker.last_poll_ok


def _discord_reachable(workers: Iterable[WorkerStatus]) -> bool:
    """False when a worker could not reach Discord and none got an answer; most send nothing for hours."""
    reasons = {worker.reason for worker in workers}
    return not reasons & _DISCORD_DOWN or bool(reasons & _DISCORD_ANSWERED)


def _monitor_silent(snapshot: Snapshot, moment: Moment) -> bool:
    """The monitor publishes a snapshot at least once an interval; 0: it has only just started."""
    allowed = 3 * moment.monitor_interval + 60
    return snapshot.taken_at > 0 and moment.monotonic - snapshot.taken_at > allowed


def _errors(snapshot: Snapshot, host: HostStats, log: LogFileState, moment: Moment) -> Iterable[str]:
    yield from (*snapshot.blocked, *snapshot.errors)
    if host.write_error:
        yield f"The data directory cannot be written: {host.write_error}"
    if log.write_error:
        yield f"Disgram.log cannot be written: {log.write_error}"
    if _monitor_silent(snapshot, moment):
        yield f"The monitor has been silent for {moment.monotonic - snapshot.taken_at:.0f} s"


def _log_freshness(workers: Iterable[WorkerStatus], log: LogFileState, moment: Moment) -> LogFreshness:
    """By the heartbeats of workers, not by the file's age: quiet channels write no lines."""
    running = [worker for worker in workers if worker.state is WorkerState.RUNNING]
    ages = [moment.monotonic - worker.last_line_at for worker in running]
    stale = [worker.channel for worker, age in zip(running, ages, strict=True) if age > moment.stale_after]
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


def _delivery(workers: Iterable[WorkerStatus]) -> Delivery:
    """Posts that could not be read (yet), and parts of pages that were not understood."""
    workers = list(workers)
    gaps = [
        Gap(job=worker.job, channel=worker.channel, first=first, last=last)
        for worker in workers
        for first, last in worker.gaps
    ]
    return Delivery(gaps=gaps, layout_changed=sum(worker.layout_changed for worker in workers))


def _worker(worker: WorkerStatus, moment: Moment) -> Worker:
    return Worker(
        channel=worker.channel,
        pid=worker.pid,
        script=worker.script,
        state=worker.state.value,
        reason=worker.reason,
        until=worker.until.isoformat() if worker.until else None,
        restarts=worker.restarts,
        last_poll_at=worker.last_poll_at.isoformat() if worker.last_poll_at else None,
        last_post_id=worker.last_post_id,
        cooldown=worker.cooldown,
        log_age_seconds=round(max(0.0, moment.monotonic - worker.last_line_at), 1),
        next_start_seconds=_seconds_until(worker.next_start_at, moment),
    )


def _seconds_until(monotonic: float | None, moment: Moment) -> float | None:
    return None if monotonic is None else round(max(0.0, monotonic - moment.monotonic), 1)
