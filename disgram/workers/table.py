"""The workers that exist: their records, processes and log pipes, and the fork server they come from.

Owns carrying out the steps of `lifecycle.plan`, and applying what the fork server and the workers send.
Never decides what to do or when. For the supervisor's thread alone.
"""

from __future__ import annotations

import contextlib
import selectors
import signal
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from functools import partial
from typing import Any

from disgram.report import Level, Report
from disgram.workers import lifecycle
from disgram.workers.forkserver_process import ForkServerProcess
from disgram.workers.forkserver_protocol import Event, Exited, Failed, ForkServerProtocol, Started
from disgram.workers.heartbeat import BEAT_EVERY
from disgram.workers.log_pipe import LogPipe
from disgram.workers.record import WorkerRecord, decoded
from disgram.workers.spec import WorkerSpec, WorkerState, WorkerStatus
from disgram.workers.worker_process import WorkerProcess

HUNG_AFTER = 30.0
"""Seconds without any answer after which a fork server counts as hung; importing takes one or two."""


class WorkerTable:
    """Registers what it reads from with `selector`; the event's `data` is the function to call.

    `changed`: something happened that `lifecycle.plan` should see. `stale_timeout`: seconds from SIGTERM to
    SIGKILL for a silent worker; one that hangs does not obey, so it gets no longer than a monitor's tick.
    """

    def __init__(
        self,
        forkserver: ForkServerProcess,
        selector: selectors.BaseSelector,
        on_report: Callable[[WorkerSpec, Report], None],
        clock: Callable[[], float],
        beat_every: float = BEAT_EVERY,
        stale_timeout: float = lifecycle.KILL_AFTER,
        on_facts: Callable[[str, Mapping[str, Any]], object] = lambda job, facts: None,
    ) -> None:
        self._forkserver = forkserver
        self._selector = selector
        self._on_report = on_report
        self._on_facts = on_facts
        self._clock = clock
        self._beat_every = beat_every
        self._stale_timeout = min(stale_timeout, lifecycle.KILL_AFTER)
        self._protocol: ForkServerProtocol | None = None
        self._records: dict[lifecycle.Key, WorkerRecord] = {}
        self._requested: dict[int, WorkerProcess] = {}
        self._children: dict[int, WorkerProcess] = {}
        self._errors: dict[str, str] = {}
        self.changed = False

    # --- what there is ---

    def workers(self) -> dict[lifecycle.Key, lifecycle.Worker]:
        """For the plan."""
        return {key: record.worker for key, record in self._records.items()}

    def processes(self) -> tuple[tuple[str, int], ...]:
        """Of each process that is not known to be gone: its job, and the generation that started it."""
        live = (record for record in self._records.values() if record.process)
        return tuple((record.worker.spec.job, record.generation) for record in live)

    def live(self) -> frozenset[lifecycle.Key]:
        """Whose process is not known to be gone."""
        return frozenset(key for key, record in self._records.items() if record.process)

    def statuses(self) -> tuple[WorkerStatus, ...]:
        return tuple(record.status for record in self._records.values())

    def errors(self) -> tuple[str, ...]:
        """What hinders the service itself, as /health shows it."""
        return tuple(text for text in (self._forkserver.error, *self._errors.values()) if text)

    # --- the fork server ---

    def ensure_forkserver(self, now: float) -> None:
        """Start it if it is due, kill it if it hangs; its socket then shows the end."""
        if self._protocol and self._protocol.unanswered_for(now) > HUNG_AFTER:
            self._forkserver.kill()
        if connection := self._forkserver.ensure_running(now):
            self._protocol = ForkServerProtocol(connection, self._clock)
            self._selector.register(self._protocol, selectors.EVENT_READ, self._on_forkserver)

    def watch_forkserver(self) -> None:
        """Listen also for room in its socket while something waits to be sent."""
        if self._protocol:
            write = selectors.EVENT_WRITE if self._protocol.wants_to_send else 0
            self._selector.modify(self._protocol, selectors.EVENT_READ | write, self._on_forkserver)

    def _on_forkserver(self) -> None:
        assert self._protocol  # noqa: S101 - registered only while there is one
        self._protocol.flush()
        for event in self._protocol.receive():
            self._forkserver.error = ""
            self._apply(event)
        if self._protocol.at_end:
            self._on_forkserver_exit()

    def _apply(self, event: Event) -> None:
        match event:
            case Started(request, pid):
                process = self._children[pid] = self._requested.pop(request)
                process.pid = pid
                for number in process.pending_signals:
                    self._signal(process, number)
            case Failed(request, error):
                process = self._requested.pop(request)
                process.failure = error
                self._on_exit(self._records[process.spec.key], process)
            case Exited(pid, code):
                process = self._children.pop(pid)
                process.code = code
                self._on_exit(self._records[process.spec.key], process)

    def _on_forkserver_exit(self) -> None:
        """The kernel has sent its children SIGTERM; on systems other than Linux, we do."""
        self._disconnect()
        self._forkserver.on_exit(self._clock())
        self.changed = True
        for record in self._records.values():
            if record.process and record.process.gone:
                self._on_exit(record, record.process)
            elif record.process and record.worker.state is not WorkerState.STOPPING:
                self._report(record, Level.ERROR, f"{self._forkserver.error}; restarting this worker")
                self._stop(record, "forkserver_gone", self._clock())

    def _disconnect(self) -> None:
        if self._protocol:
            self._selector.unregister(self._protocol)
            self._protocol.close()
            self._protocol = None
        for process in (*self._requested.values(), *self._children.values()):
            process.orphaned = True
        self._requested.clear()
        self._children.clear()

    # --- the workers ---

    def _on_log(self, record: WorkerRecord, process: WorkerProcess) -> None:
        if record.process is not process:
            return  # another event of this turn reported its exit
        self._on_lines(record, process.log.read())
        if process.log.at_end:
            self._selector.unregister(process.log)
        if process.gone:
            self._on_exit(record, process)

    def _on_lines(self, record: WorkerRecord, lines: list[bytes]) -> None:
        if not lines:
            return
        record.worker = lifecycle.on_line(record.worker, self._clock())
        for line in lines:
            report = decoded(line)
            record.update(report.facts, _utc_now())
            self._on_facts(record.worker.spec.job, report.facts)
            if report.level or "polled" in report.facts:
                self._report(record, report.level, report.text, report.facts)

    def _on_exit(self, record: WorkerRecord, process: WorkerProcess) -> None:
        if record.process is not process:
            return
        with contextlib.suppress(KeyError):  # its end was read before
            self._selector.unregister(process.log)
        self._on_lines(record, process.log.read_rest())
        record.process = None
        self.changed = True
        now, was_stopping = self._clock(), record.worker.state is WorkerState.STOPPING
        if process.failure:
            self._on_start_failed(record, process.failure, now)
            return
        record.worker = lifecycle.on_exit(record.worker, process.code, record.reported, now)
        record.note_trouble(_utc_now())
        record.told_to_stop = not was_stopping and lifecycle.told_to_stop(process.code)
        if not was_stopping and not record.told_to_stop:
            wait = record.worker.due_at - now
            text = f"Worker {lifecycle.describe_exit(process.code)}; restarting in {wait:.0f} s"
            self._report(record, Level.ERROR, text)

    def _on_start_failed(self, record: WorkerRecord, why: str, now: float) -> None:
        spec = record.worker.spec
        record.worker = lifecycle.on_start_failed(record.worker, now)
        record.note_trouble(_utc_now())
        self._errors["start"] = f"{spec.script} {spec.channel.name} cannot be started: {why}"

    def _report(
        self, record: WorkerRecord, level: Level | None, text: str, facts: dict[str, Any] | None = None
    ) -> None:
        try:
            self._on_report(record.worker.spec, Report(level, text, facts or {}))
            self._errors.pop("log", None)
        except Exception as error:  # noqa: BLE001 - a log that cannot be written must not stop the workers
            self._errors["log"] = f"The log cannot be written: {error}"

    # --- what to do ---

    def act(self, step: lifecycle.Step, generation: int, now: float) -> None:
        """Carry out one step of the plan made for `generation`."""
        match step:
            case lifecycle.Start(spec):
                self._start(spec, generation, now)
            case lifecycle.Stop(key, reason):
                self._stop(self._records[key], reason, now)
            case lifecycle.Kill(key):
                self._kill(self._records[key], now)
            case lifecycle.Forget(key):
                del self._records[key]
            case lifecycle.RestartAll():
                self.stop_all("stale", now)

    def stop_all(self, reason: str | None, now: float, job: str | None = None) -> None:
        """SIGTERM to every worker (of one job) that has not had it; those still desired start again."""
        for record in self._records.values():
            live = record.worker.live and record.worker.state is not WorkerState.STOPPING
            if live and job in {None, record.worker.spec.job}:
                self._stop(record, reason, now)

    def kill_all(self) -> None:
        """SIGKILL to whatever is left, also if the fork server no longer reads its socket."""
        for record in self._records.values():
            if record.process:
                record.process.signal_directly(signal.SIGKILL)

    def reset_backoff(self, job: str, now: float) -> None:
        """Start the job's idle workers at the next step."""
        for record in self._records.values():
            if record.worker.spec.job == job:
                record.worker = lifecycle.reset_backoff(record.worker, now)

    def reset_liveness(self, now: float) -> None:
        """The machine or this process slept, so no line and no answer could be read meanwhile."""
        if self._protocol:
            self._protocol.reset_wait(now)
        for record in self._records.values():
            record.worker = lifecycle.reset_liveness(record.worker, now)

    def close(self, timeout: float) -> None:
        """End the fork server, which stops its children; kill it after `timeout` seconds."""
        self._disconnect()
        self._forkserver.on_exit(self._clock(), timeout)
        for record in self._records.values():
            if record.process:
                record.process.log.close()
        self._records.clear()

    def _start(self, spec: WorkerSpec, generation: int, now: float) -> None:
        record = self._records.setdefault(spec.key, WorkerRecord(lifecycle.new_worker(spec, now)))
        if not self._protocol:
            return  # started once there is a fork server again
        if record.told_to_stop:  # said only now: pm2 and Ctrl+C tell workers and service at the same time
            record.told_to_stop = False
            self._report(record, Level.STATUS, "Worker was told to stop, not by Disgram; starting it again")
        record.worker = lifecycle.on_start(record.worker, spec, now)
        try:
            log = LogPipe()
        except OSError as error:
            self._on_start_failed(record, f"no log pipe: {error.strerror}", now)
            return
        process = WorkerProcess(spec, log)
        module = self._forkserver.module_of(spec)
        request = self._protocol.start(module, spec.to_wire(), log.writing, self._beat_every)
        self._requested[request] = process
        record.on_start(process, generation)
        self._errors.pop("start", None)
        self._selector.register(log, selectors.EVENT_READ, partial(self._on_log, record, process))

    def _stop(self, record: WorkerRecord, reason: str | None, now: float) -> None:
        if not record.process:
            return
        timeout = lifecycle.KILL_AFTER
        if reason == "stale":
            timeout = self._stale_timeout
            silent = now - record.worker.last_line_at
            self._report(record, Level.ERROR, f"Worker sent nothing for {silent:.0f} s; replacing it")
        self._signal(record.process, signal.SIGTERM)
        record.worker = lifecycle.on_stop(record.worker, reason, now, timeout)
        record.note_trouble(_utc_now())

    def _kill(self, record: WorkerRecord, now: float) -> None:
        if record.process:
            self._signal(record.process, signal.SIGKILL)
        record.worker = lifecycle.on_kill(record.worker, now)

    def _signal(self, process: WorkerProcess, number: int) -> None:
        """Through the fork server, which knows whether the pid is still that child's."""
        if process.orphaned or not self._protocol:
            process.signal_directly(number)
        elif process.pid is None:
            process.pending_signals.append(number)
        else:
            self._protocol.signal(process.pid, number)


def _utc_now() -> datetime:
    return datetime.now(timezone.utc)
