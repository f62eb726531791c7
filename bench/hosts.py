"""Several hosts on simulated time: how evenly they share, how soon they take over, what the database does.

Owns a table of leases in memory and the hosts' clocks; what each host does is the product's own
(disgram/hosts/keeper.py). No process runs, no database is asked and no real time passes.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timezone
from typing import cast

from bench.figures import Figure
from disgram.hosts.keeper import LeaseKeeper
from disgram.hosts.statements import HostRow, HostStatements, LeaseRow
from disgram.hosts.times import LEASE_TIMES
from disgram.hosts.units import Key, Unit, destination, worker
from disgram.storage.engine import Engine, Statements

ENDING = 3.0
"""Seconds a worker takes to end."""

MOST_CHANNELS = 14
"""Of one webhook; half of it on average."""

QUIET = 60.0
_EPOCH = datetime(2026, 1, 1, tzinfo=timezone.utc)


class Tables:
    """The rows of all hosts, as the statements use them; counts what it is asked."""

    def __init__(self) -> None:
        self.now = 0.0
        self.hosts: dict[str, HostRow] = {}
        self.leases: dict[str, LeaseRow] = {}
        self.workers: dict[str, dict[str, LeaseRow]] = {}
        self.epochs = itertools.count(1)
        self.changes: dict[str, int] = {}
        self.statements = self.rows = 0
        self.notices = False

    @contextmanager
    def transaction(self) -> Iterator[Tables]:
        self.statements += 2
        yield self

    def execute(self, statement: str, values: object = ()) -> None:
        """A notice: the one statement that is not of `Rows`."""
        self.statements += 1
        self.notices = True

    def valid(self, incarnation: str) -> bool:
        return incarnation in self.hosts and self.hosts[incarnation].until.timestamp() > self.at

    @property
    def at(self) -> float:
        return _EPOCH.timestamp() + self.now


class Rows(HostStatements):
    """The statements, over tables in memory."""

    def __init__(self, run: Statements, me: str) -> None:
        super().__init__(run, me)
        self._tables = cast("Tables", run)

    def _count(self, rows: int = 1) -> None:
        self._tables.statements += 1
        self._tables.rows += rows

    def register(self, name: str, lease: float, weight: float, account: bool, *, again: bool) -> bool:
        self._count()
        self._put(name, lease, weight, account)
        return True

    def _put(self, name: str, lease: float, weight: float, account: bool) -> None:
        until = datetime.fromtimestamp(self._tables.at + lease, timezone.utc)
        self._tables.hosts[self._me] = HostRow(name, self._me, until, 0.0, weight, account)

    def renew(self, lease: float, weight: float, account: bool) -> bool:
        self._count()
        self._put(self._tables.hosts[self._me].name, lease, weight, account)
        return True

    def forget_old_hosts(self) -> None:
        self._count(0)

    def leave(self) -> None:
        self._count()
        del self._tables.hosts[self._me]

    def hosts(self) -> tuple[HostRow, ...]:
        self._count(len(self._tables.hosts))
        at = self._tables.at
        return tuple(row._replace(lapsed=at - row.until.timestamp()) for row in self._tables.hosts.values())

    def stamp(self) -> tuple[int, int]:
        self._count()
        return self._tables.changes.get("", 0), self._tables.changes.get(self._me, 0)

    def leases(self) -> list[LeaseRow]:
        found = [*self._tables.leases.values(), *self._tables.workers.get(self._me, {}).values()]
        self._count(len(found))
        return found

    def _changed(self, whose: str = "") -> None:
        self._tables.changes[whose] = self._tables.changes.get(whose, 0) + 1

    def claim(self, seen: Mapping[str, int | None]) -> dict[str, int]:
        self._count(len(seen))
        self._count(0)
        tables, got = self._tables, dict[str, int]()
        for name in seen:
            row = tables.leases.get(name)
            if row is None or not tables.valid(row.holder):
                got[name] = next(tables.epochs)
                tables.leases[name] = LeaseRow(name, self._me, got[name])
                self._changed()
        return got

    def claim_workers(self, keys: Collection[Key]) -> dict[Key, int]:
        self._count(len(keys))
        self._count(len(keys))
        self._count(0)
        got, held = dict[Key, int](), self._tables.workers
        for key in keys:
            name = worker(key)
            holders = [holder for holder, rows in held.items() if name in rows]
            if any(self._tables.valid(holder) for holder in holders):
                continue
            for holder in holders:
                del held[holder][name]
            got[key] = next(self._tables.epochs)
            held.setdefault(self._me, {})[name] = LeaseRow(name, self._me, got[key])
        self._changed(self._me)
        return got

    def give_up(self, names: Collection[str]) -> dict[str, int]:
        self._count(len(names))
        given_up = {name: next(self._tables.epochs) for name in names}
        for name, epoch in given_up.items():
            self._tables.leases[name] = LeaseRow(name, "", epoch)
            self._changed()
        return given_up

    def give_up_workers(self, keys: Collection[Key]) -> None:
        self._count(len(keys))
        for key in keys:
            self._tables.workers[self._me].pop(worker(key), None)
        self._changed(self._me)

    def give_up_all(self) -> None:
        self._count(len(self._tables.workers.pop(self._me, {})))
        self.give_up([row.name for row in self._tables.leases.values() if row.holder == self._me])


class SimulatedHost:
    """`look_at`: when it looks next; `looked_at`: when it did last."""

    def __init__(self, tables: Tables, name: str, units: Mapping[str, Unit]) -> None:
        self.keeper = LeaseKeeper(
            cast("Engine", tables), name, f"{name}/1", lambda lapsed: None,
            clock=lambda: tables.now, statements=Rows,
        )  # fmt: skip
        self.keeper.register()
        self.keeper.units = units
        self.look_at = tables.now
        self.looked_at = self.spread_at = float("-inf")
        self._over_at, self._told = float("inf"), (0, frozenset[Key]())

    def look(self, now: float) -> None:
        if now >= self._over_at:
            grants = self.keeper.holdings.grants
            self._told, self._over_at = (grants.version, grants.ending), float("inf")
        spread = now >= self.spread_at
        self.keeper.look(self._told, spread=spread)
        self.looked_at = now
        if spread:
            self.spread_at = now + LEASE_TIMES.renew
        if self.keeper.holdings.grants.ending and self._over_at == float("inf"):
            self._over_at = now + ENDING
        self.look_at = min(now + self.keeper.due_in(), self._over_at)

    @property
    def channels(self) -> int:
        return len(self.keeper.holdings.grants.epochs)


class Cluster:
    """Hosts that look in the order of their clocks; a notice makes all look, as often as they may."""

    def __init__(self, hosts: int, channels: int) -> None:
        self.tables, self._dice = Tables(), random.Random(7)  # noqa: S311
        self.units, self.channels = _units(channels, self._dice), channels
        self.hosts: list[SimulatedHost] = []
        for number in range(hosts):
            self.tables.now = number / hosts * LEASE_TIMES.renew
            self.join(f"host{number:03}")

    def join(self, name: str) -> SimulatedHost:
        self.hosts.append(SimulatedHost(self.tables, name, self.units))
        return self.hosts[-1]

    def run_until(self, done: Callable[[], bool], most: float) -> float:
        """How many seconds that took."""
        began = self.tables.now
        while not done() and self.tables.now < began + most:
            host = min(self.hosts, key=lambda host: host.look_at)
            self.tables.now = max(self.tables.now, host.look_at)
            self.tables.notices = False
            host.look(self.tables.now)
            if self.tables.notices:
                self.wake()
        return self.tables.now - began

    def wake(self) -> None:
        for host in self.hosts:
            host.look_at = min(host.look_at, max(self.tables.now, host.looked_at + host.keeper.gap))

    def all_run(self) -> bool:
        return sum(host.channels for host in self.hosts) == self.channels

    def cost(self, seconds: float) -> str:
        """Statements and rows a second, over so long from now."""
        statements, rows = self.tables.statements, self.tables.rows
        took = self.run_until(lambda: False, seconds)
        per_second = (self.tables.statements - statements) / took
        return f"{per_second:.1f}; {(self.tables.rows - rows) / took:,.0f} rows"

    def spread(self) -> tuple[int, int]:
        """The fewest and the most channels of a host."""
        counts = [host.channels for host in self.hosts]
        return min(counts), max(counts)


def _units(channels: int, dice: random.Random) -> dict[str, Unit]:
    """Each channel is polled every five minutes."""
    units: dict[str, Unit] = {}
    while channels > 0:
        name, size = destination(str(len(units))), min(channels, dice.randint(1, MOST_CHANNELS))
        units[name] = Unit(name, size / 300, frozenset((name, f"c{number}") for number in range(size)))
        channels -= size
    return units


def simulated(*sizes: tuple[int, int]) -> Iterator[Figure]:
    """(hosts, channels) each: started at once; then one host dies, one joins, and one is stopped."""
    for hosts, channels in sizes:
        yield from _life(Cluster(hosts, channels), f"{hosts} hosts, {channels:,} channels")


def _life(cluster: Cluster, what: str) -> Iterator[Figure]:
    dice = random.Random(11)  # noqa: S311
    start = cluster.run_until(cluster.all_run, 600)
    cluster.run_until(lambda: False, 120)
    yield Figure(f"{what} of {len(cluster.units):,} webhooks: until all run", f"{start:.0f} s")
    yield Figure("… fewest and most channels of a host", "{:,} and {:,}".format(*cluster.spread()))
    yield Figure("… statements a second when nothing changes", cluster.cost(QUIET))

    victim = cluster.hosts.pop(dice.randrange(len(cluster.hosts)))
    had, victim_renewed = victim.channels, cluster.tables.now - victim.looked_at
    seconds = cluster.run_until(cluster.all_run, 600)
    yield Figure(
        f"… a host dies with {had:,} channels: until all run elsewhere",
        f"{seconds:.0f} s (its lease ended after {LEASE_TIMES.lease - victim_renewed:.0f} s)",
    )
    cluster.run_until(lambda: False, 120)

    new, share = cluster.join("new"), cluster.channels / len(cluster.hosts)
    seconds = cluster.run_until(lambda: new.channels >= 0.9 * share, 1200)
    cost = cluster.cost(60)
    cluster.run_until(lambda: False, 120)
    yield Figure("… a host joins: until it has nine tenths of its share", f"{seconds:.0f} s")
    yield Figure("… channels that moved to it, of its share", f"{new.channels:,} of {share:,.0f}")
    yield Figure("… statements a second in that minute", cost)

    victim = cluster.hosts.pop(dice.randrange(len(cluster.hosts)))
    victim.keeper.leave()
    cluster.wake()
    yield Figure(
        f"… a host is stopped with {victim.channels:,} channels: until all run elsewhere",
        f"{cluster.run_until(cluster.all_run, 600):.1f} s",
    )
