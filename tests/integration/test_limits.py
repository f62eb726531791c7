"""Limits of Discord and Telegram, seen from outside: none stops posts for long without a word in /health."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from standins.discord.faults import cloudflare_page, odd_limit, shared_limit
from standins.loopback import Fault
from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path) as one:
        add_channel(one)
        yield one


def add_channel(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    for number in range(1, 7):
        channel.add(post(words(f"post {number}")))


@pytest.fixture
def running(running: Stage) -> Stage:
    add_channel(running)
    return running


def shown(stage: Stage, reason: str) -> dict[str, Any]:
    """The worker's row in /health once it shows this reason with an end."""

    def row() -> dict[str, Any]:
        return stage.workers("job").get("news", {})

    eventually(lambda: row().get("reason") == reason and row()["until"], 15, of=stage.log)
    assert stage.health()["status"] != "healthy"
    return row()


def seconds_until(row: dict[str, Any]) -> float:
    return (datetime.fromisoformat(row["until"]) - datetime.now(timezone.utc)) / timedelta(seconds=1)


@pytest.mark.parametrize(
    ("limit", "reset_after"),
    [("0", "1"), ("-5", "1"), ("1000000000", "1"), ("5", "9000000"), ("nan", "inf"), ("5", "Wed, 21 Oct")],
)
def test_posts_arrive_in_spite_of_an_impossible_limit(running: Stage, limit: str, reset_after: str) -> None:
    running.discord.fail(odd_limit(limit, reset_after), path="/webhooks/", times=4)
    running.add_job("job", "news/1")
    eventually(lambda: running.numbers() == [1, 2, 3, 4, 5, 6], 20, of=running.log)
    assert running.workers("job")["news"]["restarts"] == 0


@pytest.mark.parametrize(
    ("fault", "reason", "longest"),
    [
        (shared_limit(9_000_000.0), "rate_limited", 1200),
        (cloudflare_page(1800), "blocked_by_cloudflare", 1800),
    ],
)
def test_long_wait_for_discord_is_named_with_its_end_also_after_a_restart(
    stage: Stage, fault: Fault, reason: str, longest: float
) -> None:
    stage.discord.fail(fault, path="/webhooks/", times=1)
    stage.start()
    stage.add_job("job", "news/1")
    assert longest - 60 < seconds_until(shown(stage, reason)) <= longest
    assert stage.stop() == 0
    stage.start()
    assert longest - 60 < seconds_until(shown(stage, reason)) <= longest
    assert stage.numbers() == []


def test_rest_that_telegram_asks_for_is_named_with_its_end_also_after_a_restart(stage: Stage) -> None:
    stage.telegram.fail(Fault.status(429, retry_after=1800))
    stage.start()
    stage.add_job("job", "news/1")
    assert 1700 < seconds_until(shown(stage, "telegram_unavailable")) <= 1800
    assert stage.stop() == 0
    stage.start()
    assert 1700 < seconds_until(shown(stage, "telegram_unavailable")) <= 1800


def test_limits_of_a_clock_that_began_anew_hold_back_no_post(stage: Stage) -> None:
    stage.start()
    stage.add_job("job", "news/1")
    eventually(lambda: len(stage.numbers()) == 6, 20, of=stage.log)
    assert stage.stop() == 0
    with sqlite3.connect(stage.data / "limits.db") as limits:
        limits.execute("UPDATE done SET at = at + 100000")
        limits.execute("UPDATE bucket SET reset_at = reset_at + 100000, remaining = 0")
        limits.execute("UPDATE pace SET next = next + 100000")
    limits.close()
    stage.telegram.channel("news").add(post(words("post 7")))
    stage.start()
    eventually(lambda: stage.numbers()[-1:] == [7], 20, of=stage.log)
