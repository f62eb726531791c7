"""Single rows of what /health answers: a worker, a problem, a host.

Owns which of what is known of each is shown. Decides nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol

from disgram.api import schemas
from disgram.health.problems import Problem
from disgram.workers.spec import WorkerStatus

MOST_PROBLEMS = 50
"""In an answer; `problems_total` counts all."""


class HostSeen(Protocol):
    """One of several hosts (disgram/hosts). `weight`: its requests a second to Telegram."""

    @property
    def name(self) -> str: ...
    @property
    def valid(self) -> bool: ...
    @property
    def until(self) -> datetime: ...
    @property
    def channels(self) -> int: ...
    @property
    def weight(self) -> float: ...
    @property
    def is_this(self) -> bool: ...


def problem_rows(problems: Sequence[Problem]) -> list[schemas.Problem]:
    """The first MOST_PROBLEMS."""
    return [
        schemas.Problem(
            job=problem.job,
            channel=problem.channel,
            reason=problem.reason,
            message=problem.message,
            since=_iso(problem.since),
            until=_iso(problem.until),
        )
        for problem in problems[:MOST_PROBLEMS]
    ]


def worker_row(worker: WorkerStatus, forwarded_before: datetime | None, now: float) -> schemas.Worker:
    """`forwarded_before`: the newest post confirmed before this service started; `now`: monotonic."""
    next_start = worker.next_start_at
    return schemas.Worker(
        channel=worker.channel,
        host=worker.host,
        pid=worker.pid,
        script=worker.script,
        state=worker.state.value,
        reason=worker.reason,
        until=_iso(worker.until),
        restarts=worker.restarts,
        last_poll_at=_iso(worker.last_poll_at),
        last_post_id=worker.last_post_id,
        newest_post_id=worker.traffic.newest_post_id,
        last_forwarded_at=_iso(worker.traffic.last_forwarded_at or forwarded_before),
        waiting=worker.traffic.waiting,
        cooldown=worker.cooldown,
        log_age_seconds=round(max(0.0, now - worker.last_line_at), 1),
        next_start_seconds=None if next_start is None else round(max(0.0, next_start - now), 1),
    )


def host_rows(hosts: Iterable[HostSeen] | None) -> list[schemas.Host] | None:
    if hosts is None:
        return None
    return [
        schemas.Host(name=host.name, alive=host.valid, channels=host.channels, until=host.until.isoformat())
        for host in hosts
    ]


def _iso(at: datetime | None) -> str | None:
    return at.isoformat() if at else None
