"""A webhook that was deleted is found out within a day, also where nothing is posted."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from disgram.delivery.webhook_look import DAY, HOUR
from disgram.discord.responses import DiscordResponse
from disgram.errors import DiscordUnavailable, WebhookGone
from disgram.report import EXIT_OK, EXIT_PERMANENT
from tests.builders.delivery_fakes import Bench, refusal

GONE = replace(refusal(WebhookGone("404 Unknown Webhook (code 10015)")), code=10015)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 1)
    assert bench.poll() == EXIT_OK
    assert bench.discord.asked == ["POST"]
    return bench


def test_webhook_is_asked_for_once_a_day_whoever_restarts(bench: Bench) -> None:
    for _ in range(3):
        bench.clock.now += DAY / 3
        bench.again()
        assert bench.poll(2) == EXIT_OK
    assert bench.discord.asked == ["POST", "GET"]
    bench.clock.now += DAY
    assert bench.poll(2) == EXIT_OK
    assert bench.discord.asked == ["POST", "GET", "GET"]


def test_deleted_webhook_is_found_out_without_a_post(bench: Bench) -> None:
    bench.clock.now += DAY
    bench.discord.script = [GONE]
    assert bench.poll() == EXIT_PERMANENT
    assert bench.said.facts["reason"] == "webhook_gone"
    bench.clock.now += HOUR
    bench.again()
    assert bench.poll() == EXIT_OK
    assert bench.discord.asked == ["POST", "GET", "GET"]


@pytest.mark.parametrize(
    "answer", [refusal(WebhookGone("404 page not found")), refusal(DiscordUnavailable("503"))]
)
def test_answer_that_is_no_verdict_of_discords_ends_nothing(bench: Bench, answer: DiscordResponse) -> None:
    bench.clock.now += DAY
    bench.discord.script = [answer]
    assert bench.poll() == EXIT_OK
    assert bench.said.facts["reason"] is None


def test_discord_that_does_not_answer_is_asked_again_in_an_hour(bench: Bench) -> None:
    bench.clock.now += DAY
    bench.discord.script = [refusal(DiscordUnavailable("503"))]
    bench.poll(3)
    assert bench.discord.asked == ["POST", "GET"]
    bench.clock.now += HOUR
    bench.poll(3)
    assert bench.discord.asked == ["POST", "GET", "GET"]


def test_limit_that_leaves_no_room_delays_no_poll(bench: Bench) -> None:
    bench.clock.now += DAY
    bench.turns.full = True
    assert bench.poll() == EXIT_OK
    assert bench.discord.asked == ["POST"]


def test_of_all_workers_of_a_webhook_one_asks(tmp_path: Path) -> None:
    benches = [Bench(tmp_path, job=f"job {number}") for number in range(3)]
    for bench in benches:
        bench.telegram.fill(1, 1)
        bench.poll()
        bench.clock.now += DAY
    for bench in benches:
        assert bench.poll() == EXIT_OK
    assert sum(bench.discord.asked.count("GET") for bench in benches) == 1


def test_clock_that_was_set_back_asks_no_more_often(bench: Bench) -> None:
    bench.clock.now -= 10 * DAY
    assert bench.poll(3) == EXIT_OK
    assert bench.discord.asked.count("GET") <= 1
    bench.clock.now += DAY
    bench.poll(3)
    assert bench.discord.asked.count("GET") <= 2
