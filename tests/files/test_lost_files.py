"""Files of DATA_DIR that are removed or damaged while the service runs: nothing twice, lost or silent."""

from __future__ import annotations

import pytest

from standins.stage import Stage, eventually
from standins.telegram.server import Channel
from standins.telegram.text_markup import post, words


@pytest.fixture
def stage(running: Stage) -> Stage:
    """Each test leaves it healthy."""
    return running


@pytest.fixture
def news(stage: Stage, request: pytest.FixtureRequest) -> Channel:
    """One post was delivered, and its worker waits for the next. The job's name is the test's own: without
    its ledger, Disgram goes on after what the log says of that name."""
    channel = stage.telegram.add_channel("news")
    channel.add(post(words("first")))
    before = stage.log().count("[NEW_MESSAGE]")
    stage.add_job(request.node.name, "news/1")
    eventually(lambda: stage.log().count("[NEW_MESSAGE]") > before)
    return channel


def test_removed_ledger_stops_delivery_until_it_is_back_or_disgram_is_restarted(
    stage: Stage, news: Channel
) -> None:
    for path in stage.data.glob("disgram.db*"):
        path.unlink()
    news.add(post(words("second")))
    eventually(lambda: stage.health()["status"] == "unhealthy", of=stage.health)
    assert stage.health()["errors"][0].startswith("disgram.db was removed while Disgram runs.")
    stage.worker("news").kill()
    eventually(
        lambda: "The worker cannot work: disgram.db: the file was removed" in stage.log(), of=stage.log
    )
    assert not (stage.data / "disgram.db").exists()
    assert stage.log().count("disgram.db was removed while") == 1
    assert stage.numbers() == [1]
    assert stage.stop() == 0
    stage.start()
    eventually(lambda: stage.numbers() == [1, 2], of=stage.log)
    assert stage.health()["status"] == "healthy"


def test_folder_in_place_of_jobs_json_is_said_and_posts_go_on(stage: Stage, news: Channel) -> None:
    path = stage.data / "jobs.json"
    away = path.rename(stage.data / "away.json")
    path.mkdir()
    health = eventually(lambda: (found := stage.health())["errors"] and found)
    assert "jobs.json is a folder, and must be a file" in health["errors"][0]
    news.add(post(words("second")))
    eventually(lambda: stage.numbers() == [1, 2], of=stage.log)
    assert stage.log().count("jobs.json is a folder") == 1
    path.rmdir()
    away.rename(path)
    eventually(lambda: stage.health()["status"] == "healthy", of=stage.health)


def test_damaged_limits_are_made_anew_and_posts_go_on(stage: Stage, news: Channel) -> None:
    limits = stage.data / "limits.db"
    for name in ("limits.db", "limits.db-wal"):
        limits.with_name(name).write_bytes(b"\xa5" * 8192)
    stage.worker("news").kill()
    news.add(post(words("second")))
    eventually(lambda: stage.numbers() == [1, 2], 30, of=stage.log)
    eventually(lambda: stage.health()["status"] == "healthy", of=stage.health)
    assert stage.log().count("It was renamed to limits.db.damaged and a new one is used.") == 1


def test_removed_limits_are_made_anew_and_posts_go_on(stage: Stage, news: Channel) -> None:
    for path in stage.data.glob("limits.db*"):
        path.unlink()
    eventually(lambda: "limits.db was removed. Now a new one is used." in stage.log(), of=stage.log)
    news.add(post(words("second")))
    eventually(lambda: stage.numbers() == [1, 2], 30, of=stage.log)
    eventually(lambda: stage.health()["status"] == "healthy", of=stage.health)
