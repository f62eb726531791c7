"""GET /dashboard/state: what it tells of jobs and channels, who may read it, and that it stays small."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from disgram.dashboard.state import posts_per_hour
from disgram.traffic import Traffic
from disgram.workers.spec import WorkerState
from tests.builders.api_calls import AUTH, MASKED, URL, Api, serving

NOW = datetime(2026, 11, 28, 20, 30, tzinfo=timezone.utc)


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        yield api


def state(api: Api) -> dict[str, Any]:
    answer = api("GET", "/dashboard/state")
    assert answer.status_code == 200
    return dict(answer.json())


def test_job_and_its_channels_are_shown_without_the_token(api: Api) -> None:
    api.post()
    seen = Traffic(newest_post_id=9, waiting=2, waiting_since=NOW, last_forwarded_at=NOW)
    api.supervisor.becomes("news", last_post_id=7, traffic=seen)
    (row,) = state(api)["jobs"]
    assert (row["job"]["webhookUrl"], row["usable"]) == (MASKED, True)
    assert [one["channel"] for one in row["channels"]] == ["durov", "telegram"]
    shown = row["channels"][0]
    assert (shown["state"], shown["last_post_id"], shown["newest_post_id"]) == ("running", 7, 9)
    assert (shown["waiting"], shown["waiting_since"]) == (2, "2026-11-28T20:30:00+00:00")
    assert len(shown["posts_per_hour"]) == 24


def test_problem_of_a_channel_stands_in_the_list_and_at_the_channel(api: Api) -> None:
    api.post(TELEGRAM_CHANNELS="durov")
    api.supervisor.becomes("news", state=WorkerState.FAILED, reason="webhook_gone")
    shown = state(api)
    (problem,) = shown["problems"]
    assert (problem["job"], problem["channel"], problem["reason"]) == ("news", "durov", "webhook_gone")
    assert shown["jobs"][0]["channels"][0]["reason"] == "webhook_gone"
    assert shown["status"] == "unhealthy"


def test_channels_of_a_paused_job_are_paused(api: Api) -> None:
    api.post()
    api("POST", "/job/pause", AUTH | {"JOB_NAME": "news"})
    (row,) = state(api)["jobs"]
    assert row["job"]["paused"] is True
    assert {one["state"] for one in row["channels"]} == {"paused"}


def test_job_that_cannot_run_is_shown_as_such(tmp_path: Path) -> None:
    bad = {"jobName": "old", "webhookUrl": URL, "telegramChannels": ["https://t.me/+AbC"]}
    (tmp_path / "jobs.json").write_text(json.dumps({"old": bad}), "utf-8")
    with serving(tmp_path) as api:
        shown = state(api)
    assert shown["jobs"] == [
        {
            "job": {"jobName": "old", "telegramChannels": ["https://t.me/+AbC"]},
            "usable": False,
            "channels": [],
        }
    ]
    assert [one["reason"] for one in shown["problems"]] == ["job_unusable"]


def test_rule_that_stops_a_job_is_shown_so_that_it_can_be_changed(tmp_path: Path) -> None:
    good = {"webhookUrl": URL, "telegramChannels": ["durov"]}
    bad = good | {"include": f"({URL}", "kinds": "photo", "silent": True, "exclude": {"a": 1}, "cooldown": 5}
    (tmp_path / "jobs.json").write_text(json.dumps({"old": bad}), "utf-8")
    with serving(tmp_path) as api:
        (row,) = state(api)["jobs"]
    assert row["job"] == {
        "jobName": "old",
        "telegramChannels": ["durov"],
        "include": "(https://discord.com/api/webhooks/***",
        "kinds": "photo",
        "silent": "True",
        "cooldown": "5",
    }


def test_limit_that_is_waited_for_names_the_job_of_its_webhook(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    api.post()
    idle = {"limit": 5, "window_seconds": 2.0, "used": 1, "learned": False}
    idle |= {"blocked_seconds": 0, "waiting": 0}
    buckets = {"POST:abc:123": idle | {"waiting": 4}, "POST:abc:9": idle}
    known = {"buckets": buckets, "paused_seconds": {"global": 1.5}}
    monkeypatch.setattr(api.service.limits, "snapshot", lambda: known)
    limits = state(api)["limits"]
    assert [(one["jobs"], one["waiting"]) for one in limits["waits"]] == [(["news"], 4)]
    assert limits["paused_seconds"] == {"global": 1.5}


@pytest.mark.parametrize(
    ("headers", "code"), [({}, 401), ({"Authorization": "Bearer wrong"}, 403), (AUTH, 200)]
)
def test_protected_reads_need_the_bearer_here_too(tmp_path: Path, headers: dict[str, str], code: int) -> None:
    with serving(tmp_path, PROTECT_READS="true") as api:
        assert api("GET", "/dashboard/state", headers).status_code == code


def test_a_thousand_channels_stay_below_a_megabyte(api: Api) -> None:
    channels = ",".join(f"channel_{number:024d}" for number in range(1000))
    api.json("POST", "/job", {"jobName": "all", "webhookUrl": URL, "telegramChannels": channels})
    hour = int(datetime.now(timezone.utc).timestamp() // 3600)
    busy = Traffic(123456, 99, NOW, NOW, tuple((hour - past, 100) for past in range(23, -1, -1)))
    api.supervisor.becomes("all", traffic=busy, last_post_id=123450, reason="telegram_unavailable")
    answer = api("GET", "/dashboard/state")
    assert len(answer.json()["jobs"][0]["channels"]) == 1000
    assert len(answer.content) < 1_000_000


def test_posts_are_counted_by_the_hours_of_the_clock() -> None:
    hour = int(NOW.timestamp() // 3600)
    traffic = Traffic(per_hour=((hour - 24, 8), (hour - 23, 5), (hour - 1, 2), (hour, 1)))
    assert posts_per_hour(traffic, NOW) == [5, *[0] * 21, 2, 1]
    assert posts_per_hour(traffic, NOW + timedelta(hours=1)) == [*[0] * 21, 2, 1, 0]
    assert posts_per_hour(traffic, NOW + timedelta(days=9)) == [0] * 24
    assert posts_per_hour(traffic, NOW - timedelta(days=9)) == [0] * 24
