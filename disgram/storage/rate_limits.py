"""The rows behind the limiters: what all workers of the host know of Discord's and Telegram's limits.

Owns the schema and the SQL of `limits.db`. Never decides anything: the arithmetic is
rate_limiter.py's and pacing.py's. All times are the monotonic clock's, which Linux shares between
processes and which no clock change moves; it starts anew at boot, and so does the file.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from disgram.storage.sqlite import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS boot (id TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS lane (name TEXT PRIMARY KEY, size INTEGER, window REAL NOT NULL,
    remaining INTEGER NOT NULL, reset_at REAL NOT NULL, blocked_until REAL NOT NULL,
    learned_at REAL NOT NULL);
CREATE TABLE IF NOT EXISTS alias (name TEXT PRIMARY KEY, lane TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS request (id INTEGER PRIMARY KEY AUTOINCREMENT, owner TEXT NOT NULL,
    bucket TEXT NOT NULL, channel TEXT NOT NULL, due REAL NOT NULL, started REAL);
CREATE TABLE IF NOT EXISTS done (lane TEXT NOT NULL, at REAL NOT NULL);
CREATE INDEX IF NOT EXISTS done_lane ON done (lane, at);
CREATE TABLE IF NOT EXISTS pause (name TEXT PRIMARY KEY, until REAL NOT NULL, strikes INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS invalid (minute INTEGER PRIMARY KEY, count INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS pace (name TEXT PRIMARY KEY, next REAL NOT NULL);
"""

_TABLES = ("lane", "alias", "request", "done", "pause", "invalid", "pace", "boot")


class BucketRow(NamedTuple):
    """One limit. `size` None: not known. `window` in seconds; `learned_at` is when `size` was learned."""

    name: str
    size: int | None
    window: float
    remaining: int
    reset_at: float
    blocked_until: float
    learned_at: float


class RequestRow(NamedTuple):
    """A request that waits (`started` None, comes back at `due`) or is under way since `started`."""

    id: int
    owner: str
    bucket: str
    channel: str
    due: float
    started: float | None


class PauseRow(NamedTuple):
    """A stop for the whole host; `strikes` counts refusals in a row, 0 = all clear."""

    until: float
    strikes: int


@lru_cache(maxsize=1)
def boot_id() -> str:
    """Changes with every boot (Linux); elsewhere constant, and stale rows are merely waited out.

    Read once, by the template.
    """
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "unknown"


class LimitStore:
    """Transactions over limits.db. Inside one, `LimitRows` reads and writes rows."""

    def __init__(self, path: Path, *, boot: str | None = None) -> None:
        self._database = Database(path, _SCHEMA, durable=False)
        boot = boot_id() if boot is None else boot
        with self._database.reading() as connection:
            known = _is_of(connection, boot)
        if not known:
            with self._database.transaction() as connection:
                _forget_other_boots(connection, boot)

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

    def close(self) -> None:
        self._database.close()


def _is_of(connection: sqlite3.Connection, boot: str) -> bool:
    return bool(connection.execute("SELECT id FROM boot WHERE id = ?", (boot,)).fetchone())


def _forget_other_boots(connection: sqlite3.Connection, boot: str) -> None:
    if _is_of(connection, boot):
        return
    for table in _TABLES:
        connection.execute(f"DELETE FROM {table}")  # noqa: S608 - our own names
    connection.execute("INSERT INTO boot VALUES (?)", (boot,))


