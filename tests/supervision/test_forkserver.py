"""A fork server that dies, hangs or cannot start, with real processes."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from disgram.workers import lifecycle, table
from disgram.workers.forkserver_process import ForkServerProcess
from tests.supervision.supervised import Supervised, eventually, is_gone, stderr_of_this_process


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Supervised]:
    service = Supervised(tmp_path)
    yield service
    service.supervisor.stop(timeout=2)


def test_killed_fork_server_is_replaced_with_all_its_workers(service: Supervised) -> None:
    old = service.run("obedient_a", "silent_b")
    server_pid = service.forkserver.pid
    assert server_pid
    os.kill(server_pid, signal.SIGKILL)
    eventually(lambda: all(service.restarted(status.channel, status.pid or 0) for status in old))
    assert service.forkserver.pid != server_pid
    assert service.supervisor.snapshot().errors == ()


def test_worker_that_outlives_its_fork_server_is_killed_before_its_restart(
    service: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lifecycle, "KILL_AFTER", 0.5)
    (old,) = service.run("hanging_a")
    assert old.pid and service.forkserver.pid
    os.kill(service.forkserver.pid, signal.SIGKILL)
    eventually(lambda: service.restarted("hanging_a", old.pid or 0))


def test_fork_server_that_cannot_import_is_an_error_and_the_supervisor_goes_on(service: Supervised) -> None:
    service.forkserver = ForkServerProcess(["tests.supervision.workers.broken"])
    service.supervise(30, 360)
    service.add("obedient_a")
    service.supervisor.start()
    eventually(lambda: service.supervisor.snapshot().errors)
    assert service.supervisor.snapshot().errors == ("The fork server exited with code 3",)
    assert service.alive()
    assert service.running() == 0


def test_hung_fork_server_does_not_delay_stop(service: Supervised) -> None:
    (status,) = service.run("obedient_a")
    server_pid = service.forkserver.pid
    assert server_pid and status.pid
    os.kill(server_pid, signal.SIGSTOP)
    service.supervisor.stop(timeout=1.5)
    eventually(lambda: is_gone(server_pid) and is_gone(status.pid or 0), timeout=5)


def test_hung_fork_server_is_replaced_with_all_its_workers(
    service: Supervised, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "HUNG_AFTER", 1.0)
    service.supervise(monitor_interval=0.2, stale_after=60)
    (old,) = service.run("obedient_a")
    server_pid = service.forkserver.pid
    assert server_pid and old.pid
    os.kill(server_pid, signal.SIGSTOP)
    service.add("silent_b")
    service.supervisor.wake()
    eventually(lambda: service.restarted("obedient_a", old.pid or 0))
    service.all_running()
    assert is_gone(server_pid)


def test_stop_while_the_fork_server_still_imports_leaves_no_process(service: Supervised) -> None:
    service.add("obedient_a", "silent_b")
    service.supervisor.start()
    eventually(lambda: service.forkserver.pid)
    server_pid = service.forkserver.pid
    service.supervisor.stop()
    assert server_pid and is_gone(server_pid)
    assert not service.alive()


def test_fork_server_keeps_no_pipe_of_its_children(service: Supervised) -> None:
    service.run("silent_a", "silent_b", "silent_c")
    directory = Path(f"/proc/{service.forkserver.pid}/fd")

    def pipes() -> set[str]:
        links = {str(entry.readlink()) for entry in directory.iterdir()} - {stderr_of_this_process()}
        return {link for link in links if link.startswith("pipe:")}

    eventually(lambda: len(pipes()) == 1)  # its own wake-up


def test_failing_fork_is_an_error_and_the_supervisor_goes_on(service: Supervised) -> None:
    service.forkserver = ForkServerProcess(["tests.supervision.workers.no_memory"])
    service.supervise(30, 360)
    service.add("obedient_a")
    service.supervisor.start()
    eventually(lambda: (status := service.find("obedient_a")) and status.restarts >= 1)
    eventually(lambda: service.status("obedient_a").reason == "start_failed")
    (error,) = service.supervisor.snapshot().errors
    assert error == "webhook.py obedient_a cannot be started: fork: Cannot allocate memory"
    assert service.forkserver.alive
