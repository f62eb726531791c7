"""Posts that Discord refused in every form, until a person has dealt with them.

Owns their states: `failed`, `retry` (to be sent again, by the channel's worker) and `dismissed` (done with).
Never sends.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from disgram.storage.channel_ledger import IS_FAILED
from disgram.storage.engine import Engine, as_text


class FailedPosts:
    """Over an open ledger. Raises StorageUnavailable."""

    def __init__(self, database: Engine) -> None:
        self._database = database

    def all(self) -> list[dict[str, Any]]:
        """Those nobody has dealt with yet, oldest first.

        A column of a kind that no Disgram writes, or of broken text, spoils no other row: text is read as
        far as it can be, and `at` is 0.0 if it is no number. A post without a number is left out.
        """
        dialect = self._database.dialect
        names = ("job", "channel", "post_id", "reason", "at", "payload")
        job, channel, reason, payload = map(
            dialect.as_read.format, ("job", "channel", "reason", "refused_payload")
        )
        query = (
            f"SELECT {job}, {channel}, post_id, {reason}, "
            f"CASE WHEN {dialect.is_moment.format('at', '1e300')} THEN at ELSE 0.0 END AS moment, {payload} "
            f"FROM post {dialect.failed_index} WHERE {IS_FAILED} AND {dialect.is_whole.format('post_id')} "
            "ORDER BY moment, post_id"
        )
        with self._database.reading() as run:
            return [dict(zip(names, map(as_text, row), strict=True)) for row in run.execute(query)]

    def retry(self, job: str, post_id: int | None = None, *, channels: Collection[str] | None = None) -> int:
        """Mark a job's failed posts (one, or all) to be sent again; returns how many. `channels`: in lower
        case, those that the job forwards now (None: all); no worker would send the posts of another."""
        return self._mark("retry", "AND state = 'failed'", job, post_id, channels)

    def dismiss(self, job: str, post_id: int | None = None) -> int:
        """Be done with a job's failed posts (one, or all): none is listed or sent again. Returns how many."""
        return self._mark("dismissed", "", job, post_id)

    def _mark(
        self, state: str, only: str, job: str, post_id: int | None, channels: Collection[str] | None = None
    ) -> int:
        chosen = "" if post_id is None else " AND post_id = :post_id"
        if channels is not None:
            chosen += f" AND channel IN ({self._database.dialect.any_of.format(':channels')})"
        with self._database.transaction() as run:
            return run.execute(
                f"UPDATE post {self._database.dialect.failed_index} SET state = :state "
                f"WHERE job = :job {only} AND {IS_FAILED}{chosen}",
                {"state": state, "job": job, "post_id": post_id, "channels": json.dumps([*(channels or ())])},
            ).rowcount
