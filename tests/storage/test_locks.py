"""Locks between processes. Record locks never conflict within one process, so another one holds them here."""

from __future__ import annotations

import errno
import fcntl
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from disgram.errors import StartRefused, StorageUnavailable
from disgram.report import Level
from disgram.storage.files.locks import (
    LOCK_FILE,
    InstanceLock,
    WorkerLock,
    _offset,
)

HOLDER = """
import sys
from pathlib import Path
from disgram.storage.files.locks import InstanceLock, WorkerLock
path, *key = sys.argv[1:]
lock = WorkerLock(Path(path), *key) if key else InstanceLock(Path(path))
lock.acquire()
print("held", flush=True)
sys.stdin.read()
"""

Hold = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / LOCK_FILE


@pytest.fixture
def hold(path: Path) -> Iterator[Hold]:
    """Another process that holds the service's lock, or the worker's whose key is given."""
    held: list[subprocess.Popen[bytes]] = []

    def start(*key: str) -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", HOLDER, str(path), *key]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        held.append(process)
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in held:
        process.kill()
        process.communicate()


def test_second_service_is_refused_with_the_pid_of_the_first(path: Path, hold: Hold) -> None:
    holder = hold()
    with pytest.raises(StartRefused, match=rf"pid {holder.pid}\)"):
        InstanceLock(path).acquire()


def test_lock_is_free_after_its_holder_was_killed(path: Path, hold: Hold) -> None:
    holder = hold()
    holder.kill()
    holder.wait()
    with InstanceLock(path):
        assert path.read_text().strip().isdigit()


@pytest.mark.parametrize("removed", [Path.unlink, lambda path: path.rename(path.with_name("old"))])
def test_removed_lock_file_lets_no_second_service_in(
    path: Path, hold: Hold, removed: Callable[[Path], object]
) -> None:
    holder = hold()
    removed(path)
    with pytest.raises(StartRefused, match="another Disgram is running"):
        InstanceLock(path).acquire()
    holder.kill()
    holder.wait()
    with InstanceLock(path):
        pass


def test_lock_is_held_where_directories_cannot_be_locked(
    path: Path, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    def unsupported(*_: object) -> None:
        raise OSError(errno.EOPNOTSUPP, "Operation not supported")

    monkeypatch.setattr(fcntl, "flock", unsupported)
    with InstanceLock(path):
        pass
    hold()
    with pytest.raises(StartRefused):
        InstanceLock(path).acquire()


def test_lock_file_without_a_pid_is_not_quoted_in_the_error(path: Path, hold: Hold) -> None:
    hold()
    path.write_bytes(b"\x1b[31mroot\xff\n")
    with pytest.raises(StartRefused, match="another Disgram is running"):
        InstanceLock(path).acquire()


def test_refused_service_holds_no_lock(path: Path, hold: Hold) -> None:
    holder = hold()
    lock = InstanceLock(path)
    with pytest.raises(StartRefused):
        lock.acquire()
    holder.kill()
    holder.wait()
    hold()


def test_lock_in_a_missing_directory_raises_our_errors(tmp_path: Path) -> None:
    missing = tmp_path / "none" / LOCK_FILE
    with pytest.raises(StartRefused, match="cannot be opened"):
        InstanceLock(missing).acquire()
    with pytest.raises(StorageUnavailable):
        WorkerLock(missing, "a", "b").acquire()


def test_worker_lock_excludes_its_own_job_and_channel_only(path: Path, hold: Hold) -> None:
    hold("news", "durov")
    assert not WorkerLock(path, "news", "durov").acquire()
    for job, channel in (("news", "telegram"), ("other", "durov"), ("durov", "news")):
        lock = WorkerLock(path, job, channel)
        assert lock.acquire()
        lock.release()
    with InstanceLock(path):
        pass


def test_worker_waits_for_its_lock_and_reports_it_once(path: Path, hold: Hold) -> None:
    holder = hold("news", "durov")
    waits, reported = [], []

    class Heartbeat:
        def wait(self, seconds: float) -> None:
            waits.append(seconds)
            if len(waits) == 3:
                holder.kill()
                holder.wait()

    def report(level: Level | None, text: str, **facts: Any) -> None:
        reported.append(facts)

    lock = WorkerLock(path, "news", "durov")
    lock.await_turn(Heartbeat(), report)
    lock.release()
    assert len(waits) == 3
    assert reported == [{"reason": "waiting"}, {"reason": None}]


def test_worker_offsets_differ_and_never_touch_the_services_byte() -> None:
    offsets = {_offset(job, channel) for job in ("a", "ab", "") for channel in ("b", "", "bc")}
    assert len(offsets) == 9
    assert all(0 < offset < 2**63 - 1 for offset in offsets)
