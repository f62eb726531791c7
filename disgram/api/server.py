"""The HTTP server: uvicorn, and what is changed of it.

Owns limits on time and number of connections, HEAD, the answer to what is not HTTP, signals, and the exit
code of a refused start. Never looks at a path or a header, and knows no route.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractContextManager
from types import FrameType
from typing import Any, NoReturn, TypeVar

import anyio.to_thread
import h11
import uvicorn
from fastapi import FastAPI
from starlette.types import ASGIApp, Lifespan, Message, Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from disgram.api.listening import listening_sockets
from disgram.errors import DatabaseDamaged, StartFailed, StartRefused, StorageUnavailable
from disgram.logs.log_file import one_line
from disgram.logs.standard_streams import protect_standard_streams
from disgram.logs.stderr import warn_stderr

EXIT_REFUSED = 2
EXIT_TRY_AGAIN = 75
"""sysexits.h EX_TEMPFAIL."""
_EXIT_NOT_STARTED = 3
"""uvicorn's own, after the traceback of an exception at the start."""
REQUEST_WITHIN = 20.0
"""Seconds from the connection, or from the end of an answer, to the end of the next request's head."""
ANSWER_WITHIN = 300.0
"""Seconds for the answer and its way to the client; a deletion takes 20, a long log over a slow line more."""
MAX_CONNECTIONS = 500
"""Far below the descriptors a service has; a person, a proxy and a monitor need a dozen."""
MAX_PARALLEL_REQUESTS = 200
"""Threads: each deletion occupies one until its processes are gone."""

Service = TypeVar("Service")

_NOT_HTTP = {
    "detail": {
        "error": "Bad request",
        "message": "This is not a request in HTTP/1.1, or its headers are larger than 64 kB.",
    }
}
_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(app: FastAPI, host: str, port: int, on_taken: Callable[[], object] = lambda: None) -> None:
    """Listen until SIGTERM or SIGINT.

    `on_taken` is called if the port is taken, and may raise StartRefused for a better reason.
    No access log: it would be one line for each health check.
    """
    protect_standard_streams()
    app.state.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=BoundedConnection,
        ws="none",
        log_level="error",  # a warning for each malformed request would let anybody fill the disk
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn_server = uvicorn.Server(config)
    uvicorn_server.run(sockets=_sockets_or_exit(host, port, on_taken))
    if not uvicorn_server.started:
        sys.exit(_EXIT_NOT_STARTED)


def _sockets_or_exit(host: str, port: int, on_taken: Callable[[], object]) -> list[socket.socket]:
    try:
        try:
            return listening_sockets(host, port)
        except StartFailed:
            on_taken()
            raise
    except (StartRefused, StartFailed) as refusal:
        _exit_with(refusal)


def lifespan(
    service: Callable[[], AbstractContextManager[Service]], on_ready: Callable[[Service], object]
) -> Lifespan[FastAPI]:
    """What surrounds the app's life: `service()` is entered at its start, and is its `state.service`.

    `on_ready` is called with it once it can be reached, if `serve` started the app.
    `state.url` is the address it listens on if `serve` started it; None under `uvicorn main:app`.
    """

    @contextlib.asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = MAX_PARALLEL_REQUESTS
        app.state.url = getattr(app.state, "url", None)
        with contextlib.ExitStack() as stack:
            app.state.service = _enter_or_exit(stack, service())
            _install_signal_handlers()
            if app.state.url:
                with contextlib.suppress(OSError):
                    print(f"{app.title} {app.version}: {app.state.url}/docs", flush=True)
                on_ready(app.state.service)
            yield
        _block_stop_signals()

    return run


def _enter_or_exit(stack: contextlib.ExitStack, service: AbstractContextManager[Service]) -> Service:
    """Enter `service`; if its start fails, print one line and end the process.

    The same under `python main.py` and `uvicorn main:app`. `os._exit`, because uvicorn would answer any
    exception here with a traceback and exit code 3. Nothing has started yet that would have to be stopped.
    """
    try:
        return stack.enter_context(service)
    except (StartRefused, StartFailed, StorageUnavailable) as refusal:
        _exit_with(refusal)


def _exit_with(refusal: Exception) -> NoReturn:
    """2: a person must mend something. 75: it may pass by itself, so that a new start is worth a try."""
    warn_stderr(one_line(str(refusal)))
    os._exit(EXIT_REFUSED if isinstance(refusal, StartRefused | DatabaseDamaged) else EXIT_TRY_AGAIN)


# --- connections ----------------------------------------------------------------------------------------


class BoundedConnection(H11Protocol):
    """One client's connection, with time limits. For uvicorn's `http` parameter.

    uvicorn closes a kept-alive connection after a while, but waits without limit for the first byte, for the
    rest of a head and for a slow body: a few thousand such clients take all file descriptors, and with them
    every worker's log pipe.
    """

    _timer: asyncio.TimerHandle | None = None
    _answering = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._start_timer(REQUEST_WITHIN)
        if len(self.connections) > MAX_CONNECTIONS:
            transport.abort()

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


class HeadAsGet:
    """ASGI middleware: HEAD is answered like GET, without the body (RFC 9110, 9.3.2).

    Monitors ask this way; FastAPI's routes do not know it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_no_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_no_body)


# --- signals --------------------------------------------------------------------------------------------
# Only the main thread has signals; in another one (a test's) these two functions do nothing.


def _install_signal_handlers() -> None:
    """Ignore SIGHUP, and let a second SIGTERM or SIGINT not cut an orderly stop short.

    At the start of the lifespan: uvicorn has set its handlers by then.
    """
    if threading.current_thread() is not threading.main_thread():
        return
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    for number in _STOP_SIGNALS:
        signal.signal(number, _only_once(signal.getsignal(number)))


def _block_stop_signals() -> None:
    """Let an orderly stop end with exit code 0.

    uvicorn puts the default handlers back and raises the signals it caught once more, so that the process
    dies of them (exit code 143, or KeyboardInterrupt). Blocked, they stay pending.
    """
    if threading.current_thread() is threading.main_thread():
        signal.pthread_sigmask(signal.SIG_BLOCK, _STOP_SIGNALS)


def _only_once(previous: object) -> Callable[[int, FrameType | None], None]:
    def stop(number: int, frame: FrameType | None) -> None:
        for other in _STOP_SIGNALS:
            signal.signal(other, signal.SIG_IGN)
        if callable(previous):
            previous(number, frame)

    return stop
