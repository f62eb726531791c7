"""Problems and alerts of the real service: a dead webhook, refused posts, a restart, the repair."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from standins.discord.errors import Refusal
from standins.discord.faults import refuse
from standins.loopback import LoopbackServer, Request, Response
from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words


class Operator(LoopbackServer):
    """Whoever takes `{"content": "…"}`."""

    def __init__(self) -> None:
        self.alerts: list[str] = []
        self._turn = threading.Lock()
        super().__init__(self._take)

    def _take(self, request: Request) -> Response:
        with self._turn:
            self.alerts.append(json.loads(request.body)["content"])
        return Response(204, b"")


@pytest.fixture
def operator() -> Iterator[Operator]:
    with Operator() as server:
        yield server


@pytest.fixture
def stage(tmp_path: Path, operator: Operator) -> Iterator[Stage]:
    with staged(tmp_path, ALERT_WEBHOOK_URL=f"{operator.url}/secret-path", ALERT_AFTER="1") as one:
        channel = one.telegram.add_channel("news")
        for number in range(1, 4):
            channel.add(post(words(f"post {number}")))
        yield one


def problems(stage: Stage, job: str = "") -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = stage.health(job)["problems"]
    return found


def test_dead_webhook_is_told_once_over_a_restart_and_its_repair_once(
    stage: Stage, operator: Operator
) -> None:
    stage.start()
    gone = stage.discord.add_webhook(stage.room)
    stage.discord.delete_webhook(gone.id)
    stage.add_job("job", "news/1", gone.url)
    eventually(lambda: problems(stage), of=stage.log)
    (problem,) = problems(stage)
    assert (problem["job"], problem["channel"], problem["reason"]) == ("job", "news", "webhook_gone")
    assert problems(stage, "job") == [problem]
    assert "PATCH /job with DISCORD_WEBHOOK_URL" in problem["message"]
    eventually(lambda: operator.alerts, of=stage.log)
    assert "job / news: Discord does not know the webhook" in operator.alerts[0]
    stage.stop()
    told_long_ago(stage)
    stage.start()
    eventually(lambda: problems(stage), of=stage.log)
    assert stage.call("PATCH", "/job", JOB_NAME="job", DISCORD_WEBHOOK_URL=stage.webhook.url).ok
    eventually(lambda: len(operator.alerts) == 2, of=stage.log)
    assert "Over: job: Discord does not know the webhook" in operator.alerts[1]
    assert problems(stage) == []
    assert stage.numbers() == [1, 2, 3]
    assert "secret-path" not in stage.log()


def told_long_ago(stage: Stage) -> None:
    """A minute has to lie between two alerts."""
    path = stage.data / "alerts.json"
    content = json.loads(path.read_text("utf-8"))
    content["sent_at"] = "2020-01-01T00:00:00+00:00"
    path.write_text(json.dumps(content), "utf-8")


def test_refused_post_is_a_problem_until_it_is_sent_again(stage: Stage, operator: Operator) -> None:
    stage.start()
    stage.discord.fail(refuse(Refusal(400, 50035, "Invalid Form Body")), path="/webhooks/", times=4)
    stage.add_job("job", "news/1")
    eventually(lambda: problems(stage), of=stage.log)
    health = stage.health()
    assert (health["status"], health["delivery"]["failed"]) == ("degraded", 1)
    assert health["problems"][0]["reason"] == "post_refused"
    eventually(lambda: operator.alerts, of=stage.log)
    assert "Discord refused 1 post in every form" in operator.alerts[0]
    assert stage.call("POST", "/job/retry", JOB_NAME="job").json()["retried"] == 1
    eventually(lambda: stage.health()["status"] == "healthy", of=stage.log)
    row = stage.workers("job")["news"]
    assert (row["newest_post_id"], row["waiting"]) == (3, 0)
    assert row["last_forwarded_at"]


def test_nothing_is_reachable_or_not_before_it_was_asked(stage: Stage) -> None:
    stage.start()
    services = stage.health()["external_services"]
    assert services == {"telegram_reachable": None, "discord_reachable": None}
    stage.add_job("job", "news/1")
    eventually(lambda: stage.numbers() == [1, 2, 3], of=stage.log)
    reached = {"telegram_reachable": True, "discord_reachable": True}
    eventually(lambda: stage.health()["external_services"] == reached)


def test_alert_to_a_discord_webhook_goes_through_the_limiter_and_pings_nobody(stage: Stage) -> None:
    room = stage.discord.add_channel("ops")
    stage.environment["ALERT_WEBHOOK_URL"] = stage.discord.add_webhook(room).url
    stage.telegram.add_landing("a_group", "group")
    stage.start()
    stage.add_job("@everyone", "a_group")
    eventually(lambda: stage.arrived(room), of=stage.log)
    (alert,) = stage.arrived(room)
    assert "@everyone / a_group: t.me shows no posts" in alert.content
    assert alert.payload["allowed_mentions"] == {"parse": []}
    limits = stage.health()["rate_limiting"]["buckets"]
    assert any(name.endswith(f":{alert.webhook_id}") for name in limits)
    assert stage.discord.violations == []
