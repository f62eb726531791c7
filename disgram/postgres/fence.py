"""Writing under a lease: what the holder of an older epoch writes late is refused by the database itself.

Owns the statement that a worker's transaction begins with. Never takes or gives back a lease.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from disgram.errors import LeaseLost
from disgram.storage.engine import Engine, Statements

_HELD = "SELECT 1 FROM lease WHERE name = ? AND epoch = ? FOR SHARE"
"""FOR SHARE: whoever claims the lease meanwhile waits until this transaction has ended."""

OF_JOB = (
    r"starts_with(lease.name, :prefix) AND substr(lease.name, length(:prefix) + 1) ~ '^(c/[0-9]+|[^/]+)$'"
)
"""The leases of a job's workers; `prefix`: `worker_lease(job, "")`. The name of another job may begin with
this one's and a slash."""


class FencedDatabase:
    """The database as the worker with this lease may use it. `transaction` raises LeaseLost."""

    def __init__(self, database: Engine, lease: str, epoch: int) -> None:
        self._database = database
        self._lease, self._epoch = lease, epoch
        self.dialect, self.file = database.dialect, database.file
        self.reading = database.reading
        self.lost, self.raise_if_lost = database.lost, database.raise_if_lost
        self.is_damaged, self.close = database.is_damaged, database.close

    @contextmanager
    def transaction(self) -> Iterator[Statements]:
        with self._database.transaction() as run:
            if not run.execute(_HELD, (self._lease, self._epoch)).fetchone():
                raise LeaseLost(f"another host has taken over {self._lease}")
            yield run


def worker_lease(job: str, channel: str) -> str:
    """The name of the lease of who may write the rows of (job, channel). `channel`: in lower case."""
    return f"worker:{job}/{channel}"
