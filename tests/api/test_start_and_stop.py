"""Real processes: start, refusals, signals and exit codes, by both ways to start the service."""

from __future__ import annotations

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from config import PROJECT
from standins.stage import eventually

PASSWORD = "hunter22"
OURS = ["-m", "tests.builders.api_fakes"]
WAITS = """
import contextlib, time
from config import SETTINGS
from disgram.api.server import serve
from main import create_app
@contextlib.contextmanager
def waits(settings):
    print("waits", flush=True)
    time.sleep(60)
    yield
serve(create_app(SETTINGS, waits), SETTINGS.host, SETTINGS.port)
"""
UVICORN = ["-m", "uvicorn", "tests.builders.api_fakes:app", "--log-level", "warning"]
BOTH = pytest.mark.parametrize("start", [OURS, UVICORN], ids=["python", "uvicorn"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Started:
    """A service in a process of its own, on a free port of loopback."""

    def __init__(self, start: list[str], folder: Path, **environ: str) -> None:
        self.port = free_port()
        port = ["--port", str(self.port)] if "uvicorn" in start else []
        settings = {
            "HOST": "127.0.0.1",
            "PORT": str(self.port),
            "AUTH_PASSWORD": PASSWORD,
            "DATA_DIR": str(folder),
        }
        self.process = subprocess.Popen(
            [sys.executable, *start, *port],
            cwd=PROJECT,
            env={**os.environ, **settings, **environ},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def get(self, path: str, **headers: str) -> requests.Response:
        return requests.get(f"http://127.0.0.1:{self.port}{path}", headers=headers, timeout=5)

    def await_answer(self) -> requests.Response:
        deadline = time.monotonic() + 20
        while time.monotonic() < deadline and self.process.poll() is None:
            with contextlib.suppress(requests.ConnectionError):
                return self.get("/")
            time.sleep(0.05)
        raise AssertionError(self.end())

    def end(self) -> tuple[int, str, str]:
        """Exit code, standard output and standard error."""
        out, err = self.process.communicate(timeout=15)
        return self.process.returncode, out, err


@contextlib.contextmanager
def started(start: list[str], folder: Path, **environ: str) -> Iterator[Started]:
    service = Started(start, folder, **environ)
    try:
        yield service
    finally:
        if service.process.poll() is None:
            service.process.kill()
        service.process.communicate()


def unusual(err: str) -> list[str]:
    """The lines of standard error beside those of every start and stop."""
    return [line for line in err.splitlines() if "[SYSTEM] Disgram " not in line]


@pytest.fixture(scope="module", params=[OURS, UVICORN], ids=["python", "uvicorn"])
def running(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Started]:
    """Each way once, for tests that only ask."""
    with started(request.param, tmp_path_factory.mktemp("running")) as service:
        service.await_answer()
        yield service


@pytest.mark.parametrize(
    ("start", "numbers"),
    [
        (OURS, [signal.SIGINT]),
        (OURS, [signal.SIGTERM] * 3),
        (UVICORN, [signal.SIGTERM]),
        (UVICORN, [signal.SIGINT] * 3),
    ],
)
def test_stop_signals_end_the_service_with_exit_code_0(
    start: list[str], numbers: list[signal.Signals], tmp_path: Path
) -> None:
    with started(start, tmp_path) as service:
        answer = service.await_answer()
        assert answer.json()["name"] == "Disgram"
        assert "server" not in answer.headers or start is UVICORN
        service.process.send_signal(signal.SIGHUP)
        assert service.get("/health").status_code == 200
        for number in numbers:
            service.process.send_signal(number)
        code, out, err = service.end()
    assert (code, unusual(err)) == (0, [])
    assert PASSWORD not in out
    assert (tmp_path / "Disgram.log").read_text("utf-8").endswith("Disgram stopped\n")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_stop_signal_ends_a_start_that_waits_for_another_host(tmp_path: Path, number: signal.Signals) -> None:
    with started(["-c", WAITS], tmp_path) as service:
        assert service.process.stdout
        assert service.process.stdout.readline() == "waits\n"
        service.process.send_signal(number)
        code, _, err = service.end()
    assert (code, err) == (0, "")


@BOTH
def test_open_connection_does_not_delay_the_stop(start: list[str], tmp_path: Path) -> None:
    with started(start, tmp_path) as service:
        service.await_answer()
        with socket.create_connection(("127.0.0.1", service.port)) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert connection.recv(100)
            service.process.send_signal(signal.SIGTERM)
            assert service.end()[0] == 0


@BOTH
def test_damaged_jobs_file_ends_the_start_with_exit_code_2(start: list[str], tmp_path: Path) -> None:
    (tmp_path / "jobs.json").write_text("{\n\n", "utf-8")
    with started(start, tmp_path) as service:
        code, _, err = service.end()
    assert (code, err.count("\n")) == (2, 1)
    assert f"{tmp_path / 'jobs.json'}, line 3" in err
    assert (tmp_path / "jobs.json").read_text("utf-8") == "{\n\n"


@pytest.mark.parametrize(
    ("start", "name", "value"),
    [(["main.py"], "COOLDOWN", "-1"), (["-m", "uvicorn", "main:app"], "WEBHOOK_HOSTS", "a b")],
)
def test_bad_setting_ends_the_start_with_exit_code_2(
    start: list[str], name: str, value: str, tmp_path: Path
) -> None:
    with started(start, tmp_path, **{name: value}) as service:
        code, out, err = service.end()
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"disgram: {name}: ")


@BOTH
def test_default_password_is_reported_and_listens_on_loopback_only(start: list[str], tmp_path: Path) -> None:
    with started(start, tmp_path, AUTH_PASSWORD="", HOST="0.0.0.0") as service:
        service.await_answer()
        assert "published default" in service.get("/logs").text
        service.process.send_signal(signal.SIGTERM)
        code, out, err = service.end()
    assert code == 0
    assert "published default" in err
    assert "0.0.0.0" not in out


def test_x_forwarded_for_of_loopback_is_not_trusted(running: Started) -> None:
    running.get("/jobs", Authorization="Bearer wrong", **{"X-Forwarded-For": "203.0.113.9"})
    assert "Login refused for 127.0.0.1" in running.get("/logs").text


def test_command_line_holds_no_secret(running: Started) -> None:
    command = Path(f"/proc/{running.process.pid}/cmdline").read_bytes()
    assert command
    assert PASSWORD.encode() not in command


@pytest.mark.parametrize(
    "lengths",
    ["Content-Length: 44\r\nTransfer-Encoding: chunked", "transfer-encoding: chunked\r\nCONTENT-LENGTH: 5"],
)
def test_what_follows_a_request_of_two_lengths_is_no_request(running: Started, lengths: str) -> None:
    with socket.create_connection(("127.0.0.1", running.port), timeout=10) as connection:
        smuggled = "0\r\n\r\nGET /jobs HTTP/1.1\r\nHost: localhost\r\n\r\n"
        connection.sendall(f"POST /job HTTP/1.1\r\nHost: localhost\r\n{lengths}\r\n\r\n{smuggled}".encode())
        received = b""
        with contextlib.suppress(ConnectionResetError):
            while chunk := connection.recv(65536):
                received += chunk
    assert received.startswith(b"HTTP/1.1 400 ")
    assert received.count(b"HTTP/1.1") == 1


def test_service_answers_without_a_storm_of_lines_when_descriptors_run_out(tmp_path: Path) -> None:
    with started(OURS, tmp_path) as service, contextlib.ExitStack() as silent:
        service.await_answer()
        pid = service.process.pid
        most = len(list(Path(f"/proc/{pid}/fd").iterdir())) + 2
        resource.prlimit(pid, resource.RLIMIT_NOFILE, (most, most))
        for _ in range(3):
            assert service.get("/health", Connection="close").json()["status"]
        for _ in range(30):
            silent.enter_context(socket.create_connection(("127.0.0.1", service.port), timeout=10))
        silent.close()
        assert service.await_answer().ok
        service.process.send_signal(signal.SIGTERM)
        code, _, err = service.end()
    assert code == 0
    assert len(unusual(err)) <= 2


@pytest.mark.skipif(not socket.has_ipv6, reason="this machine has no IPv6")
def test_host_of_two_colons_answers_ipv4_and_ipv6(tmp_path: Path) -> None:
    with started(OURS, tmp_path, HOST="::") as service:
        service.await_answer()
        for address in ("127.0.0.1", "::1"):
            with socket.create_connection((address, service.port), timeout=10) as connection:
                connection.sendall(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n")
                assert connection.recv(100).startswith(b"HTTP/1.1 200")
        assert "Login refused for 127.0.0.1" in _after_a_wrong_password(service)


def _after_a_wrong_password(service: Started) -> str:
    service.get("/jobs", Authorization="Bearer wrong")
    return service.get("/logs").text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("after", [0.1, 0.3, 0.5, 0.8, 1.2])
def test_stop_signal_at_any_moment_of_the_start_ends_it_with_exit_code_0(
    number: signal.Signals, after: float, tmp_path: Path
) -> None:
    with started(["main.py"], tmp_path) as service:
        handled = f"/proc/{service.process.pid}/status"
        eventually(lambda: _catches_sigterm(Path(handled).read_text()))  # Python itself has started
        time.sleep(after)
        service.process.send_signal(number)
        code, _, err = service.end()
    assert (code, unusual(err)) == (0, [])


def _catches_sigterm(status: str) -> bool:
    caught = next(line.split()[1] for line in status.splitlines() if line.startswith("SigCgt"))
    return bool(int(caught, 16) >> signal.SIGTERM - 1 & 1)
