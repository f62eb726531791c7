"""What was delivered where: the rows that make "once" and "nothing lost" true across any crash.

Owns the SQL of `disgram.db` that the service needs; a worker's rows are in channel_ledger.py. Never sends,
never logs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from disgram.storage import schema
from disgram.storage.channel_ledger import FAILED_INDEX, IS_FAILED, ChannelLedger
from disgram.storage.channel_source import TABLES_OF_CHANNEL, forget_replaced
from disgram.storage.destinations import Destinations
from disgram.storage.log_import import import_log
from disgram.storage.post_history import KnownChannel, KnownPost, known_channel, known_post
from disgram.storage.sqlite import Database


class Ledger:
    """`disgram.db` of a data directory; open to any number of processes. Raises StorageUnavailable."""

    def __init__(self, path: Path, clock: Callable[[], float] = time.time) -> None:
        self._database = Database(path, schema.LEDGER, durable=True)
        self._clock = clock
        self.destinations = Destinations(self._database, clock)

    def close(self) -> None:
        self._database.close()

    def of(self, job: str, channel: str) -> ChannelLedger:
        """The rows of one worker."""
        return ChannelLedger(self._database, job, channel.lower(), self._clock)

    # for the service -------------------------------------------------------------------------

    def delete_job(self, job: str) -> None:
        """Delete a job's progress, and what was imported for it."""
        with self._database.transaction() as run:
            for table in TABLES_OF_CHANNEL:
                run.execute(f"DELETE FROM {table} WHERE job = :job", {"job": job})

    def begin_replaced_anew(self, job: str) -> None:
        """A person has changed the job: those of its channels whose names belong to others now begin anew."""
        with self._database.transaction() as run:
            forget_replaced(run, job)

    def failed(self) -> list[dict[str, Any]]:
        """Posts Discord refused in every form, oldest first.

        A column of a kind that no Disgram writes, or of broken text, spoils no other row: text is read as
        far as it can be, and `at` is 0.0 if it is no number. A post without a number is left out.
        """
        names = ("job", "channel", "post_id", "reason", "at", "payload")
        query = (
            "SELECT CAST(job AS BLOB), CAST(channel AS BLOB), post_id, CAST(reason AS BLOB), "
            "CASE WHEN typeof(at) = 'real' AND abs(at) < 1e300 THEN at ELSE 0.0 END AS moment, "
            f"CAST(refused_payload AS BLOB) FROM post {FAILED_INDEX} "
            f"WHERE {IS_FAILED} AND typeof(post_id) = 'integer' ORDER BY moment, post_id"
        )
        with self._database.reading() as run:
            return [dict(zip(names, map(_text_of, row), strict=True)) for row in run.execute(query)]

    def retry(self, job: str, post_id: int | None = None) -> int:
        """Mark a job's failed posts (one, or all) to be sent again; returns how many."""
        chosen = "" if post_id is None else " AND post_id = :post_id"
        with self._database.transaction() as run:
            return run.execute(
                f"UPDATE post {FAILED_INDEX} SET state = 'retry' "
                f"WHERE job = :job AND state = 'failed' AND {IS_FAILED}{chosen}",
                {"job": job, "post_id": post_id},
            ).rowcount

    def known_post(self, job: str, channel: str, post_id: int) -> KnownPost | None:
        """See post_history.known_post."""
        return known_post(self._database, job, channel.lower(), post_id)

    def known_channel(self, job: str, channel: str, post_id: int) -> KnownChannel:
        """See post_history.known_channel."""
        return known_channel(self._database, job, channel.lower(), post_id)

    def refusal(self, *destinations: str) -> str | None:
        """Why the first of these that takes no messages takes none; None if all take them."""
        rows = self.destinations.gone(*destinations)
        return rows[0].reason if rows else None

    def clear_gone(self, destination: str) -> None:
        """See Destinations.clear_gone."""
        self.destinations.clear_gone(destination)

    def import_log(
        self, log: Path, jobs: Mapping[str, Collection[str]], spelling: Callable[[str], str] = str
    ) -> int:
        """Take over as progress what the log shows as forwarded: see log_import.py."""
        return import_log(self._database, log, jobs, spelling)


def _text_of(value: Any) -> Any:
    return value.decode("utf-8", "replace") if isinstance(value, bytes) else value
