"""Upgrades as users do them: an older Disgram's jobs.json and Disgram.log, and no database."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words

OLD_LINE = "2026-01-01 00:00:00 [{}] New message found: https://t.me/news/{}\n"


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """A job `old` of an older Disgram, which has forwarded post 3 of 5."""
    with staged(tmp_path) as found:
        channel = found.telegram.add_channel("news")
        for number in range(1, 6):
            channel.add(post(words(f"post {number}")))
        job = {"jobName": "old", "webhookUrl": found.webhook.url, "telegramChannels": ["https://t.me/news"]}
        (found.data / "jobs.json").write_text(json.dumps({"old": job}))
        (found.data / "Disgram.log").write_text(OLD_LINE.format("old", 3))
        yield found


def test_an_import_that_was_cut_off_is_done_at_the_next_start(stage: Stage) -> None:
    (stage.data / "disgram.db").touch()
    stage.start()
    eventually(lambda: stage.numbers() == [4, 5], of=stage.numbers)


def test_a_job_created_after_an_upgrade_begins_where_it_says(stage: Stage) -> None:
    stage.start()
    eventually(lambda: stage.numbers() == [4, 5], of=stage.numbers)
    other = stage.discord.add_channel("other")
    stage.add_job("new", "https://t.me/news/2", stage.discord.add_webhook(other).url)
    eventually(lambda: stage.numbers(other) == [2, 3, 4, 5], of=lambda: stage.numbers(other))


def test_going_back_to_an_older_disgram_and_forward_again_repeats_nothing(stage: Stage) -> None:
    stage.start()
    eventually(lambda: "Forwarded https://t.me/news/5" in stage.log(), of=stage.log)
    stage.stop()
    channel = stage.telegram.channel("news")
    for number in range(6, 9):
        channel.add(post(words(f"post {number}")))
    with (stage.data / "Disgram.log").open("a") as log:
        log.write(OLD_LINE.format("old", 6) + OLD_LINE.format("old", 7))
    stage.start()
    eventually(lambda: stage.numbers() == [4, 5, 8], of=stage.numbers)
