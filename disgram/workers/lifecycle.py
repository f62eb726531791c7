"""The state machine of a worker: what runs, what should run, and so what to do now.

Owns the states' transitions, the backoff, and the rules for silent, changed and no longer desired workers.
Never reads a clock, a process or a line: `now` is an argument (monotonic seconds), and each event of a
process is a function (`on_start`, `on_line`, `on_stop`, `on_exit`, `on_start_failed`).

    backoff, failed --start--> starting --first line--> running
    starting, running --stop--> stopping
    starting, running, stopping --exit--> backoff (exit 78: failed)

A worker that was stopped starts again without delay if it is still desired; one that exited by itself
waits one second, doubling to five minutes, and starts from one second again after a stable minute.
"""

from __future__ import annotations

import signal
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import Enum

from disgram.backoff import RESTART_BACKOFF_MAX, STABLE_AFTER, backoff
from disgram.report import EXIT_OK, EXIT_PERMANENT
from disgram.workers.spec import WorkerSpec, WorkerState

Key = tuple[str, str]

RETRY_FAILED_AFTER = 3600.0
"""Seconds until a worker that exited with code 78 is tried again: the cause may be gone by then."""
KILL_AFTER = 10.0
"""Seconds from SIGTERM to SIGKILL."""

_STOP_SIGNALS = {signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGALRM}
"""The last is the worker's own, for a stop that took too long."""
_EXTERNAL_SIGNALS = _STOP_SIGNALS | {signal.SIGKILL, signal.SIGQUIT}


class Event(Enum):
    """What can happen to a worker."""

    START = "start"
    LINE = "line"
    STOP = "stop"
    EXIT = "exit"
    PERMANENT_EXIT = "exit 78"


TRANSITIONS: Mapping[tuple[WorkerState, Event], WorkerState] = {
    (WorkerState.BACKOFF, Event.START): WorkerState.STARTING,
    (WorkerState.FAILED, Event.START): WorkerState.STARTING,
    (WorkerState.STARTING, Event.LINE): WorkerState.RUNNING,
    (WorkerState.RUNNING, Event.LINE): WorkerState.RUNNING,
    (WorkerState.STOPPING, Event.LINE): WorkerState.STOPPING,
    (WorkerState.STARTING, Event.STOP): WorkerState.STOPPING,
    (WorkerState.RUNNING, Event.STOP): WorkerState.STOPPING,
    (WorkerState.STARTING, Event.EXIT): WorkerState.BACKOFF,
    (WorkerState.RUNNING, Event.EXIT): WorkerState.BACKOFF,
    (WorkerState.STOPPING, Event.EXIT): WorkerState.BACKOFF,
    (WorkerState.STARTING, Event.PERMANENT_EXIT): WorkerState.FAILED,
    (WorkerState.RUNNING, Event.PERMANENT_EXIT): WorkerState.FAILED,
    (WorkerState.STOPPING, Event.PERMANENT_EXIT): WorkerState.FAILED,
}
"""Every transition there is; any other raises KeyError, as a mistake of the caller."""

_LIVE = {WorkerState.STARTING, WorkerState.RUNNING, WorkerState.STOPPING}


@dataclass(frozen=True, slots=True)
class Worker:
    """One worker's state. `due_at`: when to start it (backoff, failed) or to kill it (stopping)."""

    spec: WorkerSpec
    state: WorkerState
    due_at: float
    started_at: float = 0.0
    last_line_at: float = 0.0
    starts: int = 0
    failures: int = 0
    reason: str | None = None

    @property
    def live(self) -> bool:
        """Has a process that is not known to be gone."""
        return self.state in _LIVE


# --- what happened ------------------------------------------------------------------------------


def new_worker(spec: WorkerSpec, now: float) -> Worker:
    """A worker that has not been started yet."""
    return Worker(spec, WorkerState.BACKOFF, due_at=now)


def on_start(worker: Worker, spec: WorkerSpec, now: float) -> Worker:
    """A process was asked for."""
    state = TRANSITIONS[worker.state, Event.START]
    failures = worker.failures if spec == worker.spec else 0
    return replace(
        worker,
        spec=spec,
        state=state,
        started_at=now,
        last_line_at=now,
        starts=worker.starts + 1,
        failures=failures,
        reason=None,
    )


def on_line(worker: Worker, now: float) -> Worker:
    """A line of the worker came; a heartbeat is one too."""
    return replace(worker, state=TRANSITIONS[worker.state, Event.LINE], last_line_at=now)


def on_stop(worker: Worker, reason: str | None, now: float, timeout: float | None = None) -> Worker:
    """SIGTERM was sent; SIGKILL is due after `timeout` seconds (None: KILL_AFTER)."""
    state = TRANSITIONS[worker.state, Event.STOP]
    due_at = now + (KILL_AFTER if timeout is None else timeout)
    return replace(worker, state=state, due_at=due_at, reason=reason)


def on_kill(worker: Worker, now: float) -> Worker:
    """SIGKILL was sent; it is repeated later, since a process in a system call may take a while to end."""
    return replace(worker, due_at=now + KILL_AFTER)


