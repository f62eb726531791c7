"""GET /metrics in process, over fake workers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from disgram import __version__
from disgram.errors import StorageUnavailable
from disgram.workers.spec import WorkerState
from tests.builders.api_calls import AUTH, Api, serving
from tests.metrics.scrapes import Scrape


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        yield api


def scraped(api: Api, headers: dict[str, str] | None = None) -> Scrape:
    answer = api("GET", "/metrics", headers)
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    return Scrape(answer.content.decode("utf-8"))


def test_service_without_jobs_has_metrics(api: Api) -> None:
    scrape = scraped(api)
    assert scrape.value("disgram_build_info", version=__version__) == 1
    assert scrape.value("disgram_workers", state="running") == 0
    assert scrape.value("disgram_telegram_pace_ratio") == 0
    assert scrape.value("disgram_discord_invalid_requests") == 3


def test_channels_are_counted_by_state_and_paused_ones_too(api: Api) -> None:
    api.post()
    api.post(JOB_NAME="other", TELEGRAM_CHANNELS="durov")
    api("POST", "/job/pause", AUTH | {"JOB_NAME": "news"})
    scrape = scraped(api)
    assert scrape.value("disgram_workers", state="paused") == 2
    assert scrape.value("disgram_workers", state="running") == 1
    assert scrape.value("disgram_posts_waiting", disgram_job="news") == 0
    assert scrape.value("disgram_worker_restarts_total", disgram_job="other", channel="durov") == 0
    assert scrape.value("disgram_telegram_pace_ratio") == pytest.approx(1 / 300 / 2)


def test_problems_are_those_that_health_names(api: Api) -> None:
    api.post()
    api.supervisor.becomes("news", state=WorkerState.FAILED, reason="webhook_gone")
    assert scraped(api).value("disgram_problems", reason="webhook_gone") == 2
    assert api("GET", "/health").json()["problems_total"] == 2


def test_what_workers_counted_is_shown(api: Api) -> None:
    api.post()
    api.service.totals.add("news", {"counts": {"posts sent": 2}})
    assert scraped(api).value("disgram_posts_total", disgram_job="news", result="sent") == 2


def test_metrics_hold_no_token(api: Api) -> None:
    api.post()
    answer = api("GET", "/metrics")  # which looks for the token and the password
    assert "discord.com" not in answer.text


def test_job_with_a_hostile_name_breaks_no_line(api: Api) -> None:
    name = 'x"} 1 \\ новости {y="'
    api.json("POST", "/job", {
        "jobName": name, "webhookUrl": "https://discord.com/api/webhooks/1/secretToken",
        "telegramChannels": ["durov"],
    })  # fmt: skip
    scrape = scraped(api)
    assert scrape.labels("disgram_posts_waiting") == [{"disgram_job": name}]


def test_jobs_that_cannot_run_are_counted_once_each(tmp_path: Path) -> None:
    """Also one whose channels are one and the same text."""
    bad = {"webhookUrl": "https://example.org/secretToken", "telegramChannels": ["a b", "a b"]}
    (tmp_path / "jobs.json").write_text(json.dumps({"old": bad | {"jobName": "old"}}), "utf-8")
    with serving(tmp_path) as api:
        scrape = scraped(api)
        assert scrape.value("disgram_workers", state="failed") == 2
        assert scrape.value("disgram_problems", reason="job_unusable") == 1
        assert scrape.labels("disgram_posts_waiting") == [{"disgram_job": "old"}]


def test_limits_that_cannot_be_read_leave_out_one_sample(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> int:
        raise StorageUnavailable("limits.db: disk I/O error")

    monkeypatch.setattr(api.service.limits, "invalid_requests", broken)
    scrape = scraped(api)
    assert "disgram_discord_invalid_requests" not in scrape.names
    assert "disgram_build_info" in scrape.names


def test_protected_reads_need_the_bearer_for_metrics(tmp_path: Path) -> None:
    with serving(tmp_path, PROTECT_READS="true") as api:
        assert api("GET", "/metrics").status_code == 401
        assert api("GET", "/metrics", {"Authorization": "Bearer wrong"}).status_code == 403
        assert scraped(api, AUTH).value("disgram_build_info", version=__version__) == 1
