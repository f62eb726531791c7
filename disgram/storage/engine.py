"""What the ledger needs of a database: a SQLite file or PostgreSQL. And in what their SQL differs.

A statement is one text for both: `?` or `:name` for values, ON CONFLICT with its columns named, the table's
name before a column on the right side of DO UPDATE, no MIN or MAX of several values, a condition that is a
comparison. Owns the interface and the few forms that cannot be shared. Knows no table.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol

Values = Mapping[str, Any] | Sequence[Any]


class Rows(Protocol):
    """What a statement gave."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Statements(Protocol):
    """Where statements are run."""

    def execute(self, statement: str, values: Any = ..., /) -> Rows: ...
    def executemany(self, statement: str, many: Iterable[Any], /) -> Rows: ...


class Dialect(NamedTuple):
    """`failed_index`: behind `post`, for queries of failed posts. The others are formats, of columns that
    an odd value may be in: `as_read`: text, as bytes or str; `is_whole`: a condition, whether it is a whole
    number; `is_moment`: a condition, whether it is a number below the second argument. `any_of`: a query of
    the items of a JSON list."""

    failed_index: str
    as_read: str
    is_whole: str
    is_moment: str
    any_of: str


# Named, since the planner prefers the primary key and reads all a channel ever had (SQLite 3.40).
SQLITE = Dialect(
    failed_index="INDEXED BY post_failed",
    as_read="CAST({} AS BLOB)",
    is_whole="typeof({}) = 'integer'",
    is_moment="typeof({0}) = 'real' AND abs({0}) < {1}",
    any_of="SELECT value FROM json_each({})",
)


class Engine(Protocol):
    """See storage/sqlite.py for what each does and raises."""

    file: str

    @property
    def dialect(self) -> Dialect: ...
    def transaction(self) -> AbstractContextManager[Statements]: ...
    def reading(self) -> AbstractContextManager[Statements]: ...
    def lost(self) -> str | None: ...
    def raise_if_lost(self) -> None: ...
    def is_damaged(self) -> bool: ...
    def close(self) -> None: ...


def as_text(value: Any) -> Any:
    """What `as_read` gave, as far as it can be read; other values as they are."""
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value


def upsert(table: str, key: Collection[str], columns: Collection[str], values: Iterable[str] = ()) -> str:
    """The statement that puts a row in place of one with the same key. `columns`: all that it names, of which
    the first are the key; `values`: `:column` for each, unless others are given."""
    given = ", ".join(values) or ", ".join(f":{name}" for name in columns)
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name not in key)
    return (
        f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({given}) "
        f"ON CONFLICT ({', '.join(key)}) DO UPDATE SET {changed}"
    )
