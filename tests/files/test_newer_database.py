"""A database that a newer Disgram wrote stops what would use it: once, with one line that names the file."""

from __future__ import annotations

import os
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from disgram.errors import DatabaseDamaged, DatabaseTooNew, StartRefused
from disgram.storage import schema
from disgram.storage.before_use import open_ledger, raise_if_damaged
from disgram.storage.sqlite import Database
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


SERVICE, BY_HAND = (
    ["main.py"],
    ["webhook.py", "news", "https://discord.com/api/webhooks/1/aSecretOne", "--once"],
)


@pytest.mark.parametrize(
    ("command", "wal"),
    [(SERVICE, False), (SERVICE, True), (BY_HAND, True)],
    ids=["service", "service after a kill", "worker by hand after a kill"],
)
def test_start_refused_for_a_newer_database_is_one_line_and_changes_no_database(
    newer: Path, command: list[str], wal: bool
) -> None:
    """`wal`: a process was killed, so that the newer file's version is in its write-ahead log alone."""
    other = newer.with_name("limits.db" if newer.name == "disgram.db" else "disgram.db")
    with closing(sqlite3.connect(other)) as connection:
        connection.execute("PRAGMA user_version=1")
    if wal:
        newer.unlink()
        leave_in_the_log(newer)
    before = {path.name: path.read_bytes() for path in (newer, other)}
    settings = {"DATA_DIR": str(newer.parent), "PORT": str(free_port()), "AUTH_PASSWORD": "not the default"}
    ended = subprocess.run(
        [sys.executable, *command], cwd=ROOT, env=os.environ | settings, capture_output=True, text=True,
        timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 2
    (line,) = [line for line in ended.stderr.splitlines() if str(newer) in line]
    assert "was written by a newer Disgram (schema 999" in line
    assert "Traceback" not in ended.stderr
    assert {path.name: path.read_bytes() for path in (newer, other)} == before


def leave_in_the_log(path: Path) -> None:
    """A version that no checkpoint has taken over: the process that wrote it did not close the file."""
    code = (
        f"import os, sqlite3; c = sqlite3.connect({str(path)!r}); c.execute('PRAGMA journal_mode=WAL'); "
        "c.execute('PRAGMA user_version=999'); os._exit(0)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_database_refused_as_newer_keeps_its_bytes(newer: Path) -> None:
    before = newer.read_bytes()
    for _ in range(2):
        with pytest.raises(DatabaseTooNew):
            Database(newer, schema.LEDGER, durable=True)
    assert newer.read_bytes() == before


def test_damaged_ledger_of_an_older_disgram_is_refused_before_it_is_migrated(tmp_path: Path) -> None:
    path = tmp_path / "disgram.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE progress (job TEXT, channel TEXT, last_id INTEGER, start INTEGER)")
        connection.executemany("INSERT INTO progress VALUES (?, 'c', 1, 1)", [("x" * 500,)] * 100)
        connection.commit()
    content = bytearray(path.read_bytes())
    content[8192 + 8 : 8192 + 600] = b"\xff" * 592
    path.write_bytes(content)
    with pytest.raises(DatabaseDamaged, match="its pages are damaged"):
        raise_if_damaged(path)
    with pytest.raises(StartRefused, match="put a backup in its place, or move it away"):
        open_ledger(path)
    assert path.read_bytes() == content


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
