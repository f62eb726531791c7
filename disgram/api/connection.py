"""One client's connection: uvicorn's, with limits.

Owns limits on time and number, and the answer to what is not HTTP. Never looks at a path or a header.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Collection
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from disgram.api.client_address import IPNetwork, in_networks, network_of
from disgram.api.listener import ConnectionLimits

REQUEST_WITHIN = 20.0
"""Seconds from the connection, or from the end of an answer, to the end of the next request's head."""
ANSWER_WITHIN = 300.0
"""Seconds for the answer and its way to the client; a deletion takes 20, a long log over a slow line more."""
SHARE = 0.25
"""Of all connections, for one address."""

_NOT_HTTP = {
    "detail": {
        "error": "Bad request",
        "message": "This is not a request in HTTP/1.1, or its headers are larger than 64 kB.",
    }
}


class BoundedConnection(H11Protocol):
    """One client's connection, with time limits. For uvicorn's `http` parameter.

    uvicorn closes a kept-alive connection after a while, but waits without limit for the first byte, for the
    rest of a head and for a slow body: a few thousand such clients take all file descriptors, and with them
    every worker's log pipe. Of too many, of all or of one address, the oldest that waits for a request is
    closed; if all others are being answered, that is the new one.
    """

    limits = ConnectionLimits()
    unlimited: Collection[IPNetwork] = ()
    """Proxies: all their clients come from one address."""

    _timer: asyncio.TimerHandle | None = None
    _answering = False
    _ended = False
    _opened_at = 0.0
    _network = ""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer(REQUEST_WITHIN)
        self._opened_at = self.loop.time()
        address = self.client[0] if self.client else ""
        self._network = network_of(address)
        self._keep_to_limits(shared=not in_networks(address, self.unlimited))

    def _keep_to_limits(self, *, shared: bool) -> None:
        known = (one for one in self.connections if isinstance(one, BoundedConnection))
        open_now = [one for one in known if not one._ended]
        same = [one for one in open_now if one._network == self._network]
        if shared and len(same) > self.limits.total * SHARE:
            _end_oldest(same)
        elif len(open_now) > self.limits.total:
            _end_oldest(open_now)

    def _end(self) -> None:
        self._ended = True
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._update_timer()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._update_timer()

    def send_400_response(self, msg: str) -> None:
        """Answer in the form of all errors, unless an answer is on its way already."""
        if self.conn.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            body = json.dumps(_NOT_HTTP).encode()
            headers = {"Content-Type": "application/json", "Content-Length": str(len(body))}
            named = [*headers.items(), ("Connection", "close")]
            self._write(h11.Response(status_code=400, headers=named, reason="Bad Request"))
            self._write(h11.Data(data=body))
            self._write(h11.EndOfMessage())
        self.transport.close()

    def _write(self, event: Any) -> None:
        self.transport.write(self.conn.send(event) or b"")

    def _update_timer(self) -> None:
        """Restart the timer when a whole request has come or an answer has gone, not for every byte."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering is not self._answering:
            self._answering = answering
            self._start_timer(ANSWER_WITHIN if answering else REQUEST_WITHIN)

    def _start_timer(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._on_timeout, seconds)

    def _on_timeout(self, seconds: float) -> None:
        """An answer is complete for uvicorn while its bytes may still wait in the write buffer."""
        if seconds < ANSWER_WITHIN and self.transport.get_write_buffer_size():
            self._start_timer(ANSWER_WITHIN)
        else:
            self.transport.abort()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None


def _end_oldest(connections: Collection[BoundedConnection]) -> None:
    """Of those that wait for a request, as at least the new one does."""
    waiting = [one for one in connections if not one._answering]
    min(waiting, key=lambda one: one._opened_at)._end()
