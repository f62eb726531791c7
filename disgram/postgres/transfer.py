"""The ledger's rows from a SQLite file to PostgreSQL, and back: all of a table, in its own columns.

Owns the copying, and what becomes of a value that PostgreSQL has no place for. Never decides whether it may
be done (import_sqlite.py), and never reads a job.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from disgram.postgres.connections import Connection
from disgram.storage.channel_source import TABLES_OF_CHANNEL
from disgram.storage.engine import Statements, as_text

TABLES = (*TABLES_OF_CHANNEL, "guild", "gone", "webhook_look")
LEFT_OUT = "rows left out"
"""In the counts: rows without a number where one has to be. No Disgram writes such."""

_AT_ONCE = 1000
_INT64 = range(-(2**63), 2**63)


class Column(NamedTuple):
    """`kind`: `text`, `bigint` or `double precision`."""

    name: str
    kind: str
    nullable: bool


def rows_in(connection: Connection) -> int:
    """How many rows the ledger and the jobs have there, up to one of each table."""
    counts = (f"(SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT 1) AS r)" for table in (*TABLES, "job"))
    found = connection.execute(f"SELECT {' + '.join(counts)}".encode()).fetchone()
    return int(found[0]) if found else 0


def rows_in_file(run: Statements) -> int:
    """The same of a file, which has no jobs."""
    return sum(len(run.execute(f"SELECT 1 FROM {table} LIMIT 1").fetchall()) for table in TABLES)


def copy_in(run: Statements, connection: Connection) -> Counter[str]:
    """From the file to PostgreSQL; returns the number of rows by table. Raises psycopg.Error."""
    counts: Counter[str] = Counter()
    for table in TABLES:
        columns = _columns(connection, table)
        names = ", ".join(column.name for column in columns)
        # Text as bytes: what is no UTF-8 could not be read otherwise.
        read = ", ".join(f"CAST({name} AS BLOB)" if kind == "text" else name for name, kind, _ in columns)
        with connection.cursor().copy(f"COPY {table} ({names}) FROM STDIN".encode()) as copy:
            for row in run.execute(f"SELECT {read} FROM {table}"):
                stored = _storable(columns, row)
                counts[table if stored else LEFT_OUT] += 1
                if stored:
                    copy.write_row(stored)
    return counts


def copy_out(connection: Connection, run: Statements) -> Counter[str]:
    """From PostgreSQL to the file; returns the number of rows by table. Raises psycopg.Error."""
    counts: Counter[str] = Counter()
    for table in TABLES:
        names = [column.name for column in _columns(connection, table)]
        put = f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"
        with connection.cursor(name="rows") as cursor:
            cursor.itersize = _AT_ONCE
            cursor.execute(f"SELECT {', '.join(names)} FROM {table}".encode())
            for rows in _portions(cursor):
                run.executemany(put, rows)
                counts[table] += len(rows)
    return counts


def put_jobs(connection: Connection, jobs: Mapping[str, Any]) -> None:
    """In their order; `jobs`: as jobs.json has them."""
    connection.cursor().executemany(
        "INSERT INTO job (name, fields, position) VALUES (%s, %s, %s)",
        [(name, json.dumps(fields), position) for position, (name, fields) in enumerate(jobs.items())],
    )


def jobs_in(connection: Connection) -> dict[str, Any]:
    """As jobs.json has them, but for the order of a job's fields."""
    return dict(connection.execute("SELECT name, fields FROM job ORDER BY position, id").fetchall())


def delete_all(connection: Connection) -> None:
    """What has been moved, and the leases of its workers."""
    for table in (*TABLES, "job", "worker_row", "lease"):
        connection.execute(f"DELETE FROM {table}".encode())


def _columns(connection: Connection, table: str) -> list[Column]:
    found = connection.execute(
        "SELECT column_name, data_type, is_nullable = 'YES' FROM information_schema.columns "
        "WHERE table_schema = current_schema() AND table_name = %s ORDER BY ordinal_position",
        (table,),
    )
    return [Column(*row) for row in found]


def _storable(columns: Iterable[Column], row: Iterable[Any]) -> list[Any] | None:
    """None if it has to be left out."""
    values = [_value(column, value) for column, value in zip(columns, row, strict=True)]
    lacking = (value is None and not column.nullable for column, value in zip(columns, values, strict=True))
    return None if any(lacking) else values


def _value(column: Column, value: Any) -> Any:
    """As the column has it; None where there is nothing that it could have."""
    if value is None:
        return None
    if column.kind == "text":
        return str(as_text(value)).replace("\0", "\ufffd")
    if column.kind == "bigint":
        return value if isinstance(value, int) and value in _INT64 else None
    known = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if known else None if column.nullable else 0.0


def _portions(rows: Iterable[Any]) -> Iterator[list[Any]]:
    left = iter(rows)
    while portion := list(islice(left, _AT_ONCE)):
        yield portion
