"""What hosts tell each other of their workers: the table `worker_row`, a row for each worker and host.

A host writes the rows of its own that have changed and reads those that others have written, both every few
seconds, in one statement each. Owns the table's SQL. For one thread, but for `others`.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from disgram.hosts.shared.status_json import from_row, lasting, to_row
from disgram.storage.engine import Engine
from disgram.workers.spec import WorkerStatus

Key = tuple[str, str]
"""(job, channel in lower case)."""

FRESH_AFTER = 60.0
"""Seconds after which a row is written again though nothing but a beat has come from its worker: others take
one that they hear nothing of for long for silent."""

_OVERLAP = 15.0
"""Seconds: a row is dated when its transaction begins, and seen when that ends; longer ones are ended."""

_NOTHING = "null"
"""In place of a row that is over, so that others see its end. Removed a day later."""

_WRITE = (
    "INSERT INTO worker_row (job, channel, host, row) VALUES (:job, :channel, :host, CAST(:row AS jsonb)) "
    "ON CONFLICT (job, channel, host) DO UPDATE SET row = excluded.row, at = now()"
)
_READ = (
    "SELECT job, channel, host, CAST(row AS text), CAST(EXTRACT(EPOCH FROM now() - at) AS double precision) "
    "FROM worker_row WHERE host != :host"
)
_LATELY = _READ + " AND at > now() - make_interval(secs => :seconds)"


class _Written(NamedTuple):
    lasting: dict[str, Any]
    at: float
    last_line_at: float


class WorkerRows:
    """`host`: this one's name. `clock` is monotonic. Methods raise StorageUnavailable."""

    def __init__(self, database: Engine, host: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._database, self._host, self._clock = database, host, clock
        self._written: dict[Key, _Written] = {}
        self._read_at: float | None = None
        self._others: dict[tuple[str, str, str], WorkerStatus] = {}
        self.others: Mapping[Key, tuple[WorkerStatus, ...]] = {}
        """Of each channel, what other hosts have written last."""

    def forget_own(self) -> None:
        """At the start and at the end: nothing runs here."""
        with self._database.transaction() as run:
            run.execute("DELETE FROM worker_row WHERE at < now() - interval '1 day' AND row = 'null'")
            run.execute(
                "UPDATE worker_row SET row = 'null', at = now() WHERE host = :host AND row <> 'null'",
                {"host": self._host},
            )
        self._written.clear()

    def write(self, workers: Iterable[WorkerStatus]) -> None:
        """Tell others of these, which are all of this host's."""
        now = self._clock()
        found = {(one.job, one.channel.lower()): one for one in workers}
        rows = {key: to_row(one, now) for key, one in found.items()}
        due = [key for key, one in found.items() if self._is_due(key, one, rows[key], now)]
        over = [key for key in self._written if key not in found]
        if not due and not over:
            return
        values = [_values(key, self._host, json.dumps(rows[key])) for key in due]
        values += [_values(key, self._host, _NOTHING) for key in over]
        with self._database.transaction() as run:
            run.executemany(_WRITE, values)
        self._written |= {key: _Written(lasting(rows[key]), now, found[key].last_line_at) for key in due}
        for key in over:
            del self._written[key]

    def read(self) -> None:
        """Bring `others` up to date."""
        now = self._clock()
        with self._database.reading() as run:
            if self._read_at is None:
                rows = run.execute(_READ, {"host": self._host}).fetchall()
            else:
                seconds = now - self._read_at + _OVERLAP
                rows = run.execute(_LATELY, {"host": self._host, "seconds": seconds}).fetchall()
        self._read_at = now
        for job, channel, host, text, age in rows:
            status = from_row(json.loads(text) or {}, host, now - age)
            if status:
                self._others[job, channel, host] = status
            else:
                self._others.pop((job, channel, host), None)
        if rows:
            self.others = self._by_channel()

    def _is_due(self, key: Key, worker: WorkerStatus, row: dict[str, Any], now: float) -> bool:
        before = self._written.get(key)
        if before is None or before.lasting != lasting(row):
            return True
        return now - before.at >= FRESH_AFTER and worker.last_line_at > before.last_line_at

    def _by_channel(self) -> dict[Key, tuple[WorkerStatus, ...]]:
        found: dict[Key, tuple[WorkerStatus, ...]] = {}
        for (job, channel, _), status in self._others.items():
            found[job, channel] = (*found.get((job, channel), ()), status)
        return found


def _values(key: Key, host: str, row: str) -> dict[str, str]:
    job, channel = key
    return {"job": job, "channel": channel, "host": host, "row": row}
