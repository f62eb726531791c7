"""The table row by row, the rules for each situation, and whole histories against a model of processes."""

from __future__ import annotations

import itertools
import signal
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.addresses import ChannelRef, Destination
from disgram.backoff import RESTART_BACKOFF_MAX
from disgram.workers.lifecycle import (
    TRANSITIONS,
    Event,
    Forget,
    Key,
    Kill,
    RestartAll,
    Start,
    Step,
    Stop,
    Worker,
    began,
    ended,
    forgiven,
    killed,
    next_look,
    plan,
    reason_of_exit,
    refused,
    revived,
    spoke,
    stopping,
    wanted,
    words_for_exit,
)
from disgram.workers.spec import WorkerSettings, WorkerSpec, WorkerState

STALE = 360.0
BACKOFF, FAILED, RUNNING, STARTING, STOPPING = (
    WorkerState.BACKOFF,
    WorkerState.FAILED,
    WorkerState.RUNNING,
    WorkerState.STARTING,
    WorkerState.STOPPING,
)


def spec_of(channel: str, color: int | None = None, job: str = "job") -> WorkerSpec:
    destination = Destination("https://discord.com", "1", "t")
    return WorkerSpec(job, ChannelRef(channel), destination, color, WorkerSettings(Path("/tmp")))


A, B, C = spec_of("aaa"), spec_of("bbb"), spec_of("ccc")


def started(spec: WorkerSpec = A, now: float = 0.0) -> Worker:
    return began(wanted(spec, now), spec, now)


def running(spec: WorkerSpec = A, now: float = 0.0) -> Worker:
    return spoke(started(spec, now), now)


IN_STATE: dict[WorkerState, Callable[[], Worker]] = {
    BACKOFF: lambda: wanted(A, 0),
    FAILED: lambda: ended(running(), 78, None, 1),
    STARTING: started,
    RUNNING: running,
    STOPPING: lambda: stopping(running(), None, 0),
}
HAPPENS: dict[Event, Callable[[Worker], Worker]] = {
    Event.START: lambda worker: began(worker, A, 2),
    Event.LINE: lambda worker: spoke(worker, 2),
    Event.STOP: lambda worker: stopping(worker, None, 2),
    Event.EXIT: lambda worker: ended(worker, 1, None, 2),
    Event.EXIT_FOR_GOOD: lambda worker: ended(worker, 78, None, 2),
}


@pytest.mark.parametrize(("state", "event"), list(itertools.product(WorkerState, Event)))
def test_every_row_of_the_table_and_no_other(state: WorkerState, event: Event) -> None:
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
        stale_after=STALE,
    )


# --- starts and ends ---


def test_what_is_wanted_and_unknown_starts() -> None:
    assert decide([A], [], 0) == [Start(A)]


def test_what_runs_as_wanted_is_left_alone() -> None:
    assert decide([A, B], [running(A), started(B)], 359) == []


def test_what_is_not_wanted_stops_then_is_forgotten() -> None:
    assert decide([], [running()], 1) == [Stop(A.key)]
    assert decide([], [stopping(running(), None, 1)], 2) == []
    assert decide([], [ended(stopping(running(), None, 1), 0, None, 2)], 2) == [Forget(A.key)]
    assert decide([], [ended(running(), 78, None, 1)], 2) == [Forget(A.key)]


def test_a_changed_spec_stops_then_starts_without_delay_and_touches_no_other() -> None:
    changed = replace(A, embed_color=3)
    assert decide([changed, B], [running(A), running(B)], 1) == [Stop(A.key)]
    gone = ended(stopping(running(), None, 1), -signal.SIGALRM, None, 2)
    assert decide([changed, B], [gone, running(B)], 2) == [Start(changed)]
    assert gone.failures == 0


def test_a_changed_spec_does_not_wait_for_the_old_ones_penalty() -> None:
    changed = replace(A, embed_color=3)
    for worker in (ended(running(), 78, "webhook_gone", 1), ended(running(), 1, None, 1)):
        assert decide([changed], [worker], 1) == [Start(changed)]
        assert began(worker, changed, 1).failures == 0


def test_a_worker_that_ignores_sigterm_is_killed_after_ten_seconds_and_again_after_ten_more() -> None:
    worker = stopping(running(), None, 100)
    assert decide([], [worker], 109.9) == []
    assert decide([], [worker], 110) == [Kill(A.key)]
    assert decide([], [killed(worker, 110)], 111) == []
    assert decide([], [killed(worker, 110)], 120) == [Kill(A.key)]


# --- back-off ---


