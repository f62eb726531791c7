"""What uvicorn and an unexpected error of the API leave in Disgram.log, in a real service."""

from __future__ import annotations

import contextlib
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

ROOT = Path(__file__).resolve().parents[2]
STARTS = {
    "python": ["-m", "tests.integration.failing_app"],
    "uvicorn": ["-m", "uvicorn", "tests.integration.failing_app:app", "--port"],
}


def command(start: str, port: int) -> list[str]:
    return [sys.executable, *STARTS[start], *([str(port)] if start == "uvicorn" else [])]


def environment(folder: Path, port: int) -> dict[str, str]:
    ours = {"HOST": "127.0.0.1", "PORT": str(port), "DATA_DIR": str(folder), "AUTH_PASSWORD": "hunter22"}
    return {**os.environ, **ours}


@contextlib.contextmanager
def running(start: str, folder: Path) -> Iterator[str]:
    """The address of a service, from its first answer until it has ended."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    url = f"http://127.0.0.1:{port}"
    with (folder / "stderr").open("wb") as stderr:
        process = subprocess.Popen(
            command(start, port),
            cwd=ROOT,
            env=environment(folder, port),
            stdout=subprocess.DEVNULL,
            stderr=stderr,
        )
    try:
        deadline = time.monotonic() + 30
        while not answers(url):
            assert process.poll() is None and time.monotonic() < deadline, "the service does not answer"
            time.sleep(0.05)
        yield url
    finally:
        process.terminate()
        process.wait(20)


def answers(url: str) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"{url}/", timeout=5).ok
    return False


def errors(folder: Path) -> list[str]:
    lines = (folder / "Disgram.log").read_text("utf-8").splitlines()
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[[A-Z_]+\] ", line) for line in lines)
    return [line[20:] for line in lines if "[ERROR]" in line]


@pytest.mark.parametrize("start", STARTS)
def test_unexpected_error_of_the_api_is_one_line_with_its_traceback(start: str, tmp_path: Path) -> None:
    with running(start, tmp_path) as url:
        answer = requests.get(f"{url}/fail", timeout=5)
    assert answer.status_code == 500
    assert "log" in answer.json()["detail"]["message"]
    (line,) = errors(tmp_path)
    assert line.startswith("[ERROR] disgram.api: GET /fail failed\\nTraceback (most recent call last):\\n")
    assert line.endswith("ValueError: two\\nlines, and https://discord.com/api/webhooks/1/***")
    assert "failing_app.py" in line


@pytest.mark.parametrize("start", STARTS)
def test_repeated_error_of_the_api_is_summarised(start: str, tmp_path: Path) -> None:
    with running(start, tmp_path) as url:
        for _ in range(20):
            assert requests.get(f"{url}/fail", timeout=5).status_code == 500
    _, summary = errors(tmp_path)
    assert summary.startswith("[ERROR] Repeated 19 times within 60 s: disgram.api: GET /fail failed")
    stderr = (tmp_path / "stderr").read_text("utf-8")
    assert stderr.count("GET /fail failed") == 2, "one line, and one that says how often"
    assert "Traceback" not in stderr and "the-token" not in stderr


def test_port_taken_under_uvicorn_is_an_error_line(tmp_path: Path) -> None:
    """`python main.py` finds that before it starts anything, its log included."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = subprocess.run(
            command("uvicorn", port),
            cwd=ROOT,
            env=environment(tmp_path, port),
            capture_output=True,
            timeout=60,
        )
    (line,) = errors(tmp_path)
    assert "address already in use" in line.lower()
    assert done.returncode != 0
