"""`python main.py` as its users start it, over the stand-ins: for the tests, the benchmarks and the demo.

Owns the service's process, its environment and its end. Never judges what arrives.
"""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil
import requests

from standins.discord.messages import Message
from standins.discord.rate_limits import Rates
from standins.discord.server import DiscordStandIn
from standins.telegram.server import TelegramStandIn

ROOT = Path(__file__).resolve().parents[1]
PASSWORD = "only-for-services-on-loopback"


class NeverHappened(AssertionError):
    """What was waited for did not come in time."""


class ServiceDied(NeverHappened):
    """The service did not come up or did not do as asked; the message holds its last lines."""


def eventually(
    predicate: Callable[[], Any], timeout: float = 20.0, *, every: float = 0.05, of: Callable[[], Any] = str
) -> Any:
    """Wait until `predicate` is true and return its value. Raises NeverHappened with what `of` says then."""
    deadline = time.monotonic() + timeout
    while not (value := predicate()):
        if time.monotonic() > deadline:
            raise NeverHappened(f"not within {timeout:g} s; last seen: {of()}")
        time.sleep(every)
    return value


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Service:
    """The service in a folder of its own: `data` below it is what it keeps, `output` what it prints.

    `start` and `stop` it as often as you like; what it wrote stays. `webhook_url`: where jobs post to that
    name none.
    """

    def __init__(
        self,
        folder: Path,
        *,
        telegram_url: str,
        discord_host: str,
        env: Mapping[str, str],
        webhook_url: str = "",
        program: Sequence[str] = (sys.executable, "main.py"),
    ) -> None:
        self.folder, self.data, self.output = folder, folder / "data", folder / "output.txt"
        self.data.mkdir(exist_ok=True)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.webhook_url = webhook_url
        self._program = program
        self._process: subprocess.Popen[bytes] | None = None
        self.environment = {
            "AUTH_PASSWORD": PASSWORD,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(self.data),
            "TELEGRAM_BASE_URL": telegram_url,
            "WEBHOOK_HOSTS": discord_host,
            "PYTHONUNBUFFERED": "1",
            **env,
        }
        self.password = self.environment["AUTH_PASSWORD"]

    # the process -----------------------------------------------------------------------------

    def _started(self) -> subprocess.Popen[bytes]:
        if self._process is None:
            raise ServiceDied("The service was not started.")
        return self._process

    @property
    def pid(self) -> int:
        return self._started().pid

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self, **env: str) -> None:
        """Return once it answers. Raises ServiceDied with the reason."""
        with self.output.open("ab") as output:
            self._process = subprocess.Popen(
                self._program, cwd=ROOT, env=os.environ | self.environment | env, stdout=output,
                stderr=subprocess.STDOUT, start_new_session=True,
            )  # fmt: skip
        with suppress(NeverHappened):
            eventually(lambda: not self.running() or self._answers(), 30)
        if not self._answers():
            code = self._process.poll()
            state = "is silent" if code is None else f"ended with exit code {code}"
            raise ServiceDied(f"The service {state}. Its last lines:\n{self.last_lines()}")

    def _answers(self) -> bool:
        try:
            return requests.get(f"{self.url}/", timeout=5).ok
        except requests.ConnectionError:
            return False

    def last_lines(self) -> str:
        lines = self.output.read_text("utf-8", "replace").splitlines()[-20:]
        return "\n".join(f"  {line}" for line in lines) or "  (it said nothing)"

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send a signal and return the exit code; after 15 s all that it started is killed."""
        process = self._started()
        if process.poll() is None:
            process.send_signal(number)
        try:
            return process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            return process.wait()

    def close(self) -> None:
        """Stop it, if it runs, and leave nothing behind of what it started."""
        if self._process is not None:
            self.stop()
            with suppress(ProcessLookupError):  # nobody left, as it should be
                os.killpg(self.pid, signal.SIGKILL)

    def processes(self) -> list[psutil.Process]:
        """What the service started: the process that forks, and the workers."""
        return psutil.Process(self.pid).children(recursive=True)

    @staticmethod
    def title(process: psutil.Process) -> str:
        """As `ps` shows it; empty for one that has ended meanwhile."""
        try:
            return " ".join(process.cmdline()).strip()
        except psutil.NoSuchProcess:  # a zombie is one, too
            return ""

    # its API ---------------------------------------------------------------------------------

    def call(self, method: str, path: str, **headers: str) -> requests.Response:
        """With the password."""
        sent: dict[str, str | bytes] = {name: value.encode() for name, value in headers.items()}
        sent["Authorization"] = f"Bearer {self.password}"
        return requests.request(method, self.url + path, headers=sent, timeout=60)

    def add_job(self, name: str, channels: str, webhook_url: str = "", **headers: str) -> None:
        """POST /job. Raises ServiceDied if the service refuses."""
        headers |= {"TELEGRAM_CHANNELS": channels, "DISCORD_WEBHOOK_URL": webhook_url or self.webhook_url}
        answer = self.call("POST", "/job", JOB_NAME=name, **headers)
        if answer.status_code != 201:
            raise ServiceDied(f"POST /job was answered with {answer.status_code}: {answer.text}")

    def health(self, job: str = "") -> dict[str, Any]:
        found: dict[str, Any] = self.call("GET", "/health", **({"JOB_NAME": job} if job else {})).json()
        return found

    def workers(self, job: str) -> dict[str, dict[str, Any]]:
        """What /health says of a job's workers, by channel."""
        return {one["channel"]: one for one in self.health(job)["workers"]}

    def worker(self, channel: str) -> psutil.Process:
        """The process of a channel, once it is there."""
        jobs: dict[str, dict[str, list[str]]] = self.call("GET", "/jobs").json()
        job = next(name for name, job in jobs.items() if any(channel in at for at in job["telegramChannels"]))
        return psutil.Process(eventually(lambda: self.workers(job).get(channel, {}).get("pid")))

    def log(self) -> str:
        return self.call("GET", "/logs?lines=100000").text


