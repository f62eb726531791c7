"""The whole of Disgram on a stage: both stand-ins, and `python main.py` as its users start it.

Owns the service's process, its environment and its end. What is asserted is the tests' own business.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import requests

from standins.discord.messages import Message, Webhook
from standins.discord.rate_limits import Rates
from standins.discord.server import DiscordStandIn
from standins.telegram.server import TelegramStandIn

ROOT = Path(__file__).resolve().parents[2]
PASSWORD = "a-password-of-this-test"


def eventually(predicate: Callable[[], Any], timeout: float = 20.0, *, of: Callable[[], Any] = str) -> Any:
    """Wait until `predicate` is true and return its value; `of` says what was there when it never was."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        assert time.monotonic() < deadline, f"never became true; last seen: {of()}"
        time.sleep(0.05)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Stage:
    """One test's stage. `start` and `kill` the service as often as you like; what it wrote stays."""

    def __init__(self, folder: Path, telegram: TelegramStandIn, discord: DiscordStandIn, **env: str) -> None:
        self.folder = folder
        self.telegram = telegram
        self.discord = discord
        self.room = discord.add_channel("general")
        self.webhook: Webhook = discord.add_webhook(self.room)
        self.port = free_port()
        self.output = folder / "output.txt"
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            "AUTH_PASSWORD": PASSWORD,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(folder / "data"),
            "COOLDOWN": "0.5",
            "MONITOR_INTERVAL": "1",
            "TELEGRAM_BASE_URL": telegram.url,
            "TELEGRAM_REQUESTS_PER_SECOND": "100",
            "WEBHOOK_HOSTS": discord.host,
        } | env

    # the service -----------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def start(self, **env: str) -> Stage:
        """Return once /health answers."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                [sys.executable, "main.py"],
                cwd=ROOT,
                env=os.environ | self.environment | env,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        eventually(self._answers, of=self.output.read_text)
        return self

    def _answers(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.output.read_text()
        try:
            return requests.get(f"http://127.0.0.1:{self.port}/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code."""
        assert self._process is not None
        if self._process.poll() is None:
            self._process.send_signal(number)
        return self._process.wait(15)

    def processes(self) -> list[psutil.Process]:
        """The template and the workers."""
        return psutil.Process(self.pid).children(recursive=True)

    @staticmethod
    def title(process: psutil.Process) -> str:
        """As `ps` shows it; empty for one that has ended meanwhile."""
        try:
            return " ".join(process.cmdline()).strip()
        except psutil.NoSuchProcess:  # a zombie is one, too
            return ""

    def worker(self, channel: str) -> psutil.Process:
        """The process of a channel, once it is there."""

        def find() -> psutil.Process | None:
            status = self.health(self.job_of(channel))
            pids = [one["pid"] for one in status["workers"] if one["channel"].lower() == channel.lower()]
            return psutil.Process(pids[0]) if pids and pids[0] else None

        process = eventually(find)
        assert isinstance(process, psutil.Process)
        return process

    def job_of(self, channel: str) -> str:
        jobs: dict[str, dict[str, list[str]]] = self.call("GET", "/jobs").json()
        return next(
            name for name, job in jobs.items() if any(channel in at for at in job["telegramChannels"])
        )

    # its API ---------------------------------------------------------------------------------

    def call(self, method: str, path: str, **headers: str) -> requests.Response:
        """With the password."""
        sent: dict[str, str | bytes] = {name: value.encode() for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {PASSWORD}"
        return requests.request(method, f"http://127.0.0.1:{self.port}{path}", headers=sent, timeout=30)

    def add_job(self, name: str, channels: str, webhook: Webhook | None = None, **headers: str) -> None:
        answer = self.call(
            "POST", "/job", JOB_NAME=name, TELEGRAM_CHANNELS=channels,
            DISCORD_WEBHOOK_URL=(webhook or self.webhook).url, **headers,
        )  # fmt: skip
        assert answer.status_code == 201, answer.text

    def health(self, job: str = "") -> dict[str, Any]:
        headers = {"JOB_NAME": job} if job else {}
        found = self.call("GET", "/health", **headers).json()
        assert isinstance(found, dict)
        return found

    def workers(self, job: str) -> dict[str, dict[str, Any]]:
        return {one["channel"]: one for one in self.health(job)["workers"]}

    def log(self) -> str:
        return self.call("GET", "/logs?lines=100000").text

    # what arrived ----------------------------------------------------------------------------

    def arrived(self, room: str | None = None) -> list[Message]:
        return self.discord.messages(room or self.room)

    def numbers(self, room: str | None = None) -> list[int]:
        """The post numbers of the messages in a channel, in order of arrival."""
        return [int(link.rpartition("/")[2]) for link in map(link_of, self.arrived(room)) if link]


def link_of(message: Message) -> str:
    """The Telegram link a message carries."""
    embeds = json.loads(json.dumps(message.embeds))
    return next((embed["url"] for embed in embeds if "t.me/" in embed.get("url", "")), "")


@contextmanager
def staged(folder: Path, *, per_webhook: tuple[int, float] = (5, 2.0), **env: str) -> Iterator[Stage]:
    """A stage that is struck afterwards, and with it every process that was started on it.

    `per_webhook`: the limit Discord announces, as (requests, seconds).
    """
    (folder / "data").mkdir(exist_ok=True)
    with TelegramStandIn() as telegram, DiscordStandIn(rates=Rates(webhook=per_webhook)) as discord:
        stage = Stage(folder, telegram, discord, **env)
        try:
            yield stage
        finally:
            if stage._process is not None and stage._process.poll() is None:
                stage.stop()
