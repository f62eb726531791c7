"""The HTTP server: uvicorn, and what is changed of it.

Owns its options, signals, and the exit code of a refused start. Never looks at a path or a header, and knows
no route.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import AsyncIterator, Callable, Collection
from contextlib import AbstractContextManager
from types import FrameType

import anyio.to_thread
import uvicorn
from fastapi import FastAPI
from starlette.types import Lifespan

from disgram.api.client_address import IPNetwork
from disgram.api.connection import BoundedConnection
from disgram.api.listener import ConnectionLimits, listen, report_quietly
from disgram.descriptors import raise_descriptor_limit
from disgram.errors import StartRefused, StorageUnavailable
from disgram.logs.log_file import one_line

EXIT_REFUSED = 2
EXIT_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: what may pass by itself, so that whoever started the service tries again."""

_log = logging.getLogger("disgram.api")

MAX_PARALLEL_REQUESTS = 200
"""Threads: each deletion occupies one until its processes are gone."""

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(app: FastAPI, host: str, port: int, proxies: Collection[IPNetwork] = ()) -> None:
    """Listen until SIGTERM or SIGINT. No access log: it would be one line for each health check.

    `proxies` may have as many connections as there are; any other address has a share.
    """

    class Connection(BoundedConnection):
        limits = ConnectionLimits.within(raise_descriptor_limit())
        unlimited = proxies

    app.state.url = f"http://{f'[{host}]' if ':' in host else host}:{port}"
    listeners: list[socket.socket] = []
    app.state.listen = lambda: listeners.extend(listen(host, port))
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        backlog=Connection.limits.at_once,
        log_level="error",  # a warning for each malformed request would let anybody fill the disk
        access_log=False,
        proxy_headers=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    uvicorn.Server(config).run(listeners)


def lifespan(service: Callable[[], AbstractContextManager[object]]) -> Lifespan[FastAPI]:
    """What surrounds the app's life: `service()` is entered at its start, and is its `state.service`.

    `state.url` is the address it listens on if `serve` started it; None under `uvicorn main:app`. The port
    is opened when the service runs, so that a second service is refused because of its folder.
    """

    @contextlib.asynccontextmanager
    async def run(app: FastAPI) -> AsyncIterator[None]:
        anyio.to_thread.current_default_thread_limiter().total_tokens = MAX_PARALLEL_REQUESTS
        app.state.url = getattr(app.state, "url", None)
        with contextlib.ExitStack() as stack:
            app.state.service = _enter_or_exit(stack, service())
            _install_signal_handlers()
            report_quietly(asyncio.get_running_loop())
            if app.state.url:
                _listen_or_exit(stack, app)
                print(f"{app.title} {app.version}: {app.state.url}/docs", flush=True)
            yield
        _block_stop_signals()

    return run


def _enter_or_exit(stack: contextlib.ExitStack, service: AbstractContextManager[object]) -> object:
    """Enter `service`; if its start is refused, print one line and end the process with exit code 2.

    The same under `python main.py` and `uvicorn main:app`. `os._exit`, because uvicorn would answer any
    exception here with a traceback and exit code 3. Nothing has started yet that would have to be stopped.
    """
    try:
        return stack.enter_context(service)
    except (StartRefused, StorageUnavailable) as refusal:
        print(f"disgram: {one_line(str(refusal))}", file=sys.stderr, flush=True)
        os._exit(EXIT_REFUSED)


def _listen_or_exit(stack: contextlib.ExitStack, app: FastAPI) -> None:
    """Open the port; if it is taken, log one line, stop the service, and end with exit code 75."""
    try:
        app.state.listen()
    except OSError as error:
        address = app.state.url.removeprefix("http://")
        _log.error("The service cannot listen on %s: %s", address, error.strerror)
        stack.close()
        os._exit(EXIT_TRY_AGAIN)


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
