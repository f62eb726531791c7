"""An hour of bad luck in minutes: `python -m tests.soak [--seconds N] [--seed N]` (`make soak`).

Posts appear in channels of several jobs while workers, fork server and service are killed, stopped and
restarted, and both stand-ins misbehave, at random. When the time is over the trouble ends, and everything
must have arrived once and in order. Prints the figures; exit code 1 if a post was lost, came out of order,
came again without having been in doubt, or if a process was left over.

Owns the trouble. The service and the count are those of standins/.
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
from pathlib import Path

import psutil

from standins.discord import faults as discord_faults
from standins.outcome import Outcome, outcome
from standins.stage import NeverHappened, Stage, eventually, staged
from standins.telegram import faults as telegram_faults
from standins.telegram import media_markup
from standins.telegram.server import Channel
from standins.telegram.text_markup import post, words

CHANNELS = 6
POST_EVERY = 0.5
TROUBLE_EVERY = 2.0
SETTLE_WITHIN = 180.0
"""Seconds on average between two posts and two troubles, and at most until all has arrived."""


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
            self.discord_fails, self.discord_fails, self.damage_limits,
        ]  # fmt: skip

    def begin(self) -> None:
        """Start the service with a job for every two channels, each with a room of its own."""
        self._stage.start()
        for number in range(0, CHANNELS, 2):
            room = self._stage.discord.add_channel(f"room {number}")
            self._rooms.append(room)
            names = ",".join(f"{channel.name}/1" for channel in self._channels[number : number + 2])
            self._stage.add_job(f"job {number}", names, self._stage.discord.add_webhook(room).url)

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
        with contextlib.suppress(NeverHappened):  # what is missing then is counted as lost
            eventually(lambda: not self.outcome().lost, SETTLE_WITHIN, every=0.5)

    def _publish(self, channel: Channel) -> None:
        number = (channel.numbers or [0])[-1] + 1
        pieces = [words(f"{channel.name} number {number}")]
        if self._rng.random() < 0.2:
            pieces.insert(0, media_markup.photo(f"sky-{number}.jpg"))
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
        fault = self._rng.choice(telegram_faults.every_fault())
        self._stage.telegram.fail(fault, times=self._rng.randint(1, 5))

    def discord_fails(self) -> None:
        fault = self._rng.choice(discord_faults.every_fault())
        self._stage.discord.fail(fault, times=self._rng.randint(1, 3))

    def damage_limits(self) -> None:
        """In the middle, as a disk does."""
        path = self._stage.data / "limits.db"
        with contextlib.suppress(OSError), path.open("r+b") as file:
            file.seek(path.stat().st_size // 8192 * 4096)
            file.write(b"\xa5" * 4096)

    # --- the count ---

    def outcome(self) -> Outcome:
        links = [link for room in self._rooms for link in self._stage.links(room)]
        published = {channel.name: channel.numbers for channel in self._channels}
        return outcome(links, published, self._stage.log())

    def restarts(self) -> int:
        """Workers the service replaced, as its log tells; those that began with a new service not counted."""
        log = self._stage.log()
        return sum(log.count(words) for words in ("; restarting ", "; replacing it"))

    def memory(self) -> float:
        """MB of the service and everything below it, shared pages counted once (PSS)."""
        total = 0
        for process in [psutil.Process(self._stage.pid), *self._stage.processes()]:
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
    outcome = soak.outcome()
    print(f"outcome              {outcome}")
    print(f"processes left over  {soak.left_over}")
    print(f"workers restarted    {soak.restarts()}")
    print(f"trouble              {dict(sorted(soak.done.items()))}")
    print(f"memory (PSS)         {memory:.0f} MB at the start, {soak.memory():.0f} MB at the end")
    return 0 if outcome.good and not soak.left_over else 1


if __name__ == "__main__":
    sys.exit(main())
