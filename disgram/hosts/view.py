"""What a host knows of the others and of their leases, as the database showed it in one transaction. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import NamedTuple

from disgram.hosts.spread import Host
from disgram.hosts.statements import HostRow, LeaseRow
from disgram.hosts.units import WORKER, Unit, channels_of


class HostSeen(NamedTuple):
    """A host, for people. `until`: when its leases end if it does not renew them. `weight`: how much it can
    carry compared with others. `channels`: how many it has."""

    name: str
    valid: bool
    until: datetime
    weight: float
    account: bool
    channels: int
    is_this: bool


class View(NamedTuple):
    """`leases`: by name, without those of other hosts' workers."""

    hosts: tuple[HostRow, ...] = ()
    leases: Mapping[str, LeaseRow] = {}

    def valid_hosts(self) -> list[Host]:
        """For the plan."""
        return [Host(row.incarnation, row.weight, row.account) for row in self.hosts if row.valid]

    def holders(self) -> dict[str, str]:
        """For the plan, which knows nothing of workers."""
        return {row.name: row.holder for row in self.leases.values() if not row.name.startswith(WORKER)}

    def of(self, incarnation: str) -> list[tuple[str, int]]:
        """Name and epoch of all that one host holds."""
        return [(row.name, row.epoch) for row in self.leases.values() if row.holder == incarnation]

    def with_leases(self, epochs: Mapping[str, int], holder: str) -> View:
        """After these were claimed."""
        return self._replace(
            leases={**self.leases, **{name: LeaseRow(name, holder, epoch) for name, epoch in epochs.items()}}
        )

    def has_free(self, names: Iterable[str]) -> bool:
        """Whether no valid host has one of these."""
        valid = {row.incarnation for row in self.hosts if row.valid}
        return any(name not in self.leases or self.leases[name].holder not in valid for name in names)

    def lapsed(self) -> dict[str, float]:
        """Of each lease whose holder's row is there but not valid, how many seconds ago it ended."""
        ago = {row.incarnation: row.lapsed for row in self.hosts if not row.valid}
        return {row.name: ago[row.holder] for row in self.leases.values() if row.holder in ago}

    def next_end(self) -> float:
        """Seconds until the next host's leases end, if it does not renew them; infinite if none are held."""
        return min((-row.lapsed for row in self.hosts if row.valid), default=float("inf"))

    def shown(self, units: Mapping[str, Unit], me: str) -> tuple[HostSeen, ...]:
        """All hosts, by name."""
        holders: dict[str, list[str]] = {}
        for row in self.leases.values():
            holders.setdefault(row.holder, []).append(row.name)
        return tuple(
            _shown(row, channels_of(units, holders.get(row.incarnation, ())), me) for row in self.hosts
        )


def _shown(row: HostRow, channels: int, me: str) -> HostSeen:
    return HostSeen(row.name, row.valid, row.until, row.weight, row.account, channels, row.incarnation == me)


def by_name(rows: Iterable[LeaseRow]) -> dict[str, LeaseRow]:
    return {row.name: row for row in rows}
