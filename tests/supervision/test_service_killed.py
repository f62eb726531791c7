"""What is left of a service that is killed or stopped: no process."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

from tests.supervision.supervised import eventually, is_gone

ROOT = Path(__file__).resolve().parents[2]


def start_service(tmp_path: Path, *channels: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.supervision.small_service", str(tmp_path), *channels]
    return subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)


def pids_shown(process: subprocess.Popen[str], pids: set[int], forkservers: list[int] | None = None) -> None:
    """Add every pid the service prints to `pids`, and those of fork servers to `forkservers` as well."""
    assert process.stdout
    for line in process.stdout:
        shown = json.loads(line)
        if forkservers is not None and shown["forkserver"]:
            forkservers.append(shown["forkserver"])
        pids |= {pid for pid in (shown["forkserver"], *shown["workers"]) if pid}


def test_service_killed_at_any_moment_leaves_no_process(tmp_path: Path) -> None:
    moments = random.Random(5)
    everyone: list[set[int]] = []
    for _ in range(5):
        pids: set[int] = set()
        with start_service(tmp_path, "obedient_a", "silent_b", "chatty_c", "crashing_d") as process:
            reader = threading.Thread(target=pids_shown, args=(process, pids))
            reader.start()
            eventually(lambda: pids)  # noqa: B023
            time.sleep(moments.uniform(0, 0.8))
            process.kill()
            reader.join()
        everyone.append(pids)
    assert sum(map(len, everyone)) > 5
    eventually(lambda: all(is_gone(pid) for pids in everyone for pid in pids))


def test_killed_service_leaves_no_worker_that_ignores_sigterm(tmp_path: Path) -> None:
    pids: set[int] = set()
    with start_service(tmp_path, "hanging_a") as process:
        reader = threading.Thread(target=pids_shown, args=(process, pids))
        reader.start()
        eventually(lambda: len(pids) == 2)
        process.kill()
        reader.join()
    eventually(lambda: all(is_gone(pid) for pid in pids))


def test_service_and_fork_server_killed_together_leave_no_process(tmp_path: Path) -> None:
    pids: set[int] = set()
    forkservers: list[int] = []
    with start_service(tmp_path, "obedient_a", "silent_b") as process:
        reader = threading.Thread(target=pids_shown, args=(process, pids, forkservers))
        reader.start()
        eventually(lambda: len(pids) == 3)
        os.kill(forkservers[0], signal.SIGKILL)
        process.kill()
        reader.join()
    eventually(lambda: all(is_gone(pid) for pid in pids))


def test_sigterm_to_the_service_ends_all_processes_with_exit_code_0(tmp_path: Path) -> None:
    pids: set[int] = set()
    with start_service(tmp_path, "obedient_a", "silent_b") as process:
        reader = threading.Thread(target=pids_shown, args=(process, pids))
        reader.start()
        eventually(lambda: len(pids) == 3)
        process.terminate()
        assert process.wait(timeout=10) == 0
        reader.join()
    assert all(is_gone(pid) for pid in pids)
