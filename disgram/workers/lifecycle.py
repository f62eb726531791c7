"""The life of a worker, as arithmetic: what runs, what should run, and so what to do now.

Owns the states' transitions, the back-off, and the rules for silent, changed and unwanted workers.
Never looks at a clock, touches a process or reads a line: `now` is an argument (monotonic seconds), and
what happened to a process is told by calling `began`, `spoke`, `stopping`, `ended` or `refused`.

    backoff, failed --start--> starting --first line--> running
    starting, running --stop--> stopping
    starting, running, stopping --exit--> backoff (exit 78: failed)

A worker that somebody stopped starts again without delay if it is still wanted; one that ended by itself
waits one second, doubling to five minutes, and has its record wiped after a stable minute.
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

LOOK_AGAIN_AFTER = 3600.0
"""Seconds until a worker that failed for good is tried once more: the cause may have been mended outside."""
KILL_AFTER = 10.0
"""Seconds from SIGTERM to SIGKILL."""

_SENT_FROM_OUTSIDE = {
    signal.SIGKILL,
    signal.SIGTERM,
    signal.SIGINT,
    signal.SIGHUP,
    signal.SIGQUIT,
    signal.SIGALRM,
}


class Event(Enum):
    """What can happen to a worker."""

    START = "start"
    LINE = "line"
    STOP = "stop"
    EXIT = "exit"
    EXIT_FOR_GOOD = "exit 78"


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
    (WorkerState.STARTING, Event.EXIT_FOR_GOOD): WorkerState.FAILED,
    (WorkerState.RUNNING, Event.EXIT_FOR_GOOD): WorkerState.FAILED,
    (WorkerState.STOPPING, Event.EXIT_FOR_GOOD): WorkerState.FAILED,
}
"""The whole table; what is not in it is a mistake of the caller, and a KeyError."""

_LIVE = {WorkerState.STARTING, WorkerState.RUNNING, WorkerState.STOPPING}


@dataclass(frozen=True, slots=True)
class Worker:
    """One key's record. `due_at`: when to start it (backoff, failed) or to kill it (stopping)."""

    spec: WorkerSpec
    state: WorkerState
    due_at: float
    started_at: float = 0.0
    heard_at: float = 0.0
    starts: int = 0
    failures: int = 0
    reason: str | None = None

    @property
    def live(self) -> bool:
        """Has a process, as far as anybody knows."""
        return self.state in _LIVE


# --- what happened ------------------------------------------------------------------------------


def wanted(spec: WorkerSpec, now: float) -> Worker:
    """A key seen for the first time."""
    return Worker(spec, WorkerState.BACKOFF, due_at=now)


def began(worker: Worker, spec: WorkerSpec, now: float) -> Worker:
    """A process was asked for."""
    state = TRANSITIONS[worker.state, Event.START]
    failures = worker.failures if spec == worker.spec else 0
    return replace(
        worker,
        spec=spec,
        state=state,
        started_at=now,
        heard_at=now,
        starts=worker.starts + 1,
        failures=failures,
        reason=None,
    )


def spoke(worker: Worker, now: float) -> Worker:
    """A line came, a beat included."""
    return replace(worker, state=TRANSITIONS[worker.state, Event.LINE], heard_at=now)


def stopping(worker: Worker, reason: str | None, now: float, patience: float | None = None) -> Worker:
    """SIGTERM was sent; SIGKILL is due after `patience` seconds (None: KILL_AFTER)."""
    state = TRANSITIONS[worker.state, Event.STOP]
    due_at = now + (KILL_AFTER if patience is None else patience)
    return replace(worker, state=state, due_at=due_at, reason=reason)


def killed(worker: Worker, now: float) -> Worker:
    """SIGKILL was sent too; even that can take a while (a process in the kernel)."""
    return replace(worker, due_at=now + KILL_AFTER)


