"""An hour of bad luck in minutes: `python -m tests.soak [--seconds N] [--seed N]` (`make soak`).

Posts appear in channels of several jobs while workers, fork server and service are killed, stopped and
restarted, and both stand-ins misbehave, at random. When the time is over the trouble ends, and everything
must have arrived once and in order. Prints the figures; exit code 1 if a post was lost, came out of order,
came again without having been in doubt, or if a process was left over.

Owns the trouble and the count. The stage is tests/integration/stage.py's.
"""

from __future__ import annotations

import argparse
import contextlib
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import psutil

from demo import discord_faults, media_markup
from demo.loopback import Fault
from demo.markup import post, words
from demo.telegram import BLOCK_PAGE, Channel
from tests.integration.stage import Stage, link_of, staged

CHANNELS = 6
POST_EVERY = 0.5
TROUBLE_EVERY = 2.0
SETTLE_WITHIN = 180.0
"""Seconds on average between two posts and two troubles, and at most until all has arrived."""

Arrival = tuple[str, int]


class Soak:
    """One run over a stage."""

    def __init__(self, stage: Stage, rng: random.Random) -> None:
        self._stage, self._rng = stage, rng
        self._channels = [stage.telegram.add_channel(f"soak_{n}") for n in range(CHANNELS)]
        self._rooms: list[str] = []
        self.done: Counter[str] = Counter()
        self.left_over = 0
        self._troubles: list[Callable[[], None]] = [
            self.kill_worker, self.kill_worker, self.stop_worker, self.kill_forkserver, self.kill_service,
            self.restart_service, self.telegram_fails, self.telegram_fails, self.discord_fails,
            self.discord_fails, self.discord_fails,
        ]  # fmt: skip

    def begin(self) -> None:
        """Start the service with a job for every two channels, each with a room of its own."""
        self._stage.start()
        for number in range(0, CHANNELS, 2):
            room = self._stage.discord.add_channel(f"room {number}")
            self._rooms.append(room)
            webhook = self._stage.discord.add_webhook(room)
            names = ",".join(f"{channel.name}/1" for channel in self._channels[number : number + 2])
            self._stage.add_job(f"job {number}", names, webhook)

    def run(self, seconds: float) -> None:
        end = time.monotonic() + seconds
        next_post = next_trouble = time.monotonic()
        while (now := time.monotonic()) < end:
            if now >= next_post:
                self._publish(self._rng.choice(self._channels))
                next_post = now + self._rng.expovariate(1 / POST_EVERY)
            if now >= next_trouble:
                trouble = self._rng.choice(self._troubles)
                trouble()
                self.done[trouble.__name__] += 1
                next_trouble = time.monotonic() + self._rng.expovariate(1 / TROUBLE_EVERY)
            time.sleep(0.05)

    def settle(self) -> None:
        """End all trouble and wait until everything has arrived, or time is up."""
        self._stage.telegram.faults.clear()
        self._stage.discord.faults.clear()
        end = time.monotonic() + SETTLE_WITHIN
        while self.lost() and time.monotonic() < end:
            time.sleep(0.5)

    def _publish(self, channel: Channel) -> None:
        number = (channel.numbers or [0])[-1] + 1
        pieces = [words(f"{channel.name} number {number}")]
        if self._rng.random() < 0.2:
            pieces.insert(0, media_markup.photo(f"sky-{number}-64x48.jpg"))
        channel.add(post(*pieces))

    # --- trouble ---

    def kill_worker(self) -> None:
        self._signal("soak_", signal.SIGKILL)

    def stop_worker(self) -> None:
        """Left to the monitor to find."""
        self._signal("soak_", signal.SIGSTOP)

    def kill_forkserver(self) -> None:
        self._signal("fork server", signal.SIGKILL)

    def _signal(self, title: str, number: signal.Signals) -> None:
        with contextlib.suppress(psutil.Error):
            found = [one for one in self._stage.processes() if title in self._stage.title(one)]
            if found:
                self._rng.choice(found).send_signal(number)

    def kill_service(self) -> None:
        self._end_service(signal.SIGKILL)

    def restart_service(self) -> None:
        self._end_service(signal.SIGTERM)

    def _end_service(self, number: signal.Signals) -> None:
        children = self._stage.processes()
        self._stage.stop(number)
        _, alive = psutil.wait_procs(children, 10)
        self.left_over += len(alive)
        self._stage.start()

    def telegram_fails(self) -> None:
        faults = [
            Fault.status(502), Fault.truncated(), Fault.reset_before(), Fault.hang(3), BLOCK_PAGE,
            Fault.status(429, retry_after=1),
        ]  # fmt: skip
        self._stage.telegram.fail(self._rng.choice(faults), times=self._rng.randint(1, 5))

    def discord_fails(self) -> None:
        faults = [
            discord_faults.server_error(500), discord_faults.server_error(502), Fault.reset_before(),
            Fault.reset_after(), Fault.hang(3), Fault.truncated(), Fault.garbled(),
            discord_faults.global_limit(1.0), discord_faults.cloudflare_page(1),
        ]  # fmt: skip
        self._stage.discord.fail(self._rng.choice(faults), times=self._rng.randint(1, 3))

    # --- the count ---

    def published(self) -> set[Arrival]:
        return {(channel.name, number) for channel in self._channels for number in channel.numbers}

    def arrived(self) -> list[Arrival]:
        links = [link_of(message) for room in self._rooms for message in self._stage.arrived(room)]
        return [(channel, int(number)) for *_, channel, number in (link.split("/") for link in links)]

    def lost(self) -> set[Arrival]:
        return self.published() - set(self.arrived())

    def repeated(self) -> int:
        arrived = self.arrived()
        return len(arrived) - len(set(arrived))

    def disordered(self) -> int:
        """Posts whose first arrival came behind that of a later one of the same channel."""
        firsts = list(dict.fromkeys(self.arrived()))
        return sum(
            earlier > later
            for channel in self._channels
            for earlier, later in pairwise([number for name, number in firsts if name == channel.name])
        )

    def in_doubt(self) -> int:
        """Messages the log says were sent again without knowing of the first."""
        return self._stage.log().count("it may appear twice")

    def restarts(self) -> int:
        """Workers the service replaced, as its log tells; those that began with a new service not counted."""
        log = self._stage.log()
        return sum(log.count(told) for told in ("; restarting ", "; replacing it"))

    def memory(self) -> float:
        """MB of the service and everything below it, shared pages counted once (PSS)."""
        service = psutil.Process(self._stage.pid)
        total = 0
        for process in [service, *self._stage.processes()]:
            with contextlib.suppress(psutil.Error):
                total += process.memory_full_info().pss
        return total / 2**20


