"""One SQLite file: how it is opened, and short `BEGIN IMMEDIATE` transactions over it.

Two files use it: `disgram.db`, the ledger, whose every commit must survive a power cut, and
`limits.db`, what is known of Discord's and Telegram's limits, which is worthless after a minute and
must never wait for a disk. Owns pragmas and the mapping of SQLite's errors; never knows a table.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from zlib import crc32

from disgram.errors import StorageUnavailable

BUSY_SECONDS = 30.0
"""How long one transaction waits for another process's; each lasts milliseconds."""


class Database:
    """A connection whose transactions take turns among threads.

    Opening creates the file and the schema (idempotent `CREATE`s).
    """

    def __init__(self, path: Path, schema: str, *, durable: bool) -> None:
        self.path = path
        self._turn = threading.Lock()
        try:
            # Made here, since SQLite gives its side files the mode it finds. An existing one is left alone:
            # closing it would drop the locks that this process holds on it (fcntl(2)).
            with suppress(FileExistsError):
                os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            self._connection = sqlite3.connect(
                path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            self._configure(schema, durable=durable)
        except (OSError, sqlite3.Error) as error:
            raise StorageUnavailable(f"{path.name}: {error}") from error

    def _configure(self, schema: str, *, durable: bool) -> None:
        run = self._connection.execute
        self._into_wal(time.monotonic() + BUSY_SECONDS)
        run(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        # A worker reads a few rows at a time: ten pages, not SQLite's 2 MB. By now twenty have been taken,
        # with the first one read, whatever the pragma's place; given back, ten are taken next (seen in 3.40).
        run("PRAGMA cache_size=-40")
        run("PRAGMA shrink_memory")
        # Only a reading for all but the first: a hundred workers opening at once would queue for a writing.
        version = crc32(schema.encode()) >> 1
        if run("PRAGMA user_version").fetchone()[0] != version:
            self._connection.executescript(
                f"BEGIN IMMEDIATE; {schema} PRAGMA user_version={version}; COMMIT;"
            )

    def _into_wal(self, until: float) -> None:
        """Of several that open a new file at once, SQLite lets one pass and does not make the others wait."""
        while True:
            try:
                self._connection.execute("PRAGMA journal_mode=WAL")
                return
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or time.monotonic() > until:
                    raise
            time.sleep(0.01)

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing, alone among all threads and processes. Raises StorageUnavailable (full disk,
        read-only). Not to be nested."""
        with self._turn:
            yield from self._transaction()

    def _transaction(self) -> Iterator[sqlite3.Connection]:
        try:
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{self.path.name}: {error}") from error

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For single SELECTs, which never wait for a writer. Raises StorageUnavailable."""
        try:
            yield self._connection
        except sqlite3.Error as error:
            raise StorageUnavailable(f"{self.path.name}: {error}") from error

    def close(self) -> None:
        self._connection.close()
