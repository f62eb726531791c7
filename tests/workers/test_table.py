"""What the table does with the events of a fork server that the test plays over a real socket."""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from disgram.report import Level, Report
from disgram.workers.forkserver_process import ForkServerProcess
from disgram.workers.lifecycle import Start, Stop
from disgram.workers.spec import WorkerState, WorkerStatus
from disgram.workers.table import HUNG_AFTER, WorkerTable
from tests.workers.specs import spec_of

SPEC = spec_of("durov")
PID = 4242


class FakeForkServer(ForkServerProcess):
    """Starts no process; `control` is the fork server's end of the socket."""

    control: socket.socket

    def __init__(self) -> None:
        super().__init__(["webhook"])
        self.starts = 0
        self.kills = 0
        self.running = False

    @property
    def alive(self) -> bool:
        return self.running

    def ensure_running(self, now: float) -> socket.socket | None:
        if self.running:
            return None
        self.running = True
        self.starts += 1
        ours, self.control = socket.socketpair()
        return ours

    def kill(self) -> None:
        self.kills += 1

    def on_exit(self, now: float, timeout: float = 1.0) -> None:
        self.running = False
        self.error = "The fork server was killed by SIGKILL"


class Scene:
    """A table with one requested worker, whose pipe's writing end the test holds."""

    def __init__(self) -> None:
        self.now = 100.0
        self.forkserver = FakeForkServer()
        self.selector = selectors.DefaultSelector()
        self.reports: list[Report] = []
        self.facts: list[tuple[str, Mapping[str, Any]]] = []
        self.table = WorkerTable(
            self.forkserver, self.selector, lambda spec, report: self.reports.append(report),
            lambda: self.now, on_facts=lambda job, facts: self.facts.append((job, facts)),
        )  # fmt: skip
        self.table.ensure_forkserver(self.now)
        self.table.act(Start(SPEC), 1, self.now)
        request, descriptors, _, _ = socket.recv_fds(self.forkserver.control, 65536, 4)
        (self.pipe,) = descriptors
        self.request = json.loads(request)["n"]

    @property
    def texts(self) -> list[str]:
        return [report.text for report in self.reports]

    @property
    def status(self) -> WorkerStatus:
        (status,) = self.table.statuses()
        return status

    def answer(self, **answer: Any) -> None:
        self.forkserver.control.sendall(json.dumps(answer).encode() + b"\n")

    def started(self) -> None:
        self.answer(n=self.request, started=PID)
        self.turn()

    def write(self, data: bytes) -> None:
        os.write(self.pipe, data)

    def turn(self, *, log_first: bool = False) -> None:
        """Handle what can be read: the fork server first, or the logs."""
        ready = [key for key, _ in self.selector.select(0)]
        for key in sorted(ready, key=lambda key: ("Protocol" in type(key.fileobj).__name__) is log_first):
            key.data()

    def requests(self) -> list[dict[str, Any]]:
        """What the table has sent since it was last read."""
        self.forkserver.control.setblocking(False)
        try:
            return [json.loads(line) for line in self.forkserver.control.recv(65536).splitlines()]
        except BlockingIOError:
            return []

    def close(self) -> None:
        os.close(self.pipe)
        self.forkserver.control.close()
        self.table.close(0.0)
        self.selector.close()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    scene.close()


@pytest.mark.parametrize("log_first", [True, False])
def test_last_lines_of_an_exited_worker_are_logged_whatever_is_read_first(
    scene: Scene, log_first: bool
) -> None:
    scene.started()
    scene.write(Report(Level.ERROR, "why", {"reason": "no_preview"}).encode() + b"unfinished")
    scene.answer(exited=PID, status=78 << 8)
    scene.turn(log_first=log_first)
    assert scene.texts[:2] == ["why", "unfinished"]
    assert (scene.status.state, scene.status.reason, scene.status.pid) == (
        WorkerState.FAILED,
        "no_preview",
        None,
    )
    assert scene.table.changed
    assert scene.table.processes() == ()


def test_exit_of_a_stopped_worker_is_not_logged(scene: Scene) -> None:
    scene.started()
    scene.table.act(Stop(SPEC.key), 2, scene.now)
    scene.answer(exited=PID, status=0)
    scene.turn()
    assert scene.reports == []
    assert scene.status.state is WorkerState.BACKOFF


def test_unexpected_exit_is_logged_with_the_time_of_the_restart(scene: Scene) -> None:
    scene.started()
    scene.answer(exited=PID, status=signal.SIGSEGV)
    scene.turn()
    assert scene.texts == ["Worker was killed by SIGSEGV; restarting in 1 s"]


