"""Transitions of a worker's state, and what `plan` decides in each situation."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable
from dataclasses import replace

import pytest

from disgram.workers.lifecycle import (
    TRANSITIONS,
    Event,
    Forget,
    Kill,
    RestartAll,
    Start,
    Step,
    Stop,
    Worker,
    describe_exit,
    new_worker,
    next_deadline,
    on_exit,
    on_kill,
    on_line,
    on_start,
    on_start_failed,
    on_stop,
    plan,
    reason_of_exit,
    reset_backoff,
    reset_liveness,
    told_to_stop,
)
from disgram.workers.spec import WorkerSpec, WorkerState
from tests.workers.specs import spec_of

STALE_AFTER = 360.0
BACKOFF, FAILED, RUNNING, STARTING, STOPPING = (
    WorkerState.BACKOFF,
    WorkerState.FAILED,
    WorkerState.RUNNING,
    WorkerState.STARTING,
    WorkerState.STOPPING,
)


A, B, C = spec_of("aaa"), spec_of("bbb"), spec_of("ccc")


def started(spec: WorkerSpec = A, now: float = 0.0) -> Worker:
    return on_start(new_worker(spec, now), spec, now)


def running(spec: WorkerSpec = A, now: float = 0.0) -> Worker:
    return on_line(started(spec, now), now)


IN_STATE: dict[WorkerState, Callable[[], Worker]] = {
    BACKOFF: lambda: new_worker(A, 0),
    FAILED: lambda: on_exit(running(), 78, None, 1),
    STARTING: started,
    RUNNING: running,
    STOPPING: lambda: on_stop(running(), None, 0),
}
HAPPENS: dict[Event, Callable[[Worker], Worker]] = {
    Event.START: lambda worker: on_start(worker, A, 2),
    Event.LINE: lambda worker: on_line(worker, 2),
    Event.STOP: lambda worker: on_stop(worker, None, 2),
    Event.EXIT: lambda worker: on_exit(worker, 1, None, 2),
    Event.PERMANENT_EXIT: lambda worker: on_exit(worker, 78, None, 2),
}


OF_WORKERS = [state for state in WorkerState if state is not WorkerState.PAUSED]
"""A paused job has no workers."""


@pytest.mark.parametrize(("state", "event"), list(itertools.product(OF_WORKERS, Event)))
def test_transitions_are_those_of_the_table_and_no_others(state: WorkerState, event: Event) -> None:
    worker = IN_STATE[state]()
    assert worker.state is state
    if (state, event) in TRANSITIONS:
        assert HAPPENS[event](worker).state is TRANSITIONS[state, event]
    else:
        with pytest.raises(KeyError):
            HAPPENS[event](worker)


def decide(desired: list[WorkerSpec], workers: list[Worker], now: float) -> list[Step]:
    return plan(
        {spec.key: spec for spec in desired},
        {worker.spec.key: worker for worker in workers},
        now,
        stale_after=STALE_AFTER,
    )


# --- starts and stops ---


def test_desired_worker_without_record_starts() -> None:
    assert decide([A], [], 0) == [Start(A)]


def test_running_worker_with_the_desired_spec_is_left_alone() -> None:
    assert decide([A, B], [running(A), started(B)], 359) == []


def test_worker_no_longer_desired_stops_and_is_then_forgotten() -> None:
    assert decide([], [running()], 1) == [Stop(A.key)]
    assert decide([], [on_stop(running(), None, 1)], 2) == []
    assert decide([], [on_exit(on_stop(running(), None, 1), 0, None, 2)], 2) == [Forget(A.key)]
    assert decide([], [on_exit(running(), 78, None, 1)], 2) == [Forget(A.key)]


def test_changed_spec_restarts_its_worker_without_delay_and_no_other() -> None:
    changed = replace(A, embed_color=3)
    assert decide([changed, B], [running(A), running(B)], 1) == [Stop(A.key)]
    gone = on_exit(on_stop(running(), None, 1), -signal.SIGALRM, None, 2)
    assert decide([changed, B], [gone, running(B)], 2) == [Start(changed)]
    assert gone.failures == 0


def test_changed_spec_starts_despite_the_backoff_of_the_old_one() -> None:
    changed = replace(A, embed_color=3)
    for worker in (on_exit(running(), 78, "webhook_gone", 1), on_exit(running(), 1, None, 1)):
        assert decide([changed], [worker], 1) == [Start(changed)]
        assert on_start(worker, changed, 1).failures == 0


def test_worker_that_ignores_sigterm_gets_sigkill_every_ten_seconds() -> None:
    worker = on_stop(running(), None, 100)
    assert decide([], [worker], 109.9) == []
    assert decide([], [worker], 110) == [Kill(A.key)]
    assert decide([], [on_kill(worker, 110)], 111) == []
    assert decide([], [on_kill(worker, 110)], 120) == [Kill(A.key)]


# --- backoff ---


def test_crashing_worker_waits_twice_as_long_each_time() -> None:
    worker, now, waits = started(), 0.0, []
    for _ in range(10):
        worker = on_exit(worker, 1, None, now)
        waits.append(worker.due_at - now)
        assert decide([A], [worker], worker.due_at - 0.01) == []
        now = worker.due_at
        assert decide([A], [worker], now) == [Start(A)]
        worker = on_line(on_start(worker, A, now), now)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert worker.starts == 11


def test_failures_do_not_count_after_a_stable_minute() -> None:
    worker = replace(running(now=0), failures=7)
    assert on_exit(worker, 1, None, 59.9).failures == 8
    assert on_exit(worker, 1, None, 60).due_at == 61


def test_failed_start_backs_off() -> None:
    worker = on_start_failed(started(), 5)
    assert (worker.state, worker.reason, worker.due_at) == (BACKOFF, "start_failed", 6)
    assert on_start_failed(on_start(worker, A, 6), 6).due_at == 8


def test_death_of_the_fork_server_causes_its_workers_no_backoff() -> None:
    worker = on_exit(replace(running(), failures=4), None, None, 9)
    assert (worker.state, worker.reason, worker.due_at, worker.failures) == (BACKOFF, "forkserver_gone", 9, 4)


@pytest.mark.parametrize(
    ("code", "reason", "description"),
    [
        (0, "exited", "exited with code 0"),
        (1, "crashed", "exited with code 1"),
        (-9, "killed", "was killed by SIGKILL (out of memory?)"),
        (-15, "killed", "was killed by SIGTERM"),
        (-11, "crashed", "was killed by SIGSEGV"),
        (-99, "crashed", "was killed by signal 99"),
    ],
)
def test_exit_code_gives_reason_and_description(code: int, reason: str, description: str) -> None:
    assert on_exit(running(), code, "telegram_unavailable", 1).reason == reason == reason_of_exit(code)
    assert describe_exit(code) == description


def test_only_an_orderly_end_and_stop_signals_count_as_told_to_stop() -> None:
    told = [code for code in (0, 1, 78, -1, -2, -9, -11, -14, -15, None) if told_to_stop(code)]
    assert told == [0, -1, -2, -14, -15]


# --- exit code 78 ---


def test_exit_78_keeps_the_reported_reason_and_is_retried_after_an_hour() -> None:
    worker = on_exit(running(), 78, "no_preview", 10)
    assert (worker.state, worker.reason) == (FAILED, "no_preview")
    assert decide([A], [worker], 3609) == []
    assert decide([A], [worker], 3610) == [Start(A)]
    assert on_exit(running(), 78, None, 10).reason == "failed"


def test_start_clears_the_reason() -> None:
    assert on_start(on_exit(running(), 78, "no_preview", 10), A, 3610).reason is None


def test_reset_backoff_starts_idle_workers_and_leaves_live_ones() -> None:
    crashed = replace(on_exit(running(), 1, None, 1), failures=9, due_at=300)
    for worker in (on_exit(running(), 78, "no_preview", 1), crashed):
        assert decide([A], [reset_backoff(worker, 2)], 2) == [Start(A)]
        assert reset_backoff(worker, 2).failures == 0
    for worker in (started(), running(), on_stop(running(), None, 0)):
        assert reset_backoff(worker, 2) == worker


# --- stale workers ---


@pytest.mark.parametrize("worker", [started(), running()])
def test_stale_worker_is_stopped_and_no_other(worker: Worker) -> None:
    lively = on_line(running(B), 300)
    assert decide([A, B], [worker, lively], 359) == []
    assert decide([A, B], [worker, lively], 360) == [Stop(A.key, "stale")]
    assert on_stop(worker, "stale", 360).reason == "stale"


def test_any_line_keeps_a_worker_from_being_stale() -> None:
    assert decide([A], [on_line(running(), 10)], 369) == []


def test_all_workers_stale_at_once_are_restarted_together() -> None:
    assert decide([A, B], [running(A), running(B)], 360) == [RestartAll()]
    assert decide([A], [running(A)], 360) == [Stop(A.key, "stale")]


def test_one_running_and_one_starting_stale_worker_stop_separately() -> None:
    assert decide([A, B], [running(A), started(B)], 360) == [Stop(A.key, "stale"), Stop(B.key, "stale")]


def test_stopping_worker_does_not_prevent_the_restart_of_all_others() -> None:
    assert decide([A, B], [running(A), running(B), running(C)], 360) == [Stop(C.key), RestartAll()]
    workers = [running(A), running(B), on_stop(running(C), None, 355)]
    assert decide([A, B], workers, 360) == [RestartAll()]


def test_no_worker_is_stale_or_killed_right_after_the_machine_slept() -> None:
    workers = [running(A), started(B), on_stop(running(C), None, 5)]
    now = 50_000.0
    assert decide([A, B], [reset_liveness(worker, now) for worker in workers], now) == []
    idle = on_exit(running(), 78, None, 1)
    assert reset_liveness(idle, now) == idle


def test_next_deadline_is_the_earliest_of_all_workers() -> None:
    assert next_deadline([], STALE_AFTER) == float("inf")
    assert next_deadline([running(now=10)], STALE_AFTER) == 370
    assert next_deadline([running(now=10), on_stop(running(B), None, 20)], STALE_AFTER) == 30
    assert next_deadline([running(now=10), on_exit(running(B), 1, None, 20)], STALE_AFTER) == 21
