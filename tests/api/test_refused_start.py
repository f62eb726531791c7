"""A start that fails: one line, and an exit code that says whether to try again."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import PROJECT
from tests.api.test_start_and_stop import started


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize(("argument", "code"), [("--help", 0), ("-h", 0), ("--port=80", 2), ("start", 2)])
def test_argument_starts_nothing_and_help_names_the_settings(
    tmp_path: Path, argument: str, code: int
) -> None:
    """Nor is a setting read: what is wrong with one is told by a start."""
    ended = subprocess.run(
        [sys.executable, "main.py", argument],
        cwd=PROJECT,
        env=os.environ | {"DATA_DIR": str(tmp_path), "PORT": "abc"},
        capture_output=True,
        text=True,
        timeout=20,
    )
    assert ended.returncode == code
    assert "usage: main.py" in ended.stdout + ended.stderr
    assert (".env" in ended.stdout) == (code == 0)
    assert list(tmp_path.iterdir()) == []


def test_word_of_the_command_line_tool_is_no_argument_of_the_service(tmp_path: Path) -> None:
    no_git = {"PATH": str(tmp_path)}  # which would set jobs.json of this clone aside
    with started(["cli.py", "run"], tmp_path, COOLDOWN="-1", **no_git) as service:
        code, out, err = service.end()
    assert (code, out) == (2, "")
    assert err.startswith("disgram: COOLDOWN: ")


def test_a_taken_port_ends_the_start_with_75_and_one_line(taken: int, tmp_path: Path) -> None:
    with started(["main.py"], tmp_path, PORT=str(taken)) as service:
        code, out, err = service.end()
    assert (code, out) == (75, "")
    assert err == f"disgram: cannot listen on 127.0.0.1 port {taken}: Address already in use\n"
    assert not (tmp_path / "disgram.db").exists()  # nothing had started


def test_a_second_service_is_refused_for_its_data_directory_not_for_its_port(tmp_path: Path) -> None:
    with started(["main.py"], tmp_path) as first:
        first.await_answer()
        with started(["main.py"], tmp_path, PORT=str(first.port)) as second:
            code, _, err = second.end()
    assert (code, err.count("\n")) == (2, 1)
    assert f"another Disgram (pid {first.process.pid}) is running on {tmp_path}" in err


def test_a_database_that_cannot_be_opened_now_ends_the_start_with_75(tmp_path: Path) -> None:
    (tmp_path / "disgram.db-wal").mkdir()
    with started(["main.py"], tmp_path) as service:
        code, _, err = service.end()
    assert (code, err) == (75, "disgram: disgram.db: disk I/O error\n")


def test_an_old_python_is_one_line_and_exit_code_2() -> None:
    pretend = (
        "import runpy, sys; sys.version_info = (3, 9, 2); runpy.run_path('main.py', run_name='__main__')"
    )
    done = subprocess.run(
        [sys.executable, "-c", pretend], cwd=PROJECT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert done.stderr.startswith("disgram: Python 3.10 or newer is needed")


def test_a_damaged_database_needs_a_person(tmp_path: Path) -> None:
    (tmp_path / "disgram.db").write_bytes(b"this is no database, whatever its name says" * 100)
    with started(["main.py"], tmp_path) as service:
        code, _, err = service.end()
    assert (code, err.count("\n")) == (2, 1)
    assert "disgram.db" in err