class LimitRows:
    """The rows, by subject. Every method is one or two statements on an index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._run = connection.execute

    # lanes -----------------------------------------------------------------------------------

    def lane(self, name: str) -> BucketRow | None:
        row = self._run("SELECT * FROM lane WHERE name = ?", (name,)).fetchone()
        return BucketRow(*row) if row else None

    def lanes(self) -> list[BucketRow]:
        return [BucketRow(*row) for row in self._run("SELECT * FROM lane ORDER BY name")]

    def put_lane(self, lane: BucketRow) -> None:
        self._run("INSERT OR REPLACE INTO lane VALUES (?, ?, ?, ?, ?, ?, ?)", lane)

    def resolve(self, name: str) -> str:
        """The lane a name stands for: its own until Discord told the real one."""
        row = self._run("SELECT lane FROM alias WHERE name = ?", (name,)).fetchone()
        return str(row[0]) if row else name

    def rename(self, name: str, old: str, new: str) -> None:
        """`name` stands for `new` from now on; who waits or has sent under `old` moves along."""
        self._run("INSERT OR REPLACE INTO alias VALUES (?, ?)", (name, new))
        self._run("UPDATE request SET bucket = ? WHERE bucket = ?", (new, old))
        self._run("UPDATE request SET channel = ? WHERE channel = ?", (new, old))
        self._run("UPDATE done SET lane = ? WHERE lane = ?", (new, old))
        self._run("UPDATE OR IGNORE lane SET name = ? WHERE name = ?", (new, old))

    # requests --------------------------------------------------------------------------------

    def queue(self, owner: str, bucket: str, channel: str, due: float) -> int:
        cursor = self._run(
            "INSERT INTO request (owner, bucket, channel, due) VALUES (?, ?, ?, ?)",
            (owner, bucket, channel, due),
        )
        return int(cursor.lastrowid or 0)

    def request(self, ident: int) -> RequestRow | None:
        row = self._run("SELECT * FROM request WHERE id = ?", (ident,)).fetchone()
        return RequestRow(*row) if row else None

    def promise(self, ident: int, due: float) -> None:
        """When the waiting request will ask again."""
        self._run("UPDATE request SET due = ? WHERE id = ?", (due, ident))

    def start(self, ident: int, now: float) -> None:
        self._run("UPDATE request SET started = ? WHERE id = ?", (now, ident))

    def finish(self, ident: int) -> None:
        self._run("DELETE FROM request WHERE id = ?", (ident,))

    def drop_dead(self, waiting_before: float, started_before: float) -> None:
        """Who promised to come back and did not, or has been under way for longer than any request lasts."""
        self._run("DELETE FROM request WHERE started IS NULL AND due < ?", (waiting_before,))
        self._run("DELETE FROM request WHERE started < ?", (started_before,))

    def of_owner(self, owner: str) -> list[RequestRow]:
        return [RequestRow(*row) for row in self._run("SELECT * FROM request WHERE owner = ?", (owner,))]

    def under_way(self, lane: str, since: float = float("-inf")) -> int:
        row = self._run(
            "SELECT COUNT(*) FROM request WHERE (bucket = ?1 OR channel = ?1) AND started >= ?2",
            (lane, since),
        ).fetchone()
        return int(row[0])

    def all_under_way(self) -> int:
        return int(self._run("SELECT COUNT(*) FROM request WHERE started IS NOT NULL").fetchone()[0])

    def ahead(self, lane: str, ident: int) -> int:
        """How many wait in this lane before the given request."""
        row = self._run(
            "SELECT COUNT(*) FROM request "
            "WHERE (bucket = ?1 OR channel = ?1) AND started IS NULL AND id < ?2",
            (lane, ident),
        ).fetchone()
        return int(row[0])

    # what was sent ---------------------------------------------------------------------------

    def record_done(self, lane: str, at: float, forget_before: float) -> None:
        self._run("INSERT INTO done VALUES (?, ?)", (lane, at))
        self._run("DELETE FROM done WHERE lane = ? AND at < ?", (lane, forget_before))

    def done_since(self, lane: str, since: float) -> list[float]:
        """When requests of this lane ended, ascending."""
        rows = self._run("SELECT at FROM done WHERE lane = ? AND at > ? ORDER BY at", (lane, since))
        return [float(row[0]) for row in rows]

    # the host --------------------------------------------------------------------------------

    def pause(self, name: str) -> PauseRow:
        row = self._run("SELECT until, strikes FROM pause WHERE name = ?", (name,)).fetchone()
        return PauseRow(*row) if row else PauseRow(float("-inf"), 0)

    def put_pause(self, name: str, pause: PauseRow) -> None:
        self._run("INSERT OR REPLACE INTO pause VALUES (?, ?, ?)", (name, *pause))

    def count_invalid(self, minute: int) -> None:
        self._run("INSERT INTO invalid VALUES (?, 1) ON CONFLICT DO UPDATE SET count = count + 1", (minute,))
        self._run("DELETE FROM invalid WHERE minute < ?", (minute - 60,))

    def invalid_since(self, minute: int) -> int:
        row = self._run("SELECT TOTAL(count) FROM invalid WHERE minute >= ?", (minute,)).fetchone()
        return int(row[0])

    # pace ------------------------------------------------------------------------------------

    def next_turn(self, name: str) -> float:
        row = self._run("SELECT next FROM pace WHERE name = ?", (name,)).fetchone()
        return float(row[0]) if row else float("-inf")

    def put_next_turn(self, name: str, at: float) -> None:
        self._run("INSERT OR REPLACE INTO pace VALUES (?, ?)", (name, at))
