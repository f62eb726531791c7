"""Random histories of events, checked against a model of processes. No clock and no process is real."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from disgram.backoff import RESTART_BACKOFF_MAX
from disgram.workers.lifecycle import (
    Forget,
    Key,
    Kill,
    RestartAll,
    Start,
    Step,
    Stop,
    Worker,
    new_worker,
    next_deadline,
    on_exit,
    on_kill,
    on_line,
    on_start,
    on_stop,
    plan,
    reset_backoff,
    reset_liveness,
)
from disgram.workers.spec import WorkerSpec, WorkerState
from tests.workers.specs import spec_of

STALE_AFTER = 360.0
LIVE = (WorkerState.STARTING, WorkerState.RUNNING)


@dataclass
class World:
    """A model of processes for the supervisor's plan, and the invariants that hold after every event."""

    now: float = 0.0

    def __post_init__(self) -> None:
        self.desired: dict[Key, WorkerSpec] = {}
        self.observed: dict[Key, Worker] = {}
        self.processes: dict[Key, list[WorkerSpec]] = {}
        self.ignoring_sigterm: set[Key] = set()

    def step(self) -> None:
        for step in plan(self.desired, self.observed, self.now, stale_after=STALE_AFTER):
            self.act(step)
        assert plan(self.desired, self.observed, self.now, stale_after=STALE_AFTER) == []
        assert all(len(alive) <= 1 for alive in self.processes.values())

    def act(self, step: Step) -> None:
        match step:
            case Start(spec):
                worker = self.observed.get(spec.key, new_worker(spec, self.now))
                self.observed[spec.key] = on_start(worker, spec, self.now)
                self.processes.setdefault(spec.key, []).append(spec)
            case Stop(key, reason):
                self.observed[key] = on_stop(self.observed[key], reason, self.now)
            case Kill(key):
                self.observed[key] = on_kill(self.observed[key], self.now)
                self.ignoring_sigterm.discard(key)
            case Forget(key):
                assert not self.processes.get(key)
                del self.observed[key]
            case RestartAll():
                for key, worker in self.observed.items():
                    if worker.state in LIVE:
                        self.act(Stop(key, "stale"))

    def exit(self, key: Key, code: int | None) -> None:
        if self.processes.get(key):
            self.processes[key].pop()
            self.observed[key] = on_exit(self.observed[key], code, "no_preview", self.now)

    def settle(self) -> None:
        """Let time pass without events: stopping processes exit, running ones send heartbeats."""
        for _ in range(30):
            for key, worker in list(self.observed.items()):
                if worker.state is WorkerState.STOPPING and key not in self.ignoring_sigterm:
                    self.exit(key, -15)
                elif worker.state in LIVE:
                    self.observed[key] = on_line(worker, self.now)
            self.step()
            self.now = max(self.now, min(self.now + 15, next_deadline(self.observed.values(), STALE_AFTER)))


KEYS = ["aaa", "bbb", "ccc"]
EVENTS = st.one_of(
    st.tuples(st.just("desire"), st.sampled_from(KEYS), st.integers(0, 1)),
    st.tuples(st.just("remove"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("exit"), st.sampled_from(KEYS), st.sampled_from([0, 1, 78, -9, None])),
    st.tuples(st.just("line"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("ignore SIGTERM"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("reset backoff"), st.sampled_from(KEYS), st.none()),
    st.tuples(st.just("sleep"), st.just(""), st.none()),
    st.tuples(st.just("pass"), st.just(""), st.integers(0, 500)),
)


def apply(world: World, what: str, channel: str, value: int | None) -> None:
    spec = spec_of(channel, value) if what == "desire" else spec_of(channel)
    key, worker = spec.key, world.observed.get(spec.key)
    match what:
        case "desire":
            world.desired[key] = spec
        case "remove":
            world.desired.pop(key, None)
        case "exit":
            world.exit(key, value)
        case "ignore SIGTERM":
            world.ignoring_sigterm.add(key)
        case "line" if worker and worker.live:
            world.observed[key] = on_line(worker, world.now)
        case "reset backoff" if worker:
            world.observed[key] = reset_backoff(worker, world.now)
        case "sleep":
            world.now += 100_000
            world.observed = {k: reset_liveness(w, world.now) for k, w in world.observed.items()}
        case "pass":
            world.now += value or 0
    world.step()


@given(st.lists(EVENTS, max_size=40))
def test_any_history_ends_with_one_process_for_each_desired_worker(
    history: list[tuple[str, str, int | None]],
) -> None:
    world = World()
    for what, channel, value in history:
        apply(world, what, channel, value)
    world.settle()
    assert world.observed.keys() == world.desired.keys()
    for key, spec in world.desired.items():
        worker = world.observed[key]
        settled = worker.state in (WorkerState.RUNNING, WorkerState.FAILED)
        assert settled or worker.due_at <= world.now + RESTART_BACKOFF_MAX
        assert worker.state is not WorkerState.STOPPING
        assert world.processes.get(key, []) == ([spec] if worker.live else [])
    assert not [key for key, alive in world.processes.items() if alive and key not in world.desired]
