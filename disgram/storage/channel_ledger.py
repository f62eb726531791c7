"""The rows of one (job, channel): what its worker reads and writes.

A row per post, and under it one per message. `attempting` is written before a request and `sent` with
Discord's ids after its 2xx; progress, the number up to which all posts are dealt with, moves with the last
message. A row still `attempting` when a worker starts: nobody knows whether that one message arrived.

Owns what the rows mean. Never sends, never logs.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import takewhile
from typing import Any, NamedTuple

from disgram.storage.channel_source import ChannelSource
from disgram.storage.destinations import Destinations
from disgram.storage.engine import Engine, Statements, upsert
from disgram.storage.post_history import PostHistory

IS_FAILED = "state IN ('failed', 'retry')"
_THIS_CHANNEL = "job = :job AND channel = :channel"
_THIS_POST = f"{_THIS_CHANNEL} AND post_id = :post_id"


class Progress(NamedTuple):
    """`last_id`: all posts up to it are dealt with. `start`: the post number the job named at the time."""

    last_id: int
    start: int | None


class PostRow(NamedTuple):
    """A post and how it ended: `sent`, `failed`, `retry`, `dismissed`, `filtered` or `deleted`.

    `last_id`: the highest of an album's. `fingerprint`: the page's then. `shape`: see delivery/shape.py;
    empty for a post that was filtered. `rule`: what filtered it.
    """

    post_id: int
    last_id: int
    state: str
    fingerprint: str
    shape: str
    rule: str | None = None


class LastPost(NamedTuple):
    """The post that progress stands at. `at`: when its row was written, in seconds since 1970."""

    post_id: int
    at: float


class MessageRow(NamedTuple):
    """One message of a post: `attempting` or `sent`. `position` is its place within the post, from 0.

    `digest` is of its payload, `files` names what it carries; the payload itself is kept only where it
    is needed again. `webhook_id` and `thread_id` say through what it was sent, `sent_at` when, in seconds
    since 1970; rows of a Disgram that did not write it down have None.
    """

    position: int
    state: str
    message_id: str | None = None
    channel_id: str | None = None
    digest: str = ""
    files: str = ""
    payload: str | None = None
    webhook_id: str | None = None
    thread_id: str | None = None
    sent_at: float | None = None


_POST_COLUMNS = ", ".join(PostRow._fields)
_MESSAGE_COLUMNS = ", ".join(MessageRow._fields)

_CHANNEL_KEY = ("job", "channel")
_POST_KEY = (*_CHANNEL_KEY, "post_id")
_PUT_PROGRESS = upsert("progress", _CHANNEL_KEY, (*_CHANNEL_KEY, "last_id", "start", "began_after"))
_PUT_POST = upsert("post", _POST_KEY, (*_CHANNEL_KEY, *PostRow._fields, "reason", "refused_payload", "at"))
_PUT_MESSAGE = upsert("message", (*_POST_KEY, "position"), (*_POST_KEY, *MessageRow._fields))
_PUT_GAP = upsert("gap", (*_CHANNEL_KEY, "first"), (*_CHANNEL_KEY, "first", "last"))
PUT_GUILD = upsert("guild", ("webhook_id",), ("webhook_id", "guild_id"))


class ChannelLedger:
    """The rows of one (job, channel): what its worker reads and writes."""

    def __init__(self, database: Engine, job: str, channel: str, clock: Callable[[], float]) -> None:
        self.destinations = Destinations(database, clock)
        self._database = database
        self._key: dict[str, object] = {"job": job, "channel": channel}
        self.source = ChannelSource(database, self._key, clock)
        self.raise_if_lost = database.raise_if_lost
        self.history = PostHistory(database, self._key, clock)
        self._clock = clock

    # progress --------------------------------------------------------------------------------

    def progress(self) -> Progress | None:
        """How far this worker has come; None before its first poll."""
        row = self._first(f"SELECT last_id, start FROM progress WHERE {_THIS_CHANNEL}")
        return Progress(*row) if row else None

    def imported(self) -> int | None:
        """The number up to which an older Disgram had forwarded this channel for this job."""
        row = self._first(f"SELECT last_id FROM imported_progress WHERE {_THIS_CHANNEL}")
        return int(row[0]) if row else None

    def begin(self, last_id: int, start: int | None) -> None:
        """Set where to go on from, before anything is sent."""
        self._run(_PUT_PROGRESS, last_id=last_id, start=start, began_after=last_id)

    def advance(self, last_id: int) -> None:
        """All posts up to `last_id` are dealt with. Never moves back."""
        with self._database.transaction() as run:
            self._advance(run, last_id)

    def _advance(self, run: Statements, last_id: int) -> None:
        run.execute(
            f"UPDATE progress SET last_id = :last_id WHERE {_THIS_CHANNEL} AND last_id < :last_id",
            self._key | {"last_id": last_id},
        )

    # posts -----------------------------------------------------------------------------------

    def post(self, post_id: int) -> PostRow | None:
        row = self._first(f"SELECT {_POST_COLUMNS} FROM post WHERE {_THIS_POST}", post_id=post_id)
        return PostRow(*row) if row else None

    def dealt_with_at(self, post_id: int) -> tuple[float, float] | None:
        """When the post of the lowest number was dealt with, and when this one was, in seconds since 1970."""
        row = self._first(
            f"SELECT (SELECT at FROM post WHERE {_THIS_CHANNEL} ORDER BY post_id LIMIT 1), at "
            f"FROM post WHERE {_THIS_POST}",
            post_id=post_id,
        )
        return (row[0], row[1]) if row and all(isinstance(at, float) for at in row) else None

    def posts_from(self, post_id: int) -> list[PostRow]:
        """Posts that reach this number or a higher one, ascending: what the newest page can be compared with.

        An album (of ten at most) whose first item was deleted may begin below.
        """
        rows = self._all(
            f"SELECT {_POST_COLUMNS} FROM post WHERE {_THIS_CHANNEL} "
            "AND post_id >= :post_id - 9 AND last_id >= :post_id ORDER BY post_id",
            post_id=post_id,
        )
        return [PostRow(*row) for row in rows]

    def last_post(self) -> LastPost | None:
        """None if progress stands at no post, as after `begin`."""
        row = self._first(
            f"SELECT post_id, at FROM post WHERE {_THIS_CHANNEL} AND last_id = "
            f"(SELECT last_id FROM progress WHERE {_THIS_CHANNEL}) ORDER BY post_id DESC LIMIT 1"
        )
        return LastPost(*row) if row else None

    def forget_last_post(self, post_id: int, later: int) -> None:
        """The last post never was: progress goes back to the one before it, and at least below `later`, the
        first post that came after it. Its messages stay in Discord."""
        values = self._key | {"post_id": post_id}
        with self._database.transaction() as run:
            for table in ("post", "message", "post_history", "missing"):
                run.execute(f"DELETE FROM {table} WHERE {_THIS_POST}", values)
            row = run.execute(
                "SELECT began_after, (SELECT last_id FROM post WHERE job = :job AND channel = :channel AND "
                "post_id < :post_id ORDER BY post_id DESC LIMIT 1) FROM progress "
                f"WHERE {_THIS_CHANNEL}",
                values,
            ).fetchone()
            if row:
                begun, before = row
                end = later - 1
                known = next(number for number in (before, begun, end) if number is not None)
                values["last_id"] = min(end, max(begun or 0, known))
                run.execute(f"UPDATE progress SET last_id = :last_id WHERE {_THIS_CHANNEL}", values)

    def to_retry(self) -> list[int]:
        """Failed posts somebody asked to send again, ascending."""
        rows = self._all(
            f"SELECT post_id FROM post {self._database.dialect.failed_index} "
            f"WHERE {_THIS_CHANNEL} AND state = 'retry' AND {IS_FAILED} ORDER BY post_id"
        )
        return [int(row[0]) for row in rows]

    def finish(self, row: PostRow, *, edited: bool = False) -> None:
        """Every message is confirmed: the post is done, and progress moves past it. `edited`: messages that
        were sent before have been changed."""
        self._put_post(row, None, None, edited=edited)

    def fail(self, row: PostRow, reason: str, payload: str) -> None:
        """Refused in every form: kept with what was refused until a person retries it."""
        self._put_post(row, reason, payload)

    def leave_out(self, row: PostRow, rule: str) -> None:
        """A rule of the job leaves the post out: it is dealt with."""
        self._put_post(row._replace(state="filtered", rule=rule), None, None)

    def failed_in_a_row(self, post_id: int, most: int) -> list[int]:
        """The posts right before this one that Discord refused in every form, ascending; `most` of them."""
        rows = self._all(
            f"SELECT post_id, state FROM post WHERE {_THIS_CHANNEL} AND post_id < :post_id "
            "AND state != 'filtered' ORDER BY post_id DESC LIMIT :most",
            post_id=post_id,
            most=most,
        )
        return sorted(number for number, _ in takewhile(lambda row: row[1] == "failed", rows))

    def take_back(self, first: int) -> None:
        """The failed posts from this number on are due again, in order: the destination was at fault."""
        values = self._key | {"first": first}
        with self._database.transaction() as run:
            run.execute(
                f"DELETE FROM post WHERE {_THIS_CHANNEL} AND post_id >= :first AND state = 'failed'", values
            )
            run.execute(
                f"UPDATE progress SET last_id = :first - 1 WHERE {_THIS_CHANNEL} AND last_id >= :first",
                values,
            )

    def _put_post(
        self, row: PostRow, reason: str | None, refused_payload: str | None, *, edited: bool = False
    ) -> None:
        ending = {"reason": reason, "refused_payload": refused_payload, "at": self._clock()}
        with self._database.transaction() as run:
            run.execute(_PUT_POST, self._key | row._asdict() | ending)
            if edited:
                self.history.count_edit(run, row.post_id)
            self._advance(run, row.last_id)

    def deleted(self, post_id: int) -> None:
        """Gone in Telegram, and dealt with in Discord as FOLLOW_DELETIONS says."""
        self._run(f"UPDATE post SET state = 'deleted' WHERE {_THIS_POST}", post_id=post_id)

    # messages --------------------------------------------------------------------------------

    def messages(self, post_id: int) -> list[MessageRow]:
        """The messages of a post, in order."""
        rows = self._all(
            f"SELECT {_MESSAGE_COLUMNS} FROM message WHERE {_THIS_POST} ORDER BY position",
            post_id=post_id,
        )
        return [MessageRow(*row) for row in rows]

    def put_message(self, post_id: int, row: MessageRow) -> None:
        """`attempting` before the request goes out, which counts as an attempt; `sent` once Discord confirmed
        it."""
        if row.state == "attempting":
            self.raise_if_lost()
        with self._database.transaction() as run:
            run.execute(_PUT_MESSAGE, self._key | {"post_id": post_id} | row._asdict())
            if row.state == "attempting":
                self.history.count_attempt(run, post_id)

    def drop_message(self, post_id: int, position: int) -> None:
        """The message certainly was not accepted, or is deleted again."""
        self._run(
            f"DELETE FROM message WHERE {_THIS_POST} AND position = :position",
            post_id=post_id,
            position=position,
        )

    # gaps ------------------------------------------------------------------------------------

    def gaps(self) -> list[tuple[int, int]]:
        """Ranges of numbers that could not be read so far, ascending."""
        rows = self._all(f"SELECT first, last FROM gap WHERE {_THIS_CHANNEL} ORDER BY first")
        return [(int(first), int(last)) for first, last in rows]

    def add_gap(self, first: int, last: int) -> None:
        """A range to try again later."""
        self._run(_PUT_GAP, first=first, last=last)

    def close_gap(self, first: int) -> None:
        """The range was read whole."""
        self._run(f"DELETE FROM gap WHERE {_THIS_CHANNEL} AND first = :first", first=first)

    # destinations ----------------------------------------------------------------------------

    def guild(self, webhook_id: str) -> str | None:
        """The server a webhook belongs to, once asked; "" if Discord did not say."""
        row = self._first("SELECT guild_id FROM guild WHERE webhook_id = :webhook_id", webhook_id=webhook_id)
        return str(row[0]) if row else None

    def put_guild(self, webhook_id: str, guild_id: str) -> None:
        self._run(PUT_GUILD, webhook_id=webhook_id, guild_id=guild_id)

    # statements, with this job and channel as :job and :channel ----------------------------------

    def _run(self, statement: str, **values: object) -> None:
        with self._database.transaction() as run:
            run.execute(statement, self._key | values)

    def _first(self, query: str, **values: object) -> tuple[Any, ...] | None:
        with self._database.reading() as run:
            row: tuple[Any, ...] | None = run.execute(query, self._key | values).fetchone()
        return row

    def _all(self, query: str, **values: object) -> list[tuple[Any, ...]]:
        with self._database.reading() as run:
            return run.execute(query, self._key | values).fetchall()
