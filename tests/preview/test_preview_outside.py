"""Preview and explanation of posts, asked of the real service over both stand-ins."""

from __future__ import annotations

import signal
import socket
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import psutil
import pytest
import requests

from standins.loopback import Fault
from standins.stage import Stage, eventually, staged
from standins.telegram import media_markup as media
from standins.telegram.text_markup import post, words

MAKER = "disgram.preview.posts"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        add_channel(one)
        yield one


def add_channel(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news", "News")
    channel.add(post(words("one")))
    channel.add(post(media.album(*[media.Item(f"album-{n}-640x400.jpg") for n in range(2)])))
    channel.add(post(words("last")))


@pytest.fixture
def running(running: Stage) -> Stage:
    add_channel(running)
    return running


def makers(stage: Stage) -> list[psutil.Process]:
    return [process for process in stage.processes() if MAKER in Stage.title(process)]


def posts_in_ledger(stage: Stage) -> int:
    with closing(sqlite3.connect(stage.data / "disgram.db")) as database:
        count: int = database.execute("SELECT COUNT(*) FROM post_history").fetchone()[0]
    return count


def test_preview_shows_what_arrives_later_and_writes_nothing(stage: Stage) -> None:
    stage.start()
    answer = stage.call("GET", "/job/preview", TELEGRAM_CHANNELS="@News")
    posts = answer.json()["posts"]
    assert [one["url"] for one in posts] == [f"https://t.me/News/{n}" for n in (1, 2, 4)]
    assert [len(one["messages"][0]["files"]) for one in posts] == [0, 2, 0]
    assert stage.arrived() == []
    assert posts_in_ledger(stage) == 0
    assert not (stage.data / "layout").exists()

    stage.add_job("job", "News", EMBED_COLOR="89a7d9")
    eventually(lambda: len(stage.arrived()) == 3, of=stage.numbers)
    answer = stage.call("GET", "/job/preview", TELEGRAM_CHANNELS="News", JOB_NAME="job")
    shown = [one["messages"][0]["payload"]["embeds"][0] for one in answer.json()["posts"]]
    for embed, message in zip(shown, stage.arrived(), strict=True):
        assert (embed["color"], embed.get("description")) == (0x89A7D9, message.embeds[0].get("description"))


def test_sent_album_is_explained_by_its_second_post(running: Stage) -> None:
    running.add_job("job", "news")
    eventually(lambda: len(running.arrived()) == 3, of=running.numbers)
    eventually(lambda: running.call("GET", "/job/explain", JOB_NAME="job", POST_URL="t.me/news/4").ok)
    found = running.call("GET", "/job/explain", JOB_NAME="job", POST_URL="https://t.me/news/3").json()
    assert (found["url"], found["state"], found["attempts"], found["edits"]) == (
        "https://t.me/news/2", "sent", 1, 0,
    )  # fmt: skip
    assert found["first_seen_at"] <= found["messages"][0]["sent_at"]
    later = running.call("GET", "/job/explain", JOB_NAME="job", POST_URL="https://t.me/news/99").json()
    assert (later["state"], later["messages"]) == ("unknown", [])
    assert "posts up to 4 are dealt with" in later["note"]


def test_channel_nobody_has_is_a_404_with_the_reason(running: Stage) -> None:
    for channel, error, reason in (
        ("nobody_here", "Channel not found", "channel_not_found"),
        ("news/77", "Post not found", "no post 77"),
    ):
        answer = running.call("GET", "/job/preview", TELEGRAM_CHANNELS=channel)
        assert (answer.status_code, answer.json()["detail"]["error"]) == (404, error)
        assert reason in answer.json()["detail"]["message"]


def test_silent_telegram_keeps_no_service_from_stopping(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        stage.start(TELEGRAM_BASE_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
        asked = pool.submit(stage.call, "GET", "/job/preview", TELEGRAM_CHANNELS="news")
        (maker,) = eventually(lambda: makers(stage))
        began = time.monotonic()
        assert stage.call("GET", "/").ok
        assert time.monotonic() - began < 5
        assert stage.stop() == 0
        assert time.monotonic() - began < 15
        eventually(lambda: not maker.is_running())
        assert isinstance(asked.exception(), requests.ConnectionError) or asked.result().status_code >= 500


def test_preview_process_ends_with_a_killed_service(stage: Stage) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent, ThreadPoolExecutor(1) as pool:
        stage.start(TELEGRAM_BASE_URL=f"http://127.0.0.1:{silent.getsockname()[1]}")
        pool.submit(stage.call, "GET", "/job/preview", TELEGRAM_CHANNELS="news")
        silent.settimeout(20)
        with silent.accept()[0]:
            (maker,) = makers(stage)
            stage.stop(signal.SIGKILL)
            eventually(lambda: not maker.is_running(), 10)


def test_preview_in_an_outage_of_telegram_is_a_503_with_the_cause(running: Stage) -> None:
    running.telegram.fail(Fault.status(502), times=None)
    answer = running.call("GET", "/job/preview", TELEGRAM_CHANNELS="news")
    assert answer.status_code == 503
    assert answer.json()["detail"] == {
        "error": "Preview unavailable",
        "message": "https://t.me/news: Telegram: 502 Bad Gateway (telegram_unavailable).",
    }
