"""The ledger in PostgreSQL: the rows of storage/ledger.py, and those that only several hosts need.

Owns what a worker's lease guards, and that a deleted job's leases go with it. Never takes the rows of a job
that another host has made anew meanwhile.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from disgram.postgres.database import PostgresDatabase
from disgram.postgres.fence import OF_JOB, FencedDatabase, worker_lease
from disgram.storage.channel_ledger import ChannelLedger
from disgram.storage.channel_source import TABLES_OF_CHANNEL
from disgram.storage.engine import Statements
from disgram.storage.ledger import LedgerRows


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
