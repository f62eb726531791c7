"""Hosts as processes of their own, killed and frozen at any moment, over one PostgreSQL.

Each writes for every channel it may run, as a worker would before each request. The database numbers what was
written: whatever happens to the hosts, the epochs of a channel never go back.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("psycopg")

from standins.postgres import PostgresServer
from standins.stage import eventually
from tests.hosts.member import TIMES

ROOT = Path(__file__).resolve().parents[2]
CHANNELS = {*"abcdefgh"}
Start = Callable[..., "Process"]


class Process:
    """One host; `said`: its last line, and `lines`: all of them."""

    def __init__(self, url: str, name: str, folder: Path, lease: float) -> None:
        folder.mkdir(exist_ok=True)
        arguments = [url, name, str(folder), str(lease), *sorted(CHANNELS)]
        command = [sys.executable, "-m", "tests.hosts.member", *arguments]
        self._process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE)
        self.lines: list[dict[str, Any]] = []
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self._process.stdout
        with self._process.stdout as lines:
            for line in lines:
                self.lines.append(json.loads(line))

    @property
    def wrote(self) -> set[str]:
        """For which channels, in its last turn."""
        return {*self.lines[-1]["wrote"]} if self.lines else set()

    def signal(self, number: signal.Signals) -> None:
        os.kill(self._process.pid, number)

    def end(self) -> None:
        self._process.kill()
        self._process.wait()
        self._reader.join()


@pytest.fixture
def database(postgres_server: PostgresServer, postgres_url: str) -> str:
    """Its name."""
    name = postgres_url.split("/")[3].partition("?")[0]
    postgres_server.run(
        "CREATE TABLE written (id BIGSERIAL PRIMARY KEY, channel TEXT, host TEXT, epoch BIGINT)", name
    )
    return name


@pytest.fixture
def start(tmp_path: Path, postgres_url: str, database: str) -> Iterator[Start]:
    processes: list[Process] = []

    def start_one(name: str, lease: float = TIMES.lease) -> Process:
        processes.append(Process(postgres_url, name, tmp_path / name, lease))
        return processes[-1]

    yield start_one
    for process in processes:
        process.end()


def went_back(server: PostgresServer, database: str) -> list[Any]:
    """Writes under an epoch that was over."""
    return server.run(
        "SELECT * FROM (SELECT *, max(epoch) OVER (PARTITION BY channel ORDER BY id) AS newest FROM written) "
        "AS it WHERE epoch < newest",
        database,
    )


def divided(one: Process, other: Process) -> Callable[[], bool]:
    """Whether each of two writes for half of the channels, so that nothing moves any more."""
    return lambda: shared(one, other)() and len(one.wrote) == len(other.wrote)


def shared(*processes: Process) -> Callable[[], bool]:
    """Whether each channel is written for by exactly one of these hosts."""

    def ask() -> bool:
        wrote = [channel for process in processes for channel in process.wrote]
        return sorted(wrote) == sorted(CHANNELS) and all(process.wrote for process in processes)

    return ask


def test_killed_host_is_succeeded_within_its_lease(
    start: Start, postgres_server: PostgresServer, database: str
) -> None:
    killed, *others = [start(name) for name in ("one", "two", "three")]
    eventually(shared(killed, *others), timeout=30)
    time.sleep(TIMES.patience)
    had = killed.wrote
    killed.end()
    began = time.monotonic()
    eventually(shared(*others), every=0.01)
    assert time.monotonic() - began < TIMES.lease + TIMES.renew + 0.5
    taken_over = others[0].lines[-1]["taken_over"] | others[1].lines[-1]["taken_over"]
    assert had <= taken_over.keys()
    assert went_back(postgres_server, database) == []


def test_host_frozen_past_its_lease_writes_nothing_more_for_what_others_have(
    start: Start, postgres_server: PostgresServer, database: str
) -> None:
    frozen, other = start("frozen"), start("other")
    eventually(shared(frozen, other), timeout=30)
    time.sleep(TIMES.patience)
    frozen.signal(signal.SIGSTOP)
    eventually(lambda: other.wrote == CHANNELS)
    frozen.signal(signal.SIGCONT)
    eventually(shared(frozen, other))
    assert went_back(postgres_server, database) == []


def test_host_frozen_for_less_than_its_lease_goes_on_with_its_channels(
    start: Start, postgres_server: PostgresServer, database: str
) -> None:
    frozen, other = start("frozen", lease=60), start("other", lease=60)
    eventually(divided(frozen, other), timeout=30)
    had = frozen.wrote
    frozen.signal(signal.SIGSTOP)
    time.sleep(TIMES.renew * 2)
    frozen.signal(signal.SIGCONT)
    before = len(frozen.lines)
    eventually(lambda: len(frozen.lines) > before + 20)
    assert frozen.wrote == had
    assert went_back(postgres_server, database) == []


def test_killed_host_that_starts_again_has_its_channels_back_under_new_epochs(
    start: Start, postgres_server: PostgresServer, database: str
) -> None:
    killed, other = start("one", lease=60), start("other", lease=60)
    eventually(divided(killed, other), timeout=30)
    had = killed.wrote
    killed.end()
    again = start("one", lease=60)
    eventually(lambda: again.wrote == had, timeout=30)
    assert again.lines[-1]["taken_over"] == {}
    assert went_back(postgres_server, database) == []


def test_hosts_frozen_and_continued_at_random_never_write_under_an_old_epoch(
    start: Start, postgres_server: PostgresServer, database: str
) -> None:
    hosts = [start(name) for name in ("one", "two", "three")]
    eventually(shared(*hosts), timeout=30)
    for turn, seconds in enumerate((0.3, 1.5, 0.9, 1.3, 2.0, 1.2)):
        frozen = hosts[turn % 3]
        frozen.signal(signal.SIGSTOP)
        time.sleep(seconds)
        frozen.signal(signal.SIGCONT)
    eventually(shared(*hosts), timeout=30)
    assert went_back(postgres_server, database) == []
    assert len(postgres_server.run("SELECT DISTINCT channel FROM written", database)) == len(CHANNELS)
