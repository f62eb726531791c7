"""One worker's process as the service sees it: its pid, its log pipe and how it ended.

Owns what is known of one child, and signals sent to it without the fork server. Never starts one.
"""

from __future__ import annotations

import contextlib
import os

from disgram.workers.log_pipe import LogPipe
from disgram.workers.spec import WorkerSpec


class WorkerProcess:
    """`pid` is None until the fork server has answered; `failure` says why there is no process.

    `code` is the exit status as in subprocess (-9: SIGKILL). `orphaned`: its fork server has died.
    """

    def __init__(self, spec: WorkerSpec, log: LogPipe) -> None:
        self.spec = spec
        self.log = log
        self.pid: int | None = None
        self.code: int | None = None
        self.failure: str | None = None
        self.orphaned = False
        self.pending_signals: list[int] = []
        """Signals to send as soon as the pid is known."""

    @property
    def gone(self) -> bool:
        """The process has ended. Nobody can report an orphan's exit; the end of its pipe shows it."""
        return self.code is not None or self.failure is not None or (self.orphaned and self.log.at_end)

    def signal_directly(self, number: int) -> None:
        """Only while the pipe shows that the process lives: pids are reused."""
        if self.pid is not None and not self.log.hung_up():
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
