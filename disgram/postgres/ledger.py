"""The ledger in PostgreSQL: the rows of storage/ledger.py, and those that only several hosts need.

Owns what a worker's lease guards, that a deleted job's leases go with it, and what was sent to a webhook
lately. Never takes the rows of a job that another host has made anew meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from typing import NamedTuple

from disgram.postgres.database import PostgresDatabase
from disgram.postgres.fence import OF_JOB, FencedDatabase, worker_lease
from disgram.storage.channel_ledger import ChannelLedger
from disgram.storage.channel_source import TABLES_OF_CHANNEL
from disgram.storage.engine import Statements
from disgram.storage.ledger import LedgerRows

_POST = "webhook_id, COALESCE(thread_id, ''), {}, job, channel, post_id, position"
_RECENT = f"""SELECT {_POST.format("sent_at")} FROM message
    WHERE sent_at > :since AND webhook_id = ANY(CAST(:webhooks AS text[]))
    UNION ALL SELECT {_POST.format("NULL")} FROM message
    WHERE state = 'attempting' AND webhook_id = ANY(CAST(:webhooks AS text[]))"""


class RecentPost(NamedTuple):
    """A message to a webhook. `sent_at`: seconds since 1970 by the clock of the host that sent it; None: it
    is not confirmed."""

    webhook_id: str
    thread_id: str
    sent_at: float | None
    job: str
    channel: str
    post_id: int
    position: int

    @property
    def place(self) -> tuple[str, str, int, int]:
        """What tells it from all other messages."""
        return self[3:]


class PostgresLedger(LedgerRows):
    """Over an open database, which stays its owner's to close."""

    def __init__(self, database: PostgresDatabase, clock: Callable[[], float] = time.time) -> None:
        super().__init__(database, clock)

    def fenced(self, job: str, channel: str, epoch: int) -> ChannelLedger:
        """The rows of the worker that holds its lease under this epoch. Writing raises LeaseLost once another
        has it, or the job was deleted."""
        channel = channel.lower()
        database = FencedDatabase(self._database, worker_lease(job, channel), epoch)
        return ChannelLedger(database, job, channel, self._clock)

    def recent_posts(self, webhook_ids: Collection[str], since: float) -> list[RecentPost]:
        """What was sent there after `since`, and what may have been sent at any time."""
        given = {"webhooks": [*webhook_ids], "since": since}
        with self._database.reading() as run:
            return [RecentPost(*row) for row in run.execute(_RECENT, given)]

    def delete_job(self, job: str) -> None:
        """Nothing if there is a job of this name again: who has made it has called `begin_anew`."""
        with self._database.transaction() as run:
            run.execute("LOCK TABLE job IN SHARE MODE")  # none is made until the rows are gone
            if not run.execute("SELECT 1 FROM job WHERE name = ?", (job,)).fetchone():
                begin_anew(run, job)


def begin_anew(run: Statements, job: str) -> None:
    """A job of this name has nothing behind it. Its leases first: what workers of one that was deleted write
    after that is refused, and brings no row back."""
    run.execute(f"DELETE FROM lease WHERE {OF_JOB}", {"prefix": worker_lease(job, "")})
    for table in TABLES_OF_CHANNEL:
        run.execute(f"DELETE FROM {table} WHERE job = ?", (job,))
