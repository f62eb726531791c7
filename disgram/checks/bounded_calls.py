"""Calls to other machines from the service: a few at once, each in a thread of its own, and none waited for
longer than whoever asks can wait.

What takes longer is left to end by itself: a name server that is silent cannot be interrupted. Owns the
number of threads and the time. Never knows what a call does.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import deque
from collections.abc import Callable, Hashable, Mapping
from typing import TypeVar

Key = TypeVar("Key", bound=Hashable)
Value = TypeVar("Value")


class OutOfTime(Exception):
    """A wait within a call would have lasted longer than its deadline."""


class Deadline:
    """`at` in seconds of `time.monotonic`."""

    def __init__(self, seconds: float) -> None:
        self.at = time.monotonic() + seconds

    @property
    def left(self) -> float:
        return max(0.0, self.at - time.monotonic())

    def wait(self, seconds: float) -> None:
        """Sleep, or raise OutOfTime at once if that would take too long."""
        if seconds > self.left:
            raise OutOfTime
        time.sleep(seconds)


class BoundedCalls:
    """For any thread. `most`: how many calls are made at once, whoever asks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._free = threading.BoundedSemaphore(most)

    def run(self, calls: Mapping[Key, Callable[[Deadline], Value]], within: float) -> dict[Key, Value]:
        """What the calls returned within so many seconds; of those that did not, nothing."""
        deadline, left = Deadline(within), deque(calls.items())
        found: dict[Key, Value] = {}
        changed = threading.Condition()
        working = 0

        def work() -> None:
            nonlocal working
            try:
                while left and deadline.left:
                    key, call = left.popleft()
                    value = call(deadline)
                    with changed:
                        found[key] = value
            except (OutOfTime, IndexError):  # another thread took the last one
                pass
            except Exception:
                logging.getLogger(__name__).exception("A call of the service's failed")
            finally:
                self._free.release()
                with changed:
                    working -= 1
                    changed.notify()

        for _ in range(min(self._most, len(calls))):
            if not self._free.acquire(blocking=False):
                break
            with changed:
                working += 1
            threading.Thread(target=work, name="call", daemon=True).start()
        with changed:
            changed.wait_for(lambda: not working, deadline.left)
            return dict(found)