def test_a_crash_loop_waits_longer_each_time() -> None:
    worker, now, waits = started(), 0.0, []
    for _ in range(10):
        worker = ended(worker, 1, None, now)
        waits.append(worker.due_at - now)
        assert decide([A], [worker], worker.due_at - 0.01) == []
        now = worker.due_at
        assert decide([A], [worker], now) == [Start(A)]
        worker = spoke(began(worker, A, now), now)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300]
    assert worker.starts == 11


def test_a_stable_minute_wipes_the_record() -> None:
    worker = replace(running(now=0), failures=7)
    assert ended(worker, 1, None, 59.9).failures == 8
    assert ended(worker, 1, None, 60).due_at == 61


def test_a_refused_start_backs_off_too() -> None:
    worker = refused(started(), 5)
    assert (worker.state, worker.reason, worker.due_at) == (BACKOFF, "start_failed", 6)
    assert refused(began(worker, A, 6), 6).due_at == 8


def test_a_lost_template_costs_its_workers_no_time() -> None:
    worker = ended(replace(running(), failures=4), None, None, 9)
    assert (worker.state, worker.reason, worker.due_at, worker.failures) == (BACKOFF, "forkserver_gone", 9, 4)


@pytest.mark.parametrize(
    ("code", "reason", "words"),
    [
        (0, "exited", "ended with exit code 0"),
        (1, "crashed", "ended with exit code 1"),
        (-9, "killed", "was ended by SIGKILL (out of memory?)"),
        (-15, "killed", "was ended by SIGTERM"),
        (-11, "crashed", "was ended by SIGSEGV"),
        (-99, "crashed", "was ended by signal 99"),
    ],
)
def test_every_end_has_its_word(code: int, reason: str, words: str) -> None:
    assert ended(running(), code, "telegram_unavailable", 1).reason == reason == reason_of_exit(code)
    assert words_for_exit(code) == words


# --- failed for good ---


def test_exit_78_is_looked_at_again_after_an_hour_with_the_workers_own_reason() -> None:
    worker = ended(running(), 78, "no_preview", 10)
    assert (worker.state, worker.reason) == (FAILED, "no_preview")
    assert decide([A], [worker], 3609) == []
    assert decide([A], [worker], 3610) == [Start(A)]
    assert ended(running(), 78, None, 10).reason == "failed"


def test_a_start_forgets_the_reason() -> None:
    assert began(ended(running(), 78, "no_preview", 10), A, 3610).reason is None


def test_revive_starts_idle_workers_at_once_and_leaves_live_ones() -> None:
    crashed = replace(ended(running(), 1, None, 1), failures=9, due_at=300)
    for worker in (ended(running(), 78, "no_preview", 1), crashed):
        assert decide([A], [revived(worker, 2)], 2) == [Start(A)]
        assert revived(worker, 2).failures == 0
    for worker in (started(), running(), stopping(running(), None, 0)):
        assert revived(worker, 2) == worker


# --- silence ---


@pytest.mark.parametrize("worker", [started(), running()])
def test_a_silent_worker_is_stopped_and_no_other(worker: Worker) -> None:
    lively = spoke(running(B), 300)
    assert decide([A, B], [worker, lively], 359) == []
    assert decide([A, B], [worker, lively], 360) == [Stop(A.key, "stale")]
    assert stopping(worker, "stale", 360).reason == "stale"


def test_a_line_of_any_kind_keeps_it() -> None:
    assert decide([A], [spoke(running(), 10)], 369) == []


def test_all_silent_at_once_is_one_restart_of_all() -> None:
    assert decide([A, B], [running(A), running(B)], 360) == [RestartAll()]
    assert decide([A], [running(A)], 360) == [Stop(A.key, "stale")]


def test_one_running_and_one_starting_are_not_all() -> None:
    assert decide([A, B], [running(A), started(B)], 360) == [Stop(A.key, "stale"), Stop(B.key, "stale")]


def test_a_worker_on_its_way_out_is_no_evidence_that_others_live() -> None:
    assert decide([A, B], [running(A), running(B), running(C)], 360) == [Stop(C.key), RestartAll()]
    workers = [running(A), running(B), stopping(running(C), None, 355)]
    assert decide([A, B], workers, 360) == [RestartAll()]


def test_after_a_sleep_nobody_is_stale_and_nobody_is_killed_at_once() -> None:
    workers = [running(A), started(B), stopping(running(C), None, 5)]
    now = 50_000.0
    assert decide([A, B], [forgiven(worker, now) for worker in workers], now) == []
    idle = ended(running(), 78, None, 1)
    assert forgiven(idle, now) == idle


