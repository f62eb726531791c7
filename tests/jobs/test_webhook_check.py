"""Webhooks are asked for before a job relies on them. Over fake workers and a fake Discord."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.builders.api_calls import AUTH, URL, Api, serving

JOB = {"webhookUrl": URL, "telegramChannels": ["durov"]}
OTHER = "https://discord.com/api/webhooks/456/secretToken"
NEWS = AUTH | {"JOB_NAME": "news"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        yield api


def test_unknown_webhook_is_refused_and_changes_nothing(api: Api) -> None:
    api.webhooks.unknown.add("456")
    assert api.post().status_code == 201
    answers = [
        api.post(JOB_NAME="other", DISCORD_WEBHOOK_URL=OTHER),
        api("PATCH", "/job", NEWS | {"DISCORD_WEBHOOK_URL": OTHER, "EMBED_COLOR": "89a7d9"}),
        api.json("POST", "/jobs", {"a": JOB, "b": JOB | {"webhookUrl": OTHER}}),
    ]
    for answer, name in zip(answers, ("other", "news", "b"), strict=True):
        assert (answer.status_code, answer.json()["detail"]["error"]) == (400, "Unknown webhook")
        assert f"Job '{name}': Discord does not know" in answer.json()["detail"]["message"]
    assert list(api("GET", "/jobs").json()) == ["news"]
    assert api.service.jobs.get("news").embedColor is None


def test_webhook_that_cannot_be_asked_for_is_a_warning(api: Api) -> None:
    api.webhooks.silent.add("456")
    made = api.post(DISCORD_WEBHOOK_URL=OTHER)
    assert (made.status_code, made.json()["message"]) == (201, "Job 'news' created")
    warning = "Job 'news': its webhook was not checked. Discord did not answer in time."
    assert made.json()["warnings"] == [warning]
    assert "webhook" not in made.json()
    assert api("PATCH", "/job", NEWS | {"DISCORD_WEBHOOK_URL": OTHER}).json()["warnings"] == [warning]
    many = api.json("POST", "/jobs", {"x": JOB | {"webhookUrl": OTHER}})
    assert (many.status_code, len(many.json()["warnings"])) == (200, 1)


def test_warnings_of_many_jobs_are_joined(api: Api) -> None:
    api.webhooks.silent.add("456")
    many = {f"job{number}": JOB | {"webhookUrl": OTHER} for number in range(12)}
    warnings = api.json("POST", "/jobs", many).json()["warnings"]
    assert (len(warnings), warnings[-1]) == (11, "2 more jobs with a webhook not checked.")


def test_answer_says_where_posts_will_go(api: Api) -> None:
    made = api.post()
    assert made.json()["message"] == "Job 'news' created; posts go to the channel 77 (webhook 'Captain')"
    assert made.json()["webhook"] == {"name": "Captain", "channel_id": "77", "guild_id": "99"}
    assert "warnings" not in made.json()


def test_change_that_names_no_webhook_asks_nothing(api: Api) -> None:
    api.post()
    api("PATCH", "/job", NEWS | {"EMBED_COLOR": "89a7d9"})
    assert api.webhooks.asked == ["123"]
    api("PATCH", "/job", NEWS | {"DISCORD_WEBHOOK_URL": URL})
    assert api.webhooks.asked == ["123", "123"]


def test_import_asks_only_for_webhooks_that_are_new_to_their_jobs(api: Api) -> None:
    api.post()
    api.json("POST", "/jobs", {"news": JOB | {"threadId": "5"}, "other": JOB | {"webhookUrl": OTHER}})
    assert api.webhooks.asked == ["123", "456"]


def test_taken_and_unknown_names_are_refused_before_anything_is_asked(api: Api) -> None:
    api.post()
    assert api.post(DISCORD_WEBHOOK_URL=OTHER).status_code == 409
    assert api("PATCH", "/job", AUTH | {"JOB_NAME": "x", "DISCORD_WEBHOOK_URL": OTHER}).status_code == 404
    assert api.webhooks.asked == ["123"]


def test_without_webhook_check_nothing_is_asked(tmp_path: Path) -> None:
    with serving(tmp_path, WEBHOOK_CHECK="false") as api:
        api.webhooks.unknown.add("123")
        made = api.post()
        assert (made.status_code, set(made.json())) == (201, {"message", "job"})
        assert api.webhooks.asked == []
