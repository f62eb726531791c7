"""Standard output and error of a service: whatever they lead to, nothing waits or fails because of them.

Owns the two streams of the process. Never decides what is written.
"""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys

_AT_ONCE = 4096
"""PIPE_BUF of Linux: a pipe that is ready takes as much without waiting (pipe(7))."""


class PatientStream(io.TextIOBase):
    """Writes what its descriptor takes at once, and drops the rest: a pipe that nobody empties blocks nobody,
    and a full disk or a reader that has gone raises nothing. Unbuffered, so nothing is left for the exit."""

    encoding = "utf-8"

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self._ready = select.poll()
        self._ready.register(fd, select.POLLOUT)

    def write(self, text: str) -> int:
        content = text.encode(self.encoding, "backslashreplace")
        with contextlib.suppress(OSError):
            for start in range(0, len(content), _AT_ONCE):
                if not self._ready.poll(0):
                    break
                os.write(self._fd, content[start : start + _AT_ONCE])
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)


def protect_standard_streams() -> None:
    """For the main program, before it opens anything.

    A standard descriptor that is closed leads to /dev/null from now on: otherwise the next file opened, a
    database perhaps, would get its number, and with it what libraries print there.
    """
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # gets the lowest free number, which is this one; inherited
            os.set_inheritable(fd, True)
    sys.stdout, sys.stderr = PatientStream(1), PatientStream(2)
