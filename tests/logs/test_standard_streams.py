"""Standard output and error that nobody reads, that are full or that are closed."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from disgram.logs.standard_streams import PatientStream
from standins.stage import ROOT, eventually, free_port


def test_a_pipe_that_nobody_empties_blocks_nobody() -> None:
    reader, writer = os.pipe()
    stream = PatientStream(writer)
    for _ in range(100):
        print("x" * 5000, file=stream, flush=True)
    assert os.read(reader, 10) == b"x" * 10
    os.close(reader)
    print("nobody is left", file=stream)
    os.close(writer)


def test_text_of_any_script_is_written_as_utf_8(tmp_path: Path) -> None:
    with (tmp_path / "out").open("wb") as file:
        print("канал \ud800", file=PatientStream(file.fileno()))
    assert (tmp_path / "out").read_bytes() == "канал \\ud800\n".encode()


def answers(port: int) -> bool:
    with contextlib.suppress(requests.ConnectionError):
        return requests.get(f"http://127.0.0.1:{port}/", timeout=5).ok
    return False


def full_pipe() -> tuple[int, int]:
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(writer, b"x" * 4096)
    os.set_blocking(writer, True)
    return reader, writer


@pytest.mark.parametrize("redirection", ["<&- >&- 2>&-", ">/dev/full 2>&1", ""])
def test_service_starts_answers_and_stops_whatever_its_streams_are(redirection: str, tmp_path: Path) -> None:
    """Without a redirection both are a pipe that is full and that nobody reads."""
    port, (reader, writer) = free_port(), full_pipe()
    environ = os.environ | {"PORT": str(port), "HOST": "127.0.0.1", "DATA_DIR": str(tmp_path)}
    process = subprocess.Popen(
        ["/bin/sh", "-c", f'exec "$0" -m tests.builders.api_fakes {redirection}', sys.executable],
        cwd=ROOT, env=environ, stdout=writer, stderr=writer,
    )  # fmt: skip
    os.close(writer)
    try:
        eventually(lambda: answers(port))
        standard = [str(Path(f"/proc/{process.pid}/fd/{fd}").readlink()) for fd in (1, 2)]
        assert all(path.startswith(("/dev/", "pipe:")) for path in standard)
        process.send_signal(signal.SIGTERM)
        assert process.wait(15) == 0
    finally:
        process.kill()
        os.close(reader)
