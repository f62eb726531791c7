"""The stage of the reference: its own worker, or its own service, over a stand-in.

Nothing of it is in this repository: its checkout is an argument, its packages are those of the checkout's
`.venv` (or of this interpreter). A worker is run as its service runs it, `python webhook.py CHANNEL URL COLOR
JOB`, in a folder of its own, with a log that says that every post was forwarded, so that its polls are quiet.
Owns the processes, their folders and their end. Never measures.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from bench.stage import StandIn
from bench.stand_in import NEWEST
from standins.stage import NeverHappened, eventually, free_port

_JOB = "job"
_COLOR = "89a7d9"
_WEBHOOK = "https://discord.com/api/webhooks/123456789012345678/" + "a" * 68
"""discord.py refuses one whose id or token is shorter."""


def log_of(megabytes: float, *channels: str) -> str:
    """What its log says once the channels' posts were forwarded, behind so much about another channel.

    A line about the same channel would cost it more: its pattern would match, and the number be compared.
    """
    line = (
        f"2026-09-01 12:00:00 [{_JOB}] Skipping already logged message: https://t.me/another_channel/1234\n"
    )
    found = "2026-09-01 12:00:00 [{}] New message found: https://t.me/{}/{}\n"
    said = [found.format(_JOB, channel, NEWEST) for channel in channels]
    return line * int(megabytes * 1024 * 1024 / len(line)) + "".join(said)


class Reference:
    """Its processes over a stand-in of their own."""

    def __init__(self, checkout: Path, folder: Path, longest_sleep: float) -> None:
        self.stand_in = StandIn()
        self._checkout, self._folder, self._longest_sleep = checkout.absolute(), folder, longest_sleep
        self._processes: dict[Path, subprocess.Popen[bytes]] = {}

    def start_worker(self, channel: str, log: str) -> int:
        """Its pid."""
        return self._start(channel, log, "webhook.py", channel, _WEBHOOK, _COLOR, _JOB)

    def start_service(self, channels: list[str]) -> int:
        """Its pid; the workers are its children."""
        job = {
            "jobName": _JOB,
            "webhookUrl": _WEBHOOK,
            "telegramChannels": [f"https://t.me/{channel}" for channel in channels],
            "threadId": None,
            "embedColor": _COLOR,
        }
        return self._start("service", log_of(0, *channels), "main.py", jobs=json.dumps({_JOB: job}))

    def _start(self, name: str, log: str, *command: str, jobs: str = "{}") -> int:
        folder = self._folder / name
        shutil.copytree(self._checkout, folder, ignore=shutil.ignore_patterns(".venv", ".git", "*.log"))
        (folder / "Disgram.log").write_text(log)
        (folder / "jobs.json").write_text(jobs)
        with (folder / "errors").open("w") as errors:
            process = subprocess.Popen(
                [self._python(), *command], cwd=folder, env=os.environ | self._env(),
                stdout=subprocess.DEVNULL, stderr=errors, start_new_session=True,
            )  # fmt: skip
        self._processes[folder] = process
        return process.pid

    def _python(self) -> Path:
        own = self._checkout / ".venv" / "bin" / "python"
        return own if own.exists() else Path(sys.executable)

    def _env(self) -> dict[str, str]:
        return {
            # Its service starts whatever `python` is found.
            "PATH": f"{self._python().parent}{os.pathsep}{os.environ['PATH']}",
            "PYTHONPATH": str(Path(__file__).parent / "redirect"),
            "PORT": str(free_port()),
            "BENCH_STAND_IN": self.stand_in.url,
            "BENCH_LONGEST_SLEEP": str(self._longest_sleep),
        }

    def await_polls(self, count: float, timeout: float = 60) -> None:
        """Return once so many pages were asked for. Raises NeverHappened, also when a process has ended."""
        eventually(lambda: self._polled(count), timeout)

    def _polled(self, count: float) -> bool:
        for folder, process in self._processes.items():
            if process.poll() is not None:
                *_, last = ["", *(folder / "errors").read_text().splitlines()]
                raise NeverHappened(f"the reference ended: {last}")
        return self.stand_in.counts()["pages"] >= count

    def await_quiet(self, count: float) -> None:
        """As await_polls, and nothing may have been posted: a poll that posts is not the one to measure."""
        self.await_polls(count, 120)
        if posted := self.stand_in.counts()["messages"]:
            raise NeverHappened(f"a quiet poll of the reference; it posted {posted:.0f} messages")

    def stop(self) -> None:
        """Each with all it started, also when it has ended itself."""
        for process in self._processes.values():
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        self.stand_in.close()


@contextmanager
def running(checkout: Path, *, longest_sleep: float) -> Iterator[Reference]:
    """Nothing of it runs yet; nothing is left afterwards."""
    with tempfile.TemporaryDirectory(prefix="disgram-bench-") as folder:
        reference = Reference(checkout, Path(folder), longest_sleep)
        try:
            yield reference
        finally:
            reference.stop()
