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
    and a full disk or a reader that has gone raises nothing. Unbuffered, so nothing is left for the exit.
    After a text that was cut off, the next one begins on a line of its own."""

    encoding = "utf-8"

    def __init__(self, fd: int) -> None:
        self._fd = fd
        self.cut_off = False
        """The end of the last text could not be written."""
        self._ready = select.poll()
        self._ready.register(fd, select.POLLOUT)

    def write(self, text: str) -> int:
        content = ("\n" * self.cut_off + text).encode(self.encoding, "backslashreplace")
        written = 0
        with contextlib.suppress(OSError):
            while written < len(content) and self._ready.poll(0):
                written += os.write(self._fd, content[written : written + _AT_ONCE])
        if written:
            self.cut_off = written < len(content)
        return len(text)

    def writable(self) -> bool:
        return True

    def fileno(self) -> int:
        return self._fd

    def isatty(self) -> bool:
        return os.isatty(self._fd)


def patient_stderr() -> PatientStream | None:
    """Standard error as it is now, written to without waiting; None where it was closed at the start, since
    another file may have its number."""
    if sys.stderr is None or isinstance(sys.stderr, PatientStream):
        return sys.stderr
    with contextlib.suppress(OSError, ValueError):  # no descriptor behind it, or closed since
        return PatientStream(sys.stderr.fileno())
    return None


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
