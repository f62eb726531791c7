"""The process itself: its settings, its parts, its end. Started by the service, one for all channels."""

from __future__ import annotations

import asyncio
import contextlib
import os
import resource
import signal
import time
from collections.abc import Callable
from datetime import datetime, timezone

from setproctitle import setproctitle

from disgram.errors import BadSetting
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT, Level, Reporter, service_reporter
from disgram.storage.files.unix_socket import listening_socket
from disgram.telegram.account.process.calls import Calls
from disgram.telegram.account.process.client import AccountClient, check_session, make_client
from disgram.telegram.account.process.connection import AccountConnection
from disgram.telegram.account.process.directory import Directory
from disgram.telegram.account.process.downloads import Downloads
from disgram.telegram.account.process.messages import Messages
from disgram.telegram.account.process.pages import Pages
from disgram.telegram.account.process.refusals import described, missing
from disgram.telegram.account.process.routes import Routes
from disgram.telegram.account.process.server import Server
from disgram.telegram.account.process.settings import AccountSettings, read_settings
from disgram.telegram.account.process.spools import Names, Spools
from disgram.telegram.account.process_end import End

TITLE = "disgram: account"
HEARTBEAT = 15.0
"""Seconds between two lines without words, by which the service sees that the process does not hang."""

_STDIN, _STDOUT = 0, 1


def serve() -> int:
    """Until standard input ends or SIGTERM comes; returns the exit code. Reports on standard output."""
    setproctitle(TITLE)
    resource.setrlimit(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))
    report = service_reporter(_write)
    try:
        settings = read_settings(_first_line())
        asyncio.run(run(settings, report, _end))
    except BadSetting as error:
        report(Level.ERROR, f"{error}")
        return EXIT_PERMANENT
    except Exception as error:  # noqa: BLE001  # a traceback might hold the session
        report(Level.ERROR, f"The account's process failed: {described(error)}")
        return EXIT_CRASH
    return EXIT_OK


async def run(settings: AccountSettings, report: Reporter, ended: Callable[[], End]) -> None:
    """Serve until the end that `ended` makes. Raises BadSetting and OSError."""
    end = ended()
    listening = listening_socket(settings.socket)
    try:
        account, server = _parts(settings, report)
        tasks = [asyncio.create_task(account.keep()), asyncio.create_task(server.serve(listening.socket))]
        while not end.reached:
            report(None, "")
            await end.wait(HEARTBEAT)
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks, timeout=5.0)
    finally:
        listening.close()


def _parts(settings: AccountSettings, report: Reporter) -> tuple[AccountConnection, Server]:
    clock = time.monotonic

    def make(connection: AccountConnection) -> AccountClient:
        return make_client(
            settings.session, settings.api_id, settings.api_hash, clock=clock, opened=connection.opened,
            closed=connection.closed, follows=spools.follows, missed=connection.missed,
        )  # fmt: skip

    calls = Calls(clock=clock, report_end=lambda end: report(Level.ERROR, f"{end}", reason=end.reason))
    if why := _unusable(settings):
        calls.refuse(missing(why))  # answered until the service hands over another session
    spools, names = Spools(), Names()
    directory = Directory(calls, clock)
    messages = Messages(calls, names)
    pages = Pages(calls, directory, spools, names, messages, clock)
    routes = Routes(
        pages, Downloads(calls, directory, messages), directory,
        now=lambda: datetime.now(timezone.utc), report=lambda text: report(Level.ERROR, text),
    )  # fmt: skip
    return AccountConnection(make, calls, directory, spools, names, report, clock), Server(routes.answer)


def _unusable(settings: AccountSettings) -> str:
    """Why no session can be used; empty if it has the form of one."""
    try:
        check_session(settings.session)
    except BadSetting as error:
        return settings.unusable or f"{error}"
    return ""


def _write(line: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):  # nobody reads it any more: standard input ends, too
        os.write(_STDOUT, line)


def _end() -> End:
    """Comes with SIGTERM, too."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda *_: None)  # Telethon leaves futures behind whose errors nobody reads
    end = End()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end.come)
    loop.add_reader(_STDIN, lambda: end.read(os.read(_STDIN, 4096)))
    return end


def _first_line() -> bytes:
    line = b""
    while not line.endswith(b"\n") and (byte := os.read(_STDIN, 1)):
        line += byte
    return line
