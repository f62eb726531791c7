"""What was delivered where: the rows that make "once" and "nothing lost" true across any crash.

Owns the SQL that the service needs, in `disgram.db` and in PostgreSQL; a worker's rows are in
channel_ledger.py. Never sends, never logs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any

from disgram.storage import post_counts, schema
from disgram.storage.channel_ledger import PUT_GUILD, ChannelLedger
from disgram.storage.channel_source import TABLES_OF_CHANNEL, forget_replaced
from disgram.storage.destinations import Destinations
from disgram.storage.engine import Engine
from disgram.storage.failed_posts import FailedPosts
from disgram.storage.old_log.log_import import import_log
from disgram.storage.post_counts import Channel, Failed
from disgram.storage.post_history import KnownChannel, KnownPost, known_channel, known_post
from disgram.storage.sqlite import Database


class LedgerRows:
    """The ledger over an open database. Raises StorageUnavailable. `clock` is seconds since 1970."""

    def __init__(self, database: Engine, clock: Callable[[], float] = time.time) -> None:
        self.database = self._database = database
        self._clock = clock
        self.file, self.lost = self._database.file, self._database.lost
        self.destinations = Destinations(self._database, clock)
        self.failed_posts = FailedPosts(self._database)

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
        """See FailedPosts.all."""
        return self.failed_posts.all()

    def failed_counts(self) -> dict[Channel, Failed]:
        """See post_counts.failed."""
        return post_counts.failed(self._database)

    def last_confirmed(self) -> dict[Channel, float]:
        """See post_counts.last_confirmed."""
        return post_counts.last_confirmed(self._database)

    def retry(self, job: str, post_id: int | None = None, *, channels: Collection[str] | None = None) -> int:
        """See FailedPosts.retry."""
        return self.failed_posts.retry(job, post_id, channels=channels)

    def dismiss(self, job: str, post_id: int | None = None) -> int:
        """See FailedPosts.dismiss."""
        return self.failed_posts.dismiss(job, post_id)

    def known_post(self, job: str, channel: str, post_id: int) -> KnownPost | None:
        """See post_history.known_post."""
        return known_post(self._database, job, channel.lower(), post_id)

    def known_channel(self, job: str, channel: str, post_id: int) -> KnownChannel:
        """See post_history.known_channel."""
        return known_channel(self._database, job, channel.lower(), post_id)

    def put_guild(self, webhook_id: str, guild_id: str) -> None:
        """The server a webhook belongs to, as Discord said."""
        with self._database.transaction() as run:
            run.execute(PUT_GUILD, {"webhook_id": webhook_id, "guild_id": guild_id})

    def refusal(self, *destinations: str) -> str | None:
        """Why the first of these that takes no messages takes none; None if all take them."""
        rows = self.destinations.gone(*destinations)
        return rows[0].reason if rows else None

    def clear_gone(self, destination: str) -> None:
        """See Destinations.clear_gone."""
        self.destinations.clear_gone(destination)


class Ledger(LedgerRows):
    """`disgram.db` of a data directory; open to any number of processes. Raises StorageUnavailable.

    `file`: for a worker, the `file` of its service's ledger: none is made, and another one is refused.
    """

    _database: Database

    def __init__(
        self, path: Path, clock: Callable[[], float] = time.time, *, file: str | None = None
    ) -> None:
        super().__init__(Database(path, schema.LEDGER, durable=True, create=file is None, file=file), clock)

    def import_log(
        self, log: Path, jobs: Mapping[str, Collection[str]], spelling: Callable[[str], str] = str
    ) -> int:
        """Take over as progress what the log shows as forwarded: see old_log/log_import.py."""
        return import_log(self._database, log, jobs, spelling)
