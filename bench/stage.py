"""The stage of a benchmark: `python -m bench.stand_in`, and the real service over it.

Owns the stand-in's process and the service's jobs. Never measures.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests

from bench.processes import children
from standins.stage import ROOT, Service, eventually


class StandIn:
    """A process that ends when its stdin does."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "bench.stand_in"],
            cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert self._process.stdout is not None  # noqa: S101
        self.host = f"127.0.0.1:{int(self._process.stdout.readline())}"
        self.url = f"http://{self.host}"

    def webhook(self, number: int = 1) -> str:
        return f"{self.url}/api/webhooks/{number}/a-token"

    def publish(self, count: int, kind: str) -> None:
        """So many posts more in every channel."""
        requests.post(f"{self.url}/publish?count={count}&kind={kind}", timeout=10)

    def counts(self) -> dict[str, float]:
        """`pages` and `messages` answered so far, and the `cpu` seconds that took."""
        counts: dict[str, float] = requests.get(f"{self.url}/", timeout=10).json()
        return counts

    def await_pages(self, count: float, timeout: float, *, every: float = 0.02) -> None:
        """Return once so many were asked for. Raises NeverHappened."""
        eventually(lambda: self.counts()["pages"] >= count, timeout, every=every, of=self.counts)

    def await_messages(self, count: float, timeout: float) -> None:
        """Return once so many have arrived. Raises NeverHappened."""
        eventually(lambda: self.counts()["messages"] >= count, timeout, every=0.1, of=self.counts)

    def close(self) -> None:
        self._process.communicate(timeout=10)


class Measured(Service):
    """The service over a stand-in, with as many channels as a benchmark wants."""

    def __init__(self, stand_in: StandIn, folder: Path, **env: str) -> None:
        self._stand_in = stand_in
        super().__init__(
            folder,
            telegram_url=stand_in.url,
            discord_host=stand_in.host,
            webhook_url=stand_in.webhook(999),
            env={"TELEGRAM_REQUESTS_PER_SECOND": "1000", "COOLDOWN": "3600", "INITIAL_POSTS": "0"} | env,
        )

    def start_with(self, channels: int) -> None:
        """Return once it answers; each job of fifty channels has a webhook of its own."""
        names = channel_names(channels)
        jobs = {
            f"job {number}": {
                "jobName": f"job {number}",
                "webhookUrl": self._stand_in.webhook(number + 1),
                "telegramChannels": [f"https://t.me/{name}" for name in names[start : start + 50]],
                "threadId": None,
                "embedColor": None,
            }
            for number, start in enumerate(range(0, channels, 50))
        }
        (self.data / "jobs.json").write_text(json.dumps(jobs))
        self.start()

    def worker_pids(self) -> list[int]:
        """The grandchildren: the process that forks stands between."""
        return [worker for parent in children(self.pid) for worker in children(parent)]


def channel_names(count: int) -> list[str]:
    return [f"channel_{number:04d}" for number in range(count)]


@contextmanager
def staged(**env: str) -> Iterator[tuple[StandIn, Measured]]:
    """A stand-in and a service that is yet to be started; both gone afterwards, the folder too."""
    stand_in = StandIn()
    try:
        with tempfile.TemporaryDirectory(prefix="disgram-bench-") as folder:
            service = Measured(stand_in, Path(folder), **env)
            try:
                yield stand_in, service
            finally:
                service.close()
    finally:
        stand_in.close()
