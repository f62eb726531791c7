"""The reading end of a worker's log pipe: bytes in, whole lines out.

Owns the descriptor and the cutting into lines. Never blocks, and does not interpret a line.
"""

from __future__ import annotations

import os
import select

LONGEST_LINE = 64 * 1024
"""Bytes; the rest of a longer line is dropped. Our own lines stay far below."""


class Lines:
    """Bytes in, whole lines out (without their line breaks), however the bytes were cut."""

    def __init__(self, longest: int = LONGEST_LINE) -> None:
        self._longest = longest
        self._pending = bytearray()

    def feed(self, chunk: bytes) -> list[bytes]:
        """The lines this chunk completes; empty ones are left out."""
        *whole, rest = chunk.split(b"\n")
        lines = []
        for part in whole:
            self._append(part)
            lines.append(bytes(self._pending))
            self._pending.clear()
        self._append(rest)
        return [line for line in lines if line]

    def rest(self) -> list[bytes]:
        """What came after the last line break; a process that died may have left its line unfinished."""
        return self.feed(b"\n")

    def _append(self, part: bytes) -> None:
        self._pending += part[: self._longest - len(self._pending)]


class LogPipe:
    """The reading end. `writing` is the child's end; whoever passes it on closes it here."""

    def __init__(self) -> None:
        """Raises OSError when there is no descriptor left."""
        self._fd, self.writing = os.pipe()
        os.set_blocking(self._fd, False)
        self._lines = Lines()
        self.at_end = False
        """No process has the writing end open any more."""

    def fileno(self) -> int:
        return self._fd

    def read(self) -> list[bytes]:
        """The lines that have arrived; sets `at_end` once no process can write another."""
        if chunk := self._chunk():
            return self._lines.feed(chunk)
        return self._lines.rest() if self.at_end else []

    def read_rest(self) -> list[bytes]:
        """Everything left in the pipe of a child that is gone; closes it."""
        lines: list[bytes] = []
        while chunk := self._chunk():
            lines += self._lines.feed(chunk)
        self.close()
        return lines + self._lines.rest()

    def hung_up(self) -> bool:
        """No process has the writing end open any more, whether or not everything was read."""
        poll = select.poll()
        poll.register(self._fd, 0)  # POLLHUP is always reported
        return self.at_end or bool(poll.poll(0))

    def close(self) -> None:
        """A child that still writes then gets EPIPE."""
        os.close(self._fd)
        self.at_end = True

    def _chunk(self) -> bytes:
        """Empty: nothing has arrived, or nothing will ever (`at_end`)."""
        if self.at_end:
            return b""
        try:
            chunk = os.read(self._fd, LONGEST_LINE)
        except BlockingIOError:
            return b""
        self.at_end = not chunk
        return chunk
