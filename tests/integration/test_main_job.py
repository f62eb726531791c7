"""The main job, end to end: posts arrive once, in order and complete, whatever is killed meanwhile."""

from __future__ import annotations

import json
import os
import signal
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from demo.posts import KINDS
from standins.loopback import Fault
from standins.stage import Stage, eventually, staged
from standins.telegram.server import Channel
from standins.telegram.text_markup import post, service, words


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    with staged(tmp_path, per_webhook=(10, 1.0)) as one:
        yield one


@pytest.fixture(scope="module")
def service_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("service"), per_webhook=(10, 1.0)) as one:
        one.start()
        yield one


def fill(channel: Channel, count: int, *, first: int = 0) -> list[int]:
    """Posts of every kind in turn but those that are not forwarded; their numbers."""
    kinds = [kind for kind in KINDS if "service" not in kind.name]
    numbers: list[int] = []
    for index in range(first, first + count):
        last = numbers[-1] if numbers else 1
        numbers.append(channel.add(kinds[index % len(kinds)].make(index + 1, last)))
    return numbers


def by_channel(stage: Stage, room: str) -> dict[str, list[int]]:
    """Post numbers per Telegram channel, in order of arrival; further parts of a post are not counted."""
    found: dict[str, list[int]] = defaultdict(list)
    for link in stage.links(room):
        *_, channel, number = link.split("/")
        if found[channel][-1:] != [int(number)]:
            found[channel].append(int(number))
    return found


def test_a_hundred_posts_over_two_jobs_arrive_once_and_in_order(running: Stage) -> None:
    channels = [running.telegram.add_channel(f"channel_{n}", f"Channel {n}") for n in range(5)]
    thread = running.discord.add_thread(running.room)
    other_room = running.discord.add_channel("other")
    other = running.discord.add_webhook(other_room)
    expected = {channel.name: fill(channel, 20, first=7 * n) for n, channel in enumerate(channels)}
    running.add_job("новости", "channel_0/1,t.me/channel_1/1,@CHANNEL_2/1", other.url)
    running.add_job("threaded", "https://t.me/s/channel_3/1,channel_4/1", DISCORD_THREAD_ID=thread)

    def arrived() -> dict[str, list[int]]:
        return {**by_channel(running, other_room), **by_channel(running, thread)}

    def lowered() -> dict[str, list[int]]:
        return {name.lower(): numbers for name, numbers in arrived().items()}

    eventually(lambda: lowered() == expected, 90, of=lowered)
    assert running.arrived(running.room) == []
    assert running.discord.violations == []
    assert running.discord.limited == []
    assert "Forwarded https://t.me/channel_0/" in running.log()


