"""Delivery, measured: full speed, faults, edits, a dead webhook. `python -m bench.delivery [NAME …]`

The real service with real workers over the stand-ins, which enforce Discord's limits. Hours are compressed
where a line says so. Takes about six minutes in all; a name runs one scenario alone.
"""

from __future__ import annotations

import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import psutil

from standins.discord import faults as discord_faults
from standins.discord.rate_limits import Rates
from standins.outcome import outcome
from standins.stage import NeverHappened, Stage, eventually, link_of, staged
from standins.telegram import faults as telegram_faults
from standins.telegram.text_markup import post, words

CHANNELS = 8

Posts = dict[str, list[int]]
"""Their numbers by channel."""


def fill(stage: Stage, channels: int, posts: int) -> Posts:
    """Channels with posts of one message each."""
    made = {}
    for number in range(channels):
        channel = stage.telegram.add_channel(f"channel_{number}")
        made[channel.name] = [channel.add(post(words(f"post {n}"))) for n in range(posts)]
    return made


def add_job(stage: Stage, posts: Posts) -> None:
    stage.start()
    stage.add_job("bench", ",".join(f"{name}/1" for name in posts))


def run_through(stage: Stage, posts: Posts, within: float) -> float:
    """Start, wait until all is there; seconds from the first accepted message to the last."""
    add_job(stage, posts)
    count = sum(map(len, posts.values()))
    eventually(lambda: len(stage.arrived()) >= count, within, of=lambda: len(stage.arrived()))
    times = [request.time for request in stage.discord.requests if request.status == 200]
    return times[-1] - times[0]


def timed(stage: Stage, posts: Posts, ideal: float, within: float) -> str:
    """What a run needs beside the `ideal` number of seconds that the limits leave, and what became of it."""
    seconds = run_through(stage, posts, within)
    return (
        f"wall/ideal {seconds / ideal:.3f} ({seconds:.1f} s), 429s {len(stage.discord.limited)}; "
        f"{outcome(stage.links(), posts, stage.log())}"
    )


def unevenness(stage: Stage) -> float:
    """The largest share by which a channel was ahead of or behind its even part at half time."""
    links = stage.links()
    half = links[: len(links) // 2]
    counts = Counter(link.split("/")[3] for link in half)
    even = len(half) / CHANNELS
    return max(abs(counts[f"channel_{n}"] - even) / even for n in range(CHANNELS))


# --- scenarios ----------------------------------------------------------------------------------


def full_speed(stage: Stage) -> str:
    figures = timed(stage, fill(stage, CHANNELS, 40), (320 / 5 - 1) * 2.0, 240)
    return f"8 x 40 posts, 5 per 2 s: unevenness at half time {unevenness(stage):.0%}, {figures}"


def hidden_limit(stage: Stage) -> str:
    stage.discord.rates = Rates(channel=(30, 20.0))
    figures = timed(stage, fill(stage, CHANNELS, 15), 3 * 20.0 + (30 / 5 - 1) * 2.0, 200)
    return f"8 x 15 posts, hidden 30 per 20 s (for 60 s, compressed): {figures}"


def backlog(stage: Stage) -> str:
    stage.discord.rates = Rates(webhook=(20, 2.0))
    figures = timed(stage, fill(stage, 1, 200), (200 / 20 - 1) * 2.0, 120)
    return f"200 posts of backlog, 20 per 2 s (for 5, compressed): {figures}"


def day_of_faults(stage: Stage, *, seconds: float = 60.0, seed: int = 1) -> str:
    rng = random.Random(seed)  # noqa: S311
    posts, kills = fill(stage, CHANNELS, 2), Counter[str]()
    stage.discord.rates = Rates(webhook=(50, 1.0), everything=(100, 1.0))
    add_job(stage, posts)
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(rng.uniform(0.2, 0.6))  # the pace of the day, not a wait for anything
        channel = stage.telegram.channel(rng.choice(sorted(posts)))
        posts[channel.name].append(channel.add(post(words(f"at {time.monotonic():.1f}"))))
        stage.discord.fail(rng.choice(discord_faults.every_fault()))
        if rng.random() < 0.5:
            stage.telegram.fail(rng.choice(telegram_faults.every_fault()), path="/s/")
        if rng.random() < 0.12:
            kills[kill_something(stage, rng)] += 1
    stage.discord.faults.clear()
    stage.telegram.faults.clear()
    began = time.monotonic()
    with suppress(NeverHappened):  # what is missing then is counted as lost
        eventually(lambda: not outcome(stage.links(), posts, "").lost, 120)
    settled = time.monotonic() - began
    return (
        f"{seconds:.0f} s of faults, {kills['worker']} workers and {kills['service']} services killed: "
        f"{outcome(stage.links(), posts, stage.log())}; all there {settled:.1f} s after the last fault; "
        f"violations {len(stage.discord.violations)}"
    )


def kill_something(stage: Stage, rng: random.Random) -> str:
    """kill -9 a worker, or rarely the service, which is started again."""
    if rng.random() < 0.2:
        left = stage.processes()
        stage.stop(signal.SIGKILL)
        psutil.wait_procs(left, 10)
        stage.start()
        return "service"
    pids = [one["pid"] for one in stage.health("bench").get("workers", []) if one["pid"]]
    if pids:
        with suppress(psutil.NoSuchProcess):
            psutil.Process(rng.choice(pids)).kill()
    return "worker" if pids else "nobody"


def edits(stage: Stage) -> str:
    stage.discord.rates = Rates(webhook=(50, 1.0))
    posts = fill(stage, 2, 15)
    run_through(stage, posts, 60)
    asked, began = _pages(stage), time.monotonic()
    for name, numbers in posts.items():
        for number in numbers:
            count = 1200 if number % 3 else 4
            stage.telegram.channel(name).edit(number, post(words(f"edit {number} " + "word " * count)))
    with suppress(NeverHappened):
        eventually(lambda: _followed(stage) == 30, 60)
    return (
        f"30 edits across the split: {_followed(stage)} followed in {time.monotonic() - began:.1f} s, "
        f"{_pages(stage) - asked} pages read meanwhile, violations {len(stage.discord.violations)}"
    )


def _pages(stage: Stage) -> int:
    return sum(one.path.startswith("/s/") for one in stage.telegram.requests)


def _followed(stage: Stage) -> int:
    return len({link_of(message) for message in stage.arrived() if message.edits})


def dead_webhook(stage: Stage) -> str:
    posts = fill(stage, CHANNELS, 3)
    stage.discord.delete_webhook(stage.webhook.id)
    add_job(stage, posts)
    _await_failure(stage)
    first = len(stage.discord.requests)
    time.sleep(5)  # in which nothing is to happen
    stage.stop()
    stage.start()
    _await_failure(stage)
    time.sleep(2)
    return (
        f"dead webhook, 8 channels: {first} requests, {len(stage.discord.requests) - first} after a restart"
    )


def _await_failure(stage: Stage) -> None:
    eventually(lambda: {one["state"] for one in stage.workers("bench").values()} == {"failed"}, 30)


SCENARIOS: dict[str, Callable[[Stage], str]] = {
    scenario.__name__: scenario
    for scenario in (dead_webhook, backlog, edits, hidden_limit, day_of_faults, full_speed)
}


def main(names: list[str]) -> None:
    for name in names or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder, staged(Path(folder), REQUEST_TIMEOUT="1.5") as stage:
            try:
                print(f"{name:14} {SCENARIOS[name](stage)}", flush=True)
            except NeverHappened as problem:
                print(f"{name:14} gave up: {problem}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
