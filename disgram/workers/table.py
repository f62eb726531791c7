"""The workers that exist: records, processes, and the log pipes they are heard through.

Owns the carrying out of `lifecycle`'s steps and the taking in of what template and workers say. Never
decides what to do or when to look. For the supervisor's thread alone.
"""

from __future__ import annotations

import contextlib
import selectors
import signal
from collections.abc import Callable
from datetime import datetime, timezone
from functools import partial
from typing import Any

from disgram.report import Level, Report
from disgram.workers import lifecycle
from disgram.workers.forkserver_client import ForkServer, WorkerProcess
from disgram.workers.heartbeat import BEAT_EVERY
from disgram.workers.record import WorkerRecord, decoded
from disgram.workers.spec import WorkerSpec, WorkerState, WorkerStatus


class WorkerTable:
    """Registers what it listens to with `selector`; the event's `data` is what to call then.

    `changed`: something happened that `lifecycle.plan` should see. `stale_patience`: seconds for a silent
    worker to obey SIGTERM; one that hangs will not, so it gets no longer than a monitor's tick.
    """

    def __init__(
        self,
        forkserver: ForkServer,
        selector: selectors.BaseSelector,
        on_report: Callable[[WorkerSpec, Report], None],
        clock: Callable[[], float],
        beat_every: float = BEAT_EVERY,
        stale_patience: float = lifecycle.KILL_AFTER,
    ) -> None:
        self._stale_patience = stale_patience
        self._forkserver = forkserver
        self._template_watched = False
        self._selector = selector
        self._on_report = on_report
        self._clock = clock
        self._beat_every = beat_every
        self._records: dict[lifecycle.Key, WorkerRecord] = {}
        self._trouble: dict[str, str] = {}
        self.changed = False

    # --- what there is ---

    def workers(self) -> dict[lifecycle.Key, lifecycle.Worker]:
        """For the plan."""
        return {key: record.worker for key, record in self._records.items()}

    def processes(self) -> tuple[tuple[str, int], ...]:
        """Of each process that is not known to be gone: its job, and the look that started it."""
        live = (record for record in self._records.values() if record.process)
        return tuple((record.worker.spec.job, record.look) for record in live)

    def statuses(self) -> tuple[WorkerStatus, ...]:
        return tuple(record.status for record in self._records.values())

    def trouble(self, *more: str) -> tuple[str, ...]:
        """What stands in the service's own way."""
        return tuple(text for text in (*more, *self._trouble.values()) if text)

    # --- what happened ---

    def watch_template(self) -> None:
        """Listen to it, and for room in its socket while something waits to be sent."""
        if not self._forkserver.alive:
            return
        events = selectors.EVENT_READ | (selectors.EVENT_WRITE if self._forkserver.wants_to_send else 0)
        if self._template_watched:
            self._selector.modify(self._forkserver, events, self._on_template)
        else:
            self._selector.register(self._forkserver, events, self._on_template)
            self._template_watched = True

    def _on_template(self) -> None:
        self._forkserver.flush()
        for process in self._forkserver.receive():
            self._ended(self._records[process.spec.key], process)
        if not self._forkserver.alive:
            self._template_lost()

    def _template_lost(self) -> None:
        """The kernel has told its children to stop; without Linux, we do."""
        self._selector.unregister(self._forkserver)
        self._template_watched = False
        self.changed = True
        for record in self._records.values():
            if record.process and record.process.gone:
                self._ended(record, record.process)
            elif record.process and record.worker.state is not WorkerState.STOPPING:
                self._report(record, Level.ERROR, f"{self._forkserver.trouble}; this worker starts anew")
                self._stop(record, "forkserver_gone", self._clock())

    def _on_log(self, record: WorkerRecord, process: WorkerProcess) -> None:
        if record.process is not process:
            return  # another event of this turn told its end
        self._take(record, process.log.read())
        if process.log.at_end:
            self._selector.unregister(process.log)
        if process.gone:
            self._ended(record, process)

    def _take(self, record: WorkerRecord, lines: list[bytes]) -> None:
        if not lines:
            return
        record.worker = lifecycle.spoke(record.worker, self._clock())
        for line in lines:
            report = decoded(line)
            record.take(report.facts, datetime.now(timezone.utc))
            if report.level:
                self._report(record, report.level, report.text, report.facts)

    def _ended(self, record: WorkerRecord, process: WorkerProcess) -> None:
        if record.process is not process:
            return
        with contextlib.suppress(KeyError):  # its end was read before
            self._selector.unregister(process.log)
        self._take(record, process.log.last_words())
        record.process = None
        self.changed = True
        now, was_stopping = self._clock(), record.worker.state is WorkerState.STOPPING
        if process.failure:
            self._refused(record, process.failure, now)
            return
        record.worker = lifecycle.ended(record.worker, process.code, record.reported, now)
        if not was_stopping:
            pause = f"next start in {record.worker.due_at - now:.0f} s"
            self._report(record, Level.ERROR, f"worker {lifecycle.words_for_exit(process.code)}; {pause}")

    def _refused(self, record: WorkerRecord, why: str, now: float) -> None:
        spec = record.worker.spec
        record.worker = lifecycle.refused(record.worker, now)
        self._trouble["start"] = f"{spec.script} {spec.channel.name} cannot be started: {why}"

    def _report(
        self, record: WorkerRecord, level: Level, text: str, facts: dict[str, Any] | None = None
    ) -> None:
        try:
            self._on_report(record.worker.spec, Report(level, text, facts or {}))
            self._trouble.pop("log", None)
        except Exception as error:  # noqa: BLE001 - a full disk is its caller's trouble; workers go on
            self._trouble["log"] = f"the log: {error}"

    # --- what to do ---

    def act(self, step: lifecycle.Step, look: int, now: float) -> None:
        """Carry out one step of the plan that look number `look` made."""
        match step:
            case lifecycle.Start(spec):
                self._start(spec, look, now)
            case lifecycle.Stop(key, reason):
                self._stop(self._records[key], reason, now)
            case lifecycle.Kill(key):
                self._kill(self._records[key], now)
            case lifecycle.Forget(key):
                del self._records[key]
            case lifecycle.RestartAll():
                self.stop_all("stale", now)

    def stop_all(self, reason: str | None, now: float, job: str | None = None) -> None:
        """SIGTERM to whoever (of one job) has not had it; the wanted ones start again."""
        for record in self._records.values():
            live = record.worker.live and record.worker.state is not WorkerState.STOPPING
            if live and job in {None, record.worker.spec.job}:
                self._stop(record, reason, now)

    def kill_rest(self) -> None:
        """The end of all patience, perhaps with a template that no longer obeys."""
        for record in self._records.values():
            if record.process:
                self._forkserver.signal_directly(record.process, signal.SIGKILL)

    def revive(self, job: str, now: float) -> None:
        """Let the job's idle workers be due."""
        for record in self._records.values():
            if record.worker.spec.job == job:
                record.worker = lifecycle.revived(record.worker, now)

    def forgive(self, now: float) -> None:
        """The machine slept, or this process did: nobody's silence counts."""
        self._forkserver.forgive(now)
        for record in self._records.values():
            record.worker = lifecycle.forgiven(record.worker, now)

    def close(self) -> None:
        """At the end, when the template is closed."""
        for record in self._records.values():
            if record.process:
                record.process.log.close()
        self._records.clear()

    def _start(self, spec: WorkerSpec, look: int, now: float) -> None:
        record = self._records.setdefault(spec.key, WorkerRecord(lifecycle.wanted(spec, now)))
        if not self._forkserver.alive:
            return  # its time comes when there is one again
        record.worker = lifecycle.began(record.worker, spec, now)
        try:
            process = self._forkserver.start(spec, beat_every=self._beat_every)
        except OSError as error:
            self._refused(record, f"no log pipe: {error.strerror}", now)
            return
        record.began(process, look)
        self._trouble.pop("start", None)
        self._selector.register(process.log, selectors.EVENT_READ, partial(self._on_log, record, process))

    def _stop(self, record: WorkerRecord, reason: str | None, now: float) -> None:
        if not record.process:
            return
        patience = None
        if reason == "stale":
            patience = min(self._stale_patience, lifecycle.KILL_AFTER)
            silent = now - record.worker.heard_at
            self._report(record, Level.ERROR, f"no sign of life for {silent:.0f} s; this worker is replaced")
        self._forkserver.signal(record.process, signal.SIGTERM)
        record.worker = lifecycle.stopping(record.worker, reason, now, patience)

    def _kill(self, record: WorkerRecord, now: float) -> None:
        if record.process:
            self._forkserver.signal(record.process, signal.SIGKILL)
        record.worker = lifecycle.killed(record.worker, now)