def test_a_killed_worker_and_a_killed_service_lose_and_repeat_nothing(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    expected = fill(channel, 30)
    stage.start()
    stage.add_job("job", "news/1")
    eventually(lambda: len(stage.arrived()) >= 4)
    stage.worker("news").kill()
    eventually(lambda: len(stage.arrived()) >= 12)
    left = stage.processes()
    os.kill(stage.pid, signal.SIGKILL)
    stage.stop()
    _, alive = psutil.wait_procs(left, 10)
    assert alive == []
    stage.start()
    eventually(lambda: by_channel(stage, stage.room).get("news") == expected, 60, of=stage.numbers)
    in_doubt = stage.log().count("may appear twice")
    repeats = len(stage.numbers()) - len(set(stage.numbers())) - _parts_beyond_the_first(stage)
    assert repeats <= in_doubt
    assert stage.stop() == 0


def _parts_beyond_the_first(stage: Stage) -> int:
    """Messages that continue the post of the message before them."""
    links = stage.links()
    texts = [str(message.embeds) for message in stage.arrived()]
    return sum(a == b and x != y for a, b, x, y in zip(links, links[1:], texts, texts[1:], strict=False))


def test_a_restart_forwards_all_posts_published_meanwhile(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    for number in range(1, 4):
        channel.add(post(words(f"old {number}")))
    stage.start()
    stage.add_job("job", "news")
    eventually(lambda: stage.numbers() == [1, 2, 3], of=stage.numbers)
    assert stage.stop() == 0
    for number in range(4, 54):
        channel.add(post(words(f"new {number}")))
    stage.start()
    eventually(lambda: stage.numbers() == list(range(1, 54)), 40, of=stage.numbers)


def test_a_channel_without_a_number_begins_with_its_newest_posts(tmp_path: Path) -> None:
    with staged(tmp_path, INITIAL_POSTS="3") as stage:
        channel = stage.telegram.add_channel("news")
        for number in range(1, 31):
            channel.add(post(words(f"post {number}")))
        channel.add(post(service("Channel photo updated")))
        stage.start()
        stage.add_job("job", "news")
        eventually(lambda: stage.numbers() == [28, 29, 30], of=stage.numbers)
        channel.add(post(words("and one more")))
        eventually(lambda: stage.numbers() == [28, 29, 30, 32], of=stage.numbers)
        assert "service message" in stage.log()


def test_a_failed_poll_loses_no_post_and_is_logged(running: Stage) -> None:
    channel = running.telegram.add_channel("news")
    channel.add(post(words("one")))
    running.add_job("job", "news/1")
    eventually(lambda: running.numbers() == [1])
    for fault in (Fault.truncated(), Fault.status(502), Fault.reset_before(), Fault.status(200, "blocked")):
        running.telegram.fail(fault)
    channel.add(post(words("two")))
    eventually(lambda: running.numbers() == [1, 2], of=running.numbers)
    assert "not understood" in running.log()


def test_a_dead_webhook_is_not_called_again_until_patch(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    fill(channel, 2)
    stage.start()
    stage.discord.delete_webhook(stage.webhook.id)
    stage.add_job("job", "news/1")

    def state() -> dict[str, object]:
        return stage.workers("job").get("news", {"state": None, "reason": None})

    eventually(lambda: state()["state"] == "failed" and state()["reason"] == "webhook_gone", of=state)
    called = len(stage.discord.requests)
    assert called == 1
    assert stage.health()["status"] == "unhealthy"
    stage.stop()
    stage.start()
    eventually(lambda: state()["state"] == "failed" and state()["reason"] == "webhook_gone", of=state)
    assert len(stage.discord.requests) == called
    fresh = stage.discord.add_webhook(stage.room)
    answer = stage.call("PATCH", "/job", JOB_NAME="job", DISCORD_WEBHOOK_URL=fresh.url)
    assert answer.status_code == 200
    eventually(lambda: len(set(stage.numbers())) == 2, of=stage.numbers)


def test_deleting_a_job_ends_its_processes_and_forgets_its_progress(running: Stage) -> None:
    channel = running.telegram.add_channel("news")
    channel.add(post(words("one")))
    running.add_job("job", "news")
    eventually(lambda: running.numbers() == [1])
    worker = running.worker("news")
    assert running.call("DELETE", "/job", JOB_NAME="job").status_code == 200
    assert not worker.is_running() or worker.status() == psutil.STATUS_ZOMBIE
    running.add_job("job", "news")
    eventually(lambda: running.numbers() == [1, 1], of=running.numbers)


def test_a_webhook_token_appears_in_no_log_answer_or_process_title(running: Stage) -> None:
    channel = running.telegram.add_channel("news")
    fill(channel, 3)
    running.add_job("job", "news/1")
    eventually(lambda: len(running.numbers()) >= 3)
    running.discord.delete_webhook(running.webhook.id)
    channel.add(post(words("to nowhere")))
    eventually(lambda: running.workers("job")["news"]["state"] == "failed")
    token = running.webhook.token
    shown = [running.log(), str(running.health()), str(running.health("job")), running.output.read_text()]
    shown += map(running.title, running.processes())
    assert not any(token in text for text in shown)


def test_jobs_and_progress_of_an_older_disgram_are_taken_over(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    for number in range(1, 6):
        channel.add(post(words(f"post {number}")))
    folder = stage.data
    (folder / "jobs.json").write_text(
        json.dumps(
            {
                "old": {
                    "jobName": "old",
                    "webhookUrl": stage.webhook.url,
                    "telegramChannels": ["https://t.me/news"],
                }
            }
        )
    )
    (folder / "Disgram.log").write_text("2026-01-01 00:00:00 [old] New message found: https://t.me/news/3\n")
    stage.start()
    eventually(lambda: stage.numbers() == [4, 5], of=stage.numbers)
