"""The ledger in PostgreSQL: the rows of storage/ledger.py, and those that only several hosts need.

Owns what a worker's lease guards, and that a deleted job's leases go with it.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from disgram.postgres.database import PostgresDatabase
from disgram.postgres.fence import OF_JOB, FencedDatabase, worker_lease
from disgram.storage.channel_ledger import ChannelLedger
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
        """Its leases first: what its workers write after that is refused, and brings no row back."""
        with self._database.transaction() as run:
            run.execute(f"DELETE FROM lease WHERE {OF_JOB}", {"prefix": worker_lease(job, "")})
        super().delete_job(job)
