"""Posts that Telegram's pages no longer show: since when, and what became of them.

Owns the table `missing` of `disgram.db`. Does not decide when a post counts as deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from disgram.storage.engine import Engine, upsert

MISSING, REMOVED, BACK = "missing", "removed", "back"
"""Not on the pages; therefore marked or deleted in Discord; shown again after that, and put right."""

_THIS_CHANNEL = "job = :job AND channel = :channel"
_KEY = ("job", "channel", "post_id")
_PUT = upsert("missing", _KEY, (*_KEY, "since", "state"))


class MissingPost(NamedTuple):
    """`since`: when a page first lacked it, in seconds since 1970. `state`: MISSING, REMOVED or BACK."""

    since: float
    state: str


class MissingPosts:
    """Of one (job, channel), by the post ids of the ledger."""

    def __init__(self, database: Engine, key: Mapping[str, object]) -> None:
        self._database = database
        self._key = dict(key)

    def from_id(self, post_id: int) -> dict[int, MissingPost]:
        """Those with this id or a higher one."""
        query = f"SELECT post_id, since, state FROM missing WHERE {_THIS_CHANNEL} AND post_id >= :post_id"
        with self._database.reading() as run:
            rows = run.execute(query, self._key | {"post_id": post_id}).fetchall()
        return {row[0]: MissingPost(row[1], row[2]) for row in rows}

    def begin(self, post_id: int, since: float) -> None:
        """A page lacks the post."""
        self._run(_PUT, post_id=post_id, since=since, state=MISSING)

    def put_state(self, post_id: int, state: str) -> None:
        """REMOVED or BACK, of a post that is known here."""
        statement = f"UPDATE missing SET state = :state WHERE {_THIS_CHANNEL} AND post_id = :post_id"
        self._run(statement, post_id=post_id, state=state)

    def forget(self, post_id: int) -> None:
        """It was not missing after all."""
        self._run(f"DELETE FROM missing WHERE {_THIS_CHANNEL} AND post_id = :post_id", post_id=post_id)

    def _run(self, statement: str, **values: object) -> None:
        with self._database.transaction() as run:
            run.execute(statement, self._key | values)
