"""Which of all workers run on this host, each with its lease.

A lease says whose a channel is, not that its job is still there: a host that slept may get one again for a
job that was deleted meanwhile. So no worker starts under a lease before the jobs have been read after it.

Owns that choice; who holds what is membership.py's. For the supervisor's thread, but for `keys`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import NamedTuple

from disgram.hosts.units import Key, destination_of
from disgram.workers.spec import Lease, WorkerSpec


class _Made(NamedTuple):
    """`seen_at`: when its lease was first seen."""

    spec: WorkerSpec
    leased: WorkerSpec
    epoch: int
    seen_at: float


class LeasedSpecs:
    """Keeps what it has made: a thousand specs are asked for with every look. `read_at`: when the reading of
    the jobs was begun that gave the newest ones; `read_soon` has them read again. `clock` is monotonic."""

    def __init__(
        self,
        read_at: Callable[[], float],
        read_soon: Callable[[], object],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._read_at, self._read_soon, self._clock = read_at, read_soon, clock
        self._made: dict[Key, _Made] = {}
        self._keys: Collection[Key] = ()

    def keys(self) -> Collection[Key]:
        """Every worker there should be, on whichever host. For any thread."""
        return self._keys

    def of(
        self, specs: Mapping[Key, WorkerSpec], lease_of: Callable[[Key, str], int | None]
    ) -> Mapping[Key, WorkerSpec]:
        """Those that this host may run. `lease_of`: the epoch of a worker that writes to the destination of
        this name, None without a lease of both."""
        read_at = self._read_at()  # before the leases are looked at
        self._keys = tuple(specs)
        epochs = {key: lease_of(key, destination_of(spec)) for key, spec in specs.items()}
        self._made = {
            key: self._leased(specs[key], epoch) for key, epoch in epochs.items() if epoch is not None
        }
        ready = {key: made.leased for key, made in self._made.items() if made.seen_at < read_at}
        if len(ready) < len(self._made):
            self._read_soon()
        return ready

    def _leased(self, spec: WorkerSpec, epoch: int) -> _Made:
        made = self._made.get(spec.key)
        if made and made.epoch == epoch and made.spec == spec:
            return made
        seen_at = made.seen_at if made and made.epoch == epoch else self._clock()
        return _Made(spec, replace(spec, lease=Lease(epoch)), epoch, seen_at)
