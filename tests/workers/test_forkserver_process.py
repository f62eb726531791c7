"""When the fork server is started, and started again; the process is one that ends by itself."""

from __future__ import annotations

import subprocess
import sys

import pytest

from disgram.workers.forkserver_process import ForkServerProcess, child_environment


class Exits(ForkServerProcess):
    """Its process exits with code 3 at once; with `spawn_error` there is none."""

    spawn_error: OSError | None = None

    def _spawn(self, control: int) -> subprocess.Popen[bytes]:
        if self.spawn_error:
            raise self.spawn_error
        return subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(3)"], stdin=control)


def start_and_exit(process: ForkServerProcess, now: float) -> bool:
    """Whether it was started at `now`; if so, it has exited."""
    connection = process.ensure_running(now)
    if connection is None:
        return False
    assert process.alive and process.pid and process.due_at == float("inf")
    connection.close()
    process.on_exit(now, timeout=60)
    return True


def test_fork_server_restarts_at_once_the_first_time_and_then_with_backoff() -> None:
    process = Exits([])
    assert start_and_exit(process, 0.0)
    assert process.due_at == 0.0
    for wait in (1.0, 2.0, 4.0):
        now = process.due_at
        assert start_and_exit(process, now)
        assert process.due_at == now + wait
        assert not start_and_exit(process, now + wait - 0.01)


def test_fork_server_that_exits_after_a_stable_minute_restarts_at_once() -> None:
    process = Exits([])
    assert start_and_exit(process, 0.0)
    connection = process.ensure_running(0.0)
    assert connection
    connection.close()
    process.on_exit(60.0, timeout=60)
    assert process.due_at == 60.0


def test_exit_of_the_fork_server_is_described() -> None:
    process = Exits([])
    assert process.error == ""
    start_and_exit(process, 0.0)
    assert process.error == "The fork server exited with code 3"
    assert not process.alive and process.pid is None


def test_fork_server_that_cannot_be_started_is_described_and_tried_again() -> None:
    process = Exits([])
    process.spawn_error = OSError(12, "Cannot allocate memory")
    assert process.ensure_running(0.0) is None
    assert process.ensure_running(0.0) is None
    assert process.error == "The fork server cannot be started: Cannot allocate memory"
    assert process.due_at == 1.0


def test_hanging_fork_server_is_killed_after_the_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    process = ForkServerProcess([])
    sleeping = subprocess.Popen([sys.executable, "-S", "-c", "import time; time.sleep(600)"])
    monkeypatch.setattr(process, "_spawn", lambda control: sleeping)
    connection = process.ensure_running(0.0)
    assert connection
    connection.close()
    process.on_exit(0.0, timeout=0.0)
    assert sleeping.returncode == -9


def test_children_inherit_no_secret_of_the_service(monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = (
        *("AUTH_PASSWORD", "DISCORD_WEBHOOK_URL", "ALERT_WEBHOOK_URL", "TG_API_ID", "TG_API_HASH"),
        *("TG_SESSION_STRING", "DATABASE_URL", "PGPASSWORD"),
    )
    for name in (*secrets, "HTTPS_PROXY"):
        monkeypatch.setenv(name, f"value of {name}")
    inherited = child_environment()
    assert inherited["HTTPS_PROXY"] == "value of HTTPS_PROXY"
    assert not {*secrets} & {*inherited}
