"""The worker's heartbeat and its only way to wait.

Owns waiting, the beat that proves the work loop turns, and the flag a signal sets. Whoever waits here
is seen to live; whoever is stuck elsewhere falls silent and is replaced. Never speaks to Telegram or
Discord, never logs, and starts no thread: a beat from a thread would prove only that Python runs.
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
"""Seconds between two beats while waiting: twenty times within the default LOG_STALE_AFTER."""

LAST_RESORT = 8
"""Seconds a worker has to finish after SIGTERM before SIGALRM ends it: all is to be gone within ten."""


class Heartbeat:
    """`wait()` and `check()` raise Stopping once the worker should end.

    `write` takes an encoded line down the log pipe (None: nobody listens, as for a worker run by hand);
    `parent` is the process whose death ends this one (None: nobody's).
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

    @property
    def stopping(self) -> bool:
        """Finish the message in flight, begin no other."""
        return self._stopping

    def install(self) -> None:
        """Take over the signals of this process; from its main thread alone."""
        # A signal just before poll() sleeps would go unseen: the wake-up byte ends that sleep too.
        signal.set_wakeup_fd(self._waker, warn_on_full_buffer=False)
        signal.signal(signal.SIGALRM, signal.SIG_DFL)
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def request_stop(self) -> None:
        """Ask the work loop to end. Safe in a signal handler and from any thread."""
        self._stopping = True
        with contextlib.suppress(BlockingIOError):  # full of earlier wake-ups, which serve as well
            os.write(self._waker, b"\0")

    def wait(self, seconds: float) -> None:
        """Let `seconds` pass, beating meanwhile."""
        until = self._clock() + seconds
        self.check()
        while (left := until - self._clock()) > 0:
            self._sleep(min(left, max(0.0, self._next_beat - self._clock())))
            self.check()

    def check(self) -> None:
        """Call between two pieces of work: beats if a beat is due."""
        self.beat()
        if self._stopping:
            raise Stopping("asked to stop")

    def beat(self) -> None:
        """Call within a piece of work that must be finished: beats if a beat is due, and raises nothing."""
        if not self._stopping and self._clock() >= self._next_beat:
            self._beat()

    def close(self) -> None:
        """Give the descriptors back."""
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
            signal.alarm(LAST_RESORT)
        self.request_stop()

    def _sleep_until_woken(self, seconds: float) -> None:
        if self._poll.poll(math.ceil(seconds * 1000)):
            os.read(self._woken, 512)
