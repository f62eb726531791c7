"""What each host carries, where a free unit goes, and which moves even the loads out. Pure.

A move goes from the host that carries most, for what it can carry, to the one that carries least, and leaves
the receiver lower than the giver was by more than `MARGIN` of the mean. So the highest loads fall with every
move, moves come to an end, and no unit comes back.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Iterator, Mapping
from operator import attrgetter
from typing import NamedTuple

from disgram.hosts.units import Unit

MARGIN = 0.05
"""Of the mean load: a difference that is not worth a move, which stops a destination for a minute."""

STEP = 0.2
"""Of its own load, and of the mean: what a host gives up, and is given, in one plan; one unit at least."""


_ROUNDING = 1e-9


class Host(NamedTuple):
    """A valid host. `weight`: how much it can carry compared with others, above 0. `account`: it has a
    login."""

    id: str
    weight: float = 1.0
    account: bool = False


class Loads:
    """Which host has which unit, and what that makes each of them carry."""

    def __init__(self, hosts: Mapping[str, Host]) -> None:
        self._hosts = hosts
        self._load = dict.fromkeys(hosts, 0.0)
        self.placed: dict[str, str] = {}

    def put(self, unit: Unit, host: str) -> None:
        """Away from where it was, if it was anywhere."""
        if before := self.placed.get(unit.name):
            self._load[before] -= unit.weight
        self._load[host] += unit.weight
        self.placed[unit.name] = host

    def place(self, unit: Unit, *, without: str | None = None) -> None:
        """Put it where the load will be lowest; not on `without`, unless there is no other host."""
        hosts = [host for host in self._hosts if host != without] or [*self._hosts]
        self.put(unit, min(hosts, key=lambda host: (self.of(host, unit.weight), host)))

    def of(self, host: str, more: float = 0.0) -> float:
        """Its load for what it can carry, with `more` weight on it."""
        return (self._load[host] + more) / self._hosts[host].weight

    @property
    def mean(self) -> float:
        return sum(self._load.values()) / sum(host.weight for host in self._hosts.values())

    def evening(self, giver: str, receiver: str) -> float:
        """The weight whose move makes both carry the same."""
        ours, theirs = self._hosts[giver].weight, self._hosts[receiver].weight
        return (self._load[giver] * theirs - self._load[receiver] * ours) / (ours + theirs)

    def room(self, host: str, load: float) -> float:
        """The weight that would bring it to this load."""
        return load * self._hosts[host].weight - self._load[host]

    def limits(self) -> dict[str, float]:
        """STEP as weight, of each host: of what it carries, or of the mean if it carries less."""
        mean = self.mean
        return {host.id: STEP * max(self._load[host.id], mean * host.weight) for host in self._hosts.values()}


def moves(loads: Loads, movable: Collection[Unit], under_way: float = 0.0) -> Iterator[tuple[str, str]]:
    """(unit, giver) of the moves to begin now; `loads` then are as after them. `under_way`: the weight of
    moves that have begun already, which count in each host's step."""
    stock, limits, least_gain = _stock(loads, movable), loads.limits(), MARGIN * loads.mean
    givers, moved = {*stock}, dict.fromkeys(limits, under_way)
    while givers:
        giver = max(givers, key=lambda host: (loads.of(host), host))
        receiver = min(limits, key=lambda host: (loads.of(host), host))
        highest = loads.of(giver) - least_gain
        most = min(loads.evening(giver, receiver), loads.room(receiver, highest))
        unit = _fitting(stock[giver], most)
        if not unit or loads.of(receiver, unit.weight) > highest + _ROUNDING:
            givers.discard(giver)  # what it has is too heavy, or there is nothing to even out
        elif any(moved[host] and moved[host] + unit.weight > limits[host] for host in (giver, receiver)):
            return
        else:
            stock[giver].remove(unit)
            loads.put(unit, receiver)
            moved[giver] += unit.weight
            moved[receiver] += unit.weight
            yield unit.name, giver


def _stock(loads: Loads, movable: Collection[Unit]) -> dict[str, list[Unit]]:
    """The movable units of each host that has any, the lightest first."""
    stock: dict[str, list[Unit]] = {}
    for unit in sorted(movable, key=lambda unit: (unit.weight, unit.name)):
        stock.setdefault(loads.placed[unit.name], []).append(unit)
    return stock


def _fitting(stock: list[Unit], weight: float) -> Unit | None:
    """The heaviest unit of at most this weight, else the lightest."""
    place = bisect_right(stock, weight, key=attrgetter("weight"))
    return stock[max(place - 1, 0)] if stock else None
