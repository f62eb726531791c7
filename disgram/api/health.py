"""What /health says: pure judgement over what the monitor, the workers and the host last reported.

Owns the meaning of healthy, degraded and unhealthy. Never calls anybody and looks at no clock; never shows
a secret, since it is given none.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from disgram.api.host_stats import HostStats
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus

HEALTHY, DEGRADED, UNHEALTHY = "healthy", "degraded", "unhealthy"

_IDLE = frozenset({WorkerState.BACKOFF, WorkerState.FAILED})
_TELEGRAM_ANSWERED = frozenset({"no_preview", "channel_not_found", "layout_changed"})
_DISCORD_DOWN = frozenset({"discord_unavailable", "blocked_by_cloudflare"})
_DISCORD_ANSWERED = frozenset(
    {"webhook_gone", "thread_gone", "thread_archived", "thread_locked", "thread_required"}
)
_NAMES_SHOWN = 5


@dataclass(frozen=True)
class LogFileState:
    """Disgram.log as its writer knows it: last growth (UTC) and why lines are being dropped, if they are."""

    last_write_at: datetime | None = None
    trouble: str | None = None


@dataclass(frozen=True)
class Moment:
    """When the question is asked, on the wall and on the monotonic clock; the rest in seconds."""

    now: datetime
    monotonic: float
    uptime: float = 0.0
    stale_after: float = 360.0
    monitor_interval: float = 30.0


@dataclass(frozen=True)
class Configuration:
    """One job as /health may show it."""

    masked_webhook_url: str
    thread_id: str | None
    embed_color: str | None
    channels: tuple[str, ...] = field(default=())


def summarise(
    snapshot: Snapshot,
    limits: Mapping[str, Any],
    host: HostStats,
    log: LogFileState,
    moment: Moment,
    jobs: Mapping[str, int],
) -> dict[str, Any]:
    """The answer of GET /health. `jobs`: how many channels each job has."""
    workers = [worker for worker in snapshot.workers if worker.job in jobs]
    freshness = _log_freshness(workers, log, moment)
    services = {"telegram_reachable": _telegram(workers), "discord_reachable": _discord(workers)}
    errors = list(_errors(snapshot, host, log, moment))
    broken = bool(host.write_error or log.trouble or _silent(snapshot, moment))
    complaints = bool(errors) or not freshness["is_fresh"] or not services["discord_reachable"]
    return {
        "status": UNHEALTHY if broken else _status(workers, complaints=complaints),
        "timestamp": moment.now.isoformat(),
        "uptime_minutes": round(moment.uptime / 60, 2),
        "processes": {"total": sum(jobs.values()), "running": _running(workers)},
        "jobs": {"total_jobs": len(jobs), "job_names": list(jobs)},
        "external_services": services,
        "log_freshness": freshness,
        "system": _system(host),
        "rate_limiting": _rate_limiting(limits),
        "delivery": _delivery(workers),
        "errors": errors,
    }


def summarise_job(
    job: str, configuration: Configuration, snapshot: Snapshot, moment: Moment
) -> dict[str, Any]:
    """The answer of GET /health with a JOB_NAME."""
    workers = [worker for worker in snapshot.workers if worker.job == job]
    workers += _about_to_start(job, configuration, workers, moment)
    total, running = len(configuration.channels), _running(workers)
    return {
        "status": _status(workers),
        "timestamp": moment.now.isoformat(),
        "job_name": job,
        "processes": {
            "total": total,
            "running": running,
            "dead_count": sum(worker.state in _IDLE for worker in workers),
            "channels": list(configuration.channels),
        },
        "configuration": {
            "webhook_url": configuration.masked_webhook_url,
            "thread_id_configured": configuration.thread_id is not None,
            "embed_color": configuration.embed_color,
            "channels_count": total,
        },
        "workers": [_worker(worker, moment) for worker in workers],
        "delivery": _delivery(workers),
    }


def _about_to_start(
    job: str, configuration: Configuration, workers: Iterable[WorkerStatus], moment: Moment
) -> Iterable[WorkerStatus]:
    """Channels of a job so new that the supervisor has not looked at them yet."""
    known = {worker.channel.lower() for worker in workers}
    script = "threadhook.py" if configuration.thread_id else "webhook.py"
    return [
        WorkerStatus.about_to_start(job, channel, script, moment.monotonic)
        for channel in configuration.channels
        if channel.lower() not in known
    ]


def _status(workers: Collection[WorkerStatus], *, complaints: bool = False) -> str:
    """Of workers alone; none at all is no fault: there is no job, or it was created this instant."""
    if workers and (all(worker.state in _IDLE for worker in workers) or not _telegram(workers)):
        return UNHEALTHY
    troubled = any(worker.state in _IDLE or worker.reason for worker in workers)
    return DEGRADED if troubled or complaints else HEALTHY


def _running(workers: Iterable[WorkerStatus]) -> int:
    return sum(worker.state is WorkerState.RUNNING for worker in workers)


def _telegram(workers: Iterable[WorkerStatus]) -> bool:
    """False when every worker that knows says so."""
    verdicts = [verdict for worker in workers if (verdict := _reached_telegram(worker)) is not None]
    return any(verdicts) or not verdicts


def _reached_telegram(worker: WorkerStatus) -> bool | None:
    if worker.reason == "telegram_unavailable":
        return False
    return True if worker.reason in _TELEGRAM_ANSWERED else worker.last_poll_ok


def _discord(workers: Iterable[WorkerStatus]) -> bool:
    """False when a worker says so and none had an answer; one without a new post knows nothing of Discord."""
    reasons = {worker.reason for worker in workers}
    return not reasons & _DISCORD_DOWN or bool(reasons & _DISCORD_ANSWERED)


def _silent(snapshot: Snapshot, moment: Moment) -> bool:
    """The monitor looks at least once an interval; before its first look it is not silent yet."""
    patience = 3 * moment.monitor_interval + 60
    return snapshot.taken_at > 0 and moment.monotonic - snapshot.taken_at > patience


def _errors(snapshot: Snapshot, host: HostStats, log: LogFileState, moment: Moment) -> Iterable[str]:
    yield from snapshot.errors
    if host.write_error:
        yield f"The data directory cannot be written: {host.write_error}"
    if log.trouble:
        yield f"Disgram.log cannot be written: {log.trouble}"
    if _silent(snapshot, moment):
        yield f"The monitor has been silent for {moment.monotonic - snapshot.taken_at:.0f} s"


def _log_freshness(workers: Iterable[WorkerStatus], log: LogFileState, moment: Moment) -> dict[str, Any]:
    """Workers beat without writing lines, so the file of quiet channels may be old and all be well."""
    running = [worker for worker in workers if worker.state is WorkerState.RUNNING]
    ages = [moment.monotonic - worker.last_line_at for worker in running]
    stale = [worker.channel for worker, age in zip(running, ages, strict=True) if age > moment.stale_after]
    last = log.last_write_at
    return {
        "is_fresh": not stale,
        "message": _freshness_message(ages, stale, moment.stale_after),
        "last_modified": last.isoformat() if last else None,
        "age_minutes": round(max(0.0, (moment.now - last).total_seconds()) / 60, 1) if last else None,
    }


def _freshness_message(ages: Collection[float], stale: list[str], stale_after: float) -> str:
    if stale:
        names = ", ".join(stale[:_NAMES_SHOWN]) + (" …" if len(stale) > _NAMES_SHOWN else "")
        return f"{len(stale)} of {len(ages)} workers have been silent for over {stale_after:.0f} s: {names}"
    if not ages:
        return "No worker is running"
    return f"All {len(ages)} running workers reported within {max(ages):.0f} s"


def _system(host: HostStats) -> dict[str, float]:
    return {
        "cpu_percent": host.cpu_percent,
        "memory_percent": host.memory_percent,
        "memory_available_mb": host.memory_available_mb,
        "disk_percent": host.disk_percent,
        "disk_free_gb": host.disk_free_gb,
    }


def _rate_limiting(limits: Mapping[str, Any]) -> dict[str, Any]:
    nothing = {"active_buckets": 0, "global_requests_per_second": 0.0, "buckets": {}, "invalid_requests": {}}
    return {**nothing, **limits}


def _delivery(workers: Iterable[WorkerStatus]) -> dict[str, Any]:
    """Posts that could not be read (yet), and pieces of pages that were not understood."""
    workers = list(workers)
    gaps = [
        {"job": worker.job, "channel": worker.channel, "from": first, "to": last}
        for worker in workers
        for first, last in worker.gaps
    ]
    return {"gaps": gaps, "layout_changed": sum(worker.layout_changed for worker in workers)}


def _worker(worker: WorkerStatus, moment: Moment) -> dict[str, Any]:
    return {
        "channel": worker.channel,
        "pid": worker.pid,
        "script": worker.script,
        "state": worker.state.value,
        "reason": worker.reason,
        "restarts": worker.restarts,
        "last_poll_at": worker.last_poll_at.isoformat() if worker.last_poll_at else None,
        "last_post_id": worker.last_post_id,
        "log_age_seconds": round(max(0.0, moment.monotonic - worker.last_line_at), 1),
        "next_start_seconds": _seconds_until(worker.next_start_at, moment),
    }


def _seconds_until(monotonic: float | None, moment: Moment) -> float | None:
    return None if monotonic is None else round(max(0.0, monotonic - moment.monotonic), 1)
