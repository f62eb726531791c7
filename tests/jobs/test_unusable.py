"""A job of an old jobs.json that cannot run, as the API shows it, over fake workers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from commands import check
from config import read
from tests.builders.api_calls import AUTH, URL, log_of, serving

GOOD = {"webhookUrl": URL, "telegramChannels": ["durov"]}
OLD = {"good": GOOD, "old": GOOD | {"telegramChannels": ["https://t.me/+AbC", "telegram"]}}
OWN = {"JOB_NAME": "old"}


def test_job_that_cannot_run_is_its_own_problem_and_can_be_mended(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text(json.dumps(OLD), "utf-8")
    with serving(tmp_path) as api:
        health = api("GET", "/health").json()
        assert (health["status"], health["processes"]) == ("degraded", {"total": 3, "running": 1})
        assert health["jobs"]["job_names"] == ["good", "old"]
        (problem,) = health["problems"]
        assert (problem["job"], problem["reason"]) == ("old", "job_unusable")
        assert "Job 'old' cannot run. Private channel: 'https://t.me/+AbC'" in problem["message"]
        assert "[ERROR] [old] Job 'old' cannot run" in log_of(api)
        own = api("GET", "/health", OWN)
        assert (own.status_code, own.json()["status"]) == (503, "unhealthy")
        assert [(one["channel"], one["state"], one["reason"]) for one in own.json()["workers"]] == [
            ("https://t.me/+AbC", "failed", "job_unusable"),
            ("telegram", "failed", "job_unusable"),
        ]
        assert api("GET", "/logs", OWN).status_code == 200
        assert api("POST", "/job/pause", AUTH | OWN).status_code == 400
        assert list(api("GET", "/jobs").json()) == ["good"]
        mended = api("PATCH", "/job", AUTH | OWN | {"TELEGRAM_CHANNELS": "telegram"})
        assert mended.json()["message"].startswith("Job 'old' changed: ")
        health = api("GET", "/health").json()
        assert (health["status"], health["problems"], health["processes"]["running"]) == ("healthy", [], 2)


def test_webhook_in_place_of_a_channel_is_shown_without_its_token(tmp_path: Path) -> None:
    swapped = {"swapped": GOOD | {"telegramChannels": [URL]}}
    (tmp_path / "jobs.json").write_text(json.dumps(swapped), "utf-8")
    token = URL.rpartition("/")[2]
    with serving(tmp_path) as api:
        answers = [
            api("GET", "/health"),
            api("GET", "/health", {"JOB_NAME": "swapped"}),
            api(
                "POST",
                "/job",
                AUTH | {"JOB_NAME": "new", "DISCORD_WEBHOOK_URL": URL, "TELEGRAM_CHANNELS": URL},
            ),
        ]
        assert all("/***' is not a channel address" in answer.text for answer in answers)
        assert not any(token[:5] in answer.text for answer in answers)
        assert token[:5] not in log_of(api)


def test_import_mends_a_job_that_cannot_run(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text(json.dumps(OLD), "utf-8")
    with serving(tmp_path) as api:
        assert api.json("POST", "/jobs", {"old": GOOD}).json()["changed"] == ["old"]
        assert list(api("GET", "/jobs").json()) == ["good", "old"]
        assert api("GET", "/health").json()["errors"] == []


def test_job_that_cannot_run_can_be_deleted(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text(json.dumps(OLD), "utf-8")
    with serving(tmp_path) as api:
        assert api("DELETE", "/job", AUTH | OWN).status_code == 200
    assert list(json.loads((tmp_path / "jobs.json").read_text("utf-8"))) == ["good"]


def test_check_names_the_job_that_cannot_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    foreign = {"webhookUrl": "https://x.example/api/webhooks/1/secretToken", "telegramChannels": "durov"}
    (tmp_path / "jobs.json").write_text(json.dumps({"old": foreign}), "utf-8")
    assert check.main(read({"DATA_DIR": str(tmp_path), "AUTH_PASSWORD": "x"})) == 1
    (line,) = [line for line in capsys.readouterr().out.splitlines() if "old" in line]
    assert line.startswith("TROUBLE Job 'old' cannot run. Invalid DISCORD_WEBHOOK_URL")
    assert "secretToken" not in line


def test_half_a_character_in_the_file_breaks_no_answer_and_no_change(tmp_path: Path) -> None:
    """JSON may spell one half of a surrogate pair, which no answer and no file can hold as it is."""
    half = {
        "telegramChannels": ["t.me/+\ud800"],
        "embedColor": "\ud800",
        "include": "\ud800",
        "new": "\ud800",
    }
    (tmp_path / "jobs.json").write_text(json.dumps({"good": GOOD, "old": GOOD | half}), "utf-8")
    with serving(tmp_path) as api:
        for path in ("/health", "/dashboard/state", "/jobs"):
            assert api("GET", path).status_code == 200
        assert api("GET", "/health", OWN).json()["workers"][0]["channel"] == "t.me/+?"
        assert api("PATCH", "/job", AUTH | {"JOB_NAME": "good", "EMBED_COLOR": "89a7d9"}).status_code == 200
    written = json.loads((tmp_path / "jobs.json").read_text("utf-8"))
    assert (written["old"], written["good"]["embedColor"]) == (GOOD | half, "89a7d9")
