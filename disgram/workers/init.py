"""PID 1 of a container: passes signals on to the service and reaps what nobody else waits for.

The kernel gives every orphan of the container to PID 1, and a zombie that is not reaped keeps its number
for ever. It also ignores signals to PID 1 that have no handler. So the first process does nothing else, and
the service is its child. Owns that loop. Imports nothing heavy: it lives as long as the service.
"""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Callable
from types import FrameType

_FORWARDED = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2)


def stay_behind_as_init() -> None:
    """Fork. The child returns, to become the service; this process ends with the child's exit code."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _FORWARDED)
    child = os.fork()
    if child:
        for number in _FORWARDED:
            signal.signal(number, _forward_to(child))
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _FORWARDED)
    if child:
        os._exit(_reap_until(child))


def _forward_to(child: int) -> Callable[[int, FrameType | None], None]:
    def forward(number: int, frame: FrameType | None) -> None:
        with contextlib.suppress(ProcessLookupError):  # it has just ended
            os.kill(child, number)

    return forward


def _reap_until(child: int) -> int:
    """Wait for every process until `child` has ended; its exit code, 128 + number if a signal ended it."""
    while True:
        pid, status = os.wait()
        if pid == child:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code
