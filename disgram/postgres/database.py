"""One PostgreSQL database, with the interface of a SQLite file (storage/engine.py).

Owns the transactions, the schema's version, and what of a database makes a start senseless. Never knows a
table of the ledger.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import psycopg

from disgram.errors import DatabaseTooNew, StartRefused, StorageUnavailable
from disgram.postgres.connections import Connection, Connections
from disgram.postgres.dialect import POSTGRES
from disgram.postgres.schema import MIGRATIONS
from disgram.postgres.statement import Values, in_drivers_words, storable
from disgram.storage.engine import Rows, Statements
from disgram.storage.schema import Migrations

OLDEST = 130000
"""PostgreSQL 13."""

_MIGRATING = 1_145_656_135
"""The key of an advisory lock; any number that other programs do not use."""

_NO_TIME_LIMIT = (
    "SELECT set_config('statement_timeout', '0', true), set_config('lock_timeout', '60s', true), "
    "set_config('idle_in_transaction_session_timeout', '0', true)"
)
"""Until the transaction ends."""

_HOPELESS = ("28", "3D", "3F", "42", "0A")
"""Classes of SQLSTATE: login refused, no such database or schema, no permission, tables not ours."""
_HOPELESS_WORDS = ("authentication failed", "does not exist", "no pg_hba.conf entry", "invalid ")
"""The same in the text of a connection that was not made, which has no SQLSTATE."""


class PostgresStatements:
    """Over one connection."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def execute(self, statement: str, values: Values = (), /) -> Rows:
        found = self._connection.execute(in_drivers_words(statement).encode(), storable(values))
        return cast("Rows", found)

    def executemany(self, statement: str, many: Iterable[Values], /) -> Rows:
        cursor = self._connection.cursor()
        cursor.executemany(in_drivers_words(statement).encode(), list(map(storable, many)))
        return cast("Rows", cursor)


class PostgresDatabase:
    """For any number of threads; four at most are served at a time.

    Opening brings it to the newest version. Raises StorageUnavailable for whatever may pass, DatabaseTooNew,
    and StartRefused for what a person has to change. `file` tells the database from every other.
    """

    dialect = POSTGRES
    file = ""

    def __init__(self, url: str, migrations: Migrations = MIGRATIONS) -> None:
        self._connections = Connections(url)
        try:
            self._open(migrations)
        except BaseException:
            self._connections.close()
            raise

    def _open(self, migrations: Migrations) -> None:
        try:
            with self._connections.one() as connection:
                _refuse_unfit(connection)
                _migrate(connection, migrations)
                self.file = _identity(connection)
        except StorageUnavailable as error:
            cause = error.__cause__
            if isinstance(cause, psycopg.Error) and _is_hopeless(cause):
                raise StartRefused(f"The database of DATABASE_URL cannot be used. {error}") from None
            raise

    @contextmanager
    def transaction(self) -> Iterator[Statements]:
        """All or nothing. Raises StorageUnavailable. Others run at the same time: what is read in it may be
        changed by another before it ends. Not to be nested."""
        with self._connections.one() as connection, connection.transaction():
            yield PostgresStatements(connection)

    @contextmanager
    def long_transaction(self) -> Iterator[Connection]:
        """One that may take minutes, and sees all tables as they were at its beginning. The driver's own
        connection, for COPY. Raises StorageUnavailable."""
        with self._connections.one() as connection, _patient(connection), connection.transaction():
            connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.execute(_NO_TIME_LIMIT)
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Statements]:
        """For single SELECTs. Raises StorageUnavailable."""
        with self._connections.one() as connection:
            yield PostgresStatements(connection)

    def lost(self) -> str | None:
        """Never: a database that is not there fails each call."""
        return None

    def raise_if_lost(self) -> None:
        """See `lost`."""

    def is_damaged(self) -> bool:
        return False

    def close(self) -> None:
        self._connections.close()


def _is_hopeless(error: psycopg.Error) -> bool:
    if isinstance(error, psycopg.errors.LockNotAvailable | psycopg.errors.QueryCanceled):
        return False
    if error.sqlstate is None:  # a connection that was refused has none, but its text
        text = str(error)
        return any(word in text for word in _HOPELESS_WORDS)
    return error.sqlstate.startswith(_HOPELESS)


def _refuse_unfit(connection: Connection) -> None:
    """Raises StartRefused."""
    version = connection.info.server_version
    if version < OLDEST:
        raise StartRefused(f"DATABASE_URL leads to PostgreSQL {version // 10000}; 13 or newer is needed.")
    encoding = connection.info.parameter_status("server_encoding")
    if encoding != "UTF8":
        raise StartRefused(f"The database of DATABASE_URL has the encoding {encoding}; it must be UTF8.")


def _migrate(connection: Connection, migrations: Migrations) -> None:
    """Each version in a transaction of its own; of several hosts that start at once, one migrates. Raises
    DatabaseTooNew."""
    if _version(connection) == len(migrations):
        return
    with _patient(connection):
        for number, statements in enumerate(migrations, 1):
            with connection.transaction():
                connection.execute(_NO_TIME_LIMIT)
                connection.execute("SELECT pg_advisory_xact_lock(%s)", (_MIGRATING,))
                version = _version(connection)
                if version > len(migrations):
                    raise DatabaseTooNew(_too_new(version, len(migrations)))
                if version == number - 1:
                    for statement in statements:
                        connection.execute(statement.encode())
                    _put_version(connection, number)


@contextmanager
def _patient(connection: Connection) -> Iterator[None]:
    connection.patience = None
    try:
        yield
    finally:
        del connection.patience  # that of the class holds again


def _version(connection: Connection) -> int:
    """0 for an empty database."""
    # Not to_regclass: within a transaction it may not see a table that another has just made.
    table = "SELECT 1 FROM pg_tables WHERE schemaname = current_schema() AND tablename = 'schema_version'"
    if not connection.execute(table).fetchone():
        return 0
    found = connection.execute("SELECT version FROM schema_version").fetchone()
    return int(found[0]) if found else 0


def _put_version(connection: Connection, number: int) -> None:
    if number == 1:
        connection.execute(
            "CREATE TABLE schema_version "
            "(version BIGINT NOT NULL, identity UUID NOT NULL DEFAULT gen_random_uuid())"
        )
        connection.execute("INSERT INTO schema_version (version) VALUES (0)")
    connection.execute("UPDATE schema_version SET version = %s", (number,))


def _identity(connection: Connection) -> str:
    found: tuple[Any, ...] | None = connection.execute("SELECT identity FROM schema_version").fetchone()
    return f"postgresql:{found[0] if found else ''}"


def _too_new(version: int, known: int) -> str:
    return (
        f"The database of DATABASE_URL was written by a newer Disgram (schema {version}; this one knows "
        f"{known}). It was left as it is; run that Disgram or a newer one on this host too."
    )
