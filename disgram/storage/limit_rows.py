"""The rows of `limits.db`, by subject: buckets, requests, what was sent, the host, the pace.

Owns their SQL. Never decides anything: the arithmetic is rate_limiter.py's and telegram/egress/'s. All times
are the monotonic clock's; see rate_limits.py.
"""

from __future__ import annotations

import sqlite3
from typing import NamedTuple

CLOCK_SLACK = 60.0
"""Seconds by which a stored moment may be later than now: another process wrote it while this one, which had
looked at the clock, waited for the file."""


class BucketRow(NamedTuple):
    """`size` requests per `window` seconds; None: not known. `learned_at` is when `size` was learned."""

    name: str
    size: int | None
    window: float
    remaining: int
    reset_at: float
    blocked_until: float
    learned_at: float


class RequestRow(NamedTuple):
    """A request that waits (`started` None, comes back at `due`) or is under way since `started`.

    `bucket` and `channel_bucket` name the buckets it counts in; the second is "" for all methods but POST.
    """

    id: int
    owner: str
    bucket: str
    channel_bucket: str
    due: float
    started: float | None


class PauseRow(NamedTuple):
    """A stop for the whole host; `strikes` counts refusals in a row, 0 = all clear."""

    until: float
    strikes: int


class RestRow(NamedTuple):
    """One of several addresses towards Telegram that is not well since `since`; `strikes`: see
    telegram/egress/rests.py."""

    name: str
    reason: str
    since: float
    until: float
    strikes: int


_BUCKET_COLUMNS = ", ".join(BucketRow._fields)
_REQUEST_COLUMNS = ", ".join(RequestRow._fields)
_COUNTS_IN = "(bucket = :bucket OR channel_bucket = :bucket)"


