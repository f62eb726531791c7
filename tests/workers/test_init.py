"""The first process of a container, tried as a subreaper, which is given orphans as PID 1 is."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="a subreaper exists in Linux alone")

ROOT = Path(__file__).resolve().parents[2]
BEGIN = """
import ctypes, os, signal, subprocess, sys, time
PR_SET_CHILD_SUBREAPER = 36
ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1)
from disgram.workers.init import stay_behind_as_init
stay_behind_as_init()
"""


def init(child: str) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", BEGIN + child]
    return subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


@pytest.mark.parametrize(
    ("child", "code"),
    [("sys.exit(0)", 0), ("sys.exit(75)", 75), ("os.kill(os.getpid(), signal.SIGKILL)", 128 + 9)],
)
def test_the_exit_code_is_the_service_s(child: str, code: int) -> None:
    with init(child) as process:
        assert process.wait(20) == code


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_signals_reach_the_service(number: signal.Signals) -> None:
    child = f"""
signal.signal({int(number)}, lambda *_: sys.exit(5))
print("ready", flush=True)
time.sleep(60)
"""
    with init(child) as process:
        assert process.stdout and process.stdout.readline() == "ready\n"
        process.send_signal(number)
        assert process.wait(20) == 5


def test_orphans_are_reaped() -> None:
    child = """
orphan = subprocess.run(["sh", "-c", "sleep 0.1 >&2 & echo $!"], capture_output=True, text=True).stdout
print(orphan, end="", flush=True)
sys.stdin.read()
"""
    with init(child) as process:
        assert process.stdout
        orphan = int(process.stdout.readline())
        deadline = time.monotonic() + 20
        while Path(f"/proc/{orphan}").exists() and time.monotonic() < deadline:
            time.sleep(0.02)
        with pytest.raises(ProcessLookupError):
            os.kill(orphan, 0)
        process.communicate("", 20)
    assert process.returncode == 0
