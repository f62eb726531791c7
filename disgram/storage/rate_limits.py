"""The rows behind the limiters: what all workers of the host know of Discord's and Telegram's limits.

Owns the file and its transactions; the rows are limit_rows.py's. All times are the monotonic clock's, which
Linux shares between processes and which no clock change moves; it starts anew at boot, and so do the rows.
Where no boot can be told from another, rows that happened later than now tell it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from disgram.storage import schema
from disgram.storage.limit_rows import LimitRows
from disgram.storage.sqlite import Database

_TABLES = ("bucket", "bucket_name", "request", "done", "pause", "invalid", "pace", "egress")


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Changes with every boot (Linux); elsewhere constant, and stale rows are merely waited out.

    Read once, by the process that forks the workers.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


class LimitStore:
    """Transactions over limits.db. Inside one, `LimitRows` reads and writes rows. `create`: see Database."""

    def __init__(self, path: Path, *, boot: str | None = None, create: bool = True) -> None:
        self.path = path
        self._boot = boot_id() if boot is None else boot
        self._open(create=create)

    def _open(self, *, create: bool) -> None:
        self._database = Database(self.path, schema.RATE_LIMITS, durable=False, create=create)
        with self._database.reading() as connection:
            known = _is_of(connection, self._boot)
        if not known:
            with self._database.transaction() as connection:
                _delete_other_boots(connection, self._boot)

    def renew(self, set_aside: Callable[[Path], Path | None]) -> Path | None:
        """Have the file moved aside, and go on with a new one. Raises StorageUnavailable; then no transaction
        succeeds, and `renew` may be called again."""
        self.close()
        aside = set_aside(self.path)
        self._open(create=True)
        return aside

    def lost(self) -> str | None:
        """See Database.lost."""
        return self._database.lost()

    def is_damaged(self) -> bool:
        """Reads the whole file, which is small."""
        return self._database.is_damaged()

    @contextmanager
    def transaction(self) -> Iterator[LimitRows]:
        """Raises StorageUnavailable."""
        with self._database.transaction() as connection:
            yield LimitRows(connection)

    @contextmanager
    def reading(self) -> Iterator[LimitRows]:
        """For answers to people: sees a consistent row at a time and waits for nobody."""
        with self._database.reading() as connection:
            yield LimitRows(connection)

    def delete_all_ahead_of(self, now: float) -> None:
        """Begin anew if something is stored that has not happened yet: the clock has been started anew."""
        with self._database.reading() as connection:
            ahead = LimitRows(connection).are_ahead_of(now)
        if ahead:
            with self._database.transaction() as connection:
                if LimitRows(connection).are_ahead_of(now):
                    _delete_rows(connection)

    def close(self) -> None:
        self._database.close()


def _is_of(connection: sqlite3.Connection, boot: str) -> bool:
    return bool(connection.execute("SELECT id FROM boot WHERE id = :boot", {"boot": boot}).fetchone())


def _delete_other_boots(connection: sqlite3.Connection, boot: str) -> None:
    if _is_of(connection, boot):
        return
    _delete_rows(connection)
    connection.execute("DELETE FROM boot")
    connection.execute("INSERT INTO boot (id) VALUES (:boot)", {"boot": boot})


def _delete_rows(connection: sqlite3.Connection) -> None:
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table}")