def test_next_look_is_the_earliest_deadline() -> None:
    assert next_look([], STALE) == float("inf")
    assert next_look([running(now=10)], STALE) == 370
    assert next_look([running(now=10), stopping(running(B), None, 20)], STALE) == 30
    assert next_look([running(now=10), ended(running(B), 1, None, 20)], STALE) == 21


# --- histories ---


@dataclass
class World:
    """Processes as the supervisor would meet them, and the invariants that hold whatever happens."""

    now: float = 0.0

    def __post_init__(self) -> None:
        self.desired: dict[Key, WorkerSpec] = {}
        self.observed: dict[Key, Worker] = {}
        self.processes: dict[Key, list[WorkerSpec]] = {}
        self.deaf: set[Key] = set()

    def look(self) -> None:
        for step in plan(self.desired, self.observed, self.now, stale_after=STALE):
            self.act(step)
        assert plan(self.desired, self.observed, self.now, stale_after=STALE) == []
        assert all(len(alive) <= 1 for alive in self.processes.values())

    def act(self, step: Step) -> None:
        match step:
            case Start(spec):
                worker = self.observed.get(spec.key, wanted(spec, self.now))
                self.observed[spec.key] = began(worker, spec, self.now)
                self.processes.setdefault(spec.key, []).append(spec)
            case Stop(key, reason):
                self.observed[key] = stopping(self.observed[key], reason, self.now)
            case Kill(key):
                self.observed[key] = killed(self.observed[key], self.now)
                self.deaf.discard(key)
            case Forget(key):
                assert not self.processes.get(key)
                del self.observed[key]
            case RestartAll():
                for key, worker in self.observed.items():
                    if worker.state in (STARTING, RUNNING):
                        self.act(Stop(key, "stale"))

    def end(self, key: Key, code: int | None) -> None:
        if self.processes.get(key):
            self.processes[key].pop()
            self.observed[key] = ended(self.observed[key], code, "no_preview", self.now)

    def settle(self) -> None:
        """Nothing happens any more, but what was told to end ends, and what runs beats."""
        for _ in range(30):
            for key, worker in list(self.observed.items()):
                if worker.state is STOPPING and key not in self.deaf:
                    self.end(key, -15)
                elif worker.state in (STARTING, RUNNING):
                    self.observed[key] = spoke(worker, self.now)
            self.look()
            self.now = max(self.now, min(self.now + 15, next_look(self.observed.values(), STALE)))


KEYS = ["aaa", "bbb", "ccc"]
HAPPENINGS = st.one_of(
    st.tuples(st.just("want"), st.sampled_from(KEYS), st.integers(0, 1)),
    st.tuples(st.just("drop"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("end"), st.sampled_from(KEYS), st.sampled_from([0, 1, 78, -9, None])),
    st.tuples(st.just("speak"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("deafen"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("revive"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("sleep"), st.just(""), st.none()),
    st.tuples(st.just("pass"), st.just(""), st.integers(0, 500)),
)


def happen(world: World, what: str, channel: str, value: int | None) -> None:
    spec = spec_of(channel, value) if what == "want" else spec_of(channel)
    key, worker = spec.key, world.observed.get(spec.key)
    match what:
        case "want":
            world.desired[key] = spec
        case "drop":
            world.desired.pop(key, None)
        case "end":
            world.end(key, value)
        case "deafen":
            world.deaf.add(key)
        case "speak" if worker and worker.live:
            world.observed[key] = spoke(worker, world.now)
        case "revive" if worker:
            world.observed[key] = revived(worker, world.now)
        case "sleep":
            world.now += 100_000
            world.observed = {k: forgiven(w, world.now) for k, w in world.observed.items()}
        case "pass":
            world.now += value or 0
    world.look()


@given(st.lists(HAPPENINGS, max_size=40))
def test_whatever_happens_one_process_a_key_and_in_the_end_what_is_wanted(
    history: list[tuple[str, str, int | None]],
) -> None:
    world = World()
    for what, channel, value in history:
        happen(world, what, channel, value)
    world.settle()
    assert world.observed.keys() == world.desired.keys()
    for key, spec in world.desired.items():
        worker = world.observed[key]
        assert worker.state in (RUNNING, FAILED) or worker.due_at <= world.now + RESTART_BACKOFF_MAX
        assert worker.state is not STOPPING
        assert world.processes.get(key, []) == ([spec] if worker.live else [])
    assert not [key for key, alive in world.processes.items() if alive and key not in world.desired]
