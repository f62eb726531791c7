"""What /health says for given states of workers, host and log."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from disgram.api.schemas import JobConfiguration
from disgram.health.host_stats import HostStats
from disgram.health.summary import LogFileState, Moment, summarise, summarise_job
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus

NOW = datetime(2026, 3, 1, 12, 0, tzinfo=timezone.utc)
HOST, LOG = HostStats(), LogFileState(NOW - timedelta(minutes=3))
MOMENT = Moment(now=NOW, monotonic=1000.0, uptime=90.0)
WELL = WorkerStatus(
    job="news",
    channel="durov",
    script="webhook.py",
    pid=42,
    state=WorkerState.RUNNING,
    reason=None,
    restarts=0,
    last_poll_at=NOW,
    last_poll_ok=True,
    last_post_id=7,
    gaps=(),
    layout_changed=0,
    last_line_at=995.0,
    next_start_at=None,
    idle_since=995.0,
    cooldown=300.0,
)


def worker(channel: str = "durov", **changes: Any) -> WorkerStatus:
    return replace(WELL, channel=channel, **changes)


def ask(
    *workers: WorkerStatus,
    host: HostStats = HOST,
    log: LogFileState = LOG,
    errors: tuple[str, ...] = (),
    taken_at: float = 999.0,
    jobs: dict[str, int] | None = None,
) -> dict[str, Any]:
    snapshot = Snapshot(workers, taken_at, errors)
    limits = {"active_buckets": 1, "paused_until": None}
    counted = {"news": len(workers)} if jobs is None else jobs
    answer = summarise(snapshot, limits, host, log, MOMENT, counted)
    return answer.model_dump(mode="json", by_alias=True)


BACKOFF, FAILED, RUNNING = WorkerState.BACKOFF, WorkerState.FAILED, WorkerState.RUNNING


@pytest.mark.parametrize(
    ("workers", "status"),
    [
        ([], "healthy"),
        ([worker()], "healthy"),
        ([worker(state=WorkerState.STARTING, last_poll_ok=None, pid=None)], "healthy"),
        ([worker(), worker("b", state=FAILED, reason="no_preview")], "degraded"),
        ([worker(), worker("b", state=BACKOFF, reason="crashed")], "degraded"),
        ([worker(), worker("b", reason="layout_changed", last_poll_ok=False)], "degraded"),
        ([worker(), worker("b", reason="telegram_unavailable", last_poll_ok=False)], "degraded"),
        ([worker(reason="discord_unavailable")], "degraded"),
        ([worker(last_line_at=100.0)], "degraded"),
        ([worker(gaps=((6, 25),))], "degraded"),
        (
            [worker(state=FAILED, reason="webhook_gone"), worker("b", state=BACKOFF, reason="stale")],
            "unhealthy",
        ),
        ([worker(reason="telegram_unavailable", last_poll_ok=False)] * 2, "unhealthy"),
        (
            [worker(last_poll_ok=False, reason="telegram_unavailable"), worker("b", last_poll_ok=None)],
            "unhealthy",
        ),
    ],
)
def test_status_for_states_of_workers(workers: list[WorkerStatus], status: str) -> None:
    assert ask(*workers)["status"] == status


@pytest.mark.parametrize(
    ("idle", "cooldown", "reason"),
    [
        (900.0, 300.0, None),
        (901.0, 300.0, "stale"),
        (170.0, 1.0, None),
        (190.0, 1.0, "stale"),
        (190.0, 60.0, "stale"),
    ],
)
def test_running_worker_that_has_not_polled_for_three_cooldowns_is_stale(
    idle: float, cooldown: float, reason: str | None
) -> None:
    late = worker(idle_since=1000.0 - idle, cooldown=cooldown)
    assert ask(worker("b"), late)["status"] == ("degraded" if reason else "healthy")
    configuration = JobConfiguration(
        webhook_url="w", thread_id_configured=False, embed_color=None, channels_count=1
    )
    job = summarise_job("news", configuration, ["durov"], [late], MOMENT)
    assert (job.status, job.workers[0].reason) == ("degraded" if reason else "healthy", reason)


def test_worker_that_waits_for_a_limit_shows_until_when() -> None:
    waiting = worker(reason="rate_limited", until=NOW + timedelta(minutes=20), idle_since=0.0)
    assert ask(waiting)["status"] == "degraded"
    configuration = JobConfiguration(
        webhook_url="w", thread_id_configured=False, embed_color=None, channels_count=1
    )
    shown = summarise_job("news", configuration, ["durov"], [waiting], MOMENT).workers[0]
    assert (shown.reason, shown.until) == ("rate_limited", "2026-03-01T12:20:00+00:00")


def test_faults_of_the_service_itself_are_errors() -> None:
    assert ask(worker(), errors=("no file descriptors left",))["status"] == "degraded"
    for answer in (
        ask(host=HostStats(write_error="No space left on device")),
        ask(worker(), log=LogFileState(None, "No space left on device")),
        ask(worker(), taken_at=100.0),
    ):
        assert answer["status"] == "unhealthy"
        assert len(answer["errors"]) == 1
    assert ask(worker(), taken_at=0.0)["status"] == "healthy"


@pytest.mark.parametrize(
    ("workers", "telegram", "discord"),
    [
        ([], None, None),
        ([worker(last_poll_ok=None)], None, None),
        ([worker(discord_asked=True)], True, True),
        ([worker(reason="no_preview", last_poll_ok=False, state=FAILED)], True, None),
        ([worker(last_poll_ok=False, reason=None)], False, None),
        ([worker(reason="blocked_by_cloudflare"), worker("quiet")], True, False),
        ([worker(reason="discord_unavailable"), worker("b", reason="thread_gone", state=FAILED)], True, True),
        (
            [worker(reason="discord_unavailable"), worker("b", reason="thread_locked", state=FAILED)],
            True,
            True,
        ),
    ],
)
def test_which_services_are_reachable_and_null_before_anything_was_asked(
    workers: list[WorkerStatus], telegram: bool | None, discord: bool | None
) -> None:
    services = ask(*workers)["external_services"]
    assert services == {"telegram_reachable": telegram, "discord_reachable": discord}


def test_answer_has_all_fields_in_order() -> None:
    answer = ask(
        worker(gaps=((3, 9),), layout_changed=2), worker("b", layout_changed=1), jobs={"news": 2, "new": 1}
    )
    json.dumps(answer)
    assert list(answer)[:9] == [
        "status",
        "timestamp",
        "uptime_minutes",
        "processes",
        "jobs",
        "external_services",
        "log_freshness",
        "system",
        "rate_limiting",
    ]
    assert answer["uptime_minutes"] == 1.5
    assert answer["processes"] == {"total": 3, "running": 2}
    assert answer["jobs"] == {"total_jobs": 2, "job_names": ["news", "new"]}
    assert answer["log_freshness"] == {
        "is_fresh": True,
        "message": "All 2 running workers reported within 5 s",
        "last_modified": "2026-03-01T11:57:00+00:00",
        "age_minutes": 3.0,
    }
    assert answer["rate_limiting"] == {
        "active_buckets": 1,
        "global_requests_per_second": 0.0,
        "buckets": {},
        "invalid_requests": {},
        "paused_until": None,
    }
    assert answer["delivery"] == {
        "failed": 0,
        "waiting": 0,
        "oldest_waiting_seconds": None,
        "gaps": [{"job": "news", "channel": "durov", "from": 3, "to": 9}],
        "layout_changed": 3,
    }


def test_log_is_stale_when_a_worker_is_silent_not_when_the_file_is_old() -> None:
    quiet = ask(worker(), log=LogFileState(NOW - timedelta(days=3)))["log_freshness"]
    assert (quiet["is_fresh"], quiet["age_minutes"]) == (True, 3 * 24 * 60)
    silent = ask(*[worker(f"c{n}", last_line_at=0.0) for n in range(9)])["log_freshness"]
    assert not silent["is_fresh"]
    shared = ask(worker(), replace(worker(), job="other"), jobs={"news": 1, "other": 1})["log_freshness"]
    assert shared["message"].startswith("All 2 running workers")
    assert silent["message"] == "9 of 9 workers have been silent for over 360 s: c0, c1, c2, c3, c4 …"


def test_worker_of_a_deleted_job_does_not_count() -> None:
    answer = ask(worker(), replace(worker("old"), job="gone", state=WorkerState.STOPPING), jobs={"news": 1})
    assert (answer["status"], answer["processes"]) == ("healthy", {"total": 1, "running": 1})


def test_health_of_one_job() -> None:
    workers = (
        worker(),
        worker("b", state=BACKOFF, reason="crashed", restarts=3, pid=None, next_start_at=1016.0),
        WorkerStatus.without_process("news", "c", "threadhook.py", WorkerState.STARTING, 1000.0),
    )
    configuration = JobConfiguration(
        webhook_url="https://discord.com/api/webhooks/1/***",
        thread_id_configured=True,
        embed_color="89a7d9",
        channels_count=3,
    )
    health = summarise_job("news", configuration, ["durov", "b", "c"], workers, MOMENT)
    answer = health.model_dump(mode="json", by_alias=True)
    assert answer["status"] == "degraded"
    assert answer["processes"] == {"total": 3, "running": 1, "dead_count": 1, "channels": ["durov", "b", "c"]}
    assert answer["configuration"] == {
        "webhook_url": "https://discord.com/api/webhooks/1/***",
        "thread_id_configured": True,
        "embed_color": "89a7d9",
        "channels_count": 3,
    }
    assert answer["workers"][0] == {
        "channel": "durov",
        "pid": 42,
        "script": "webhook.py",
        "state": "running",
        "reason": None,
        "until": None,
        "restarts": 0,
        "last_poll_at": "2026-03-01T12:00:00+00:00",
        "last_post_id": 7,
        "cooldown": 300.0,
        "newest_post_id": None,
        "last_forwarded_at": None,
        "waiting": 0,
        "log_age_seconds": 5.0,
        "next_start_seconds": None,
    }
    assert (answer["workers"][1]["state"], answer["workers"][1]["next_start_seconds"]) == ("backoff", 16.0)
    not_yet_started = answer["workers"][2]
    assert [not_yet_started[field] for field in ("channel", "script", "state", "pid")] == [
        "c",
        "threadhook.py",
        "starting",
        None,
    ]
