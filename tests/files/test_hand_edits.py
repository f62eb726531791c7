"""jobs.json in a person's editor while the service runs."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words


@pytest.fixture(scope="module")
def service_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("service"), MONITOR_INTERVAL="0.2") as found:
        found.start()
        yield found


@pytest.fixture
def stage(running: Stage) -> Stage:
    for name in ("news", "sports"):
        running.telegram.add_channel(name).add(post(words(f"about {name}")))
    running.add_job("job", "https://t.me/news/1")
    eventually(lambda: len(running.links()) == 1, of=running.log)
    return running


def test_job_edited_by_hand_works_at_once_and_survives_the_next_change(stage: Stage) -> None:
    path = stage.data / "jobs.json"
    jobs = json.loads(path.read_text("utf-8"))
    jobs["job"]["telegramChannels"].append("https://t.me/sports/1")
    path.write_text(json.dumps(jobs), "utf-8")
    eventually(lambda: "https://t.me/sports/1" in stage.links(), of=stage.log)
    assert "Job changed in jobs.json" in stage.log()
    stage.call("PATCH", "/job", JOB_NAME="job", EMBED_COLOR="112233")
    kept = json.loads(path.read_text("utf-8"))["job"]
    assert kept["telegramChannels"] == ["https://t.me/news/1", "https://t.me/sports/1"]
    assert kept["embedColor"] == "112233"


def test_unusable_edit_shows_in_health_and_in_the_log_and_no_job_stops(stage: Stage) -> None:
    path = stage.data / "jobs.json"
    good = path.read_text("utf-8")
    path.write_text(good[:-10], "utf-8")
    health = eventually(lambda: (found := stage.health())["errors"] and found)
    assert health["status"] == "degraded"
    assert "jobs.json was changed by hand and is not used" in health["errors"][0]
    answer = stage.call("PATCH", "/job", JOB_NAME="job", EMBED_COLOR="112233")
    assert answer.status_code == 503
    assert path.read_text("utf-8") == good[:-10]
    stage.telegram.channel("news").add(post(words("still there")))
    eventually(lambda: len(stage.links()) == 2, of=stage.log)
    path.write_text(good, "utf-8")
    eventually(lambda: stage.health()["status"] == "healthy", of=stage.health)
