"""When each post was first seen, how often it was tried and edited, and all that is known of one post.

Owns the table `post_history` of `disgram.db`; its counters are written together with the rows of
channel_ledger.py, never by themselves. Never decides what becomes of a post, and no sentence is made here.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from disgram.post import PostSlice
from disgram.storage.engine import Engine, Statements

_THIS_CHANNEL = "job = :job AND channel = :channel"
_HOLDS_POST = f"{_THIS_CHANNEL} AND post_id BETWEEN :post_id - 100 AND :post_id AND last_id >= :post_id"
"""Any id of an album may be asked for; they are 100 apart at most (telegram/page/split.py)."""
_NEW_ROW = "INSERT INTO post_history (job, channel, post_id, last_id, first_seen_at, attempts, edits) VALUES"
_IF_KNOWN = "ON CONFLICT (job, channel, post_id) DO UPDATE SET"


class KnownMessage(NamedTuple):
    """One message of a post, as the table `message` has it; `guild_id` is of the webhook it went through."""

    state: str
    message_id: str | None
    channel_id: str | None
    guild_id: str | None
    sent_at: float | None


class KnownPost(NamedTuple):
    """What the ledger knows of one post; `post_id` is that of an album's first item.

    `state`: of the row in `post`; None without one. Times are seconds since 1970. None: not written down.
    """

    post_id: int
    state: str | None = None
    reason: str | None = None
    rule: str | None = None
    first_seen_at: float | None = None
    attempts: int | None = None
    edits: int | None = None
    messages: Sequence[KnownMessage] = ()


class KnownChannel(NamedTuple):
    """How far a channel has come. `last_id`: all posts up to it are dealt with; None before the first poll.
    `began_after`: posts up to it came before the job's start; None if that was not written down."""

    last_id: int | None = None
    began_after: int | None = None
    gap: tuple[int, int] | None = None
    """The gap that holds the post asked for."""


class SeenPosts:
    """For one worker: which posts of a page are not noted yet. `note` gets those, as (post_id, last_id)."""

    def __init__(self, note: Callable[[Sequence[tuple[int, int]]], object]) -> None:
        self._note = note
        self._noted: set[int] = set()

    def seen(self, slices: Sequence[PostSlice], progress: int) -> None:
        """Note the posts of a page that come after `progress`. Writes only if one of them is new."""
        new = [
            (one.id, one.last_id) for one in slices if one.last_id > progress and one.id not in self._noted
        ]
        if not new:
            return
        self._note(new)
        self._noted = {number for number in self._noted if number > progress} | {number for number, _ in new}


class PostHistory(SeenPosts):
    """Of one (job, channel)."""

    def __init__(self, database: Engine, key: Mapping[str, object], clock: Callable[[], float]) -> None:
        super().__init__(self.note)
        self._database = database
        self._key = dict(key)
        self._clock = clock

    def note(self, posts: Sequence[tuple[int, int]]) -> None:
        """They were seen now; of those that are known, the first time stays."""
        rows = [self._key | {"post_id": one, "last_id": last, "now": self._clock()} for one, last in posts]
        with self._database.transaction() as run:
            run.executemany(
                f"{_NEW_ROW} (:job, :channel, :post_id, :last_id, :now, 0, 0) "
                f"{_IF_KNOWN} last_id = excluded.last_id WHERE post_history.last_id < excluded.last_id",
                rows,
            )

    def count_attempt(self, run: Statements, post_id: int) -> None:
        """A request that sends one of its messages begins. Part of the caller's transaction."""
        self._count(run, post_id, "attempts")

    def count_edit(self, run: Statements, post_id: int) -> None:
        """An edit was followed. Part of the caller's transaction."""
        self._count(run, post_id, "edits")

    def _count(self, run: Statements, post_id: int, column: str) -> None:
        first = (1, 0) if column == "attempts" else (0, 1)
        run.execute(
            f"{_NEW_ROW} (:job, :channel, :post_id, :post_id, :now, {first[0]}, {first[1]}) "
            f"{_IF_KNOWN} {column} = post_history.{column} + 1",
            self._key | {"post_id": post_id, "now": self._clock()},
        )


_ENDING = f"SELECT post_id, state, reason, rule FROM post WHERE {_HOLDS_POST} ORDER BY post_id DESC LIMIT 1"
_HISTORY = (
    f"SELECT post_id, first_seen_at, attempts, edits FROM post_history WHERE {_HOLDS_POST} "
    "ORDER BY post_id DESC LIMIT 1"
)
_MESSAGES = (
    "SELECT state, message_id, message.channel_id, guild_id, sent_at FROM message "
    f"LEFT JOIN guild USING (webhook_id) WHERE {_THIS_CHANNEL} AND post_id = :post_id ORDER BY position"
)


def known_post(database: Engine, job: str, channel: str, post_id: int) -> KnownPost | None:
    """All that is known of the post with this id, or of the album that holds it; None if nothing is."""
    asked: dict[str, object] = {"job": job, "channel": channel, "post_id": post_id}
    with database.reading() as run:
        ending = run.execute(_ENDING, asked).fetchone()
        history = run.execute(_HISTORY, asked).fetchone()
        first_id = (ending or history or (post_id,))[0]
        messages = run.execute(_MESSAGES, asked | {"post_id": first_id}).fetchall()
    if not (ending or history or messages):
        return None
    _, state, reason, rule = ending or (None,) * 4
    _, seen_at, attempts, edits = history or (None,) * 4
    found = [KnownMessage(*row) for row in messages]
    return KnownPost(first_id, state, reason, rule, seen_at, attempts, edits, found)


def known_channel(database: Engine, job: str, channel: str, post_id: int) -> KnownChannel:
    """How far the channel has come for the job, and whether the post is in a gap."""
    asked = {"job": job, "channel": channel, "post_id": post_id}

    def first(query: str) -> tuple[Any, ...] | None:
        with database.reading() as run:
            row: tuple[Any, ...] | None = run.execute(query, asked).fetchone()
        return row

    progress = first(f"SELECT last_id, began_after FROM progress WHERE {_THIS_CHANNEL}")
    gap = first(f"SELECT first, last FROM gap WHERE {_THIS_CHANNEL} AND :post_id BETWEEN first AND last")
    oldest = first(f"SELECT MIN(post_id) - 1 FROM post WHERE {_THIS_CHANNEL}")
    last_id, began_after = progress or (None, None)
    if began_after is None and oldest:
        began_after = oldest[0]
    return KnownChannel(last_id, began_after, gap)
