"""Delivery, measured: full speed, faults, edits, a dead webhook. `python -m bench.delivery [NAME …]`

The real service with real workers over the stand-ins, which enforce Discord's limits. Hours are
compressed where a line says so. Takes about six minutes in all; a name runs one scenario alone.
"""

from __future__ import annotations

import os
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

from bench.outcome import outcome
from standins.discord.faults import cloudflare_page, global_limit, server_error, shared_limit
from standins.discord.rate_limits import Rates
from standins.loopback import Fault
from standins.telegram.server import BLOCK_PAGE
from standins.telegram.text_markup import post, words
from tests.integration.stage import Stage, eventually, link_of, staged

CHANNELS = 8


def fill(stage: Stage, channels: int, posts: int) -> dict[str, list[int]]:
    """Channels with posts of one message each; their numbers by name."""
    made = {}
    for number in range(channels):
        channel = stage.telegram.add_channel(f"channel_{number}")
        made[channel.name] = [channel.add(post(words(f"post {n}"))) for n in range(posts)]
    return made


def limit(stage: Stage, rates: Rates) -> None:
    stage.discord._limiter.rates = rates


def links(stage: Stage) -> list[str]:
    return [link_of(message) for message in stage.arrived()]


def run_through(stage: Stage, posts: dict[str, list[int]], within: float) -> float:
    """Start, wait until all is there; seconds from the first accepted message to the last."""
    stage.start()
    stage.add_job("bench", ",".join(f"{name}/1" for name in posts))
    count = sum(map(len, posts.values()))
    eventually(lambda: len(stage.arrived()) >= count, within, of=lambda: str(len(stage.arrived())))
    times = [request.time for request in stage.discord.requests if request.status == 200]
    return times[-1] - times[0]


