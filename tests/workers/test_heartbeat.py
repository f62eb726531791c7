"""Heartbeats while waiting, and what ends a wait: a stop, a signal, a dead parent."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.errors import Stopping
from disgram.workers.heartbeat import Heartbeat


class Clock:
    """Time that passes only while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.naps.append(seconds)
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def lines() -> list[bytes]:
    return []


@pytest.fixture
def heartbeat(clock: Clock, lines: list[bytes]) -> Iterator[Heartbeat]:
    heartbeat = Heartbeat(lines.append, clock=clock, sleep=clock.sleep)
    yield heartbeat
    heartbeat.close()


def test_only_the_first_of_two_checks_sends_a_heartbeat(heartbeat: Heartbeat, lines: list[bytes]) -> None:
    heartbeat.check()
    heartbeat.check()
    assert lines == [b"{}\n"]


def test_long_wait_sends_a_heartbeat_every_fifteen_seconds_and_wakes_no_oftener(
    heartbeat: Heartbeat, clock: Clock, lines: list[bytes]
) -> None:
    heartbeat.wait(300)
    assert clock.now == 1300
    assert len(lines) == 21
    assert len(clock.naps) == 20


@given(st.lists(st.floats(0, 100), max_size=20))
def test_no_gap_between_heartbeats_exceeds_the_interval_whatever_the_waits(
    waits: list[float],
) -> None:
    clock, beats = Clock(), []
    heartbeat = Heartbeat(lambda line: beats.append(clock.now), clock=clock, sleep=clock.sleep)
    for seconds in waits:
        begun = clock.now
        heartbeat.wait(seconds)
        assert clock.now >= begun + seconds
    heartbeat.close()
    gaps = [later - earlier for earlier, later in zip([1000.0, *beats], [*beats, clock.now], strict=True)]
    assert all(gap <= 15.001 for gap in gaps)


def test_wait_of_zero_seconds_raises_stopping(heartbeat: Heartbeat) -> None:
    heartbeat.request_stop()
    for seconds in (0, -1, 5):
        with pytest.raises(Stopping):
            heartbeat.wait(seconds)


def test_stop_during_a_wait_ends_it_without_another_heartbeat(clock: Clock, lines: list[bytes]) -> None:
    def sleep(seconds: float) -> None:
        clock.sleep(seconds)
        stopped.request_stop()

    stopped = Heartbeat(lines.append, clock=clock, sleep=sleep)
    with pytest.raises(Stopping):
        stopped.wait(100)
    stopped.close()
    assert (clock.now, lines) == (1015, [b"{}\n"])


def test_closed_log_pipe_ends_the_worker_at_its_next_heartbeat(clock: Clock) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    heartbeat = Heartbeat(lambda line: os.write(writing, line), clock=clock, sleep=clock.sleep)
    with pytest.raises(Stopping):
        heartbeat.check()
    heartbeat.close()
    os.close(writing)


def test_worker_whose_parent_died_ends_at_its_next_heartbeat(clock: Clock) -> None:
    heartbeat = Heartbeat(parent=os.getppid() + 1, clock=clock, sleep=clock.sleep)
    with pytest.raises(Stopping):
        heartbeat.check()
    heartbeat.close()


def test_worker_run_by_hand_waits_without_pipe_and_parent(clock: Clock) -> None:
    heartbeat = Heartbeat(clock=clock, sleep=clock.sleep)
    heartbeat.wait(40)
    heartbeat.close()
    assert clock.now == 1040


def test_stop_from_another_thread_ends_a_real_wait() -> None:
    heartbeat = Heartbeat()
    threading.Timer(0.05, heartbeat.request_stop).start()
    with pytest.raises(Stopping):
        heartbeat.wait(600)
    heartbeat.close()


def test_many_stop_requests_do_not_block() -> None:
    heartbeat = Heartbeat()
    for _ in range(100_000):
        heartbeat.request_stop()
    heartbeat.close()


WAITING = """
import os, sys
from disgram.errors import Stopping
from disgram.workers.heartbeat import Heartbeat
heartbeat = Heartbeat(lambda line: os.write(1, line))
heartbeat.install()
try:
    {work}
except Stopping:
    sys.exit(42)
"""


def waiting_process(work: str) -> subprocess.Popen[bytes]:
    """A process that has sent one heartbeat, so its signal handlers are installed."""
    process = subprocess.Popen([sys.executable, "-c", WAITING.format(work=work)], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"{}\n"
    return process


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_a_real_wait(number: signal.Signals) -> None:
    with waiting_process("heartbeat.wait(600)") as process:
        process.send_signal(number)
        assert process.wait(timeout=5) == 42


def test_sighup_does_not_end_the_worker() -> None:
    with waiting_process("heartbeat.wait(0.2); sys.exit(7)") as process:
        process.send_signal(signal.SIGHUP)
        assert process.wait(timeout=5) == 7


def test_worker_that_hangs_after_sigterm_is_ended_by_sigalrm() -> None:
    shorten = "from disgram.workers import heartbeat; heartbeat.ALARM_AFTER = 1; import time; "
    work = shorten + r"os.write(1, b'{}\n'); time.sleep(600)"
    with waiting_process(work) as process:
        process.send_signal(signal.SIGTERM)
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=5) == -signal.SIGALRM
