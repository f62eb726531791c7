"""The service's signals, beside uvicorn's own handling of SIGTERM and SIGINT.

Owns three habits: SIGHUP is ignored, a second SIGTERM or SIGINT does not cut an orderly stop short, and
an orderly stop ends with exit code 0. Never stops anything itself. Only the main thread has signals; in
another (a test's) all of this does nothing.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from types import FrameType

_STOP = (signal.SIGTERM, signal.SIGINT)


def take_signals() -> None:
    """To be called once uvicorn has set its handlers, that is, in the lifespan's start."""
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in _STOP:
        signal.signal(number, _once(signal.getsignal(number)))


def hold_signals_back() -> None:
    """To be called at the end of the lifespan, when nothing is left to stop.

    uvicorn puts the default handlers back and raises the signals it caught once more, so that the process
    dies of them (exit code 143, or KeyboardInterrupt). Blocked, they stay pending and the exit code is 0.
    """
    if threading.current_thread() is threading.main_thread():
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP)


def _once(previous: object) -> Callable[[int, FrameType | None], None]:
    def stop(number: int, frame: FrameType | None) -> None:
        for other in _STOP:
            signal.signal(other, signal.SIG_IGN)
        if callable(previous):
            previous(number, frame)

    return stop