class LimitRows:
    """The rows, by subject. Every method is one or two statements on an index."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    def _run(self, statement: str, **values: object) -> sqlite3.Cursor:
        return self._connection.execute(statement, values)

    # buckets ---------------------------------------------------------------------------------

    def bucket(self, name: str) -> BucketRow | None:
        row = self._run(f"SELECT {_BUCKET_COLUMNS} FROM bucket WHERE name = :name", name=name).fetchone()
        return BucketRow(*row) if row else None

    def buckets(self) -> list[BucketRow]:
        rows = self._run(f"SELECT {_BUCKET_COLUMNS} FROM bucket ORDER BY name")
        return [BucketRow(*row) for row in rows]

    def put_bucket(self, row: BucketRow) -> None:
        self._run(
            f"INSERT OR REPLACE INTO bucket ({_BUCKET_COLUMNS}) "
            "VALUES (:name, :size, :window, :remaining, :reset_at, :blocked_until, :learned_at)",
            **row._asdict(),
        )

    def resolve(self, name: str) -> str:
        """The bucket a name stands for: one of the same name until Discord told the real one."""
        row = self._run("SELECT bucket FROM bucket_name WHERE name = :name", name=name).fetchone()
        return str(row[0]) if row else name

    def rename(self, name: str, old: str, new: str) -> None:
        """`name` stands for `new` from now on; who waits or has sent under `old` moves along."""
        names: dict[str, object] = {"name": name, "old": old, "new": new}
        for statement in (
            "INSERT OR REPLACE INTO bucket_name (name, bucket) VALUES (:name, :new)",
            "UPDATE request SET bucket = :new WHERE bucket = :old",
            "UPDATE request SET channel_bucket = :new WHERE channel_bucket = :old",
            "UPDATE done SET bucket = :new WHERE bucket = :old",
            "UPDATE OR IGNORE bucket SET name = :new WHERE name = :old",
        ):
            self._run(statement, **names)

    # requests --------------------------------------------------------------------------------

    def queue(self, owner: str, bucket: str, channel_bucket: str, due: float) -> int:
        """Returns the ticket: the new request's id."""
        cursor = self._run(
            "INSERT INTO request (owner, bucket, channel_bucket, due) "
            "VALUES (:owner, :bucket, :channel_bucket, :due)",
            owner=owner,
            bucket=bucket,
            channel_bucket=channel_bucket,
            due=due,
        )
        return int(cursor.lastrowid or 0)

    def request(self, ticket: int) -> RequestRow | None:
        row = self._run(f"SELECT {_REQUEST_COLUMNS} FROM request WHERE id = :id", id=ticket).fetchone()
        return RequestRow(*row) if row else None

    def put_due(self, ticket: int, due: float) -> None:
        """When the waiting request will ask again."""
        self._run("UPDATE request SET due = :due WHERE id = :id", due=due, id=ticket)

    def start(self, ticket: int, now: float) -> None:
        self._run("UPDATE request SET started = :now WHERE id = :id", now=now, id=ticket)

    def finish(self, ticket: int) -> None:
        self._run("DELETE FROM request WHERE id = :id", id=ticket)

    def delete_overdue(self, waiting_before: float, started_before: float, due_after: float) -> None:
        """Requests that should have asked again by then, or will not before any would, or began before any
        request still lasts."""
        self._run("DELETE FROM request WHERE started IS NULL AND due < :before", before=waiting_before)
        self._run("DELETE FROM request WHERE started IS NULL AND due > :after", after=due_after + CLOCK_SLACK)
        self._run("DELETE FROM request WHERE started < :before", before=started_before)

    def of_owner(self, owner: str) -> list[RequestRow]:
        rows = self._run(f"SELECT {_REQUEST_COLUMNS} FROM request WHERE owner = :owner", owner=owner)
        return [RequestRow(*row) for row in rows]

    def under_way(self, bucket: str, since: float = float("-inf")) -> int:
        query = f"SELECT COUNT(*) FROM request WHERE {_COUNTS_IN} AND started >= :since"
        return int(self._run(query, bucket=bucket, since=since).fetchone()[0])

    def all_under_way(self) -> int:
        return int(self._run("SELECT COUNT(*) FROM request WHERE started IS NOT NULL").fetchone()[0])

    def ahead(self, bucket: str, ticket: int) -> int:
        """How many requests wait for this bucket before the given one."""
        query = f"SELECT COUNT(*) FROM request WHERE {_COUNTS_IN} AND started IS NULL AND id < :id"
        return int(self._run(query, bucket=bucket, id=ticket).fetchone()[0])

    def waiting(self) -> dict[str, int]:
        """How many requests wait, by each bucket that some wait for."""
        query = (
            "SELECT name, COUNT(*) FROM (SELECT bucket AS name FROM request WHERE started IS NULL "
            "UNION ALL SELECT channel_bucket FROM request WHERE started IS NULL) GROUP BY name"
        )
        return dict(self._run(query).fetchall())

    def are_ahead_of(self, now: float) -> bool:
        """Whether a request was sent, or had begun, later than now."""
        query = (
            "SELECT EXISTS (SELECT 1 FROM done WHERE at > :late)"
            " OR EXISTS (SELECT 1 FROM request WHERE started > :late)"
            " OR EXISTS (SELECT 1 FROM invalid WHERE minute * 60 > :late)"
        )
        return bool(self._run(query, late=now + CLOCK_SLACK).fetchone()[0])

    # what was sent ---------------------------------------------------------------------------

    def record_done(self, bucket: str, at: float, delete_before: float) -> None:
        self._run("INSERT INTO done (bucket, at) VALUES (:bucket, :at)", bucket=bucket, at=at)
        self._run("DELETE FROM done WHERE bucket = :bucket AND at < :at", bucket=bucket, at=delete_before)

    def done_since(self, bucket: str, since: float) -> list[float]:
        """When requests of this bucket ended, ascending."""
        query = "SELECT at FROM done WHERE bucket = :bucket AND at > :since ORDER BY at"
        return [float(row[0]) for row in self._run(query, bucket=bucket, since=since)]

    def done_in_windows(self, now: float) -> dict[str, int]:
        """How many requests ended within the last window of their bucket, by each bucket that had some."""
        query = (
            "SELECT name, COUNT(*) FROM bucket JOIN done ON done.bucket = name AND at > :now - window "
            "GROUP BY name"
        )
        return dict(self._run(query, now=now).fetchall())

    # the host --------------------------------------------------------------------------------

    def pause(self, name: str) -> PauseRow:
        row = self._run("SELECT until, strikes FROM pause WHERE name = :name", name=name).fetchone()
        return PauseRow(*row) if row else PauseRow(float("-inf"), 0)

    def put_pause(self, name: str, pause: PauseRow) -> None:
        self._run(
            "INSERT OR REPLACE INTO pause (name, until, strikes) VALUES (:name, :until, :strikes)",
            name=name,
            **pause._asdict(),
        )

    def count_invalid(self, minute: int) -> None:
        self._run(
            "INSERT INTO invalid (minute, count) VALUES (:minute, 1) "
            "ON CONFLICT DO UPDATE SET count = count + 1",
            minute=minute,
        )
        self._run("DELETE FROM invalid WHERE minute < :minute", minute=minute - 60)

    def invalid_since(self, minute: int) -> int:
        query = "SELECT TOTAL(count) FROM invalid WHERE minute >= :minute"
        return int(self._run(query, minute=minute).fetchone()[0])

    # pace ------------------------------------------------------------------------------------

    def next_turn(self, name: str) -> float:
        row = self._run("SELECT next FROM pace WHERE name = :name", name=name).fetchone()
        return float(row[0]) if row else float("-inf")

    def put_next_turn(self, name: str, at: float) -> None:
        self._run("INSERT OR REPLACE INTO pace (name, next) VALUES (:name, :at)", name=name, at=at)

    def rests(self) -> dict[str, RestRow]:
        """By name; of an address that is well there is none."""
        rows = self._run("SELECT name, reason, since, until, strikes FROM egress")
        return {row[0]: RestRow(*row) for row in rows}

    def put_rest(self, row: RestRow) -> None:
        self._run(
            "INSERT OR REPLACE INTO egress (name, reason, since, until, strikes) "
            "VALUES (:name, :reason, :since, :until, :strikes)",
            **row._asdict(),
        )

    def delete_rest(self, name: str) -> None:
        self._run("DELETE FROM egress WHERE name = :name", name=name)
