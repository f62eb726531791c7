"""File descriptors: how many there may be, and a few kept for when there are no more.

Owns the limit and the reserve. Never decides who gets a descriptor.
"""

from __future__ import annotations

import contextlib
import errno
import os
import resource
import threading
from collections.abc import Callable
from typing import TypeVar

_Result = TypeVar("_Result")
_NONE_LEFT = {errno.EMFILE, errno.ENFILE}


def raise_descriptor_limit(enough: int = 65_536) -> int:
    """Each worker costs the service one descriptor, and systemd's default soft limit is 1,024. Returns the
    limit."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = enough if hard == resource.RLIM_INFINITY else min(hard, enough)
    with contextlib.suppress(OSError, ValueError):  # what the system refuses stays as it was
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


class DescriptorReserve:
    """Descriptors opened early, given up for what must work when the process has no others. Thread-safe."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._lock = threading.Lock()
        self._kept: list[int] = []
        self.fill()

    def fill(self) -> None:
        """Open what was given up again, as far as there are descriptors."""
        with self._lock, contextlib.suppress(OSError):
            while len(self._kept) < self._size:
                self._kept.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    def get(self, make: Callable[[], _Result]) -> _Result:
        """What `make` returns; it may take one descriptor of the reserve. Raises what `make` raises."""
        try:
            made = make()
        except OSError as error:
            if error.errno not in _NONE_LEFT or not self._give_up():
                raise
            return make()
        self.fill()
        return made

    def close(self) -> None:
        """Keep none; `fill` and `get` open them again."""
        while self._give_up():
            pass

    def __del__(self) -> None:
        self.close()

    def _give_up(self) -> bool:
        with self._lock:
            if not self._kept:
                return False
            os.close(self._kept.pop())
            return True
