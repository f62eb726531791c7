"""What a host asks of all others at once: to look at the jobs, or at a job's workers.

Owns the form of these notices. One that is lost does no harm: jobs are looked at besides, and a worker that
was not started again polls when it is due.
"""

from __future__ import annotations

import json
from contextlib import suppress
from enum import Enum
from typing import NamedTuple

from disgram.errors import StorageUnavailable
from disgram.postgres.notices import notify
from disgram.storage.engine import Engine, Statements


class What(str, Enum):
    """See Supervision for the last two."""

    JOBS = "jobs"
    RESET_BACKOFF = "reset_backoff"
    RESTART = "restart"


class Order(NamedTuple):
    """`job`: "" for all."""

    what: What
    job: str = ""


class Orders:
    """`sender`: what no other host calls itself."""

    def __init__(self, database: Engine, sender: str) -> None:
        self._database, self._sender = database, sender

    def send(self, order: Order) -> None:
        """As far as the database can be reached. For any thread."""
        with suppress(StorageUnavailable), self._database.transaction() as run:
            self.notify(run, order)

    def notify(self, run: Statements, order: Order) -> None:
        """Once this transaction has ended well."""
        notify(run, json.dumps({"from": self._sender, **order._asdict()}))

    def jobs_changed(self, run: Statements) -> None:
        """For JobsTable."""
        self.notify(run, Order(What.JOBS))

    def read(self, payload: str) -> Order | None:
        """None for what is no order, or our own."""
        try:
            sent = json.loads(payload)
            return None if sent["from"] == self._sender else Order(What(sent["what"]), str(sent["job"]))
        except (KeyError, TypeError, ValueError):
            return None
