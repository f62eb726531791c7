"""What the service knows of one worker: its life, its process, and what it reported of itself.

Owns the reading of a report's facts and the making of a WorkerStatus. Never acts on either.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from disgram.report import Level, Report
from disgram.traffic import NO_TRAFFIC
from disgram.workers import lifecycle
from disgram.workers.spec import WorkerState, WorkerStatus
from disgram.workers.worker_process import WorkerProcess

_LONGEST_NAMED = 86_400.0
"""Seconds: no wait of a worker lasts a day."""


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
        self._cooldown: float | None = None
        self._idle_since = worker.due_at
        self._until: datetime | None = None
        self._trouble: tuple[str, datetime] | None = None
        self._settled = self._discord_asked = False
        self._traffic = NO_TRAFFIC
        self.reported: str | None = None
        self.process: WorkerProcess | None = None
        self.told_to_stop = False
        """Somebody else than the service told its last process to stop."""
        self.generation = 0
        """The generation of desired workers for which the process was started."""

    @property
    def worker(self) -> lifecycle.Worker:
        return self._worker

    @worker.setter
    def worker(self, worker: lifecycle.Worker) -> None:
        self._worker = worker
        self._status = None

    def on_start(self, process: WorkerProcess, generation: int) -> None:
        """A new process has not reported a reason yet. One that is not started because the last one failed
        gets its time for a first poll."""
        self.process = process
        self.generation = generation
        self.reported = self._until = None
        if not self._worker.failures:
            self._idle_since = self._worker.started_at

    def update(self, facts: dict[str, Any], at: datetime) -> None:
        """Keep what a report says of its worker; values of an unexpected type are ignored. The worker's
        `last_line_at` is the report's already."""
        self._status = None
        match facts:
            case {"reason": None | str() as reason}:
                self.reported, self._until = reason, _end(facts.get("lasts"), at)
                self._note(reason, at)
        match facts:
            case {"polled": bool(polled)}:
                self._last_poll_at, self._last_poll_ok = at, polled
                self._idle_since = self._worker.last_line_at
        match facts:
            case {"last_post_id": int(number)}:
                self._last_post_id = number
                self._idle_since = self._worker.last_line_at
        match facts:
            case {"cooldown": int() | float() as seconds}:
                self._cooldown = float(seconds)
        match facts:
            case {"layout_changed": int(count)}:
                self._layout_changed = count
        match facts:
            case {"gaps": list(gaps)}:
                self._gaps = tuple(_pairs(gaps))
        match facts:
            case {"discord_asked": True}:
                self._discord_asked = True
        self._traffic = self._traffic.updated(facts, at)

    def note_trouble(self, at: datetime) -> None:
        """Call once the process has ended or was stopped: its reason is trouble until a later one is well."""
        if self._worker.reason:
            self._note(self._worker.reason, at)

    def _note(self, reason: str | None, at: datetime) -> None:
        self._status, self._settled = None, True
        if reason is None:
            self._trouble = None
        elif self._trouble is None or self._trouble[0] != reason:
            self._trouble = reason, at

    @property
    def status(self) -> WorkerStatus:
        """Cached until something changes."""
        pid = self.process.pid if self.process else None
        if self._status is None or self._status.pid != pid:
            self._status = self._build_status(pid)
        return self._status

    def _build_status(self, pid: int | None) -> WorkerStatus:
        worker = self._worker
        # A child's first line can come before the fork server reports its pid; a running worker has one.
        without_pid = worker.state is WorkerState.RUNNING and pid is None
        return WorkerStatus(
            job=worker.spec.job,
            channel=worker.spec.channel.name,
            script=worker.spec.script,
            pid=pid,
            state=WorkerState.STARTING if without_pid else worker.state,
            reason=worker.reason or (self.reported if worker.live else None),
            restarts=max(0, worker.starts - 1),
            last_poll_at=self._last_poll_at,
            last_poll_ok=self._last_poll_ok,
            last_post_id=self._last_post_id,
            gaps=self._gaps,
            layout_changed=self._layout_changed,
            last_line_at=worker.last_line_at,
            next_start_at=None if worker.live else worker.due_at,
            idle_since=self._idle_since,
            cooldown=self._rests(),
            until=self._until if worker.live and not worker.reason else None,
            trouble=self._trouble[0] if self._trouble else None,
            since=self._trouble[1] if self._trouble else None,
            settled=self._settled,
            discord_asked=self._discord_asked,
            traffic=self._traffic,
        )

    def _rests(self) -> float:
        """Seconds between two polls: as the worker reported in a range, as long as that is the range."""
        settings = self._worker.spec.settings
        if settings.shortest_cooldown is None or self._cooldown is None:
            return settings.cooldown
        return min(settings.cooldown, max(settings.shortest_cooldown, self._cooldown))


def _end(seconds: object, now: datetime) -> datetime | None:
    match seconds:
        case int() | float() if 0 < seconds < _LONGEST_NAMED:
            return now + timedelta(seconds=seconds)
    return None


def _pairs(gaps: list[Any]) -> list[tuple[int, int]]:
    found = []
    for gap in gaps:
        match gap:
            case [int(first), int(last)]:
                found.append((first, last))
    return found


def decoded(line: bytes) -> Report:
    """Any line at all; JSON nested too deeply to be parsed is logged as text."""
    try:
        return Report.decode(line)
    except RecursionError:
        return Report(Level.ERROR, line[:300].decode("utf-8", "replace"))
