"""What one host tells all others at once, over LISTEN and NOTIFY: that something changed, or a short order.

A notice is lost to who does not listen at that moment: each host looks by itself besides. Owns the channel's
name, the size of a notice and the connection that listens.
"""

from __future__ import annotations

import psycopg

from disgram.errors import StorageUnavailable
from disgram.postgres.connections import Connection, connect, connection_parameters, named_errors
from disgram.storage.engine import Statements

CHANNEL = "disgram"
LONGEST = 7999
"""Bytes; PostgreSQL refuses 8000 and more."""


def notify(run: Statements, payload: str) -> None:
    """All listeners hear it once the transaction `run` is part of has ended well. At most LONGEST bytes."""
    run.execute("SELECT pg_notify(?, ?)", (CHANNEL, payload))


class Notices:
    """For one thread, but for `close`. It connects when first asked, and again after an error."""

    def __init__(self, url: str) -> None:
        self._parameters = connection_parameters(url)
        self._connection: Connection | None = None

    def wait(self, seconds: float) -> list[str]:
        """The payloads that come within this time, as soon as there are any. Raises StorageUnavailable."""
        try:
            with named_errors():
                listening = self._listening()
                return [notice.payload for notice in listening.notifies(timeout=seconds, stop_after=1)]
        except StorageUnavailable:
            self.close()
            raise

    def close(self) -> None:
        connection, self._connection = self._connection, None
        if connection:
            connection.close()

    def _listening(self) -> Connection:
        if self._connection is None:
            self._connection = connect(self._parameters)
            self._connection.execute(psycopg.sql.SQL("LISTEN {}").format(psycopg.sql.Identifier(CHANNEL)))
        return self._connection
