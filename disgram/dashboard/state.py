"""What the dashboard shows, made of what the service has in memory: jobs, workers, and their health.

Owns the choice of facts. Pure: reads no clock, no file and no ledger, and is given no secret but in jobs,
which it masks.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from functools import lru_cache
from typing import Any

from disgram import __version__
from disgram.addresses import ChannelRef
from disgram.api.schemas import Health
from disgram.dashboard.schemas import Channel, DashboardState, JobRow, Limits, LimitWait
from disgram.health.problems import Findings
from disgram.health.summary import Moment, judged
from disgram.jobs.job import Job
from disgram.jobs.unusable import UnusableJob
from disgram.traffic import HOURS_KEPT, Traffic
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus

MOST_LIMITS = 50

Workers = Mapping[tuple[str, str], WorkerStatus]
"""By job and channel, the latter in lower case."""


def dashboard_state(
    health: Health,
    jobs: Mapping[str, Job | UnusableJob],
    snapshot: Snapshot,
    findings: Findings,
    moment: Moment,
    *,
    default_webhook: bool,
    cooldown: str,
) -> DashboardState:
    """`health`: of the whole service; `snapshot`: its workers, those of jobs that cannot run included."""
    seen = judged(snapshot.workers, jobs.keys(), moment)
    workers = {(worker.job, worker.channel.lower()): worker for worker in seen}
    rows = [_job(job, workers, findings, moment) for job in jobs.values()]
    return DashboardState(
        version=__version__,
        status=health.status,
        timestamp=health.timestamp,
        uptime_minutes=health.uptime_minutes,
        processes=health.processes,
        external_services=health.external_services,
        system=health.system,
        delivery=health.delivery,
        problems=health.problems,
        problems_total=health.problems_total,
        limits=_limits(health.rate_limiting.model_dump(), rows),
        default_webhook=default_webhook,
        cooldown=cooldown,
        jobs=rows,
    )


def _job(job: Job | UnusableJob, workers: Workers, findings: Findings, moment: Moment) -> JobRow:
    if isinstance(job, UnusableJob):
        shown: dict[str, Any] = {"jobName": job.jobName, "telegramChannels": job.addresses}
        return JobRow(job=shown, usable=False, channels=[])
    state = WorkerState.PAUSED if job.paused else WorkerState.STARTING
    shown, named = _unchanging(job)
    channels = []
    for channel in named:
        worker = workers.get((job.jobName, channel.key)) or WorkerStatus.without_process(
            job.jobName, channel.name, "", state, moment.monotonic
        )
        channels.append(_channel(worker, findings, moment))
    return JobRow(job=shown, usable=True, channels=channels)


@lru_cache(maxsize=1000)
def _unchanging(job: Job) -> tuple[dict[str, Any], tuple[ChannelRef, ...]]:
    """The job without its secret, and its channels: kept, since to mask and parse a thousand takes 50 ms."""
    return job.masked().model_dump(mode="json"), job.channels


def _channel(worker: WorkerStatus, findings: Findings, moment: Moment) -> Channel:
    key, traffic = (worker.job, worker.channel.lower()), worker.traffic
    since = traffic.waiting_since
    refused = findings.refused.get(key)
    return Channel(
        channel=worker.channel,
        state=worker.state.value,
        reason=worker.reason,
        until=_iso(worker.until),
        restarts=worker.restarts,
        last_poll_at=_iso(worker.last_poll_at),
        last_post_id=worker.last_post_id,
        newest_post_id=traffic.newest_post_id,
        last_forwarded_at=_iso(traffic.last_forwarded_at or findings.forwarded.get(key)),
        waiting=traffic.waiting,
        waiting_since=_iso(since and min(since, findings.waiting.get(key, since))),
        failed=refused.number if refused else 0,
        cooldown=worker.cooldown,
        host=worker.host,
        posts_per_hour=posts_per_hour(traffic, moment.now),
    )


def posts_per_hour(traffic: Traffic, now: datetime) -> list[int]:
    """Posts confirmed in each of the last HOURS_KEPT hours of the clock, the one that runs last."""
    hours, hour = [0] * HOURS_KEPT, int(now.timestamp() // 3600)
    for past, count in traffic.per_hour:
        if 0 <= hour - past < HOURS_KEPT:
            hours[past - hour - 1] = count
    return hours


# --- limits ---------------------------------------------------------------------------------------------


def _limits(known: Mapping[str, Any], jobs: Iterable[JobRow]) -> Limits:
    waits = sorted(_waits(known, _jobs_of_webhooks(jobs)), key=lambda wait: -wait.waiting)
    return Limits(
        requests_per_second=known.get("global_requests_per_second", 0),
        paused_seconds=known.get("paused_seconds", {}),
        waits=waits[:MOST_LIMITS],
    )


def _waits(known: Mapping[str, Any], owners: Mapping[str, list[str]]) -> Iterator[LimitWait]:
    """The buckets that requests wait for now."""
    for name, bucket in known.get("buckets", {}).items():
        if bucket["waiting"] or bucket["blocked_seconds"]:
            yield LimitWait(
                jobs=[job for part in name.split(":") for job in owners.get(part, [])],
                of_channel=bucket["learned"],
                limit=bucket["limit"],
                window_seconds=bucket["window_seconds"],
                used=bucket["used"],
                waiting=bucket["waiting"],
                blocked_seconds=bucket["blocked_seconds"],
            )


def _jobs_of_webhooks(jobs: Iterable[JobRow]) -> dict[str, list[str]]:
    """By the webhook's id, which is a part of the names of its buckets."""
    owners: dict[str, list[str]] = {}
    for row in jobs:
        if row.usable:
            owners.setdefault(row.job["webhookUrl"].rsplit("/", 2)[1], []).append(row.job["jobName"])
    return owners


def _iso(at: datetime | None) -> str | None:
    return at.isoformat(timespec="seconds") if at else None