@pytest.mark.parametrize("status", [0, signal.SIGTERM, signal.SIGINT, signal.SIGALRM])
def test_worker_that_somebody_told_to_stop_is_no_error_and_named_when_it_starts_again(
    scene: Scene, status: int
) -> None:
    scene.started()
    scene.answer(exited=PID, status=status)
    scene.turn()
    assert scene.reports == []
    scene.table.act(Start(SPEC), 2, scene.now)
    assert [(report.level, report.text) for report in scene.reports] == [
        (Level.STATUS, "Worker was told to stop, not by Disgram; starting it again")
    ]


def test_failed_fork_is_an_error_until_a_start_succeeds(scene: Scene) -> None:
    scene.answer(n=scene.request, failed="fork: Cannot allocate memory")
    scene.turn()
    assert scene.table.errors() == ("webhook.py durov cannot be started: fork: Cannot allocate memory",)
    assert (scene.status.state, scene.status.reason) == (WorkerState.BACKOFF, "start_failed")
    scene.table.act(Start(SPEC), 2, scene.now)
    assert scene.table.errors() == ()


def test_heartbeats_set_the_worker_running_and_are_not_logged(scene: Scene) -> None:
    scene.started()
    scene.write(b"{}\n{}\n")
    scene.turn()
    assert scene.reports == []
    assert (scene.status.state, scene.status.pid) == (WorkerState.RUNNING, PID)


def test_idle_poll_is_passed_on_without_a_level(scene: Scene) -> None:
    scene.started()
    scene.write(b'{"polled":true,"last_post_id":5}\n')
    scene.turn()
    assert [(report.level, report.facts["polled"]) for report in scene.reports] == [(None, True)]


def test_facts_of_every_line_are_passed_on_with_the_job(scene: Scene) -> None:
    scene.started()
    counted = {"counts": {"posts sent": 1}}
    scene.write(Report(None, "", counted).encode() + Report(Level.INFO, "text", counted).encode())
    scene.turn()
    assert scene.facts == [(SPEC.job, counted)] * 2


def test_unfinished_line_does_not_set_the_worker_running(scene: Scene) -> None:
    scene.started()
    scene.write(b"half a li")
    scene.turn()
    assert scene.status.state is WorkerState.STARTING


def test_worker_stopped_twice_gets_one_sigterm(scene: Scene) -> None:
    scene.started()
    scene.table.stop_all(None, 100.0)
    scene.table.stop_all(None, 101.0)
    assert scene.requests() == [{"signal": PID, "number": signal.SIGTERM}]


def test_signal_for_a_worker_without_pid_is_sent_once_it_has_one(scene: Scene) -> None:
    scene.table.act(Stop(SPEC.key), 2, scene.now)
    assert scene.requests() == []
    scene.started()
    assert scene.requests() == [{"signal": PID, "number": signal.SIGTERM}]


def test_death_of_the_fork_server_restarts_its_workers_once_their_pipes_end() -> None:
    scene = Scene()
    scene.answer(n=scene.request, started=2**22 + 1)  # above the kernel's highest pid: nobody gets the signal
    scene.turn()
    scene.forkserver.control.close()
    scene.turn()
    assert scene.texts == ["The fork server was killed by SIGKILL; restarting this worker"]
    assert (scene.status.state, scene.status.reason) == (WorkerState.STOPPING, "forkserver_gone")
    assert scene.table.errors() == ("The fork server was killed by SIGKILL",)
    os.close(scene.pipe)
    scene.turn()
    assert scene.status.state is WorkerState.BACKOFF
    scene.table.close(0.0)
    scene.selector.close()


def test_hung_fork_server_is_killed_and_one_that_waits_for_nothing_is_not(scene: Scene) -> None:
    scene.table.ensure_forkserver(scene.now + HUNG_AFTER)
    assert scene.forkserver.kills == 0
    scene.table.ensure_forkserver(scene.now + HUNG_AFTER + 1)
    assert scene.forkserver.kills == 1
    scene.started()
    scene.table.ensure_forkserver(scene.now + 10 * HUNG_AFTER)
    assert scene.forkserver.kills == 1


def test_fork_server_is_not_hung_right_after_the_machine_slept(scene: Scene) -> None:
    scene.table.reset_liveness(scene.now + 10_000)
    scene.table.ensure_forkserver(scene.now + 10_000)
    assert scene.forkserver.kills == 0
