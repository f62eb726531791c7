"""The demo starts the service as a process, says why it does not come up, and leaves nothing behind."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from demo.service import Service, ServiceDied

# A service as far as the demo can tell: answers /health and POST /job, and writes down what it was sent.
FAKE = """
import json, os, pathlib, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.reply(200)
    def do_POST(self):
        seen = {name.upper(): value for name, value in self.headers.items()}
        pathlib.Path(os.environ["DATA_DIR"], "seen.json").write_text(json.dumps(seen))
        self.reply(201 if seen["AUTHORIZATION"] == "Bearer " + os.environ["AUTH_PASSWORD"] else 403)
    def reply(self, status):
        self.send_response(status)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"{}")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path(os.environ["DATA_DIR"], "child").write_text(str(child.pid))
HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Answer).serve_forever()
"""

Make = Callable[[str], Service]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def service(code: str) -> Service:
        program = (sys.executable, "-c", code)
        return Service(
            telegram_url="http://127.0.0.1:1", discord_host="127.0.0.1:2", data_dir=tmp_path, program=program
        )

    return service


def test_it_comes_up_takes_a_job_and_leaves_no_process(make: Make, tmp_path: Path) -> None:
    service = make(FAKE)
    try:
        service.start()
        service.add_job(
            "demo", ["a", "b"], "http://127.0.0.1:2/api/webhooks/1/t", thread_id="9", color="FF0000"
        )
        assert service.running()
    finally:
        service.stop()
    seen = (tmp_path / "seen.json").read_text()
    for words in (
        '"JOB_NAME": "demo"',
        '"TELEGRAM_CHANNELS": "a,b"',
        '"DISCORD_THREAD_ID": "9"',
        '"EMBED_COLOR": "FF0000"',
    ):
        assert words in seen
    assert not service.running() and not is_alive(int((tmp_path / "child").read_text()))


def is_alive(pid: int) -> bool:
    """Whether it runs on, zombies excepted (a container's first process may not reap them)."""
    deadline = time.monotonic() + 5
    while time.monotonic() < deadline:
        try:
            os.kill(pid, 0)
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except (ProcessLookupError, FileNotFoundError):
            return False
        if state == "Z":
            return False
        time.sleep(0.02)
    return True


def test_why_it_does_not_come_up_is_told(make: Make) -> None:
    service = make("import sys; print('PORT=abc is no port'); sys.exit(2)")
    with pytest.raises(ServiceDied) as told:
        service.start()
    service.stop()
    assert "exit code 2" in str(told.value) and "PORT=abc is no port" in str(told.value)


def test_a_refused_job_is_told(make: Make) -> None:
    service = make(FAKE)
    try:
        service.start()
        service.password = "wrong"
        with pytest.raises(ServiceDied, match="403"):
            service.add_job("demo", ["a"], "http://127.0.0.1:2/api/webhooks/1/t")
    finally:
        service.stop()


def test_stopping_what_never_started_is_nothing(make: Make) -> None:
    make("").stop()