def on_exit(worker: Worker, code: int | None, reported: str | None, now: float) -> Worker:
    """The process is gone. `code` as in subprocess (-9: SIGKILL); None if the fork server died first.

    `reported` is the last reason the worker itself gave; it is kept only with exit code 78.
    """
    if code == EXIT_PERMANENT:
        state = TRANSITIONS[worker.state, Event.PERMANENT_EXIT]
        return replace(worker, state=state, due_at=now + RETRY_FAILED_AFTER, reason=reported or "failed")
    state = TRANSITIONS[worker.state, Event.EXIT]
    if worker.state is WorkerState.STOPPING:
        return replace(worker, state=state, due_at=now)
    if code is None:
        return replace(worker, state=state, due_at=now, reason="forkserver_gone")
    stable = now - worker.started_at >= STABLE_AFTER
    failures = 1 if stable else worker.failures + 1
    due_at = now + backoff(failures, RESTART_BACKOFF_MAX)
    return replace(worker, state=state, due_at=due_at, failures=failures, reason=reason_of_exit(code))


def on_start_failed(worker: Worker, now: float) -> Worker:
    """No process could be made: no memory, no descriptors."""
    state = TRANSITIONS[worker.state, Event.EXIT]
    failures = worker.failures + 1
    due_at = now + backoff(failures, RESTART_BACKOFF_MAX)
    return replace(worker, state=state, due_at=due_at, failures=failures, reason="start_failed")


def reset_backoff(worker: Worker, now: float) -> Worker:
    """An idle worker starts at once and its failures no longer count: a person may have removed the cause."""
    return worker if worker.live else replace(worker, due_at=now, failures=0)


def reset_liveness(worker: Worker, now: float) -> Worker:
    """The machine or the service slept, so no line could be read and no signal obeyed: count from now."""
    if worker.state is WorkerState.STOPPING:
        return replace(worker, due_at=now + KILL_AFTER)
    return replace(worker, last_line_at=now) if worker.live else worker


def reason_of_exit(code: int) -> str:
    """The `reason` of a worker that was not stopped by the service."""
    if code == EXIT_OK:
        return "exited"
    return "killed" if -code in _EXTERNAL_SIGNALS else "crashed"


def told_to_stop(code: int | None) -> bool:
    """Whether somebody told the worker to stop: by itself it never ends with code 0 or by such a signal."""
    return code == EXIT_OK or (code is not None and -code in _STOP_SIGNALS)


def describe_exit(code: int | None) -> str:
    """For the log; the sentence begins with what exited."""
    if code is None:
        return "ended together with its fork server"
    if code >= 0:
        return f"exited with code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was killed by {name}" + (" (out of memory?)" if -code == signal.SIGKILL else "")


# --- what to do ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Start:
    spec: WorkerSpec


@dataclass(frozen=True, slots=True)
class Stop:
    """SIGTERM. `reason` is what /health shows meanwhile."""

    key: Key
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Kill:
    """SIGKILL: SIGTERM had no effect."""

    key: Key


@dataclass(frozen=True, slots=True)
class Forget:
    """It is not desired and nothing runs."""

    key: Key


@dataclass(frozen=True, slots=True)
class RestartAll:
    """All workers became silent together, so the cause is not one worker's."""


Step = Start | Stop | Kill | Forget | RestartAll


def plan(
    desired: Mapping[Key, WorkerSpec], observed: Mapping[Key, Worker], now: float, *, stale_after: float
) -> list[Step]:
    """What to do now so that `observed` becomes `desired`. At most one step for a key."""
    steps: list[Step] = [Start(spec) for key, spec in desired.items() if key not in observed]
    for key, worker in observed.items():
        if step := _step(key, worker, desired.get(key), now, stale_after):
            steps.append(step)
    return _join_stale(
        steps, {key for key, worker in observed.items() if worker.state is WorkerState.RUNNING}
    )


def next_deadline(observed: Iterable[Worker], stale_after: float) -> float:
    """The earliest moment at which `plan` may return a step although nothing has happened until then."""
    return min((_deadline(worker, stale_after) for worker in observed), default=float("inf"))


def _deadline(worker: Worker, stale_after: float) -> float:
    running = worker.state in (WorkerState.STARTING, WorkerState.RUNNING)
    return worker.last_line_at + stale_after if running else worker.due_at


def _step(key: Key, worker: Worker, spec: WorkerSpec | None, now: float, stale_after: float) -> Step | None:
    due = now >= _deadline(worker, stale_after)
    if worker.state is WorkerState.STOPPING:
        return Kill(key) if due else None
    if worker.live:
        if spec != worker.spec:
            return Stop(key)
        return Stop(key, "stale") if due else None
    if spec is None:
        return Forget(key)
    return Start(spec) if due or spec != worker.spec else None


def _join_stale(steps: list[Step], running: set[Key]) -> list[Step]:
    """One RestartAll instead of the stops if all of at least two running, desired workers are stale."""
    stops = {step.key: step.reason for step in steps if isinstance(step, Stop)}
    going_on = {key for key in running if stops.get(key, "stale")}
    if len(going_on) < 2 or not going_on <= stops.keys():
        return steps
    return [step for step in steps if not (isinstance(step, Stop) and step.reason)] + [RestartAll()]
