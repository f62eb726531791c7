"""One SQLite file: how it is opened and migrated, and short `BEGIN IMMEDIATE` transactions over it.

Two files use it: `disgram.db`, the ledger, whose every commit must survive a power cut, and
`limits.db`, what is known of Discord's and Telegram's limits, which is worthless after a minute and
must never wait for a disk. Owns pragmas, the schema's version and the mapping of SQLite's errors; never
knows a table.
"""

from __future__ import annotations

import os
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from disgram.errors import DatabaseDamaged, DatabaseTooNew, StorageUnavailable
from disgram.storage.engine import SQLITE
from disgram.storage.files.regular_file import special_kind
from disgram.storage.schema import Migrations

BUSY_SECONDS = 30.0
"""How long one transaction waits for another process's; each lasts milliseconds."""

_CHECKSUM_FROM = 1000
"""Disgram 3.0.0 wrote a checksum of its schema into `user_version`: a number above this one."""


class Database:
    """A connection whose transactions take turns among threads.

    Opening creates the file and brings it to the newest version, unless `create` is False: then another
    process has done so, and anything else is refused; `file` is the `file` of its database. Raises
    StorageUnavailable, DatabaseDamaged, and DatabaseTooNew for a file of a newer Disgram, which is left as it
    is.
    """

    dialect = SQLITE

    def __init__(
        self,
        path: Path,
        migrations: Migrations,
        *,
        durable: bool,
        create: bool = True,
        file: str | None = None,
    ) -> None:
        self.path = path
        self._turn = threading.Lock()
        if not create:
            self.file = file or file_id(path)
            self.raise_if_lost()
        self._connection = self._connect(create=create)
        self.file = file or file_id(path)
        try:
            with self.reading() as connection:  # before the first pragma that changes the file
                version = version_of(connection)
                raise_if_newer(path, version, migrations)
            if not create and version < len(migrations):
                raise DatabaseDamaged(f"{path.name}: the file is not as Disgram left it")
            with self._named_errors():
                self._configure(durable=durable)
            self._migrate(migrations)
        except BaseException:
            self._connection.close()
            raise

    def _connect(self, *, create: bool) -> sqlite3.Connection:
        try:
            # Made here, since SQLite gives its side files the mode it finds. An existing one is left alone:
            # closing it would drop the locks that this process holds on it (fcntl(2)).
            with suppress(FileExistsError):
                if create:
                    os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
            return sqlite3.connect(
                f"{self.path.absolute().as_uri()}?mode=rw",
                uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False,
            )  # fmt: skip
        except (OSError, sqlite3.Error) as error:
            raise StorageUnavailable(f"{self.path.name}: {error}") from error

    def _configure(self, *, durable: bool) -> None:
        run = self._connection.execute
        self._into_wal(time.monotonic() + BUSY_SECONDS)
        run(f"PRAGMA synchronous={'FULL' if durable else 'OFF'}")
        # A worker reads a few rows at a time: ten pages, not SQLite's 2 MB. By now twenty have been taken,
        # with the first one read, whatever the pragma's place; given back, ten are taken next (seen in 3.40).
        run("PRAGMA cache_size=-40")
        run("PRAGMA shrink_memory")
        run("PRAGMA temp_store=MEMORY")  # there may be no folder for temporary files

    def _migrate(self, migrations: Migrations) -> None:
        """Bring the file to the newest version, each version in a transaction of its own.

        Of several processes that open an old file at once, one migrates and the others wait for it. A file of
        the newest version is only read: a hundred workers that open it at once would queue for a writing.
        """
        with self.reading() as connection:
            version = version_of(connection)
        for number, statements in enumerate(migrations[version:], version + 1):
            with self.transaction() as connection:
                if version_of(connection) == number - 1:  # otherwise another process was first
                    for statement in statements:
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={number}")

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
        with self._turn, self._named_errors():
            self._connection.execute("BEGIN IMMEDIATE")
            try:
                yield self._connection
                self._connection.execute("COMMIT")
            finally:
                if self._connection.in_transaction:
                    self._connection.execute("ROLLBACK")

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """For single SELECTs, which never wait for a writer. Raises StorageUnavailable."""
        with self._named_errors():
            yield self._connection

    def lost(self) -> str | None:
        """What became of the file that was opened, if its path does not lead there any more."""
        try:
            found = self.path.stat()
        except (FileNotFoundError, NotADirectoryError):
            return "removed"
        except OSError:  # the next access says why
            return None
        if not found.st_size:
            return "emptied"
        if file_id(self.path) == self.file:
            return None
        kind = special_kind(self.path)
        return f"replaced by {kind or 'another file'}"

    def raise_if_lost(self) -> None:
        """Raises StorageUnavailable if what is written now would not be found by a later process."""
        if lost := self.lost():
            raise StorageUnavailable(f"{self.path.name}: the file was {lost}")

    def is_damaged(self) -> bool:
        """Whether SQLite finds its pages damaged. Reads the whole file."""
        try:
            with self.reading() as connection:
                return bool(connection.execute("PRAGMA quick_check(1)").fetchone() != ("ok",))
        except DatabaseDamaged:
            return True

    @contextmanager
    def _named_errors(self) -> Iterator[None]:
        """SQLite's errors as ours, with the name of the file."""
        try:
            yield
        except sqlite3.Error as error:
            # SQLITE_CORRUPT and SQLITE_NOTADB have no class of their own below DatabaseError.
            damaged = type(error) is sqlite3.DatabaseError
            raise (DatabaseDamaged if damaged else StorageUnavailable)(
                f"{self.path.name}: {error}"
            ) from error

    def close(self) -> None:
        self._connection.close()


def file_id(path: Path) -> str:
    """Tells the file there from every other one; "" for none. A file that is renamed keeps its id."""
    try:
        found = path.stat()
    except OSError:
        return ""
    return f"{found.st_dev}:{found.st_ino}"


def remove_side_files(path: Path) -> None:
    """Of a database that was moved away, and that nobody has open: they would be read into the next of its
    name. Raises OSError."""
    for suffix in ("-wal", "-shm"):
        path.with_name(f"{path.name}{suffix}").unlink(missing_ok=True)


def raise_if_newer(path: Path, version: int, migrations: Migrations) -> None:
    """Raises DatabaseTooNew."""
    if version > len(migrations):
        raise DatabaseTooNew(
            f"{path} was written by a newer Disgram (schema {version}; this one knows "
            f"{len(migrations)}). The file was left as it is; run that Disgram or a newer one."
        )


def version_of(connection: sqlite3.Connection) -> int:
    """The number of the newest migration the file has had; 0 where all may be needed."""
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    return version if version <= _CHECKSUM_FROM else 0