def main() -> int:
    """Run, print, judge."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--seed", type=int, default=random.randrange(10**6))
    chosen = parser.parse_args()
    print(f"seed {chosen.seed}, {chosen.seconds:.0f} s", flush=True)
    # A worker's HTTP time-outs must stay below what counts as silence.
    with (
        tempfile.TemporaryDirectory() as folder,
        staged(Path(folder), LOG_STALE_AFTER="12", MONITOR_INTERVAL="2", LOG_MAX_MB="1000") as stage,
    ):
        soak = Soak(stage, random.Random(chosen.seed))
        soak.begin()
        time.sleep(3)
        memory = soak.memory()
        soak.run(chosen.seconds)
        soak.settle()
        return report(soak, memory)


def report(soak: Soak, memory: float) -> int:
    """Print the figures; the exit code they deserve."""
    lost, repeated, doubted, disordered = soak.lost(), soak.repeated(), soak.in_doubt(), soak.disordered()
    print(f"posts published      {len(soak.published())}")
    print(f"messages at Discord  {len(soak.arrived())}")
    print(f"lost                 {len(lost)} {sorted(lost)[:10] if lost else ''}")
    print(f"repeated             {repeated} (in doubt and said so: {doubted})")
    print(f"out of order         {disordered}")
    print(f"processes left over  {soak.left_over}")
    print(f"workers restarted    {soak.restarts()}")
    print(f"trouble              {dict(sorted(soak.done.items()))}")
    print(f"memory (PSS)         {memory:.0f} MB at the start, {soak.memory():.0f} MB at the end")
    return 1 if lost or disordered or soak.left_over or repeated > doubted else 0


if __name__ == "__main__":
    sys.exit(main())
