"""A worker's ledger behind its service's socket: ChannelLedger's interface, and whether it may send now.

Owns the worker's end of the connection, and what it does once its lease is lost: nothing more.
"""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, cast

from disgram.errors import LeaseLost, StorageUnavailable
from disgram.storage.channel_ledger import ChannelLedger
from disgram.storage.files.unix_socket import connected
from disgram.storage.post_history import SeenPosts
from disgram.storage.remote.wire import CALLS, LONGEST_LINE, MAY_SEND, from_wire, line, to_wire

ANSWER_SECONDS = 15.0
"""A service answers sooner, if only that PostgreSQL does not."""

_Call = Callable[..., Any]


class RemoteLedger:
    """`epoch`: of the lease under which this worker writes. It connects when first asked, and again after an
    error. For one thread. `clock` is monotonic, and the service's too: they run on one host."""

    def __init__(self, path: Path, epoch: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._path, self._epoch, self._clock = path, epoch, clock
        self._socket: socket.socket | None = None
        self._lost: str | None = None
        self._send_until = float("-inf")

    def of(self, job: str, channel: str) -> ChannelLedger:
        """The rows of one worker. Each call raises StorageUnavailable and LeaseLost."""
        return cast("ChannelLedger", _Rows(partial(self._call, job, channel.lower())))

    def check_may_send(self, job: str, channel: str) -> None:
        """Right before a request that changes something in Discord. Raises StorageUnavailable if this host
        may not hold its leases until the request has ended, and LeaseLost."""
        if self._lost or self._clock() >= self._send_until:
            self._call(job, channel.lower(), MAY_SEND)
        if self._clock() >= self._send_until:
            raise StorageUnavailable("the service's leases end before a request would; nothing is sent")

    def close(self) -> None:
        open_socket, self._socket = self._socket, None
        if open_socket:
            open_socket.close()

    def _call(self, job: str, channel: str, name: str, /, *args: Any, **named: Any) -> Any:
        if self._lost:
            raise LeaseLost(self._lost)
        call = {"job": job, "channel": channel, "epoch": self._epoch, "call": name}
        values = {"args": to_wire([*args]), "named": {key: to_wire(value) for key, value in named.items()}}
        answer = self._exchange(line(call | values))
        self._send_until = answer["send_until"]
        if "error" not in answer:
            return from_wire(answer["result"])
        error, message = answer["error"], answer["message"]
        if error == LeaseLost.__name__:
            self._lost = message
            raise LeaseLost(message)
        if error == StorageUnavailable.__name__:
            raise StorageUnavailable(message)
        raise RuntimeError(message)

    def _exchange(self, call: bytes) -> dict[str, Any]:
        """A connection on which an answer did not come is closed: the service does not begin its call then,
        and a new one waits for it if it has begun."""
        try:
            self._socket = self._socket or connected(self._path, ANSWER_SECONDS)
            self._socket.sendall(call)
            return cast("dict[str, Any]", json.loads(self._line(self._socket)))
        except (OSError, ValueError) as error:
            self.close()
            why = "has not answered in time" if isinstance(error, TimeoutError) else "cannot be reached"
            raise StorageUnavailable(f"the ledger: its service {why}") from None
        except BaseException:
            self.close()
            raise

    def _line(self, open_socket: socket.socket) -> bytes:
        """Raises OSError if it breaks off, or takes too long."""
        until = self._clock() + ANSWER_SECONDS
        answer = bytearray()
        while not answer.endswith(b"\n"):
            chunk = open_socket.recv(65536)
            if not chunk or len(answer) > LONGEST_LINE:
                raise ConnectionResetError
            if self._clock() > until:
                raise TimeoutError
            answer += chunk
        return bytes(answer)


class _Rows:
    """ChannelLedger, or one of its parts: the same methods, each of which is a call."""

    def __init__(self, call: _Call, part: str = "") -> None:
        self._call, self._part = call, part
        if not part:
            self.destinations, self.source = _Rows(call, "destinations"), _Rows(call, "source")
            self.history = SeenPosts(partial(call, "history.note"))
        elif part == "destinations":
            self.now = time.time
        elif part == "source":
            self.missing = _Rows(call, "source.missing")

    def raise_if_lost(self) -> None:
        """Whether it is there, each call says."""

    def __getattr__(self, name: str) -> _Call:
        if name not in CALLS[self._part]:
            raise AttributeError(name)
        return partial(self._call, f"{self._part}.{name}".lstrip("."))
