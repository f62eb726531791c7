"""What a worker knows of the Telegram channel itself, apart from its posts: the id behind its name.

Owns the table `source` of `disgram.db`, and what is forgotten once another channel has the name.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from disgram.storage.engine import Engine, Statements
from disgram.storage.missing_posts import MissingPosts

TABLES_OF_CHANNEL = (
    *("progress", "post", "message", "gap", "imported_progress", "source", "missing", "post_history"),
)
"""Tables with the columns `job` and `channel`."""

_THIS_CHANNEL = "job = :job AND channel = :channel"


class Source(NamedTuple):
    """`channel_id`: Telegram's id of the channel forwarded so far, once a page told it. `empty_at`: when a
    first poll found no posts, in seconds since 1970. `replaced`: another channel was found under the name."""

    channel_id: int | None = None
    empty_at: float | None = None
    replaced: bool = False


class ChannelSource:
    """Of one (job, channel)."""

    def __init__(self, database: Engine, key: Mapping[str, object], clock: Callable[[], float]) -> None:
        self._database = database
        self._key = dict(key)
        self._clock = clock
        self.missing = MissingPosts(database, key)

    def get(self) -> Source:
        query = f"SELECT channel_id, empty_at, replaced FROM source WHERE {_THIS_CHANNEL}"
        with self._database.reading() as run:
            row = run.execute(query, self._key).fetchone()
        return Source(row[0], row[1], bool(row[2])) if row else Source()

    def found_empty(self) -> None:
        """The first poll found no posts; the time of an earlier one that found none stays."""
        self._put("empty_at", "COALESCE(source.empty_at, excluded.empty_at)", self._clock())

    def put_channel_id(self, channel_id: int) -> None:
        self._put("channel_id", "excluded.channel_id", channel_id)

    def mark_replaced(self, replaced: bool = True) -> None:
        """Another channel has the name: the next change of the job begins anew with it. False: the name
        belongs to the old channel again."""
        self._put("replaced", "excluded.replaced", int(replaced))

    def begin_anew(self) -> None:
        """Forget the channel that had the name, with its progress, posts and messages."""
        with self._database.transaction() as run:
            _forget(run, self._key)

    def _put(self, column: str, merged: str, value: float) -> None:
        with self._database.transaction() as run:
            run.execute(
                f"INSERT INTO source (job, channel, {column}) VALUES (:job, :channel, :value) "
                f"ON CONFLICT (job, channel) DO UPDATE SET {column} = {merged}",
                self._key | {"value": value},
            )


def forget_replaced(run: Statements, job: str) -> None:
    """Forget every channel of the job that another has the name of."""
    names = run.execute(
        "SELECT channel FROM source WHERE job = :job AND replaced != 0", {"job": job}
    ).fetchall()
    for (channel,) in names:
        _forget(run, {"job": job, "channel": channel})


def _forget(run: Statements, key: Mapping[str, object]) -> None:
    """Delete every row of one (job, channel)."""
    for table in TABLES_OF_CHANNEL:
        run.execute(f"DELETE FROM {table} WHERE {_THIS_CHANNEL}", dict(key))
