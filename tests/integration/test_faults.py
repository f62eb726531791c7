"""Faults of Discord and Telegram, seen from outside: each post arrives, and requests stay few."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from standins.discord import faults as discord_faults
from standins.discord.faults import cloudflare_page, global_limit, server_error
from standins.discord.rate_limits import Rates
from standins.loopback import Fault
from standins.outcome import Outcome, outcome
from standins.stage import Stage, eventually, staged
from standins.telegram import faults as telegram_faults
from standins.telegram.server import Channel
from standins.telegram.text_markup import post, words


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path, per_webhook=(50, 1.0), REQUEST_TIMEOUT="0.7") as one:
        yield one


@pytest.fixture(scope="module")
def service_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("service"), per_webhook=(50, 1.0), REQUEST_TIMEOUT="0.7") as one:
        one.start()
        yield one


def fill(channel: Channel, count: int) -> list[int]:
    return [channel.add(post(words(f"post {number}"))) for number in range(count)]


def judged(stage: Stage, expected: dict[str, list[int]]) -> Outcome:
    return outcome(stage.links(), expected, stage.log())


def reason(stage: Stage, channel: str = "news") -> object:
    return stage.workers("job")[channel]["reason"]


def all_there(stage: Stage, expected: dict[str, list[int]], timeout: float = 30.0) -> Outcome:
    """Wait for the last post, and check what no fault may break."""
    count = sum(map(len, expected.values()))
    eventually(lambda: len(set(stage.links())) >= count, timeout, of=stage.log)
    assert stage.discord.violations == []
    result = judged(stage, expected)
    assert result.good, str(result)
    return result


def test_posts_arrive_through_every_fault_of_discord(stage: Stage) -> None:
    expected = {"news": fill(stage.telegram.add_channel("news"), 12)}
    stage.start()
    for fault in discord_faults.every_fault(hang=1.5):
        stage.discord.fail(fault)
        stage.discord.fail(Fault(accepted=True))
    stage.add_job("job", "news/1")
    result = all_there(stage, expected)
    assert 1 <= result.repeated <= stage.log().count("may appear twice")
    eventually(lambda: reason(stage) is None)


def test_posts_arrive_once_through_every_fault_of_telegram(running: Stage) -> None:
    expected = {"news": fill(running.telegram.add_channel("news"), 45)}
    for fault in telegram_faults.every_fault(hang=1.5):
        running.telegram.fail(fault, path="/s/")
        running.telegram.fail(Fault(accepted=True), path="/s/")
    running.add_job("job", "news/1")
    assert all_there(running, expected).repeated == 0
    assert running.discord.limited == []


def test_while_discord_is_down_requests_are_few_and_health_says_so(stage: Stage) -> None:
    channels = {f"news_{n}": stage.telegram.add_channel(f"news_{n}") for n in range(4)}
    expected = {name: fill(channel, 3) for name, channel in channels.items()}
    stage.discord.fail(server_error(503), times=None)
    stage.start(COOLDOWN="2")
    stage.add_job("job", ",".join(f"{name}/1" for name in channels))
    eventually(lambda: {reason(stage, name) for name in channels} == {"discord_unavailable"})
    assert not stage.health()["external_services"]["discord_reachable"]
    eventually(lambda: time.monotonic() - stage.discord.requests[0].time > 4)
    began = stage.discord.requests[0].time
    assert sum(request.time < began + 4 for request in stage.discord.requests) <= 4 * 4
    stage.discord.faults.clear()
    assert all_there(stage, expected, 10).repeated == 0  # within a cooldown, and the limit's time
    eventually(lambda: {reason(stage, name) for name in channels} == {None})


def test_a_cloudflare_block_stops_all_workers_and_one_tries_again(stage: Stage) -> None:
    expected = {f"news_{n}": fill(stage.telegram.add_channel(f"news_{n}"), 2) for n in range(4)}
    stage.start()
    stage.discord.fail(cloudflare_page(3))
    stage.add_job("job", ",".join(f"{name}/1" for name in expected))
    all_there(stage, expected)
    refused, first_probe = stage.discord.requests[0], stage.discord.requests[1]
    assert refused.status == 429
    assert first_probe.time - refused.time >= 2.9
    assert stage.discord.count(429) == 1


def test_a_429_of_telegram_makes_all_workers_wait(stage: Stage) -> None:
    names = [f"news_{n}" for n in range(3)]
    for name in names:
        fill(stage.telegram.add_channel(name), 1)
    stage.start(COOLDOWN="0.2")
    stage.add_job("job", ",".join(names))
    eventually(lambda: len(stage.arrived()) == 3)
    stage.telegram.fail(Fault.status(429, retry_after=2), path="/s/")
    eventually(lambda: any(request.status == 429 for request in stage.telegram.requests))
    limited = next(request.time for request in stage.telegram.requests if request.status == 429)
    eventually(lambda: stage.telegram.requests[-1].time > limited + 2)
    during = [one for one in stage.telegram.requests if limited + 0.3 < one.time < limited + 1.9]
    assert during == []


def test_kills_lose_no_post_and_each_repeat_was_announced_in_the_log(stage: Stage) -> None:
    stage.discord.rates = Rates(webhook=(5, 0.5))
    names = [f"news_{n}" for n in range(3)]
    expected = {name: fill(stage.telegram.add_channel(name), 12) for name in names}
    stage.start()
    stage.add_job("job", ",".join(f"{name}/1" for name in names))
    for number in range(3):
        eventually(lambda n=number: len(stage.arrived()) >= 5 * (n + 1))  # type: ignore[misc]
        stage.worker(names[number % 3]).kill()
    left = stage.processes()
    os.kill(stage.pid, signal.SIGKILL)
    stage.stop()
    assert psutil.wait_procs(left, 10)[1] == []
    stage.start()
    all_there(stage, expected, 40)
    assert stage.discord.limited == []


def test_eight_workers_call_a_dead_webhook_once(stage: Stage) -> None:
    names = [f"news_{n}" for n in range(8)]
    for name in names:
        fill(stage.telegram.add_channel(name), 2)
    stage.discord.delete_webhook(stage.webhook.id)
    stage.start()
    stage.add_job("job", ",".join(f"{name}/1" for name in names))

    def states() -> set[tuple[object, object]]:
        return {(one["state"], one["reason"]) for one in stage.workers("job").values()}

    eventually(lambda: states() == {("failed", "webhook_gone")}, of=states)
    assert stage.stop() == 0
    stage.start()
    eventually(lambda: states() == {("failed", "webhook_gone")}, of=states)
    assert len(stage.discord.requests) == 1


def test_a_thread_that_is_gone_ends_only_the_job_that_uses_it(running: Stage) -> None:
    fill(running.telegram.add_channel("news"), 2)
    thread = running.discord.add_thread(running.room)
    running.discord.delete_channel(thread)
    running.add_job("threaded", "news/1", DISCORD_THREAD_ID=thread)
    running.add_job("job", "news/1")
    eventually(lambda: running.workers("threaded")["news"]["reason"] == "thread_gone")
    eventually(lambda: running.numbers() == [1, 2])


def test_two_jobs_with_the_same_webhook_and_channel_both_forward(running: Stage) -> None:
    fill(running.telegram.add_channel("news"), 5)
    running.add_job("one", "news/1")
    running.add_job("two", "news/1")
    eventually(lambda: sorted(running.numbers()) == sorted([*range(1, 6)] * 2), of=running.numbers)
    assert running.discord.limited == []


@pytest.mark.parametrize("fault", [cloudflare_page(300), global_limit(300), server_error(503)])
def test_sigterm_does_not_wait_for_discord(stage: Stage, fault: Fault) -> None:
    fill(stage.telegram.add_channel("news"), 2)
    stage.discord.fail(fault, times=None)
    stage.start(COOLDOWN="300")
    stage.add_job("job", "news/1")
    eventually(lambda: stage.discord.requests)
    assert stage.stop() == 0
    log = (stage.data / "Disgram.log").read_text()
    assert "SIGALRM" not in log  # the last resort for workers that do not hear
    assert "SIGKILL" not in log