def fairness(stage: Stage) -> float:
    """The largest share by which a channel was ahead of or behind its even part at half time."""
    half = links(stage)[: len(stage.arrived()) // 2]
    counts = Counter(link.split("/")[3] for link in half)
    even = len(half) / CHANNELS
    return max(abs(counts[f"channel_{n}"] - even) / even for n in range(CHANNELS))


# --- scenarios ----------------------------------------------------------------------------------


def full_speed(stage: Stage) -> str:
    posts = fill(stage, CHANNELS, 40)
    wall = run_through(stage, posts, 240)
    ideal = (320 / 5 - 1) * 2.0
    return (
        f"8 x 40 posts, 5 per 2 s: wall/ideal {wall / ideal:.3f} ({wall:.1f} s), "
        f"429s {len(stage.discord.limited)}, unevenness at half time {fairness(stage):.0%}; "
        f"{outcome(links(stage), posts, stage.log())}"
    )


def hidden_limit(stage: Stage) -> str:
    limit(stage, Rates(channel=(30, 20.0)))
    posts = fill(stage, CHANNELS, 15)
    wall = run_through(stage, posts, 200)
    ideal = 3 * 20.0 + (30 / 5 - 1) * 2.0
    return (
        f"8 x 15 posts, hidden 30 per 20 s (for 60 s, compressed): wall/ideal {wall / ideal:.3f} "
        f"({wall:.1f} s), 429s {len(stage.discord.limited)}; {outcome(links(stage), posts, stage.log())}"
    )


def backlog(stage: Stage) -> str:
    limit(stage, Rates(webhook=(20, 2.0)))
    posts = fill(stage, 1, 200)
    wall = run_through(stage, posts, 120)
    ideal = (200 / 20 - 1) * 2.0
    return (
        f"200 posts of backlog, 20 per 2 s (for 5, compressed): wall/ideal {wall / ideal:.3f}, "
        f"429s {len(stage.discord.limited)}; {outcome(links(stage), posts, stage.log())}"
    )


DISCORD_FAULTS: tuple[Callable[[], Fault], ...] = (
    lambda: server_error(500),
    lambda: server_error(502),
    lambda: server_error(503),
    Fault.reset_before,
    Fault.reset_after,
    lambda: Fault.hang(3.0),
    lambda: Fault.truncated(0.3),
    Fault.garbled,
    lambda: cloudflare_page(1),
    lambda: global_limit(0.5),
    lambda: shared_limit(1.5),
)
TELEGRAM_FAULTS: tuple[Callable[[], Fault], ...] = (
    lambda: Fault.status(502),
    lambda: Fault.status(429, retry_after=1),
    Fault.reset_before,
    Fault.truncated,
    lambda: Fault.hang(3.0),
    lambda: BLOCK_PAGE,
)


def day_of_faults(stage: Stage, *, seconds: float = 60.0, seed: int = 1) -> str:
    rng = random.Random(seed)  # noqa: S311
    posts, kills = fill(stage, CHANNELS, 2), Counter[str]()
    limit(stage, Rates(webhook=(50, 1.0), everything=(100, 1.0)))
    stage.start()
    stage.add_job("bench", ",".join(f"{name}/1" for name in posts))
    ends = time.monotonic() + seconds
    while time.monotonic() < ends:
        time.sleep(rng.uniform(0.2, 0.6))  # the pace of the day, not a wait for anything
        channel = stage.telegram._channels[rng.choice(sorted(posts))]
        posts[channel.name].append(channel.add(post(words(f"at {time.monotonic():.1f}"))))
        stage.discord.fail(rng.choice(DISCORD_FAULTS)())
        if rng.random() < 0.5:
            stage.telegram.fail(rng.choice(TELEGRAM_FAULTS)(), path="/s/")
        if rng.random() < 0.12:
            kills[kill_something(stage, rng)] += 1
    stage.discord.faults.clear()
    stage.telegram.faults.clear()
    wanted = {f"https://t.me/{name}/{number}" for name, numbers in posts.items() for number in numbers}
    began = time.monotonic()
    with suppress(AssertionError):  # what is missing then is counted as lost
        eventually(lambda: wanted <= set(links(stage)), 120)
    settled = time.monotonic() - began
    return (
        f"{seconds:.0f} s of faults, {kills['worker']} workers and {kills['service']} services killed: "
        f"{outcome(links(stage), posts, stage.log())}; all there {settled:.1f} s after the last fault; "
        f"violations {len(stage.discord.violations)}"
    )


def kill_something(stage: Stage, rng: random.Random) -> str:
    """kill -9 a worker, or rarely the service, which is started again."""
    if rng.random() < 0.2:
        left = stage.processes()
        os.kill(stage.pid, signal.SIGKILL)
        stage.stop()
        psutil.wait_procs(left, 10)
        stage.start()
        return "service"
    workers = [one["pid"] for one in stage.health("bench").get("workers", []) if one["pid"]]
    if workers:
        with suppress(ProcessLookupError):
            os.kill(rng.choice(workers), signal.SIGKILL)
    return "worker" if workers else "nobody"


def edits(stage: Stage) -> str:
    limit(stage, Rates(webhook=(50, 1.0)))
    posts = fill(stage, 2, 15)
    run_through(stage, posts, 60)
    asked = len([one for one in stage.telegram.requests if one.path.startswith("/s/")])
    began = time.monotonic()
    for name, numbers in posts.items():
        for number in numbers:
            size = 6000 if number % 3 else 20
            stage.telegram._channels[name].edit(
                number, post(words(f"edit {number} " + "word " * (size // 5)))
            )

    def followed() -> bool:
        edited = {link_of(m) for m in stage.arrived() if m.edits}
        return len(edited) == 30

    with suppress(AssertionError):
        eventually(followed, 60)
    done = len({link_of(m) for m in stage.arrived() if m.edits})
    pages = len([one for one in stage.telegram.requests if one.path.startswith("/s/")]) - asked
    return (
        f"30 edits across the split: {done} followed in {time.monotonic() - began:.1f} s, "
        f"{pages} pages read meanwhile, violations {len(stage.discord.violations)}"
    )


def dead_webhook(stage: Stage) -> str:
    fill(stage, CHANNELS, 3)
    stage.start()
    stage.discord.delete_webhook(stage.webhook.id)
    stage.add_job("bench", ",".join(f"channel_{n}/1" for n in range(CHANNELS)))
    eventually(lambda: {one["state"] for one in stage.workers("bench").values()} == {"failed"}, 30)
    first = len(stage.discord.requests)
    time.sleep(5)  # in which nothing is to happen
    stage.stop()
    stage.start()
    eventually(lambda: {one["state"] for one in stage.workers("bench").values()} == {"failed"}, 30)
    time.sleep(2)
    return (
        f"dead webhook, 8 channels: {first} requests, {len(stage.discord.requests) - first} after a restart"
    )


SCENARIOS: dict[str, Callable[[Stage], str]] = {
    scenario.__name__: scenario
    for scenario in (dead_webhook, backlog, edits, hidden_limit, day_of_faults, full_speed)
}


def main(names: list[str]) -> None:
    for name in names or SCENARIOS:
        with tempfile.TemporaryDirectory() as folder, staged(Path(folder), REQUEST_TIMEOUT="1.5") as stage:
            print(f"{name:14} {SCENARIOS[name](stage)}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
