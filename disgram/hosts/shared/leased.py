"""Which of all workers run on this host, each with its lease.

Owns that choice; who holds what is membership.py's. For the supervisor's thread, but for `keys`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import replace

from disgram.hosts.units import Key
from disgram.workers.spec import Lease, WorkerSpec


class LeasedSpecs:
    """Keeps what it has made: a thousand specs are asked for with every look."""

    def __init__(self) -> None:
        self._made: dict[Key, tuple[WorkerSpec, WorkerSpec]] = {}
        self._keys: Collection[Key] = ()

    def keys(self) -> Collection[Key]:
        """Every worker there should be, on whichever host. For any thread."""
        return self._keys

    def of(
        self, specs: Mapping[Key, WorkerSpec], lease_of: Callable[[str, str], int | None]
    ) -> Mapping[Key, WorkerSpec]:
        """Those that this host may run. `lease_of`: the epoch of a (job, channel key), None without one."""
        self._keys = tuple(specs)
        epochs = {key: epoch for key in specs if (epoch := lease_of(*key)) is not None}
        self._made = {key: self._leased(specs[key], epoch) for key, epoch in epochs.items()}
        return {key: leased for key, (_, leased) in self._made.items()}

    def _leased(self, spec: WorkerSpec, epoch: int) -> tuple[WorkerSpec, WorkerSpec]:
        made = self._made.get(spec.key)
        if made and made[0] == spec and made[1].lease == Lease(epoch):
            return made
        return spec, replace(spec, lease=Lease(epoch))
