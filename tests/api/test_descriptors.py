"""What still works in a process that has no file descriptor left: each case in a process of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from disgram.api.listener import ConnectionLimits

PREPARE = """
import os, resource, socket, sys, time
from pathlib import Path
from disgram.api.listener import Listener
from disgram.logs.log_file import LogFile
from disgram.report import Level
from disgram.storage.files.json_file import JsonFile
folder = Path(sys.argv[1])

def use_up():
    resource.setrlimit(resource.RLIMIT_NOFILE, (64, 64))
    try:
        while True:
            os.dup(0)
    except OSError:
        pass
"""
CASES = {
    "jobs": """
file = JsonFile(folder / "jobs.json")
use_up()
for number in range(3):
    file.replace({"number": number})
print((os.stat(folder / "jobs.json").st_size, 18))
""",
    "log": """
log = LogFile(folder / "Disgram.log", max_bytes=100, backups=1)
log.write(Level.INFO, "x" * 50)
use_up()
log.write(Level.INFO, "y" * 50)
print((log.write_error, None))
""",
    "accept": """
listener = Listener()
listener.bind(("127.0.0.1", 0))
listener.listen()
clients = [socket.create_connection(listener.getsockname()) for _ in range(3)]
listener.accept()[0].close()
use_up()
kept = [listener.accept() for _ in range(2)]
print((len(kept), 2))
""",
}


@pytest.mark.parametrize("case", CASES)
def test_reserve_lets_it_work_without_descriptors(case: str, tmp_path: Path) -> None:
    program = PREPARE + CASES[case]
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True)
    assert (done.stderr, done.returncode) == ("", 0)
    seen, expected = eval(done.stdout)  # noqa: S307 - our own program's
    assert seen == expected


@pytest.mark.parametrize("descriptors", [64, 128, 256, 1024, 65_536])
def test_connections_leave_descriptors_for_the_rest_of_the_service(descriptors: int) -> None:
    limits = ConnectionLimits.within(descriptors)
    assert 8 <= limits.total <= 500
    accepted_before_one_is_closed = 4 * limits.at_once
    assert limits.total + accepted_before_one_is_closed <= max(descriptors - 40, 16)
