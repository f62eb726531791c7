"""A supervisor with real worker processes, for tests of supervision."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path

from disgram.report import Report
from disgram.workers import lifecycle
from disgram.workers.forkserver_process import ForkServerProcess
from disgram.workers.spec import WorkerSpec, WorkerState, WorkerStatus
from disgram.workers.supervisor import Supervisor
from tests.supervision.small_service import forkserver, spec_of


def eventually(predicate: Callable[[], object], timeout: float = 10.0) -> None:
    """Poll until it holds; fail if it does not in time."""
    deadline = time.monotonic() + timeout
    while not predicate():
        assert time.monotonic() < deadline, "still not so"
        time.sleep(0.01)


def is_gone(pid: int) -> bool:
    """No such process, or one that has ended and that nobody has reaped yet."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] in "ZX"
    except (FileNotFoundError, ProcessLookupError):
        return True


def stderr_of_this_process() -> str:
    """Which the fork server inherits, and which may be a pipe too."""
    return str(Path("/proc/self/fd/2").readlink())


REPORT_UP = ("hanging_", "obedient_", "silent_")
"""Workers that report "up" once a signal meets the behaviour they have in tests/integration/workers."""


class Supervised:
    """A supervisor, its desired workers, and every line they sent."""

    def __init__(self, data_dir: Path) -> None:
        self.data_dir = data_dir
        self.desired: dict[lifecycle.Key, WorkerSpec] = {}
        self.lines: list[tuple[str, Report]] = []
        self.log_error: Exception | None = None
        self.forkserver: ForkServerProcess = forkserver()
        self.supervisor = self.supervise(30.0, 360.0)

    def supervise(
        self,
        monitor_interval: float,
        stale_after: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> Supervisor:
        """The supervisor to use; not started yet."""
        self.supervisor = Supervisor(
            lambda: dict(self.desired),
            self._keep,
            self.forkserver,
            monitor_interval=monitor_interval,
            stale_after=stale_after,
            clock=clock,
        )
        return self.supervisor

    def _keep(self, spec: WorkerSpec, report: Report) -> None:
        if self.log_error:
            raise self.log_error
        self.lines.append((spec.channel.name, report))

    def add(self, *channels: str, job: str = "job", color: int | None = None) -> None:
        for channel in channels:
            spec = spec_of(self.data_dir, channel, job, color)
            self.desired[spec.key] = spec

    def run(self, *channels: str) -> list[WorkerStatus]:
        """`start`, and wait until the workers have begun to behave as they are called."""
        statuses = self.start(*channels)
        report_up = [channel for channel in channels if channel.startswith(REPORT_UP)]
        eventually(lambda: all("up" in self.texts(channel) for channel in report_up))
        return statuses

    def start(self, *channels: str) -> list[WorkerStatus]:
        """Start the supervisor with these workers, and wait for their first heartbeats."""
        self.add(*channels)
        self.supervisor.start()
        self.all_running()
        return [self.status(channel) for channel in channels]

    def all_running(self) -> None:
        eventually(lambda: self.running() == len(self.desired))

    def running(self) -> int:
        return sum(worker.state is WorkerState.RUNNING for worker in self.supervisor.snapshot().workers)

    def find(self, channel: str) -> WorkerStatus | None:
        return next((w for w in self.supervisor.snapshot().workers if w.channel == channel), None)

    def status(self, channel: str) -> WorkerStatus:
        status = self.find(channel)
        assert status
        return status

    def pid(self, channel: str) -> int:
        pid = self.status(channel).pid
        assert pid
        return pid

    def restarted(self, channel: str, old_pid: int) -> bool:
        status = self.find(channel)
        return bool(
            status
            and status.state is WorkerState.RUNNING
            and status.pid not in (None, old_pid)
            and is_gone(old_pid)
        )

    def alive(self) -> bool:
        """Whether the supervisor's thread runs."""
        return any(thread.name == "supervisor" for thread in threading.enumerate())

    def texts(self, channel: str) -> list[str]:
        return [report.text for name, report in self.lines if name == channel]