def ended(worker: Worker, code: int | None, reported: str | None, now: float) -> Worker:
    """The process is gone. `code` as in subprocess (-9: SIGKILL), None if nobody can tell: its template died.

    `reported` is the last reason the worker itself gave; only an exit for good lets it stand.
    """
    if code == EXIT_PERMANENT:
        state = TRANSITIONS[worker.state, Event.EXIT_FOR_GOOD]
        return replace(worker, state=state, due_at=now + LOOK_AGAIN_AFTER, reason=reported or "failed")
    state = TRANSITIONS[worker.state, Event.EXIT]
    if worker.state is WorkerState.STOPPING:
        return replace(worker, state=state, due_at=now)
    if code is None:
        return replace(worker, state=state, due_at=now, reason="forkserver_gone")
    stable = now - worker.started_at >= STABLE_AFTER
    failures = 1 if stable else worker.failures + 1
    due_at = now + backoff(failures, RESTART_BACKOFF_MAX)
    return replace(worker, state=state, due_at=due_at, failures=failures, reason=reason_of_exit(code))


def refused(worker: Worker, now: float) -> Worker:
    """No process came to be: no memory, no descriptors."""
    state = TRANSITIONS[worker.state, Event.EXIT]
    failures = worker.failures + 1
    due_at = now + backoff(failures, RESTART_BACKOFF_MAX)
    return replace(worker, state=state, due_at=due_at, failures=failures, reason="start_failed")


def revived(worker: Worker, now: float) -> Worker:
    """Somebody changed what may have been the cause: an idle worker starts at once, its record wiped."""
    return worker if worker.live else replace(worker, due_at=now, failures=0)


def forgiven(worker: Worker, now: float) -> Worker:
    """The machine or the service slept: nobody could be heard, and nobody could obey."""
    if worker.state is WorkerState.STOPPING:
        return replace(worker, due_at=now + KILL_AFTER)
    return replace(worker, heard_at=now) if worker.live else worker


def reason_of_exit(code: int) -> str:
    """The one word for an end nobody asked for."""
    if code == EXIT_OK:
        return "exited"
    return "killed" if -code in _SENT_FROM_OUTSIDE else "crashed"


def words_for_exit(code: int | None) -> str:
    """For the log."""
    if code is None:
        return "ended with its template"
    if code >= 0:
        return f"ended with exit code {code}"
    try:
        name = signal.Signals(-code).name
    except ValueError:
        name = f"signal {-code}"
    return f"was ended by {name}" + (" (out of memory?)" if -code == signal.SIGKILL else "")


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
    """Nobody wants it and nothing runs."""

    key: Key


@dataclass(frozen=True, slots=True)
class RestartAll:
    """All workers fell silent together: whatever the cause, it is not one worker's."""


Step = Start | Stop | Kill | Forget | RestartAll


def plan(
    desired: Mapping[Key, WorkerSpec], observed: Mapping[Key, Worker], now: float, *, stale_after: float
) -> list[Step]:
    """What to do now so that `observed` becomes `desired`. At most one step for a key."""
    steps: list[Step] = [Start(spec) for key, spec in desired.items() if key not in observed]
    for key, worker in observed.items():
        if step := _step(key, worker, desired.get(key), now, stale_after):
            steps.append(step)
    return _together(steps, {key for key, worker in observed.items() if worker.state is WorkerState.RUNNING})


def next_look(observed: Iterable[Worker], stale_after: float) -> float:
    """The earliest moment at which `plan` may have something new to say if nothing happens until then."""
    return min((_deadline(worker, stale_after) for worker in observed), default=float("inf"))


def _deadline(worker: Worker, stale_after: float) -> float:
    running = worker.state in (WorkerState.STARTING, WorkerState.RUNNING)
    return worker.heard_at + stale_after if running else worker.due_at


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


def _together(steps: list[Step], running: set[Key]) -> list[Step]:
    """Fold the steps into one if every running worker that is to go on running, of two or more, is stale."""
    stops = {step.key: step.reason for step in steps if isinstance(step, Stop)}
    going_on = {key for key in running if stops.get(key, "stale")}
    if len(going_on) < 2 or not going_on <= stops.keys():
        return steps
    return [step for step in steps if not (isinstance(step, Stop) and step.reason)] + [RestartAll()]
