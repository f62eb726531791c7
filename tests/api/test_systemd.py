"""What systemd hears of a unit of Type=notify, over real datagram sockets."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from config import PROJECT
from disgram.api.systemd import STATUS_EVERY, Notifier
from tests.api.test_start_and_stop import started, unusual


class Systemd:
    """The other end of NOTIFY_SOCKET."""

    def __init__(self, address: str) -> None:
        self.address = address
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address.replace("@", "\0", 1) if address.startswith("@") else address)

    def heard(self) -> list[str]:
        """The lines of all messages so far."""
        self.socket.setblocking(False)
        lines: list[str] = []
        while True:
            try:
                lines += self.socket.recv(4096).decode().split("\n")
            except BlockingIOError:
                return lines

    def next_message(self, seconds: float = 20.0) -> list[str]:
        self.socket.settimeout(seconds)
        return self.socket.recv(4096).decode().split("\n")


@pytest.fixture(params=["path", "abstract"])
def systemd(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Systemd]:
    abstract = f"@disgram-test-{os.getpid()}-{time.monotonic_ns()}"
    end = Systemd(str(tmp_path / "notify") if request.param == "path" else abstract)
    yield end
    end.socket.close()


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize("line", ["Type=notify", "WatchdogSec=120", "RestartPreventExitStatus=2"])
def test_the_unit_waits_for_ready_and_a_refused_start_is_final(line: str) -> None:
    assert line in (PROJECT / "deploy" / "disgram.service").read_text("utf-8").splitlines()


def test_ready_carries_the_first_status(systemd: Systemd) -> None:
    Notifier(systemd.address).ready(lambda: "healthy: 2 of 2 workers running, 1 job")
    assert systemd.heard() == ["READY=1", "STATUS=healthy: 2 of 2 workers running, 1 job"]


def test_the_watchdog_hears_nothing_before_the_service_is_ready(systemd: Systemd) -> None:
    Notifier(systemd.address, 40).turn()
    assert systemd.heard() == []


def test_calls_every_interval_satisfy_half_of_watchdog_sec(systemd: Systemd) -> None:
    clock = Clock()
    notifier = Notifier(systemd.address, 40, clock=clock)
    notifier.ready(lambda: "well")
    systemd.heard()
    last = clock.now
    for _ in range(300):  # turns come at any time, but at least once an interval
        clock.now += 0.7 * notifier.interval / 3
        notifier.turn()
        if systemd.heard():
            last = clock.now
        assert clock.now - last < 20


def test_a_busy_monitor_does_not_flood_systemd(systemd: Systemd) -> None:
    clock = Clock()
    notifier = Notifier(systemd.address, 40, clock=clock)
    notifier.ready(lambda: "well")
    systemd.heard()
    for _ in range(1000):
        clock.now += 0.001
        notifier.turn()
    assert systemd.heard() == ["WATCHDOG=1", "STATUS=well"]


def test_stopping_is_told(systemd: Systemd) -> None:
    Notifier(systemd.address).stopping()
    assert systemd.heard() == ["STOPPING=1"]


def test_without_systemd_nothing_is_asked_and_nothing_sent() -> None:
    notifier = Notifier()
    notifier.ready(lambda: pytest.fail("the status was asked for"))
    notifier.turn()
    notifier.stopping()
    assert notifier.interval == float("inf")


def test_a_socket_that_is_gone_is_no_error(tmp_path: Path) -> None:
    notifier = Notifier(str(tmp_path / "gone"))
    notifier.ready(lambda: "well")
    notifier.turn()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("environ", "interval"),
    [
        ({"WATCHDOG_USEC": "8000000"}, 2.0),
        ({"WATCHDOG_USEC": "8000000", "WATCHDOG_PID": str(os.getpid())}, 2.0),
        ({"WATCHDOG_USEC": "8000000", "WATCHDOG_PID": "1"}, STATUS_EVERY),
        ({"WATCHDOG_USEC": "soon"}, STATUS_EVERY),
        ({}, STATUS_EVERY),
    ],
    ids=["for us", "for our pid", "for another pid", "no number", "no watchdog"],
)
def test_the_watchdog_is_taken_from_the_environment(environ: dict[str, str], interval: float) -> None:
    assert Notifier.from_environment({"NOTIFY_SOCKET": "/x", **environ}).interval == interval


@pytest.mark.parametrize("systemd", ["path"], indirect=True)
def test_the_service_reports_to_systemd_whatever_monitor_interval_says(
    systemd: Systemd, tmp_path: Path
) -> None:
    environ = {"NOTIFY_SOCKET": systemd.address, "WATCHDOG_USEC": "4000000", "MONITOR_INTERVAL": "3600"}
    with started(["main.py"], tmp_path, **environ) as service:
        assert systemd.next_message() == ["READY=1", "STATUS=healthy: 0 of 0 workers running, 0 jobs"]
        assert service.get("/health").status_code == 200  # without a second try: it listens
        for _ in range(3):
            message = systemd.next_message()
            assert message == ["WATCHDOG=1", "STATUS=healthy: 0 of 0 workers running, 0 jobs"]
        service.process.send_signal(signal.SIGTERM)
        code, _, err = service.end()
        assert (code, unusual(err)) == (0, [])
        assert "STOPPING=1" in systemd.heard()
