"""Processes of others that become ours are reaped; our own are left to whoever waits for them."""

from __future__ import annotations

import subprocess
import sys

PROGRAM = """
import ctypes, os, subprocess, sys, time
from disgram.workers.orphans import inherits_orphans, reap_orphans

def zombies():
    found = 0
    for pid in filter(str.isdigit, os.listdir("/proc")):
        try:
            state, parent = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[:2]
        except OSError:
            continue
        found += int(parent) == os.getpid() and state == "Z"
    return found

def until(condition):
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)

assert not inherits_orphans()
reap_orphans(set())
ctypes.CDLL(None).prctl(36, 1)  # PR_SET_CHILD_SUBREAPER
assert inherits_orphans()
subprocess.run(["sh", "-c", "sleep 0.1 & sleep 0.1 &"], check=True)
until(lambda: zombies() == 2)
own = subprocess.Popen(["false"])
until(lambda: zombies() == 3)
reap_orphans({own.pid})
reap_orphans({own.pid})
assert own.wait() == 1
reap_orphans(set())
print(zombies())
"""


def test_orphans_are_reaped_and_the_status_of_our_own_child_is_kept() -> None:
    done = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, text=True, timeout=60)
    assert (done.stderr, done.stdout) == ("", "0\n")
