"""Webhooks and threads that refuse everything, as all workers know of them: the table `gone` of disgram.db.

Owns its SQL. Never decides when one is asked again (delivery/refused/refusals.py).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from disgram.storage.engine import Engine, upsert


class GoneRow(NamedTuple):
    """What refused all messages: a webhook, a thread, or (`thread/channel`) the posts of one channel.

    `tries`: refusals in a row. `ask_at`: when one worker may ask again, in seconds since 1970.
    """

    destination: str
    reason: str
    tries: int
    ask_at: float


_PUT_GONE = upsert("gone", GoneRow._fields[:1], GoneRow._fields)


class Destinations:
    """Over an open database. Raises StorageUnavailable. `now` is the clock of `ask_at`."""

    def __init__(self, database: Engine, now: Callable[[], float]) -> None:
        self._database = database
        self.now = now

    def gone(self, *destinations: str) -> list[GoneRow]:
        """Which of these were found to refuse everything."""
        query = "SELECT destination, reason, tries, ask_at FROM gone WHERE destination = ?"
        with self._database.reading() as run:
            return [GoneRow(*row) for name in destinations for row in run.execute(query, (name,))]

    def mark_gone(self, row: GoneRow) -> None:
        """Discord said so: no worker calls it before `ask_at`, or `clear_gone`."""
        with self._database.transaction() as run:
            run.execute(_PUT_GONE, row._asdict())

    def claim_asking(self, row: GoneRow, until: float) -> bool:
        """Whether this worker is the one that asks again; the others wait until then."""
        with self._database.transaction() as run:
            claimed = run.execute(
                "UPDATE gone SET ask_at = ? WHERE destination = ? AND ask_at = ?",
                (until, row.destination, row.ask_at),
            )
            return claimed.rowcount > 0

    def accepts_again(self, destination: str) -> None:
        """It took a message, or answers: what was found before holds no more."""
        with self._database.transaction() as run:
            run.execute("DELETE FROM gone WHERE destination = ?", (destination,))

    def asked_at(self, webhook: str) -> float | None:
        """When Discord was last asked whether it knows this webhook; None for never."""
        with self._database.reading() as run:
            query = "SELECT asked_at FROM webhook_look WHERE webhook = ?"
            row = run.execute(query, (webhook,)).fetchone()
        return float(row[0]) if row else None

    def claim_daily(self, webhook: str, before: float | None, now: float) -> bool:
        """Whether this worker is the one that asks; `before`: what `asked_at` said."""
        with self._database.transaction() as run:
            if before is None:
                claimed = run.execute(
                    "INSERT INTO webhook_look (webhook, asked_at) VALUES (?, ?) ON CONFLICT DO NOTHING",
                    (webhook, now),
                )
            else:
                claimed = run.execute(
                    "UPDATE webhook_look SET asked_at = ? WHERE webhook = ? AND asked_at = ?",
                    (now, webhook, before),
                )
            return claimed.rowcount > 0

    def clear_gone(self, destination: str) -> None:
        """A person has repaired this destination (PATCH, POST): it may be called again, by all channels."""
        with self._database.transaction() as run:
            run.execute(
                "DELETE FROM gone WHERE destination = :it "
                "OR substr(destination, 1, length(:it) + 1) = :it || '/'",
                {"it": destination},
            )
