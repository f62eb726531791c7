"""The service's end of the fork server's socket: requests out, events in.

Owns the form of the lines (described in forkserver.py), the descriptors that travel with them, and what
could not be sent yet. Never blocks, and knows no worker: requests have numbers and children have pids.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_CHUNK = 65536
"""Bytes of one read."""


@dataclass(frozen=True, slots=True)
class Started:
    """The child asked for by request number `request` runs."""

    request: int
    pid: int


@dataclass(frozen=True, slots=True)
class Failed:
    """Request number `request` led to no child."""

    request: int
    error: str


@dataclass(frozen=True, slots=True)
class Exited:
    """A child has ended. `code` as in subprocess (-9: SIGKILL)."""

    pid: int
    code: int


Event = Started | Failed | Exited


class ForkServerProtocol:
    """One connection, from one start of the fork server to its end. `clock` is monotonic."""

    def __init__(self, connection: socket.socket, clock: Callable[[], float]) -> None:
        connection.setblocking(False)
        self._connection = connection
        self._clock = clock
        self._requests = 0
        self._unsent: deque[tuple[bytes, list[int]]] = deque()
        self._unread = b""
        self._unanswered = 0
        self._waiting_since = clock()
        self.at_end = False
        """The fork server has closed its end, so it has died or is about to."""

    def fileno(self) -> int:
        return self._connection.fileno()

    # --- out ---

    def start(self, module: str, spec: dict[str, Any], pipe: int, beat_every: float) -> int:
        """Ask for a child that runs `module` with `pipe` as stdout and stderr; returns the request's number.

        `pipe` is closed once it was sent, or with the connection. `beat_every` is in seconds.
        """
        self._requests += 1
        self._send({"n": self._requests, "module": module, "beat": beat_every, "spec": spec}, [pipe])
        return self._requests

    def signal(self, pid: int, number: int) -> None:
        """Have the child signalled by its parent, which knows whether the pid is still that child's."""
        self._send({"signal": pid, "number": number}, [])

    def _send(self, request: dict[str, Any], descriptors: list[int]) -> None:
        if not self._unanswered:
            self._waiting_since = self._clock()
        self._unanswered += 1
        self._unsent.append((json.dumps(request).encode() + b"\n", descriptors))
        self.flush()

    @property
    def wants_to_send(self) -> bool:
        """Call `flush` once the socket can be written."""
        return bool(self._unsent)

    def flush(self) -> None:
        """Send what the socket takes."""
        # Full (EAGAIN), too many descriptors on their way (ETOOMANYREFS): later. Closed: `receive` sees it.
        with contextlib.suppress(OSError):
            while self._unsent:
                self._send_first()

    def _send_first(self) -> None:
        line, descriptors = self._unsent[0]
        if descriptors:
            sent = socket.send_fds(self._connection, [line], descriptors)
        else:
            sent = self._connection.send(line)
        _close_all(descriptors)
        self._unsent[0] = (line[sent:], [])
        if sent == len(line):
            self._unsent.popleft()

    # --- in ---

    def receive(self) -> list[Event]:
        """What has arrived. Sets `at_end` at the end of the connection."""
        try:
            chunk = self._connection.recv(_CHUNK)
        except BlockingIOError:
            return []
        except ConnectionResetError:
            chunk = b""
        self.at_end = not chunk
        return self.feed(chunk)

    def feed(self, chunk: bytes) -> list[Event]:
        """The events of the lines that these bytes complete, in their order."""
        if chunk:
            self._waiting_since = self._clock()
        *lines, self._unread = (self._unread + chunk).split(b"\n")
        return [event for line in lines if (event := self._event(json.loads(line)))]

    def _event(self, answer: dict[str, Any]) -> Event | None:
        match answer:
            case {"exited": pid, "status": status}:
                return Exited(pid, os.waitstatus_to_exitcode(status))
            case {"n": number, "started": pid}:
                self._unanswered -= 1
                return Started(number, pid)
            case {"n": number, "failed": error}:
                self._unanswered -= 1
                return Failed(number, error)
            case _:  # a signal was sent
                self._unanswered -= 1
                return None

    # --- time ---

    def unanswered_for(self, now: float) -> float:
        """Seconds for which requests have been waiting without any answer; 0 when none waits."""
        return now - self._waiting_since if self._unanswered else 0.0

    def reset_wait(self, now: float) -> None:
        """The machine slept, so the fork server could not answer meanwhile."""
        self._waiting_since = now

    def close(self) -> None:
        """Close the socket, which ends the fork server, and the descriptors that were not sent."""
        self._connection.close()
        for _, descriptors in self._unsent:
            _close_all(descriptors)
        self._unsent.clear()


def _close_all(descriptors: list[int]) -> None:
    for descriptor in descriptors:
        os.close(descriptor)
