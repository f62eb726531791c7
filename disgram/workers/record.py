"""What the service knows of one worker: its life, its process, and what it reported of itself.

Owns the reading of a report's facts and the making of a WorkerStatus. Never acts on either.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from disgram.report import Level, Report
from disgram.workers import lifecycle
from disgram.workers.forkserver_client import WorkerProcess
from disgram.workers.spec import WorkerState, WorkerStatus


class WorkerRecord:
    """Facts outlive a restart; the reported reason does not. Changed by the supervisor's thread alone."""

    def __init__(self, worker: lifecycle.Worker) -> None:
        self._worker = worker
        self._status: WorkerStatus | None = None
        self._last_poll_at: datetime | None = None
        self._last_poll_ok: bool | None = None
        self._last_post_id: int | None = None
        self._gaps: tuple[tuple[int, int], ...] = ()
        self._layout_changed = 0
        self.reported: str | None = None
        self.process: WorkerProcess | None = None
        self.look = 0
        """The supervisor's look at the wanted jobs that started the process."""

    @property
    def worker(self) -> lifecycle.Worker:
        return self._worker

    @worker.setter
    def worker(self, worker: lifecycle.Worker) -> None:
        self._worker = worker
        self._status = None

    def began(self, process: WorkerProcess, look: int) -> None:
        """A new process has nothing said against it yet."""
        self.process = process
        self.look = look
        self.reported = None

    def take(self, facts: dict[str, Any], at: datetime) -> None:
        """Keep what a report says of its worker; what is not of the agreed kind is left alone."""
        self._status = None
        match facts:
            case {"reason": None | str() as reason}:
                self.reported = reason
        match facts:
            case {"polled": bool(polled)}:
                self._last_poll_at, self._last_poll_ok = at, polled
        match facts:
            case {"last_post_id": int(number)}:
                self._last_post_id = number
        match facts:
            case {"layout_changed": int(count)}:
                self._layout_changed = count
        match facts:
            case {"gaps": list(gaps)}:
                self._gaps = tuple(_pairs(gaps))

    @property
    def status(self) -> WorkerStatus:
        """Made once and kept until something changes."""
        pid = self.process.pid if self.process else None
        if self._status is None or self._status.pid != pid:
            self._status = self._made(pid)
        return self._status

    def _made(self, pid: int | None) -> WorkerStatus:
        worker = self._worker
        # A child can speak before its template has told its pid; a worker shown as running has one.
        nameless = worker.state is WorkerState.RUNNING and pid is None
        return WorkerStatus(
            job=worker.spec.job,
            channel=worker.spec.channel.name,
            script=worker.spec.script,
            pid=pid,
            state=WorkerState.STARTING if nameless else worker.state,
            reason=worker.reason or (self.reported if worker.live else None),
            restarts=max(0, worker.starts - 1),
            last_poll_at=self._last_poll_at,
            last_poll_ok=self._last_poll_ok,
            last_post_id=self._last_post_id,
            gaps=self._gaps,
            layout_changed=self._layout_changed,
            last_line_at=worker.heard_at,
            next_start_at=None if worker.live else worker.due_at,
        )


def _pairs(gaps: list[Any]) -> list[tuple[int, int]]:
    found = []
    for gap in gaps:
        match gap:
            case [int(first), int(last)]:
                found.append((first, last))
    return found


def decoded(line: bytes) -> Report:
    """Any line whatever; JSON nested beyond reason is no report of ours."""
    try:
        return Report.decode(line)
    except RecursionError:
        return Report(Level.ERROR, line[:300].decode("utf-8", "replace"))
