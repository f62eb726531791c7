"""The worker's heartbeat and its only way to wait.

Owns waiting, the heartbeat that shows that the work loop runs, and the flag that a signal sets. A worker
that hangs elsewhere sends no heartbeat and is replaced. Starts no thread: a heartbeat from a thread would
show only that Python runs.
"""

from __future__ import annotations

import contextlib
import math
import os
import select
import signal
import time
from collections.abc import Callable
from types import FrameType

from disgram.errors import Stopping
from disgram.report import Report

BEAT_EVERY = 15.0
"""Seconds between two heartbeats while waiting; the default LOG_STALE_AFTER is 24 times as long."""

ALARM_AFTER = 8
"""Seconds from SIGTERM until SIGALRM ends the worker: the service must be gone within ten."""


class Heartbeat:
    """`wait()` and `check()` raise Stopping once the worker should end.

    `write` writes an encoded line to the log pipe (None: there is none, as for a worker run by hand);
    `parent` is the pid of the process whose death ends this one (None: of none).
    """

    def __init__(
        self,
        write: Callable[[bytes], object] | None = None,
        *,
        parent: int | None = None,
        every: float = BEAT_EVERY,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], object] | None = None,
    ) -> None:
        self._write = write
        self._parent = parent
        self._every = every
        self._clock = clock
        self._sleep = sleep or self._sleep_until_woken
        self._next_beat = clock()
        self._stopping = False
        self._woken, self._waker = os.pipe()
        os.set_blocking(self._woken, False)
        os.set_blocking(self._waker, False)
        self._poll = select.poll()
        self._poll.register(self._woken, select.POLLIN)

    def install(self) -> None:
        """Install the signal handlers of this process; from its main thread only."""
        # A signal that comes just before poll() starts would not end it; the byte it writes does.
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def request_stop(self) -> None:
        """Ask the work loop to end. Safe in a signal handler and from any thread."""
        self._stopping = True
        with contextlib.suppress(BlockingIOError):  # full of earlier wake-ups, one of which is enough
            os.write(self._waker, b"\0")

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass, sending heartbeats meanwhile. Raises Stopping."""
        until = self._clock() + seconds
        self.check()
        while (left := until - self._clock()) > 0:
            self._sleep(min(left, max(0.0, self._next_beat - self._clock())))
            self.check()

    def check(self) -> None:
        """Call between two steps of work: sends a heartbeat if one is due. Raises Stopping."""
        self.beat()
        if self._stopping:
            raise Stopping("asked to stop")

    def beat(self) -> None:
        """Call within work that must be finished: sends a heartbeat if one is due. Never raises Stopping."""
        if not self._stopping and self._clock() >= self._next_beat:
            self._beat()

    def close(self) -> None:
        """Close the descriptors."""
        os.close(self._woken)
        os.close(self._waker)

    def _beat(self) -> None:
        self._next_beat = self._clock() + self._every
        if self._parent is not None and os.getppid() != self._parent:
            self.request_stop()
        elif self._write:
            try:
                self._write(Report().encode())
            except BrokenPipeError:
                self.request_stop()

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        if not self._stopping:
            signal.alarm(ALARM_AFTER)
        self.request_stop()

    def _sleep_until_woken(self, seconds: float) -> None:
        if self._poll.poll(math.ceil(seconds * 1000)):
            os.read(self._woken, 512)
