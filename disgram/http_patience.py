"""How long an answer may take in all, and what happens while it is awaited.

Owns the reading of a response from its socket. A socket's time-out counts from byte to byte: a server that
drips one every few seconds holds its reader for hours, in the head as well as in the body. Here the whole
answer has a limit, and `tick` is called whether bytes come or not: a waiting worker beats, and hears SIGTERM.
Never reads what the bytes say.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from http.client import HTTPResponse
from typing import Any

TICK = 0.2
"""Seconds between two calls of `tick`, at most: a beat is due each quarter of LOG_STALE_AFTER, or 1 s."""


@dataclass
class Patience:
    """`seconds`: for the answers to come, from the end of the request to the last byte read.

    What `tick` raises ends the reading.
    """

    seconds: float = 60.0
    tick: Callable[[], None] = lambda: None
    clock: Callable[[], float] = time.monotonic


class PatientResponse(HTTPResponse):
    """For a connection's `response_class`: a proxy's answer to CONNECT is read by it, too.

    Its time begins now. The socket's time-out is how long no byte may come.
    """

    def __init__(self, patience: Patience, sock: socket.socket, **options: Any) -> None:
        super().__init__(sock, **options)
        self.fp = io.BufferedReader(_Watched(sock, self.fp.detach(), patience))


class _Watched(io.RawIOBase):
    """What a socket's `makefile` gave, read a tick at a time until the deadline."""

    def __init__(self, sock: socket.socket, file: io.RawIOBase, patience: Patience) -> None:
        self._sock, self._patience = sock, patience
        self._file = file  # keeps the socket open until this is closed
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
                self._patience.tick()
                self._sock.settimeout(min(TICK, left))
                with suppress(TimeoutError):
                    return self._sock.recv_into(buffer)
        finally:
            self._sock.settimeout(usual)
        raise TimeoutError("the answer took too long")

    def close(self) -> None:
        self._file.close()
        super().close()
