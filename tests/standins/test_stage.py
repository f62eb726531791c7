"""The service is started as a process, which says why it does not come up and leaves nothing behind."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from standins.stage import NeverHappened, Service, ServiceDied, eventually

# A service as far as the stage can tell: answers any GET and POST /job, and writes down what it was sent.
FAKE = """
import json, os, pathlib, subprocess, sys
from http.server import BaseHTTPRequestHandler, HTTPServer
class DiscordResponse(BaseHTTPRequestHandler):
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
HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), DiscordResponse).serve_forever()
"""

Make = Callable[[str], Service]


@pytest.fixture
def make(tmp_path: Path) -> Make:
    def service(code: str) -> Service:
        return Service(
            tmp_path, telegram_url="http://127.0.0.1:1", discord_host="127.0.0.1:2", env={},
            webhook_url="http://127.0.0.1:2/api/webhooks/1/t", program=(sys.executable, "-c", code),
        )  # fmt: skip

    return service


def test_a_service_comes_up_takes_a_job_and_leaves_no_process(make: Make) -> None:
    service = make(FAKE)
    try:
        service.start()
        service.add_job("demo", "a,b", DISCORD_THREAD_ID="9", EMBED_COLOR="FF0000")
        assert service.running()
    finally:
        service.close()
    seen = json.loads((service.data / "seen.json").read_text())
    sent = {
        "JOB_NAME": "demo",
        "TELEGRAM_CHANNELS": "a,b",
        "DISCORD_WEBHOOK_URL": "http://127.0.0.1:2/api/webhooks/1/t",
        "DISCORD_THREAD_ID": "9",
        "EMBED_COLOR": "FF0000",
    }
    assert seen.items() >= sent.items()
    assert not service.running() and not is_alive(int((service.data / "child").read_text()))


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


def test_the_reason_is_reported_when_a_service_does_not_come_up(make: Make) -> None:
    service = make("import sys; print('PORT=abc is no port'); sys.exit(2)")
    with pytest.raises(ServiceDied) as died:
        service.start()
    service.close()
    assert "exit code 2" in str(died.value) and "PORT=abc is no port" in str(died.value)


def test_a_refused_job_is_reported(make: Make) -> None:
    service = make(FAKE)
    try:
        service.start()
        service.password = "wrong"
        with pytest.raises(ServiceDied, match="403"):
            service.add_job("demo", "a")
    finally:
        service.close()


def test_closing_a_service_that_never_started_does_nothing(make: Make) -> None:
    make("").close()


def test_what_never_happens_is_reported_with_what_was_seen() -> None:
    with pytest.raises(NeverHappened, match=r"not within 0\.01 s; last seen: \[1, 2\]"):
        eventually(lambda: False, 0.01, every=0.001, of=lambda: [1, 2])
