"""The stage of a benchmark: the stand-in, and `python main.py` as its users start it, in a folder of its own.

Owns both processes, their environment and their end. Never measures.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "only-for-benchmarks"  # noqa: S105 - of a service that lives for a minute, on loopback


class NeverHappened(Exception):
    """What a benchmark waited for did not come in time."""


def eventually(predicate: Callable[[], Any], timeout: float, *, every: float = 0.02) -> None:
    """Return once it is true. Raises NeverHappened."""
    deadline = time.monotonic() + timeout
    while not predicate():
        if time.monotonic() > deadline:
            raise NeverHappened(f"{predicate} within {timeout:.0f} s")
        time.sleep(every)


class StandIn:
    """`python -m bench.stand_in`, which ends when its stdin does."""

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

    def await_messages(self, count: float, timeout: float) -> None:
        """Return once so many have arrived. Raises NeverHappened."""
        eventually(lambda: self.counts()["messages"] >= count, timeout, every=0.1)

    def close(self) -> None:
        self._process.communicate(timeout=10)


class Service:
    """The real service over a stand-in."""

    def __init__(self, stand_in: StandIn, folder: Path, **env: str) -> None:
        self.folder = folder
        self.port = free_port()
        self._stand_in = stand_in
        self._env = {
            "AUTH_PASSWORD": PASSWORD,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(folder),
            "TELEGRAM_BASE_URL": stand_in.url,
            "TELEGRAM_REQUESTS_PER_SECOND": "1000",
            "WEBHOOK_HOSTS": stand_in.host,
            "COOLDOWN": "3600",
        } | env

    def start(self) -> None:
        """Return once it answers."""
        self._process = subprocess.Popen(
            [sys.executable, "main.py"], cwd=ROOT, env=os.environ | self._env, stdout=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
        eventually(self._answers, 30)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(20)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def write_jobs(self, channels: int, *, per_job: int = 50) -> None:
        """jobs.json for so many channels; each job has a webhook of its own."""
        names = channel_names(channels)
        jobs = {
            f"job {start // per_job}": {
                "jobName": f"job {start // per_job}",
                "webhookUrl": self._stand_in.webhook(start // per_job + 1),
                "telegramChannels": [f"https://t.me/{name}" for name in names[start : start + per_job]],
                "threadId": None,
                "embedColor": None,
            }
            for start in range(0, channels, per_job)
        }
        (self.folder / "jobs.json").write_text(json.dumps(jobs))

    def call(self, method: str, path: str, **headers: str) -> requests.Response:
        """With the password."""
        headers["Authorization"] = f"Bearer {PASSWORD}"
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=60)

    def add_job(self, name: str, channels: str) -> None:
        webhook = self._stand_in.webhook(999)
        answer = self.call(
            "POST", "/job", JOB_NAME=name, TELEGRAM_CHANNELS=channels, DISCORD_WEBHOOK_URL=webhook
        )
        answer.raise_for_status()

    def workers(self) -> list[int]:
        """Pids: the grandchildren, since the template's children are the workers."""
        return [worker for forkserver in children(self.pid) for worker in children(forkserver)]

    def _answers(self) -> bool:
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/", timeout=5).ok
        except requests.ConnectionError:
            return False


def channel_names(count: int) -> list[str]:
    return [f"channel_{number:04d}" for number in range(count)]


def children(pid: int) -> list[int]:
    """Of all threads of a process."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, listing.read_text().split())
    return found


@contextmanager
def staged(**env: str) -> Iterator[tuple[StandIn, Service]]:
    """A stand-in and a service that is yet to be started; both gone afterwards, the folder too."""
    stand_in = StandIn()
    try:
        with tempfile.TemporaryDirectory(prefix="disgram-bench-") as folder:
            service = Service(stand_in, Path(folder), **env)
            try:
                yield stand_in, service
            finally:
                if hasattr(service, "_process"):
                    service.stop()
    finally:
        stand_in.close()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
