"""GET /metrics of a real service whose workers forward posts."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words
from tests.metrics.scrapes import Scrape

LONG_AGO = datetime(2026, 1, 1, tzinfo=timezone.utc)
NEWS = {"disgram_job": "news job", "channel": "news"}


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        yield one


def scraped(stage: Stage) -> Scrape:
    return Scrape(stage.call("GET", "/metrics").content.decode("utf-8"))


def sent(stage: Stage) -> float | None:
    return scraped(stage).value("disgram_posts_total", disgram_job="news job", result="sent")


def test_counts_of_a_killed_worker_are_kept_and_go_on(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    for number in range(3):
        channel.add(post(words(f"post {number}"), date=LONG_AGO))
    stage.start()
    stage.add_job("news job", "news/1")
    eventually(lambda: sent(stage) == 3, 60, of=lambda: sent(stage))
    before = scraped(stage)
    requests = before.value("disgram_discord_requests_total", status="200", scope="none")
    pages = before.value("disgram_telegram_requests_total", outcome="ok")
    assert requests is not None
    assert requests >= 3
    assert pages is not None
    assert pages >= 1
    assert before.value("disgram_worker_restarts_total", **NEWS) == 0
    last_post = before.value("disgram_channel_last_post_timestamp_seconds", **NEWS)
    assert last_post is not None

    stage.worker("news").kill()
    channel.add(post(words("after the restart")))
    eventually(lambda: sent(stage) == 4, 60, of=lambda: sent(stage))
    after = scraped(stage)
    assert after.value("disgram_worker_restarts_total", **NEWS) == 1
    assert (after.value("disgram_telegram_requests_total", outcome="ok") or 0) > pages
    assert (after.value("disgram_channel_last_post_timestamp_seconds", **NEWS) or 0) > last_post
    assert after.value("disgram_delivery_seconds_count") == 1, "the other posts are older than the job"
    assert after.value("disgram_workers", state="running") == 1
