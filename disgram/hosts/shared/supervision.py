"""All hosts' workers as one: what the routes ask of the supervisor, asked of every host.

Owns what is this host's and what is told to the others. Never starts or stops a worker itself.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Protocol

from disgram.api.parts import Supervision
from disgram.errors import StorageUnavailable
from disgram.hosts.shared.orders import Order, Orders, What
from disgram.hosts.shared.worker_rows import Key
from disgram.hosts.statements import hosts_of_job, last_epoch
from disgram.hosts.view import HostSeen
from disgram.storage.engine import Engine
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus

NOBODY_AFTER = 30.0
"""Seconds after which a channel that no host tells of counts as not well. A host that can start no worker
keeps its leases; and one that has just started has not heard of all yet."""

LOOK_EVERY = 0.2
"""Seconds between two looks at what other hosts have ended."""


class Others(Protocol):
    """See WorkerRows."""

    @property
    def others(self) -> Mapping[Key, tuple[WorkerStatus, ...]]: ...


class HostsSupervision:
    """A Supervision. `local`: this host's supervisor. `host`: its name. `keys`: every (job, channel) that
    should run somewhere. `hosts`: see Membership. `on_stop` is called before this host's workers are ended
    (Membership.drain)."""

    def __init__(
        self,
        local: Supervision,
        database: Engine,
        orders: Orders,
        rows: Others,
        *,
        host: str,
        keys: Callable[[], Collection[Key]],
        hosts: Callable[[], Sequence[HostSeen]],
        on_stop: Callable[[], object] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._local, self._database, self._orders, self._rows = local, database, orders, rows
        self._host, self._keys, self._hosts, self._on_stop = host, keys, hosts, on_stop
        self._clock, self._nobodys = clock, dict[Key, float]()
        self.start, self.wake = local.start, local.wake  # others were told when the jobs were stored

    def stop(self, timeout: float = 9.0) -> None:
        self._on_stop()
        self._local.stop(timeout)

    def reset_backoff(self, job: str) -> None:
        self._local.reset_backoff(job)
        self._orders.send(Order(What.RESET_BACKOFF, job))

    def restart(self, job: str) -> None:
        self._local.restart(job)
        self._orders.send(Order(What.RESTART, job))

    def wait_gone(self, job: str, timeout: float) -> bool:
        """Whether all processes that the job had at the time of the call are gone, on every host; one that is
        not heard of counts for none. `timeout` seconds at most, and as long again as a database is slow."""
        until = time.monotonic() + timeout
        try:
            with self._database.reading() as run:
                epoch = last_epoch(run)
            gone = self._local.wait_gone(job, timeout)
            while self._elsewhere(job, epoch):
                if time.monotonic() > until:
                    return False
                time.sleep(LOOK_EVERY)
        except StorageUnavailable:
            return False
        return gone

    def _elsewhere(self, job: str, epoch: int) -> list[str]:
        """Which other hosts have processes of it that are as old as this epoch."""
        with self._database.reading() as run:
            return [host for host in hosts_of_job(run, job, epoch) if host != self._host]

    def snapshot(self) -> Snapshot:
        """This host's workers at its supervisor's last turn, and those of others as they last told of."""
        here = self._local.snapshot()
        workers = [replace(worker, host=self._host) for worker in here.workers]
        known = {(worker.job, worker.channel.lower()) for worker in workers}
        others = self._others(set(self._keys()) - known)
        return replace(here, workers=(*workers, *others, *self._of_nobody(known | self._rows.others.keys())))

    def _others(self, keys: Iterable[Key]) -> Iterator[WorkerStatus]:
        valid = {host.name for host in self._hosts() if host.valid}
        rows = self._rows.others
        for key in keys:
            if told := rows.get(key):
                yield _best(told, valid)

    def _of_nobody(self, told_of: Collection[Key]) -> list[WorkerStatus]:
        """What stands for the channels that have been nobody's for long."""
        now, before = self._clock(), self._nobodys
        self._nobodys = {key: before.get(key, now) for key in self._keys() if key not in told_of}
        return [
            replace(_GONE, job=job, channel=channel, last_line_at=since, idle_since=since)
            for (job, channel), since in self._nobodys.items()
            if now - since >= NOBODY_AFTER
        ]


_GONE = WorkerStatus.without_process("", "", "webhook.py", WorkerState.BACKOFF, 0.0, "host_gone")


def _best(told: Sequence[WorkerStatus], valid: Collection[str]) -> WorkerStatus:
    """Of a channel's: that of the host that has it now, or else what was told last by one that is gone."""
    alive = [one for one in told if one.host in valid]
    best = max(alive or told, key=lambda one: one.last_line_at)
    return best if alive else replace(best, state=WorkerState.BACKOFF, reason="host_gone", until=None)
