"""What the table makes of a child's end, with a template that says what the test wants said."""

from __future__ import annotations

import os
import selectors
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from disgram.addresses import ChannelRef, Destination
from disgram.report import Level, Report
from disgram.workers.forkserver_client import ForkServer, WorkerProcess
from disgram.workers.lifecycle import Start, Stop
from disgram.workers.log_pipe import LogPipe
from disgram.workers.spec import WorkerSettings, WorkerSpec, WorkerState
from disgram.workers.table import WorkerTable

SPEC = WorkerSpec(
    "job",
    ChannelRef("durov"),
    Destination("https://discord.com", "1", "t"),
    None,
    WorkerSettings(Path("/tmp")),
)


class SaysSo(ForkServer):
    """Starts nothing; `receive` tells what `news` holds."""

    def __init__(self) -> None:
        super().__init__([])
        self.alive = True
        self.ours, self.its = socket.socketpair()
        self.news: list[WorkerProcess] = []
        self.started: list[WorkerProcess] = []
        self.signals: list[int] = []

    def fileno(self) -> int:
        return self.ours.fileno()

    def start(self, spec: WorkerSpec, *, beat_every: float = 15.0) -> WorkerProcess:
        process = WorkerProcess(spec, LogPipe())
        process.pid = 4242
        self.started.append(process)
        return process

    def signal(self, worker: WorkerProcess, number: int) -> None:
        self.signals.append(number)

    def flush(self) -> None:
        pass

    def receive(self) -> list[WorkerProcess]:
        self.ours.recv(100)
        return self.news

    def tell(self, process: WorkerProcess, code: int) -> None:
        process.code = code
        self.news = [process]
        self.its.send(b"x")


class Scene:
    def __init__(self) -> None:
        self.forkserver = SaysSo()
        self.selector = selectors.DefaultSelector()
        self.said: list[Report] = []
        self.table = WorkerTable(
            self.forkserver, self.selector, lambda spec, report: self.said.append(report), lambda: 100.0
        )
        self.table.watch_template()
        self.table.act(Start(SPEC), look=1, now=100.0)
        (self.process,) = self.forkserver.started

    def hear(self, *, first: object) -> None:
        """Handle what is ready, `first` before all else."""
        ready = [key for key, _ in self.selector.select(0)]
        for key in sorted(ready, key=lambda key: key.fileobj is not first):
            key.data()


@pytest.fixture
def scene() -> Iterator[Scene]:
    scene = Scene()
    yield scene
    os.close(scene.process.log.writing)
    scene.table.close()
    scene.selector.close()
    scene.forkserver.ours.close()
    scene.forkserver.its.close()


@pytest.mark.parametrize("first", ["log", "template"])
def test_the_last_lines_are_heard_whatever_is_read_first(scene: Scene, first: str) -> None:
    os.write(
        scene.process.log.writing,
        Report(Level.ERROR, "why", {"reason": "no_preview"}).encode() + b"unfinished",
    )
    scene.forkserver.tell(scene.process, 78)
    scene.hear(first=scene.process.log if first == "log" else scene.forkserver)
    assert [report.text for report in scene.said[:2]] == ["why", "unfinished"]
    (status,) = scene.table.statuses()
    assert (status.state, status.reason, status.pid) == (WorkerState.FAILED, "no_preview", None)
    assert scene.table.changed
    assert scene.table.processes() == ()


def test_an_end_that_was_asked_for_is_no_news(scene: Scene) -> None:
    scene.table.act(Stop(SPEC.key), look=2, now=100.0)
    scene.forkserver.tell(scene.process, 0)
    scene.hear(first=scene.forkserver)
    assert scene.said == []
    assert [worker.state for worker in scene.table.workers().values()] == [WorkerState.BACKOFF]


def test_beats_are_heard_and_not_logged(scene: Scene) -> None:
    os.write(scene.process.log.writing, b"{}\n{}\n")
    scene.hear(first=scene.process.log)
    assert scene.said == []
    assert [status.state for status in scene.table.statuses()] == [WorkerState.RUNNING]


def test_a_line_without_end_is_no_sign_of_life(scene: Scene) -> None:
    os.write(scene.process.log.writing, b"half a li")
    scene.hear(first=scene.process.log)
    assert [status.state for status in scene.table.statuses()] == [WorkerState.STARTING]


def test_stopping_twice_signals_once(scene: Scene) -> None:
    scene.table.stop_all(None, 100.0)
    scene.table.stop_all(None, 101.0)
    assert len(scene.forkserver.signals) == 1
