"""Leases of workers, taken without a host."""

from __future__ import annotations

from disgram.postgres.fence import worker_lease
from disgram.storage.engine import Engine

_CLAIM = (
    "INSERT INTO lease (name, holder) VALUES (?, ?) "
    "ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, epoch = nextval('lease_epoch') "
    "RETURNING epoch"
)


def claim(database: Engine, holder: str, job: str = "job", channel: str = "c") -> int:
    """The new epoch, whoever held it before."""
    with database.transaction() as run:
        return int(run.execute(_CLAIM, (worker_lease(job, channel), holder)).fetchone()[0])
