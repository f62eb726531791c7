"""What is wrong with the databases of a data directory, found before anything in them is changed.

Owns the reading of a file that may not be ours to write: the main file keeps its bytes, though SQLite may
leave empty side files.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from disgram.errors import DatabaseDamaged, StartRefused
from disgram.storage.ledger import Ledger
from disgram.storage.schema import LEDGER, RATE_LIMITS, Migrations
from disgram.storage.sqlite import BUSY_SECONDS, raise_if_newer, version_of

LARGEST_CHECKED = 256 * 1024 * 1024
"""Bytes: a million posts; checking them takes about 1.7 s (200,000 were measured: 47 MB, 0.31 s)."""

_FILES: tuple[tuple[str, Migrations], ...] = (("disgram.db", LEDGER), ("limits.db", RATE_LIMITS))


def raise_if_any_is_newer(folder: Path) -> None:
    """Raises DatabaseTooNew. A file that cannot be read says nothing here; opening it does."""
    for name, migrations in _FILES:
        with suppress(sqlite3.Error), _read_only(folder / name) as connection:
            raise_if_newer(folder / name, version_of(connection), migrations)


def raise_if_damaged(path: Path) -> None:
    """Raises DatabaseDamaged. Reads the whole file, unless that is very large.

    A file that can only be read after a repair that SQLite makes at the first writing is not checked.
    """
    try:
        if path.stat().st_size > LARGEST_CHECKED:
            return
        with _read_only(path) as connection:
            sound = connection.execute("PRAGMA quick_check(1)").fetchone() == ("ok",)
    except (sqlite3.OperationalError, OSError):
        return
    except sqlite3.DatabaseError as error:
        raise DatabaseDamaged(f"{path.name}: {error}") from error
    if not sound:
        raise DatabaseDamaged(f"{path.name}: its pages are damaged")


def open_ledger(path: Path) -> Ledger:
    """Raises StartRefused for a damaged file, which is left as it is."""
    try:
        raise_if_damaged(path)
        return Ledger(path)
    except DatabaseDamaged as error:
        raise StartRefused(
            f"{path} is damaged ({error}). It was left as it is: put a backup in its place, or move it away; "
            "Disgram then goes on after the posts that Disgram.log names."
        ) from None


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    """Closing it writes nothing back from the WAL, as closing another connection would."""
    address = f"{path.absolute().as_uri()}?mode=ro"
    with closing(sqlite3.connect(address, uri=True, timeout=BUSY_SECONDS)) as connection:
        yield connection
