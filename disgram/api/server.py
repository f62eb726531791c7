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
from collections.abc import AsyncIterator, Callable, Collection, Iterator
from contextlib import AbstractContextManager
from types import FrameType
from typing import NoReturn, TypeVar

import anyio.to_thread
import uvicorn
from fastapi import FastAPI
from starlette.types import Lifespan

from disgram.api.client_address import LOOPBACK, IPNetwork
from disgram.api.connection import BoundedConnection
from disgram.api.listener import ConnectionLimits, is_unspecified_ipv6, listen, report_quietly
from disgram.descriptors import raise_descriptor_limit
from disgram.errors import DatabaseDamaged, StartFailed, StartRefused, StorageUnavailable
from disgram.logs.log_file import one_line
from disgram.logs.python_logging import MaskedStderr
from disgram.logs.standard_streams import protect_standard_streams
from disgram.logs.stderr import warn_stderr

EXIT_REFUSED = 2
EXIT_TRY_AGAIN = 75
"""EX_TEMPFAIL of sysexits.h: what may pass by itself, so that whoever started the service tries again."""
_EXIT_NOT_STARTED = 3
"""uvicorn's own, after the traceback of an exception at the start."""
MAX_PARALLEL_REQUESTS = 200
"""Threads: each deletion occupies one until its processes are gone."""

Service = TypeVar("Service")

_STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)


def serve(
    app: FastAPI,
    host: str,
    port: int,
    *,
    proxies: Collection[IPNetwork] = (),
    on_taken: Callable[[], object] = lambda: None,
) -> None:
    """Listen until SIGTERM or SIGINT. No access log: it would be one line for each health check.

    `proxies` may have as many connections as there are; any other address has a share. `on_taken` is called
    if the port is taken, and may raise StartRefused for a better reason.
    """
    protect_standard_streams()
    logging.lastResort = MaskedStderr(logging.WARNING)

    class Connection(BoundedConnection):
        limits = ConnectionLimits.within(raise_descriptor_limit())
        unlimited = proxies

    app.state.url = address_to_open(host, port)
    config = uvicorn.Config(
        app,
        http=Connection,
        ws="none",
        backlog=Connection.limits.at_once,
        log_config=None,  # its handlers would print whole tracebacks, secrets included, on standard error
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


def address_to_open(host: str, port: int) -> str:
    """An address that a browser on this computer can open: 0.0.0.0 and :: are none."""
    name = LOOPBACK if host in {"", "0.0.0.0"} or is_unspecified_ipv6(host) else host  # noqa: S104
    return f"http://{f'[{name}]' if ':' in name else name}:{port}"


def _sockets_or_exit(host: str, port: int, on_taken: Callable[[], object]) -> list[socket.socket]:
    try:
        try:
            return listen(host, port)
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
            with _stop_signals_end_the_start():
                app.state.service = _enter_or_exit(stack, service())
            _install_signal_handlers()
            report_quietly(asyncio.get_running_loop())
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


# --- signals --------------------------------------------------------------------------------------------
# Only the main thread has signals; in another one (a test's) these functions do nothing.


@contextlib.contextmanager
def _stop_signals_end_the_start() -> Iterator[None]:
    """uvicorn would look at a signal once the start is over, which may wait a minute for another host or a
    database. What has been begun by then withstands a kill at any moment."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: os._exit(0)) for number in _STOP_SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
