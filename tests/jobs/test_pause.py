"""Pausing and resuming a job, in process over fake workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.stage import eventually
from tests.builders.api_calls import AUTH, Api, log_of, serving

NEWS = AUTH | {"JOB_NAME": "news"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        api.post()
        yield api


def test_paused_job_has_no_worker_and_says_so(api: Api, tmp_path: Path) -> None:
    paused = api("POST", "/job/pause", NEWS)
    assert (paused.status_code, paused.json()["message"]) == (200, "Job 'news' is paused")
    assert paused.json()["job"]["paused"] is True
    assert json.loads((tmp_path / "jobs.json").read_text("utf-8"))["news"]["paused"] is True
    assert api.supervisor.snapshot().workers == ()
    own = api("GET", "/health", {"JOB_NAME": "news"}).json()
    assert (own["status"], own["processes"]["total"]) == ("healthy", 0)
    assert [(one["channel"], one["state"], one["pid"]) for one in own["workers"]] == [
        ("durov", "paused", None),
        ("telegram", "paused", None),
    ]
    assert "[SYSTEM] [news] Job paused" in log_of(api)


@pytest.mark.parametrize(("own", "seconds"), [(None, 300.0), ("60-1200", 1200.0)])
def test_paused_job_still_shows_its_refused_posts_and_cooldown(
    api: Api, own: str | None, seconds: float
) -> None:
    """They are no problem while it rests, but they are not dealt with either."""
    api.json("PATCH", "/job", {"jobName": "news", "cooldown": own, "threadId": "7"})
    api.ledger.posts = [{"job": "news", "channel": "durov", "post_id": 7, "reason": "no", "at": 0.0}]
    api.service.watch.look_soon()
    eventually(lambda: api.service.watch.findings.refused)
    api("POST", "/job/pause", NEWS)
    own_health = api("GET", "/health", {"JOB_NAME": "news"}).json()
    assert (own_health["status"], own_health["problems"]) == ("healthy", [])
    assert own_health["delivery"]["failed"] == 1
    assert {(one["cooldown"], one["script"]) for one in own_health["workers"]} == {(seconds, "threadhook.py")}
    (row,) = api("GET", "/dashboard/state").json()["jobs"]
    assert [(one["cooldown"], one["failed"]) for one in row["channels"]] == [(seconds, 1), (seconds, 0)]


def test_service_is_healthy_while_every_job_is_paused(api: Api) -> None:
    api("POST", "/job/pause", NEWS)
    health = api("GET", "/health").json()
    assert (health["status"], health["processes"]) == ("healthy", {"total": 0, "running": 0})
    assert health["jobs"] == {"total_jobs": 1, "job_names": ["news"]}


def test_paused_job_makes_no_other_job_look_worse(api: Api) -> None:
    api.post(JOB_NAME="other")
    api("POST", "/job/pause", NEWS)
    assert api("GET", "/health").json()["processes"] == {"total": 2, "running": 2}


def test_resumed_job_runs_again_and_its_file_is_as_before(api: Api, tmp_path: Path) -> None:
    before = (tmp_path / "jobs.json").read_bytes()
    api("POST", "/job/pause", NEWS)
    resumed = api("POST", "/job/resume", NEWS)
    assert (resumed.status_code, "paused" in resumed.json()["job"]) == (200, False)
    assert (tmp_path / "jobs.json").read_bytes() == before
    assert len(api.supervisor.snapshot().workers) == 2
    assert api.ledger.forgotten == []


def test_pausing_twice_changes_and_logs_nothing_more(api: Api) -> None:
    assert [api("POST", "/job/pause", NEWS).status_code for _ in range(2)] == [200, 200]
    assert log_of(api).count("Job paused") == 1
    assert [api("POST", "/job/resume", NEWS).status_code for _ in range(2)] == [200, 200]
    assert log_of(api).count("Job resumed") == 1


def test_body_of_a_change_pauses_and_resumes(api: Api) -> None:
    assert api.json("PATCH", "/job", {"jobName": "news", "paused": True}).json()["job"]["paused"] is True
    assert api.supervisor.snapshot().workers == ()
    again = api.json("PATCH", "/job", {"jobName": "news", "paused": None})
    assert "paused" not in again.json()["job"]
    assert len(api.supervisor.snapshot().workers) == 2


def test_paused_job_can_be_changed_and_stays_paused(api: Api) -> None:
    api("POST", "/job/pause", NEWS)
    changed = api("PATCH", "/job", NEWS | {"EMBED_COLOR": "89a7d9"})
    assert (changed.json()["job"]["paused"], api.supervisor.snapshot().workers) == (True, ())


@pytest.mark.parametrize("path", ["/job/pause", "/job/resume"])
def test_pause_and_resume_need_a_job_that_there_is(api: Api, path: str) -> None:
    assert api("POST", path, AUTH).status_code == 400
    assert api("POST", path, AUTH | {"JOB_NAME": "other"}).status_code == 404


def test_pause_answers_503_when_processes_do_not_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routes.jobs._GONE_WITHIN", 0.01)
    api.supervisor.may_end.clear()
    assert api("POST", "/job/pause", NEWS).status_code == 503
    assert api.service.jobs.get("news").paused is True


def test_change_that_changes_nothing_says_so_and_wakes_what_gave_up(api: Api) -> None:
    same = api("PATCH", "/job", NEWS | {"TELEGRAM_CHANNELS": "durov,@telegram/5"})
    assert (same.status_code, same.json()["message"]) == (200, "Job 'news': nothing changed")
    assert api.supervisor.revived == ["news"]
    assert "nothing changed" in log_of(api)
    other = api("PATCH", "/job", NEWS | {"TELEGRAM_CHANNELS": "durov", "EMBED_COLOR": ""})
    assert other.json()["message"] == "Job 'news' changed: telegramChannels"


def test_log_says_one_channel_and_one_job(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        api.post(TELEGRAM_CHANNELS="durov")
        assert "Job created, 1 channel\n" in log_of(api)
    with serving(tmp_path) as api:
        assert "started, 1 job\n" in log_of(api)
