"""A database that a newer Disgram wrote stops what would use it: once, with one line that names the file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from disgram.workers.forkserver_process import ForkServerProcess
from disgram.workers.spec import WorkerState
from disgram.workers.supervisor import Supervisor
from standins.stage import eventually, free_port
from tests.supervision.small_service import spec_of

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(params=["disgram.db", "limits.db"])
def newer(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / str(request.param)
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=999")
    return path


@pytest.mark.parametrize(
    "command",
    [["main.py"], ["webhook.py", "news", "https://discord.com/api/webhooks/1/aSecretOne", "--once"]],
    ids=["service", "worker by hand"],
)
def test_program_exits_with_code_2_and_one_line_about_a_newer_database(
    newer: Path, command: list[str]
) -> None:
    environ = {
        **os.environ,
        "DATA_DIR": str(newer.parent),
        "PORT": str(free_port()),
        "AUTH_PASSWORD": "not the default",
    }
    ended = subprocess.run(
        [sys.executable, *command],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if str(newer) in line]
    assert "was written by a newer Disgram (schema 999" in line
    assert "Traceback" not in ended.stderr


def test_worker_with_a_newer_database_fails_and_is_not_restarted(newer: Path) -> None:
    spec, lines = spec_of(newer.parent, "news"), list[str]()
    supervisor = Supervisor(
        lambda: {spec.key: spec}, lambda _, report: lines.append(report.text), ForkServerProcess(["webhook"])
    )
    supervisor.start()
    try:
        eventually(lambda: [w.state for w in supervisor.snapshot().workers] == [WorkerState.FAILED])
        (worker,) = supervisor.snapshot().workers
    finally:
        supervisor.stop(timeout=2)
    assert (worker.reason, worker.restarts) == ("database_too_new", 0)
    assert len([line for line in lines if str(newer) in line]) == 1
