"""Calls to other machines from the service: a few at once, each in a thread of its own, and none waited for
longer than whoever asks can wait. Who finds every place taken waits for one, as long as the calls there may
still end in time.

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


_WAITING_PER_PLACE = 2
"""How many wait for a place: each keeps a thread that answers requests, and there are 40 of those."""


class BoundedCalls:
    """For any thread. `most`: how many calls are made at once, whoever asks."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: list[Deadline] = []
        self._changed = threading.Condition()
        self._waiting = 0

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
                self._leave(deadline)
                with changed:
                    working -= 1
                    changed.notify()

        for number in range(min(self._most, len(calls))):
            if not self._take(deadline, wait=not number):
                break
            with changed:
                working += 1
            threading.Thread(target=work, name="call", daemon=True).start()
        with changed:
            changed.wait_for(lambda: not working, deadline.left)
            return dict(found)

    def _take(self, deadline: Deadline, *, wait: bool) -> bool:
        """Whether there was a place, or with `wait` became free in time."""
        with self._changed:
            if wait and self._waiting < _WAITING_PER_PLACE * self._most:
                self._waiting += 1
                while self._full and (seconds := min(deadline.left, max(one.left for one in self._taken))):
                    self._changed.wait(seconds)
                self._waiting -= 1
            if self._full:
                return False
            self._taken.append(deadline)
            return True

    def _leave(self, deadline: Deadline) -> None:
        with self._changed:
            self._taken.remove(deadline)
            self._changed.notify_all()

    @property
    def _full(self) -> bool:
        return len(self._taken) >= self._most
