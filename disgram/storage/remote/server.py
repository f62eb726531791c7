"""The service's end of ledger.sock: takes the calls of its workers, and makes them in a few threads.

Calls of one worker are made in the order they came, and one whose worker has given up on it is not begun:
an old row would replace a newer one. Owns the socket, that order, and whether a row that a request follows
may be written. Never decides who has a lease.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple
from weakref import WeakValueDictionary

from disgram.errors import LeaseLost, StorageUnavailable
from disgram.storage.channel_ledger import ChannelLedger, MessageRow
from disgram.storage.files.unix_socket import listening_socket
from disgram.storage.remote.wire import CALLS, LONGEST_LINE, MAY_SEND, from_wire, line, to_wire

OLDEST_CALL = 5.0
"""Seconds a call may wait for a thread; then PostgreSQL is slow or away, and it fails."""

_NOT_NOW = "this host could not renew its leases in time; nothing is sent until it can"


class Call(NamedTuple):
    """As it came at the monotonic moment `at`."""

    job: str
    channel: str
    epoch: int
    name: str
    args: list[Any]
    named: dict[str, Any]
    at: float

    @property
    def precedes_request(self) -> bool:
        rows = [value for value in (*self.args, *self.named.values()) if isinstance(value, MessageRow)]
        return self.name == MAY_SEND or any(row.state == "attempting" for row in rows)


OpenRows = Callable[[str, str, int], ChannelLedger]
"""The rows of (job, channel), written under an epoch."""


class LedgerServer:
    """`may_send_until`: until when requests may be begun, on the monotonic `clock`; `on_lost` is told of a
    (job, channel, epoch) whose write was refused. `threads`: calls made at a time; one less than there are
    connections, so that the service renews its leases however much its workers write."""

    def __init__(
        self,
        path: Path,
        open_rows: OpenRows,
        may_send_until: Callable[[], float],
        on_lost: Callable[[str, str, int], object] = lambda job, channel, epoch: None,
        *,
        threads: int = 3,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path, self._open_rows = path, open_rows
        self._may_send_until, self._on_lost, self._clock = may_send_until, on_lost, clock
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="ledger")
        self._turns: WeakValueDictionary[tuple[str, str], asyncio.Lock] = WeakValueDictionary()
        self._thread = threading.Thread(target=self._run, name="ledger socket", daemon=True)
        self._connected: set[asyncio.Task[None]] = set()

    def start(self) -> None:
        """Workers can connect once it returns. Raises OSError."""
        self._listening = listening_socket(self._path)
        self._loop, self._stopping = asyncio.new_event_loop(), asyncio.Event()
        self._thread.start()

    def stop(self) -> None:
        """The workers' connections break. Calls that were begun end by themselves, or with their database."""
        if self._thread.ident:
            with contextlib.suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._stopping.set)
            self._thread.join()
            self._path.unlink(missing_ok=True)
        self._threads.shutdown(wait=False, cancel_futures=True)

    def _run(self) -> None:
        try:
            self._loop.run_until_complete(self._serve())
        finally:
            self._loop.close()

    async def _serve(self) -> None:
        server = await asyncio.start_unix_server(self._accept, sock=self._listening, limit=LONGEST_LINE)
        try:
            await self._stopping.wait()
        finally:
            server.close()
            for task in self._connected:
                task.cancel()
            await asyncio.gather(*self._connected, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task  # noqa: S101
        self._connected.add(task)
        try:
            while asked := await reader.readline():
                writer.write(line(await self._answer(asked, reader)))
                await writer.drain()
        except (OSError, ValueError, asyncio.CancelledError):
            pass
        finally:
            self._connected.discard(task)
            writer.close()

    async def _answer(self, asked: bytes, reader: asyncio.StreamReader) -> dict[str, Any]:
        try:
            call = _read(asked, self._clock())
            if self._clock() >= self._may_send_until() and call.precedes_request:
                raise StorageUnavailable(_NOT_NOW)
            result = None if call.name == MAY_SEND else await self._in_turn(call, reader)
            answer = {"result": to_wire(result)}
        except LeaseLost as error:
            self._on_lost(call.job, call.channel, call.epoch)
            answer = {"error": LeaseLost.__name__, "message": str(error)}
        except StorageUnavailable as error:
            answer = {"error": StorageUnavailable.__name__, "message": str(error)}
        except (OSError, asyncio.CancelledError):
            raise
        except Exception as error:
            logging.getLogger(__name__).exception("A worker's call of the ledger failed")
            answer = {"error": "Failed", "message": f"the ledger: {type(error).__name__}: {error}"}
        return answer | {"send_until": self._may_send_until()}

    async def _in_turn(self, call: Call, reader: asyncio.StreamReader) -> Any:
        turn = self._turns.setdefault((call.job, call.channel), asyncio.Lock())
        async with turn:
            working = self._loop.run_in_executor(self._threads, self._make, call, reader.at_eof)
            return await asyncio.shield(working)

    def _make(self, call: Call, given_up: Callable[[], bool]) -> Any:
        """In a thread. Raises StorageUnavailable and LeaseLost."""
        if given_up():
            raise ConnectionResetError
        if self._clock() - call.at > OLDEST_CALL:
            raise StorageUnavailable("PostgreSQL is too slow for its workers' calls")
        target: Any = self._open_rows(call.job, call.channel, call.epoch)
        part, _, name = call.name.rpartition(".")
        for attribute in filter(None, part.split(".")):
            target = getattr(target, attribute)
        return getattr(target, name)(*call.args, **call.named)


def _read(asked: bytes, at: float) -> Call:
    """Raises ValueError, KeyError and TypeError for what is no call."""
    told = json.loads(asked)
    name, args = str(told["call"]), from_wire(told["args"])
    named = {key: from_wire(value) for key, value in told["named"].items()}
    part, _, method = name.rpartition(".")
    if name != MAY_SEND and method not in CALLS.get(part, ()):
        raise ValueError(f"there is no call {name!r}")
    return Call(str(told["job"]), str(told["channel"]), int(told["epoch"]), name, args, named, at)
