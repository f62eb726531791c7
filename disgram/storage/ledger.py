"""What was delivered where: the rows that make "once" and "nothing lost" true across any crash.

A row per (job, channel, post), and under it one per message (`part`). `attempting` is written before
a request and `sent` with Discord's ids after its 2xx; progress, the number up to which all is dealt
with, moves with the last part. A row still `attempting` when a worker starts means that nobody
knows whether that one message arrived.

Owns the schema and the SQL of `disgram.db` and what its rows mean. Never sends, never logs.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

from disgram.storage.sqlite import Database

_SCHEMA = """
CREATE TABLE IF NOT EXISTS progress (job TEXT NOT NULL, channel TEXT NOT NULL, last_id INTEGER NOT NULL,
    start INTEGER, PRIMARY KEY (job, channel)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS post (job TEXT NOT NULL, channel TEXT NOT NULL, post INTEGER NOT NULL,
    last_id INTEGER NOT NULL, state TEXT NOT NULL, fingerprint TEXT NOT NULL, shape TEXT NOT NULL,
    reason TEXT, at REAL NOT NULL, PRIMARY KEY (job, channel, post)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS post_waiting ON post (job, channel, post) WHERE state IN ('failed', 'retry');
CREATE TABLE IF NOT EXISTS part (job TEXT NOT NULL, channel TEXT NOT NULL, post INTEGER NOT NULL,
    part INTEGER NOT NULL, state TEXT NOT NULL, message_id TEXT, channel_id TEXT, digest TEXT NOT NULL,
    files TEXT NOT NULL, payload TEXT, PRIMARY KEY (job, channel, post, part)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gap (job TEXT NOT NULL, channel TEXT NOT NULL, first INTEGER NOT NULL,
    last INTEGER NOT NULL, PRIMARY KEY (job, channel, first)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS imported (channel TEXT PRIMARY KEY, last_id INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS gone (destination TEXT PRIMARY KEY, reason TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS guild (webhook_id TEXT PRIMARY KEY, guild_id TEXT NOT NULL) WITHOUT ROWID;
"""

_PUT_PART = "INSERT OR REPLACE INTO part VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
# Named, since the planner prefers the primary key and reads all a channel ever had (SQLite 3.40).
_WAITING = "INDEXED BY post_waiting"
_IS_WAITING = "state IN ('failed', 'retry')"
_OF_JOB = ("progress", "post", "part", "gap")
_POST_LINK = re.compile(r"https?://t\.me/(?:s/)?([A-Za-z][A-Za-z0-9_]{2,31})/([0-9]{1,10})(?![0-9])")


class Progress(NamedTuple):
    """`last_id`: all posts up to it are dealt with. `start`: the post number the job named at the time."""

    last_id: int
    start: int | None


class PostRow(NamedTuple):
    """A post and how it ended: `sent`, `failed`, `retry` or `deleted`.

    `fingerprint` is the page's at the time; `shape` says how it was rendered (see delivery.py).
    """

    post_id: int
    last_id: int
    state: str
    fingerprint: str
    shape: str


class MessageRow(NamedTuple):
    """One message of a post: `attempting` or `sent`. `position` is its place within the post, from 0.

    `digest` is of its payload, `files` names what it carries; the payload itself is kept only where it
    is needed again.
    """

    position: int
    state: str
    message_id: str | None = None
    channel_id: str | None = None
    digest: str = ""
    files: str = ""
    payload: str | None = None


class Ledger:
    """`disgram.db` of a data directory; open to any number of processes. Raises StorageUnavailable."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._database = Database(path, _SCHEMA, durable=True)
        self._clock = clock

    def close(self) -> None:
        self._database.close()

    def of(self, job: str, channel: str) -> ChannelLedger:
        """The rows of one worker."""
        return ChannelLedger(self._database, job, channel.lower(), self._clock)

    # for the service -------------------------------------------------------------------------

    def delete_job(self, job: str) -> None:
        """The job was deleted: its progress goes with it, and what an older Disgram knew of its channels."""
        with self._database.transaction() as run:
            run.execute(
                "DELETE FROM imported WHERE channel IN (SELECT channel FROM progress WHERE job = ?)", (job,)
            )
            for table in _OF_JOB:
                run.execute(f"DELETE FROM {table} WHERE job = ?", (job,))  # noqa: S608 - our own names

    def failed(self) -> list[dict[str, Any]]:
        """Posts Discord refused in every form, oldest first."""
        query = """SELECT post.job, post.channel, post.post, post.reason, post.at, part.payload FROM post
            LEFT JOIN part ON part.job = post.job AND part.channel = post.channel
                AND part.post = post.post AND part.state = 'failed'
            WHERE post.state IN ('failed', 'retry') ORDER BY post.at, post.post"""
        names = ("job", "channel", "post_id", "reason", "at", "payload")
        with self._database.reading() as run:
            return [dict(zip(names, row, strict=True)) for row in run.execute(query)]

    def retry(self, job: str, post_id: int | None = None) -> int:
        """Mark a job's failed posts (one, or all) to be sent again; returns how many."""
        chosen = "" if post_id is None else " AND post = ?"
        values = (job,) if post_id is None else (job, post_id)
        with self._database.transaction() as run:
            return run.execute(
                f"UPDATE post {_WAITING} SET state = 'retry' "  # noqa: S608 - our own names
                f"WHERE job = ? AND state = 'failed' AND {_IS_WAITING}{chosen}",
                values,
            ).rowcount

    def clear_gone(self, destination: str) -> None:
        """A person looked after this webhook (PATCH, POST): it may be called again."""
        with self._database.transaction() as run:
            run.execute("DELETE FROM gone WHERE destination = ?", (destination,))

    def import_log(self, log: Path) -> int:
        """Take an older Disgram's log (or a list of links) over as progress; returns how many channels.

        The highest number per channel counts, whatever the line says. Reads line by line; no log, no channel.
        """
        if not log.exists():
            return 0
        highest: dict[str, int] = {}
        with log.open(encoding="utf-8", errors="replace") as lines:
            for line in lines:
                for name, number in _POST_LINK.findall(line):
                    highest[name.lower()] = max(int(number), highest.get(name.lower(), 0))
        with self._database.transaction() as run:
            run.executemany("INSERT OR REPLACE INTO imported VALUES (?, ?)", highest.items())
        return len(highest)


class ChannelLedger:
    """The rows of one (job, channel): what its worker reads and writes."""

    def __init__(self, database: Database, job: str, channel: str, clock: Callable[[], float]) -> None:
        self._database = database
        self._key = (job, channel)
        self._clock = clock

    # progress --------------------------------------------------------------------------------

    def progress(self) -> Progress | None:
        """Where this worker stands; None before its first poll."""
        with self._database.reading() as run:
            row = run.execute(
                "SELECT last_id, start FROM progress WHERE job = ? AND channel = ?", self._key
            ).fetchone()
        return Progress(*row) if row else None

    def imported(self) -> int | None:
        """The number up to which an older Disgram had forwarded this channel."""
        with self._database.reading() as run:
            row = run.execute("SELECT last_id FROM imported WHERE channel = ?", (self._key[1],)).fetchone()
        return int(row[0]) if row else None

    def begin(self, last_id: int, start: int | None) -> None:
        """Fix where to go on from, before anything is sent."""
        with self._database.transaction() as run:
            run.execute("INSERT OR REPLACE INTO progress VALUES (?, ?, ?, ?)", (*self._key, last_id, start))

    def advance(self, last_id: int) -> None:
        """All posts up to `last_id` are dealt with. Never moves back."""
        with self._database.transaction() as run:
            self._advance(run, last_id)

    def _advance(self, run: sqlite3.Connection, last_id: int) -> None:
        run.execute(
            "UPDATE progress SET last_id = MAX(last_id, ?) WHERE job = ? AND channel = ?",
            (last_id, *self._key),
        )

    # posts -----------------------------------------------------------------------------------

    def post(self, post: int) -> PostRow | None:
        with self._database.reading() as run:
            row = run.execute(
                "SELECT post, last_id, state, fingerprint, shape FROM post "
                "WHERE job = ? AND channel = ? AND post = ?",
                (*self._key, post),
            ).fetchone()
        return PostRow(*row) if row else None

    def posts_from(self, post: int) -> list[PostRow]:
        """Posts that reach this number or a higher one, ascending: what the newest page can be compared with.

        An album (of ten at most) whose first item was deleted may begin below.
        """
        with self._database.reading() as run:
            rows = run.execute(
                "SELECT post, last_id, state, fingerprint, shape FROM post "
                "WHERE job = ? AND channel = ? AND post > ? AND last_id >= ? ORDER BY post",
                (*self._key, post - 10, post),
            ).fetchall()
        return [PostRow(*row) for row in rows]

    def to_retry(self) -> list[int]:
        """Failed posts somebody asked to send again, ascending."""
        with self._database.reading() as run:
            rows = run.execute(
                f"SELECT post FROM post {_WAITING} WHERE job = ? AND channel = ? "  # noqa: S608 - our own names
                f"AND state = 'retry' AND {_IS_WAITING} ORDER BY post",
                self._key,
            ).fetchall()
        return [int(row[0]) for row in rows]

    def finish(self, row: PostRow) -> None:
        """Every part is confirmed: the post is done, and progress with it."""
        with self._database.transaction() as run:
            self._put_post(run, row, None)
            run.execute(
                "DELETE FROM part WHERE job = ? AND channel = ? AND post = ? AND part = -1",
                (*self._key, row.post_id),
            )

    def fail(self, row: PostRow, reason: str, payload: str) -> None:
        """Refused in every form: it waits here for a person, with what was refused; the channel goes on."""
        refused = MessageRow(-1, "failed", payload=payload)
        with self._database.transaction() as run:
            self._put_post(run, row, reason)
            run.execute(_PUT_PART, (*self._key, row.post_id, *refused))

    def _put_post(self, run: sqlite3.Connection, row: PostRow, reason: str | None) -> None:
        run.execute(
            "INSERT OR REPLACE INTO post VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*self._key, *row, reason, self._clock()),
        )
        self._advance(run, row.last_id)

    def deleted(self, post: int) -> None:
        """Gone in Telegram, and dealt with in Discord as FOLLOW_DELETIONS says."""
        with self._database.transaction() as run:
            run.execute(
                "UPDATE post SET state = 'deleted' WHERE job = ? AND channel = ? AND post = ?",
                (*self._key, post),
            )

    # messages --------------------------------------------------------------------------------

    def messages(self, post: int) -> list[MessageRow]:
        """The messages of a post, in order."""
        with self._database.reading() as run:
            rows = run.execute(
                "SELECT part, state, message_id, channel_id, digest, files, payload FROM part "
                "WHERE job = ? AND channel = ? AND post = ? AND part >= 0 ORDER BY part",
                (*self._key, post),
            ).fetchall()
        return [MessageRow(*row) for row in rows]

    def put_message(self, post: int, row: MessageRow) -> None:
        """`attempting` before the request goes out, `sent` once Discord confirmed it."""
        with self._database.transaction() as run:
            run.execute(_PUT_PART, (*self._key, post, *row))

    def drop_message(self, post: int, position: int) -> None:
        """The message certainly was not accepted, or is deleted again."""
        with self._database.transaction() as run:
            run.execute(
                "DELETE FROM part WHERE job = ? AND channel = ? AND post = ? AND part = ?",
                (*self._key, post, position),
            )

    # gaps ------------------------------------------------------------------------------------

    def gaps(self) -> list[tuple[int, int]]:
        """Ranges of numbers that could not be read so far, ascending."""
        with self._database.reading() as run:
            rows = run.execute(
                "SELECT first, last FROM gap WHERE job = ? AND channel = ? ORDER BY first", self._key
            ).fetchall()
        return [(int(first), int(last)) for first, last in rows]

    def add_gap(self, first: int, last: int) -> None:
        """A range to try again later."""
        with self._database.transaction() as run:
            run.execute("INSERT OR REPLACE INTO gap VALUES (?, ?, ?, ?)", (*self._key, first, last))

    def close_gap(self, first: int) -> None:
        """The range was read whole."""
        with self._database.transaction() as run:
            run.execute("DELETE FROM gap WHERE job = ? AND channel = ? AND first = ?", (*self._key, first))

    # destinations ----------------------------------------------------------------------------

    def gone(self, destination: str) -> str | None:
        """Why this webhook must not be called, if somebody found it gone."""
        with self._database.reading() as run:
            row = run.execute("SELECT reason FROM gone WHERE destination = ?", (destination,)).fetchone()
        return str(row[0]) if row else None

    def mark_gone(self, destination: str, reason: str) -> None:
        """Discord said so: no worker calls it until a person looked after it."""
        with self._database.transaction() as run:
            run.execute("INSERT OR REPLACE INTO gone VALUES (?, ?)", (destination, reason))

    def guild(self, webhook_id: str) -> str | None:
        """The server a webhook belongs to, once asked; "" if Discord did not tell."""
        with self._database.reading() as run:
            row = run.execute("SELECT guild_id FROM guild WHERE webhook_id = ?", (webhook_id,)).fetchone()
        return str(row[0]) if row else None

    def put_guild(self, webhook_id: str, guild_id: str) -> None:
        with self._database.transaction() as run:
            run.execute("INSERT OR REPLACE INTO guild VALUES (?, ?)", (webhook_id, guild_id))
