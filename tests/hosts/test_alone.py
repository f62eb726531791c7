"""Without DATABASE_URL a service has nothing of several hosts; with it and without a driver it says so."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from config import read
from disgram.errors import BadSetting, StartRefused
from service import running_service
from worker_cli import refuse_several_hosts

ROOT = Path(__file__).resolve().parents[2]

PROBE = """
import sys, threading
from config import read
from service import running_service
with running_service(read({"DATA_DIR": sys.argv[1], "LOG_TO_STDERR": "false"})) as service:
    rooms = ("psycopg", "disgram.hosts", "disgram.postgres")
    loaded = sorted(name for name in sys.modules if name.startswith(rooms))
    threads = {thread.name for thread in threading.enumerate()}
    print(loaded, service.hosts(), sorted({"hosts", "membership", "ledger socket"} & threads))
"""


def test_service_alone_loads_no_driver_and_starts_no_thread_of_several_hosts(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROBE, str(tmp_path)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "[] None []", done.stderr
    assert {"host.id", "ledger.sock"}.isdisjoint(path.name for path in tmp_path.iterdir())


def test_without_the_driver_the_start_is_refused_with_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hosting.find_spec", lambda name: None)
    settings = read({"DATA_DIR": str(tmp_path), "DATABASE_URL": "postgresql://me:hunter2222@127.0.0.1:1/d"})
    with pytest.raises(StartRefused, match=r"requirements-hosts\.txt") as refusal, running_service(settings):
        pass
    assert "hunter2222" not in str(refusal.value)


def test_worker_by_hand_is_refused_where_hosts_share_their_progress() -> None:
    refuse_several_hosts(read({}))
    with pytest.raises(BadSetting, match="takes no part") as refusal:
        refuse_several_hosts(read({"DATABASE_URL": "postgresql://me:hunter2222@h/d"}))
    assert refusal.value.error == "DATABASE_URL"
    assert "hunter2222" not in str(refusal.value)