class Stage(Service):
    """The service between both stand-ins, with a channel of Discord's, the `room`, and a webhook for it."""

    def __init__(self, folder: Path, telegram: TelegramStandIn, discord: DiscordStandIn, **env: str) -> None:
        self.telegram, self.discord = telegram, discord
        self.room = discord.add_channel("general")
        self.webhook = discord.add_webhook(self.room)
        quick = {"COOLDOWN": "0.5", "MONITOR_INTERVAL": "1", "TELEGRAM_REQUESTS_PER_SECOND": "100"}
        quick["WEBHOOK_CHECK"] = "false"  # else it meets the faults that are meant for messages
        super().__init__(
            folder, telegram_url=telegram.url, discord_host=discord.host, env=quick | env,
            webhook_url=self.webhook.url,
        )  # fmt: skip

    def clear(self) -> None:
        """For the next of those who share a running service: no job, no fault, an empty room of its own."""
        for name in self.call("GET", "/jobs").json():
            self.call("DELETE", "/job", JOB_NAME=name)
        for server in (self.telegram, self.discord):
            server.faults.clear()
        self.discord.violations.clear()
        self.discord.limited.clear()
        self.room = self.discord.add_channel("general")
        self.webhook = self.discord.add_webhook(self.room)
        self.webhook_url = self.webhook.url

    def arrived(self, room: str | None = None) -> list[Message]:
        """The messages of a channel of Discord's, in order of arrival."""
        return self.discord.messages(room or self.room)

    def links(self, room: str | None = None) -> list[str]:
        """The Telegram link of each of them; empty for one that carries none."""
        return list(map(link_of, self.arrived(room)))

    def numbers(self, room: str | None = None) -> list[int]:
        """The post numbers of the messages in a channel, in order of arrival."""
        return [int(link.rpartition("/")[2]) for link in self.links(room) if link]


def link_of(message: Message) -> str:
    """The Telegram link a message carries."""
    return next((embed["url"] for embed in message.embeds if "t.me/" in embed.get("url", "")), "")


@contextmanager
def staged(folder: Path, *, per_webhook: tuple[int, float] = (5, 2.0), **env: str) -> Iterator[Stage]:
    """A stage that is struck afterwards, and with it every process that was started on it.

    `per_webhook`: the limit Discord announces, as (requests, seconds).
    """
    with TelegramStandIn() as telegram, DiscordStandIn(rates=Rates(webhook=per_webhook)) as discord:
        stage = Stage(folder, telegram, discord, **env)
        try:
            yield stage
        finally:
            stage.close()
