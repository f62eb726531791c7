"""POST /job/test: what Discord and Telegram say of a job, over fakes and over the stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from standins.stage import eventually, staged
from standins.telegram.text_markup import post, words
from tests.builders.api_calls import AUTH, log_of, serving

NEWS = AUTH | {"JOB_NAME": "news"}


def test_webhook_and_channels_are_shown_with_what_is_wrong(tmp_path: Path) -> None:
    with serving(tmp_path, WEBHOOK_CHECK="false") as api:
        api.post()
        api.channels.missing.add("telegram")
        assert api("POST", "/job/test", NEWS).json() == {
            "webhook": {
                "ok": True,
                "name": "Captain",
                "channel_id": "77",
                "guild_id": "99",
                "message": "Posts go to the channel 77.",
            },
            "channels": [
                {"channel": "durov", "ok": True, "reason": None, "title": "Durov", "newest_post_id": 12},
                {"channel": "telegram", "ok": False, "reason": "channel_not_found"}
                | {"title": None, "newest_post_id": None},
            ],
        }
        assert api.webhooks.tests == []


def test_send_sends_one_message_to_the_jobs_thread(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        api.post(DISCORD_THREAD_ID="5")
        tested = api("POST", "/job/test", NEWS | {"SEND": "true"}).json()["webhook"]
        assert tested["message"] == "Posts go to the channel 77. Discord has taken the test message."
        assert [one.thread_id for one in api.webhooks.tests] == ["5"]
        assert "Test message: Discord has taken" in log_of(api)
        api.json("POST", "/job/test", {"jobName": "news", "send": True})
        api.json("POST", "/job/test", {"jobName": "news", "send": False})
        assert len(api.webhooks.tests) == 2


def test_nothing_is_sent_through_a_webhook_that_is_unknown(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        api.post()
        api.webhooks.unknown.add("123")
        tested = api("POST", "/job/test", NEWS | {"SEND": "true"}).json()["webhook"]
        assert (tested["ok"], api.webhooks.tests) == (False, [])


@pytest.mark.parametrize("value", ["yes", "1", 1, [], {}, "tru"])
def test_send_is_true_or_false(tmp_path: Path, value: object) -> None:
    with serving(tmp_path) as api:
        api.post()
        assert api.json("POST", "/job/test", {"jobName": "news", "send": value}).status_code == 400
        assert api.json("POST", "/job/test", {"jobName": "other"}).status_code == 404
        assert api.webhooks.tests == []


def test_job_is_tested_at_discord_and_telegram(tmp_path: Path) -> None:
    with staged(tmp_path, WEBHOOK_CHECK="true") as stage:
        channel = stage.telegram.add_channel("news", "The News")
        for number in range(3):
            channel.add(post(words(f"Post {number}")))
        stage.start()
        stage.add_job("job", "news,nobody_has_it", INITIAL_POSTS="0")
        stage.call("POST", "/job/pause", JOB_NAME="job")
        before = len(stage.arrived())
        tested = stage.call("POST", "/job/test", JOB_NAME="job", SEND="true").json()
        assert (tested["webhook"]["ok"], tested["webhook"]["channel_id"]) == (True, stage.room)
        assert tested["channels"] == [
            {"channel": "news", "ok": True, "reason": None, "title": "The News", "newest_post_id": 3},
            {"channel": "nobody_has_it", "ok": False, "reason": "channel_not_found"}
            | {"title": None, "newest_post_id": None},
        ]
        assert "test of Disgram" in stage.arrived()[-1].content
        assert len(stage.arrived()) == before + 1
        stage.discord.delete_webhook(stage.webhook.id)
        assert stage.call("POST", "/job/test", JOB_NAME="job").json()["webhook"]["ok"] is False
        refused = stage.call(
            "PATCH", "/job", JOB_NAME="job", DISCORD_WEBHOOK_URL=stage.webhook.url, EMBED_COLOR="89a7d9"
        )
        assert (refused.status_code, "Unknown Webhook" in refused.text) == (400, True)
        assert stage.webhook.token not in refused.text
        eventually(lambda: stage.health()["status"] == "healthy")
