"""Which leases each host is to take and to give up: pure, and the same on every host.

The theory. Every host plans for all hosts from the same view (who holds what, and which hosts are valid),
and does its own part of the plan. So hosts need not speak with each other; where two views differ, the
statement that claims a lease lets one of them have it, and the next view shows both who.

* What a valid host holds stays there, unless it may not be there (a private channel away from the account).
* A free unit goes where the load will be lowest, the heaviest units first.
* If a host carries clearly more than another, it gives units up, one small step in each plan (spread.py).

Never reads a clock or a database.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

from disgram.hosts.spread import Host, Loads, moves
from disgram.hosts.units import ACCOUNT, ALERTS, Unit


class Plan(NamedTuple):
    """Names of leases, sorted: what this host is to take, and what it is to give up."""

    claims: tuple[str, ...]
    releases: tuple[str, ...]


NOTHING = Plan((), ())


def plan(
    units: Mapping[str, Unit],
    holders: Mapping[str, str],
    hosts: Sequence[Host],
    me: str,
    leaving: Collection[str] = (),
    *,
    spread: bool = True,
) -> Plan:
    """What host `me` is to do. `holders`: lease -> id of its host; the lease of a host that is not among the
    valid ones is free. `leaving`: what `me` is giving up already. `spread`: whether loads are evened out."""
    by_id = {host.id: host for host in sorted(hosts)}
    if me not in by_id:
        return NOTHING
    held = {name: holder for name, holder in holders.items() if holder in by_id}
    wanted = _singles(held, by_id)
    account = wanted.get(ACCOUNT)
    loads, staying = _loads(units, held, by_id, me, account, leaving)
    wanted |= loads.placed
    claims = [name for name, host in wanted.items() if host == me and name not in held]
    releases = {name for name, holder in held.items() if holder == me and wanted.get(name) != me}
    if spread:
        under_way = sum(units[name].weight for name in leaving if name in units)
        releases |= {unit for unit, giver in moves(loads, staying, under_way) if giver == me}
    return Plan(tuple(sorted(claims)), tuple(sorted(releases - {*leaving})))


def _singles(held: Mapping[str, str], hosts: Mapping[str, Host]) -> dict[str, str]:
    """Who is to send alerts, and who to run the account, if any host can; both stay where they are."""
    singles = {ALERTS: held.get(ALERTS) or min(hosts)}
    with_login = [host.id for host in hosts.values() if host.account]
    if with_login:
        holder = held.get(ACCOUNT)
        singles[ACCOUNT] = holder if holder in with_login else with_login[0]
    return singles


def _loads(
    units: Mapping[str, Unit],
    held: Mapping[str, str],
    hosts: Mapping[str, Host],
    me: str,
    account: str | None,
    leaving: Collection[str],
) -> tuple[Loads, list[Unit]]:
    """Every unit where it is or is to go; and those that stay where they are, but need not."""
    loads, staying, free = Loads(hosts), [], []
    for unit in units.values():
        if unit.private and account:
            loads.put(unit, account)
        elif unit.name in held and unit.name not in leaving:
            loads.put(unit, held[unit.name])
            staying.append(unit)
        else:
            free.append(unit)
    for unit in sorted(free, key=lambda unit: (-unit.weight, unit.name)):
        loads.place(unit, without=me if unit.name in leaving else None)
    return loads, staying
