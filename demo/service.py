"""The real service, started for the demo as its users start it: `python main.py` in a process of its own.

Owns that process: its environment, its start, its end and its last words. Never imports Disgram.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parent.parent
START_SECONDS = 30.0
STOP_SECONDS = 15.0


class ServiceDied(Exception):
    """The service did not come up or did not do as asked; the message holds its last lines."""


class Service:
    """`python main.py` over the two stand-ins, with a data directory and a password of its own."""

    def __init__(
        self,
        *,
        telegram_url: str,
        discord_host: str,
        data_dir: Path,
        cooldown: float = 3.0,
        program: tuple[str, ...] = (sys.executable, "main.py"),
    ) -> None:
        self.password = secrets.token_urlsafe(16)
        self.port = _free_port()
        self._program = program
        self.last_lines: deque[str] = deque(maxlen=20)
        self._environment = os.environ | {
            "AUTH_PASSWORD": self.password,
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "DATA_DIR": str(data_dir),
            "COOLDOWN": str(cooldown),
            "MONITOR_INTERVAL": "5",
            "INITIAL_POSTS": "100",
            "TELEGRAM_BASE_URL": telegram_url,
            "TELEGRAM_REQUESTS_PER_SECOND": "20",
            "WEBHOOK_HOSTS": discord_host,
            "FOLLOW_EDITS": "true",
            "FOLLOW_DELETIONS": "mark",
            "FORWARD_SERVICE_MESSAGES": "true",
            "PROTECT_READS": "false",
            "PYTHONUNBUFFERED": "1",
        }
        self._process: subprocess.Popen[str] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Return once /health answers. Raises ServiceDied with the reason."""
        self._process = subprocess.Popen(
            self._program,
            cwd=ROOT,
            env=self._environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        )
        reader = threading.Thread(target=self._drain, args=(self._process,), daemon=True)
        reader.start()
        deadline = time.monotonic() + START_SECONDS
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > deadline:
                reader.join(1)  # what it said last may still be on its way
                raise ServiceDied(self._last_words())
            time.sleep(0.1)

    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def add_job(
        self, name: str, channels: list[str], webhook_url: str, thread_id: str = "", color: str = ""
    ) -> None:
        """POST /job. Raises ServiceDied if the service refuses."""
        headers = {
            "JOB_NAME": name,
            "TELEGRAM_CHANNELS": ",".join(channels),
            "DISCORD_WEBHOOK_URL": webhook_url,
            "Authorization": f"Bearer {self.password}",
        }
        headers |= {"DISCORD_THREAD_ID": thread_id} if thread_id else {}
        headers |= {"EMBED_COLOR": color} if color else {}
        status, answer = self._call("POST", "/job", headers)
        if status != 201:
            raise ServiceDied(f"POST /job was answered with {status}: {answer}")

    def stop(self) -> None:
        """SIGTERM; who has not gone by `STOP_SECONDS` is killed, with everybody in the process group."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            _kill_group(self._process.pid)
            self._process.wait()
        _kill_group(self._process.pid)

    def _drain(self, process: subprocess.Popen[str]) -> None:
        """An output nobody reads blocks who writes it."""
        with process:
            for line in process.stdout or ():
                self.last_lines.append(line.rstrip())

    def _last_words(self) -> str:
        code = self._process.poll() if self._process else None
        state = "still running but silent" if code is None else f"ended with exit code {code}"
        lines = "\n".join(f"  {line}" for line in self.last_lines) or "  (it said nothing)"
        return f"The service did not come up: it {state}. Its last lines:\n{lines}"

    def _answers(self) -> bool:
        try:
            self._call("GET", "/health", {})
        except (OSError, http.client.HTTPException, ValueError):
            return False
        return True

    def _call(self, method: str, path: str, headers: dict[str, str]) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        try:
            connection.request(method, path, headers=headers)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read() or b"null")
        finally:
            connection.close()


def _kill_group(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except ProcessLookupError:
        return  # nobody left, as it should be


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
