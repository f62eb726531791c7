"""One client's connection to the API: uvicorn's, with a limit on time and number.

Owns how long a client may take to ask and to read the answer, how many may be connected, and the answer to
what is not HTTP. uvicorn closes a kept connection after a while, but waits for ever for the first byte, for
the rest of a head and for a body that drips: a few thousand such clients take all descriptors, and with
them every worker's log pipe. Never looks at a path or a header.
"""

from __future__ import annotations

import asyncio
import json
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

ASK_WITHIN = 20.0
"""Seconds from the connection, or from the end of an answer, to the end of the next head."""
ANSWERED_WITHIN = 300.0
"""Seconds for the answer and its way to the client; a deletion takes 20, a long log over a thin line more."""
MOST_CONNECTIONS = 500
"""Far below the descriptors a service has; a person, a proxy and a monitor need a dozen."""

_NOT_HTTP = {
    "detail": {
        "error": "Bad request",
        "message": "This is not a request in HTTP/1.1, or its headers are larger than 64 kB.",
    }
}


class BoundedConnection(H11Protocol):
    """For uvicorn's `http` parameter."""

    _timer: asyncio.TimerHandle | None = None
    _answering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._allow(ASK_WITHIN)
        if len(self.connections) > MOST_CONNECTIONS:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self._stop_timer()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._look()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self._look()

    def send_400_response(self, msg: str) -> None:
        """In the one form of all errors, unless an answer is on its way already."""
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

    def _look(self) -> None:
        """Start the time anew when a request has come or an answer has gone, and by nothing else."""
        answering = self.cycle is not None and not self.cycle.response_complete
        if answering is not self._answering:
            self._answering = answering
            self._allow(ANSWERED_WITHIN if answering else ASK_WITHIN)

    def _allow(self, seconds: float) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self._too_late, seconds)

    def _too_late(self, seconds: float) -> None:
        """An answer counts as gone when it is handed to the system's buffers, or waits in ours."""
        if seconds < ANSWERED_WITHIN and self.transport.get_write_buffer_size():
            self._allow(ANSWERED_WITHIN)
        else:
            self.transport.abort()

    def _stop_timer(self) -> None:
        if self._timer:
            self._timer.cancel()
            self._timer = None
