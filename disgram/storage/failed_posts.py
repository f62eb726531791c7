"""Posts that Discord refused in every form, until a person has dealt with them.

Owns their states: `failed`, `retry` (to be sent again, by the channel's worker) and `dismissed` (done with).
Never sends.
"""

from __future__ import annotations

import json
from collections.abc import Collection
from typing import Any

from disgram.storage.channel_ledger import FAILED_INDEX, IS_FAILED
from disgram.storage.sqlite import Database


class FailedPosts:
    """Over an open ledger. Raises StorageUnavailable."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def all(self, job: str | None = None, most: int | None = None) -> list[dict[str, Any]]:
        """Those nobody has dealt with yet, oldest first: of one job (None: of all), and not more than `most`.

        A column of a kind that no Disgram writes, or of broken text, spoils no other row: text is read as
        far as it can be, and `at` is 0.0 if it is no number. A post without a number is left out.
        """
        names = ("job", "channel", "post_id", "reason", "at", "payload")
        query = (
            "SELECT CAST(job AS BLOB), CAST(channel AS BLOB), post_id, CAST(reason AS BLOB), "
            "CASE WHEN typeof(at) = 'real' AND abs(at) < 1e300 THEN at ELSE 0.0 END AS moment, "
            f"CAST(refused_payload AS BLOB) FROM post {FAILED_INDEX} "
            f"WHERE {IS_FAILED} AND typeof(post_id) = 'integer' AND (:job IS NULL OR job = :job) "
            "ORDER BY moment, post_id LIMIT :most"
        )
        with self._database.reading() as run:
            rows = run.execute(query, {"job": job, "most": -1 if most is None else most})
            return [dict(zip(names, map(_text_of, row), strict=True)) for row in rows]

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
            chosen += " AND channel IN (SELECT value FROM json_each(:channels))"
        with self._database.transaction() as run:
            return run.execute(
                f"UPDATE post {FAILED_INDEX} SET state = :state "
                f"WHERE job = :job {only} AND {IS_FAILED}{chosen}",
                {"state": state, "job": job, "post_id": post_id, "channels": json.dumps([*(channels or ())])},
            ).rowcount


def _text_of(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
