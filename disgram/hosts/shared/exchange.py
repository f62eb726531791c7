"""The thread through which this host and the others hear of each other: jobs that changed, orders, and what
workers are doing.

Owns when the tables `job` and `worker_row` are read and written. Leases are membership.py's.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Protocol

from disgram.errors import StorageUnavailable
from disgram.hosts.shared.jobs_table import JobsTable
from disgram.hosts.shared.orders import Order, Orders, What
from disgram.hosts.shared.worker_rows import WorkerRows
from disgram.workers.spec import Snapshot

ROWS_EVERY = 2.0
RETRY_AFTER = 1.0
"""Seconds."""
_AT_ONCE = 0.25
"""Seconds after which the thread sees that it is asked for something, or is to end."""
_STOP_WITHIN = 2.0


class Listening(Protocol):
    """See Notices."""

    def wait(self, seconds: float) -> list[str]: ...
    def close(self) -> None: ...


class Workers(Protocol):
    """This host's, as far as they are asked and told here."""

    def wake(self) -> None: ...
    def reset_backoff(self, job: str) -> None: ...
    def restart(self, job: str) -> None: ...
    def snapshot(self) -> Snapshot: ...


class Exchange:
    """`on_notice` is called for every notice of whomever (Membership.wake). `interval`: seconds after which
    the jobs are looked at though nobody has said anything. `clock` is monotonic."""

    def __init__(
        self,
        notices: Listening,
        orders: Orders,
        jobs: JobsTable,
        rows: WorkerRows,
        workers: Workers,
        on_notice: Callable[[], object],
        *,
        interval: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._notices, self._orders = notices, orders
        self._jobs, self._rows, self._workers = jobs, rows, workers
        self._on_notice, self._interval, self._clock = on_notice, interval, clock
        self._jobs_at = self._rows_at = clock()
        self._asked = False
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="hosts", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self, timeout: float = _STOP_WITHIN) -> None:
        """Waits no longer than that for its thread, which may wait for the database."""
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join(timeout)

    def read_jobs_soon(self) -> None:
        """And wake the workers' supervisor then, whether they have changed or not. For any thread."""
        self._asked = True

    def turn(self) -> None:
        """Hear what there is to hear, and look at what is due. Raises StorageUnavailable."""
        due = self._clock() if self._asked else min(self._jobs_at, self._rows_at)
        payloads = self._notices.wait(max(0.0, min(due - self._clock(), _AT_ONCE)))
        for payload in payloads:
            self._heed(self._orders.read(payload))
        if payloads:
            self._on_notice()
        now = self._clock()
        if self._asked or now >= self._jobs_at:
            asked, self._asked = self._asked, False
            self._jobs_at = now + self._interval
            if self._jobs.refresh() or asked:
                self._workers.wake()
        if now >= self._rows_at:
            self._rows_at = now + ROWS_EVERY
            self._rows.write(self._workers.snapshot().workers)
            self._rows.read()

    def _heed(self, order: Order | None) -> None:
        if order is None:
            return
        if order.what is What.JOBS:
            self._jobs_at = self._clock()
        elif order.what is What.RESTART:
            self._workers.restart(order.job)
        else:
            self._workers.reset_backoff(order.job)

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.turn()
            except StorageUnavailable:  # membership tells it
                self._missed()
            except Exception:
                logging.getLogger(__name__).exception("The exchange with other hosts failed")
                self._missed()
        self._notices.close()

    def _missed(self) -> None:
        """Notices may have come while nobody listened."""
        self._asked = True
        self._rows_at = self._clock()
        self._stopping.wait(RETRY_AFTER)
