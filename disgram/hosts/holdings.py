"""What this host has of the leases: granted to its workers, or waiting to be given up. Pure bookkeeping.

A worker's lease is given up once its process is gone, and a destination once no process is left that may
write to it. Only the supervisor knows: it tells what runs after it has acted on the grants of a version.
Never speaks to the database and never plans.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from disgram.hosts.units import Key, Unit, key_of


class Grants(NamedTuple):
    """What the workers may do, as of one version: never changed afterwards. `epochs`: who may run, under
    which epoch. `units`: and where each of them may write to. `ending`: whose process must end before its
    lease goes."""

    version: int = 0
    epochs: Mapping[Key, int] = {}
    units: Mapping[Key, str] = {}
    ending: frozenset[Key] = frozenset()

    def epoch(self, key: Key, unit: str) -> int | None:
        """Under which epoch a worker may run and write to this destination; None: it may not."""
        return self.epochs.get(key) if self.units.get(key) == unit else None


class _Ending(NamedTuple):
    """`unit`: where its process writes to, "" if that is not known; `version`: of the first grants that
    said so."""

    unit: str
    version: int


class Holdings:
    """For one thread. `held`: name -> epoch of what the database shows as ours, without the workers' leases;
    `leaving`: which of them are being given up."""

    def __init__(self) -> None:
        self.held: dict[str, int] = {}
        self.leaving: set[str] = set()
        self.grants = Grants()
        self._workers: dict[Key, int] = {}
        self._ending: dict[Key, _Ending] = {}

    def see(self, ours: Iterable[tuple[str, int]]) -> None:
        """All leases that are ours, and their epochs."""
        self.held, self._workers = {}, {}
        for name, epoch in ours:
            if key := key_of(name):
                self._workers[key] = epoch
            else:
                self.held[name] = epoch
        self.leaving &= self.held.keys()

    def add(self, held: Mapping[str, int], workers: Mapping[Key, int]) -> None:
        """They were claimed."""
        self.held |= held
        self._workers |= workers

    def missing(self, units: Mapping[str, Unit]) -> list[Key]:
        """Whose workers should run here, and have no lease yet."""
        return sorted(self._wanted(units).keys() - self._workers.keys())

    def grant(self, units: Mapping[str, Unit]) -> bool:
        """Draw up new grants; whether they differ from those before."""
        wanted, version = self._wanted(units), self.grants.version + 1
        ending = {
            key: self._ending.get(key) or _Ending(self.grants.units.get(key, ""), version)
            for key in self._workers.keys() - wanted.keys()
        }
        epochs = {key: self._workers[key] for key in wanted.keys() & self._workers.keys()}
        self._ending = ending
        found = Grants(version, epochs, {key: wanted[key] for key in epochs}, frozenset(ending))
        if found[1:] == self.grants[1:]:
            return False
        self.grants = found
        return True

    def ended(self, version: int, gone: Collection[Key]) -> list[Key]:
        """Whose leases can be given up. `gone`: who of that version's `ending` has no process."""
        return sorted(key for key, it in self._ending.items() if it.version <= version and key in gone)

    def drop(self, keys: Iterable[Key], names: Iterable[str]) -> None:
        """These leases were given up, of workers and others."""
        for key in keys:
            del self._workers[key], self._ending[key]
        for name in names:
            del self.held[name]
            self.leaving.discard(name)

    def empty(self, *, without: Collection[Key] = ()) -> list[str]:
        """Which of the leaving no process writes to any more, if these have ended, too."""
        busy = {it.unit for key, it in self._ending.items() if key not in without}
        return [] if "" in busy else sorted(self.leaving - busy)

    def _wanted(self, units: Mapping[str, Unit]) -> dict[Key, str]:
        staying = (units[name] for name in self.held if name in units and name not in self.leaving)
        return {key: unit.name for unit in staying for key in unit.keys}
