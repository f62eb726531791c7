"""HTTP/1.1 over a Unix socket: requests in, answers out, written only as fast as the client reads.

Owns connections and their limits; knows no path. The socket is its owner's alone (0600).
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import h11

HEAD_BYTES = 16 * 1024
_READ = 16 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """`body` is closed by the server, sent or not."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: AsyncGenerator[bytes, None]
    on_sent: Callable[[], None] = field(default=lambda: None)


Answering = Callable[[str], Awaitable[Answer]]
"""From a request's target (`/page?channel=news`; empty if it was not GET) to its answer; must not raise."""


class Server:
    def __init__(self, answering: Answering) -> None:
        self._answering = answering

    async def serve(self, listening: socket.socket) -> None:
        """Until it is cancelled."""
        server = await asyncio.start_unix_server(self._connected, sock=listening, limit=_READ)
        async with server:
            await server.serve_forever()

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        conversation = _Conversation(reader, writer)
        try:
            while (target := await conversation.next_request()) is not None:
                await conversation.send(await self._answering(target))
        except (h11.ProtocolError, OSError, EOFError):
            pass
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()


class _Conversation:
    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._http = h11.Connection(h11.SERVER, max_incomplete_event_size=HEAD_BYTES)

    async def next_request(self) -> str | None:
        """Its target, once it is there with all of its body, which is ignored; None: the client has left."""
        if self._http.our_state is h11.DONE:
            self._http.start_next_cycle()
        target = None
        while True:
            event = self._http.next_event()
            if event is h11.NEED_DATA:
                self._http.receive_data(await self._reader.read(_READ))
            elif isinstance(event, h11.Request):
                target = event.target.decode("ascii") if event.method == b"GET" else ""
            elif isinstance(event, h11.EndOfMessage):
                return target
            elif not isinstance(event, h11.Data):
                return None

    async def send(self, answer: Answer) -> None:
        """Raises whatever breaks off the body; the client then sees that it ended too early."""
        try:
            await self._write(h11.Response(status_code=answer.status, headers=list(answer.headers)))
            async for chunk in answer.body:
                await self._write(h11.Data(data=chunk))
            await self._write(h11.EndOfMessage())
        finally:
            await answer.body.aclose()
            answer.on_sent()
        if self._http.our_state is h11.MUST_CLOSE:
            raise EOFError

    async def _write(self, event: Any) -> None:
        self._writer.write(self._http.send(event) or b"")
        await self._writer.drain()
