"""How long an answer may take in all, and what happens while it is awaited.

Owns the reading of a response from its socket. A socket's time-out counts from byte to byte: a server that
drips one every few seconds holds its reader for hours, in the head as well as in the body. Here the whole
answer has a limit, and while nothing comes `tick` is called: a waiting worker beats, and hears SIGTERM.
Never reads what the bytes say.
"""

from __future__ import annotations

import io
import select
import socket
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

TICK = 0.2
"""Seconds between two calls of `tick`: a beat must come within a quarter of LOG_STALE_AFTER, at least 1 s."""


@dataclass
class Patience:
    """`seconds`: for the answers to come, from the end of the request to the last byte read.

    What `tick` raises ends the reading.
    """

    seconds: float = 60.0
    tick: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic


class PatientSocket:
    """Stands in for a connected socket within `http.client`. `timeout`: seconds without a byte."""

    def __init__(self, sock: socket.socket, patience: Patience, timeout: float) -> None:
        sock.settimeout(timeout)
        self._sock, self._patience = sock, patience
        self.sendall = sock.sendall
        self.close = sock.close

    def makefile(self, mode: str) -> io.BufferedReader:
        """For one answer: its time begins now."""
        return io.BufferedReader(_Watched(self._sock, self._patience))

    @property
    def dropped(self) -> bool:
        """Between two requests nothing is to be read but the other side's goodbye."""
        poll = select.poll()
        poll.register(self._sock, select.POLLIN)
        return bool(poll.poll(0))


class _Watched(io.RawIOBase):
    """What a socket's `makefile` gives, read a tick at a time until the deadline."""

    def __init__(self, sock: socket.socket, patience: Patience) -> None:
        self._sock, self._patience = sock, patience
        self._file = sock.makefile("rb", buffering=0)  # keeps the socket open until this is closed
        self._deadline = patience.clock() + patience.seconds

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """Raises TimeoutError, and what `tick` raises."""
        usual = self._sock.gettimeout()
        clock = self._patience.clock
        until = min(self._deadline, clock() + (self._patience.seconds if usual is None else usual))
        try:
            while (left := until - clock()) > 0:
                self._sock.settimeout(min(TICK, left))
                try:
                    return self._sock.recv_into(buffer)
                except TimeoutError:
                    self._patience.tick()
        finally:
            self._sock.settimeout(usual)
        raise TimeoutError("the answer took too long")

    def close(self) -> None:
        self._file.close()
        super().close()
