"""Up to four connections to PostgreSQL, each used by one thread at a time.

Owns how long anything may take, what of the driver's errors is said, and when a connection is thrown away.
Connections are made by the thread that needs one, so that its error names the cause at once, and there is
no thread that tries again behind a growing back-off; therefore not psycopg_pool.
"""

from __future__ import annotations

import logging
import os
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

import psycopg
from psycopg.conninfo import conninfo_to_dict
from psycopg.pq import TransactionStatus

from disgram.errors import StartRefused, StorageUnavailable

MOST = 4
CONNECT_SECONDS = 3
LOCK_SECONDS = 3.0
STATEMENT_SECONDS = 5.0
ANSWER_SECONDS = 8.0
"""Beyond STATEMENT_SECONDS, which the server itself keeps: it may be frozen, or the network cut."""

DOWN_SECONDS = 1.0
"""How long nobody else tries to connect after one could not: a queue of callers then fails at once."""

_SESSION_ENDS_SECONDS = 10.0
"""A host that is frozen within a transaction holds its locks no longer than that."""

_BAD_URL = (
    "DATABASE_URL is not an address of a PostgreSQL database, such as "
    "postgresql://user:password@host:5432/disgram"
)
_LONGEST_MESSAGE = 300
_READ_ONLY = "25006"


class Connection(psycopg.Connection[tuple[Any, ...]]):
    """One whose server may be silent for `patience` seconds (None: for ever); then it is closed."""

    patience: float | None = ANSWER_SECONDS

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self.info.transaction_status == TransactionStatus.ACTIVE:
                self.close()  # an answer that comes later would be taken for that of the next statement
            raise


class Connections:
    """`url`: DATABASE_URL. Raises StartRefused if it makes no sense; connects when first asked."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        # It warns of what an error that is raised anyway leads to, once a transaction.
        logging.getLogger("psycopg").setLevel(logging.ERROR)
        self._parameters = connection_parameters(url)
        self._clock = clock
        self._turns = threading.BoundedSemaphore(MOST)
        self._lock = threading.Lock()
        self._free: list[Connection] = []
        self._busy: set[Connection] = set()
        self._down: tuple[float, str] = float("-inf"), ""
        self._closed = False

    @contextmanager
    def one(self) -> Iterator[Connection]:
        """For one transaction or statement. Raises StorageUnavailable, also for what fails within."""
        with named_errors(), self._turn():
            connection = self._sound() or self._connect()
            with self._lock:
                self._busy.add(connection)
            try:
                yield connection
            except psycopg.Error as error:
                if error.sqlstate == _READ_ONLY:  # the primary is another one now
                    connection.close()
                raise
            finally:
                self._give_back(connection)

    def close(self) -> None:
        """Whoever waits for an answer on one of them gets an error."""
        with self._lock:
            self._closed = True
            free, self._free = self._free, []
            busy = [*self._busy]
        for connection in free:
            connection.close()
        for connection in busy:
            _break_off(connection)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=LOCK_SECONDS):
            raise StorageUnavailable("PostgreSQL: all connections are busy")
        try:
            yield
        finally:
            self._turns.release()

    def _sound(self) -> Connection | None:
        """The one used last, unless the server has ended it meanwhile."""
        while True:
            with self._lock:
                if not self._free:
                    return None
                connection = self._free.pop()
            if not _has_news(connection):
                return connection
            connection.close()

    def _connect(self) -> Connection:
        if self._closed:
            raise StorageUnavailable("PostgreSQL: the service ends")
        until, why = self._down
        if self._clock() < until:
            raise StorageUnavailable(why)
        try:
            return connect(self._parameters)
        except psycopg.Error as error:
            self._down = self._clock() + DOWN_SECONDS, message(error)
            raise

    def _give_back(self, connection: Connection) -> None:
        with self._lock:
            self._busy.discard(connection)
            usable = connection.info.transaction_status == TransactionStatus.IDLE and not self._closed
            if usable:
                self._free.append(connection)
        if not usable:
            connection.close()


def connection_parameters(url: str) -> dict[str, Any]:
    """What libpq is given. What the address itself says goes before ours. Raises StartRefused."""
    try:
        if not url.startswith(("postgresql://", "postgres://")):
            raise StartRefused(_BAD_URL)
        said = conninfo_to_dict(url)
    except psycopg.Error:  # its text would quote the password
        raise StartRefused(_BAD_URL) from None
    if not all(port.isdigit() or not port for port in str(said.get("port", "")).split(",")):
        raise StartRefused(_BAD_URL)
    own = {
        "application_name": "disgram",
        "connect_timeout": CONNECT_SECONDS,
        "target_session_attrs": "read-write",
        "keepalives_idle": 10,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": int(ANSWER_SECONDS * 1000),
    }
    return {**own, **said, "client_encoding": "utf8"}


def connect(parameters: dict[str, Any]) -> Connection:
    """Raises psycopg.Error."""
    # Without prepared statements, so that a pooler such as PgBouncer may stand between.
    connection = Connection.connect(**parameters, autocommit=True, prepare_threshold=None)
    try:
        connection.execute(
            "SELECT set_config('statement_timeout', %s, false), set_config('lock_timeout', %s, false), "
            "set_config('idle_in_transaction_session_timeout', %s, false)",
            [str(int(s * 1000)) for s in (STATEMENT_SECONDS, LOCK_SECONDS, _SESSION_ENDS_SECONDS)],
        )
    except BaseException:
        connection.close()
        raise
    return connection


@contextmanager
def named_errors() -> Iterator[None]:
    """The driver's errors as StorageUnavailable."""
    try:
        yield
    except psycopg.Error as error:
        raise StorageUnavailable(message(error)) from error


def message(error: psycopg.Error) -> str:
    """On one line. The driver names host, port and user in it, never the password."""
    lines = (line.strip(" -\t") for line in str(error).splitlines())
    return f"PostgreSQL: {'; '.join(filter(None, lines))}"[:_LONGEST_MESSAGE]


def _break_off(connection: Connection) -> None:
    """Its own thread sees that the connection is gone, and closes it."""
    with suppress(psycopg.Error, OSError), socket.socket(fileno=os.dup(connection.fileno())) as same:
        same.shutdown(socket.SHUT_RDWR)


def _has_news(connection: Connection) -> bool:
    """An idle connection has something to read only if the server ended it, or said that it ends."""
    if connection.closed:
        return True
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    return bool(poll.poll(0))
