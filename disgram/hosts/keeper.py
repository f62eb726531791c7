"""One look of a host at the shared tables: renew, see, plan, claim, give up. For one thread.

Owns the order of these and the transactions; what is planned is plan.py's. Raises StorageUnavailable at any
point: what was done until then holds, and the next look reads everything anew.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from typing import TypeVar

from disgram.errors import StorageUnavailable
from disgram.hosts.holdings import Holdings
from disgram.hosts.plan import NOTHING, plan
from disgram.hosts.statements import HostRow, HostStatements
from disgram.hosts.times import LEASE_TIMES, LeaseTimes
from disgram.hosts.units import DESTINATION, Key, Unit
from disgram.hosts.view import View, by_name
from disgram.postgres.notices import notify
from disgram.storage.engine import Engine, Statements

CHANGED = "leases"
"""The notice that leases were given up, which other hosts may want."""

AT_ONCE = 2000
"""Leases claimed in one transaction, whose statements have five seconds."""

_LATE = 0.05
"""Seconds after the end of another host's leases: not a moment before."""

_NEVER = float("-inf")
_UNREAD = (-1, -1)
_Item = TypeVar("_Item")


class LeaseKeeper:
    """See Membership for the arguments. `units` None: not known yet, so nothing is planned. `draining`:
    nothing more is claimed. `renewed_at`: when the last renewal that succeeded was begun. `statements`: a
    simulation has its own."""

    def __init__(
        self,
        database: Engine,
        name: str,
        incarnation: str,
        hand_over: Callable[[Mapping[str, float]], object],
        *,
        weight: float = 1.0,
        account: bool = False,
        times: LeaseTimes = LEASE_TIMES,
        clock: Callable[[], float] = time.monotonic,
        statements: Callable[[Statements, str], HostStatements] = HostStatements,
    ) -> None:
        self.name, self.me = name, incarnation
        self._database, self._hand_over, self._statements = database, hand_over, statements
        self._weight, self._account, self._times, self._clock = weight, account, times, clock
        self.units: Mapping[str, Unit] | None = None
        self.draining = False
        self.view, self.holdings = View(), Holdings()
        self.renewed_at = self._in_touch_since = _NEVER
        self._stamp = _UNREAD
        self._rests_at: object = None
        self._waits = False
        self._given_up: dict[str, int] = {}

    # --- coming and going ---

    def register(self) -> HostRow | None:
        """Make the row of our name ours; None: done. Otherwise it is another host's that is valid."""
        with self._database.transaction() as run:
            rows = self._statements(run, self.me)
            rows.forget_old_hosts()
            if self._register(rows, again=True):
                return None
            return next((row for row in rows.hosts() if row.name == self.name), None)

    def leave(self) -> None:
        """Give everything up: nothing of ours runs any more."""
        with self._database.transaction() as run:
            rows = self._statements(run, self.me)
            rows.give_up_all()
            rows.leave()
            notify(run, CHANGED)

    def _register(self, rows: HostStatements, *, again: bool) -> bool:
        return rows.register(self.name, self._times.lease, self._weight, self._account, again=again)

    # --- a look ---

    def look(self, told: tuple[int, Collection[Key]], *, spread: bool) -> bool:
        """False if another host has our name now: then nothing is ours. `told`: see Holdings.ended; `spread`:
        whether loads are evened out."""
        if not self._renewed():
            self.view, self._stamp = View(), _UNREAD
            self.holdings.see(())
            self.holdings.grant({})
            return False
        if self.units is not None:
            self._follow_plan(self.units, spread=spread and self._settled)
            self._grant(self.units)
            self._give_up(told)
        return True

    @property
    def gap(self) -> float:
        """Seconds between two looks, whatever happens: the more hosts there are, the longer."""
        return self._times.gap * max(1, len(self.view.hosts))

    def due_in(self) -> float:
        """Seconds until the next look: at the next renewal, or sooner if there will be something to claim.

        What is free now was for another host; but what that one saw was older, and it may have left it."""
        waits = self._waits or self.view.has_free(self.units or ())
        soon = max(self._times.retry, self.gap) if waits else float("inf")
        return min(self._times.renew, self.view.next_end() + _LATE, soon)

    @property
    def _settled(self) -> bool:
        """Whether the database has been there for so long that hosts which lapsed are gone."""
        return self.renewed_at - self._in_touch_since >= self._times.patience

    def _renewed(self) -> bool:
        before = self._clock()
        with self._database.transaction() as run:
            rows = self._statements(run, self.me)
            renewed = rows.renew(self._times.lease, self._weight, self._account)
            if not renewed and not self._register(rows, again=False):
                return False
            hosts, found = rows.hosts(), rows.stamp()
            changed = found != self._stamp
            leases = by_name(rows.leases()) if changed else self.view.leases
        if before - self.renewed_at > 2 * self._times.renew:
            self._in_touch_since = before
        self.view, self._stamp, self.renewed_at = View(hosts, leases), found, before
        if changed:
            self.holdings.see(self.view.of(self.me))
        return True

    def _follow_plan(self, units: Mapping[str, Unit], *, spread: bool) -> None:
        leaving, hosts = self.holdings.leaving, self.view.valid_hosts()
        basis = (self._stamp, hosts, units, spread)
        if not leaving and basis == self._rests_at:
            return
        found = plan(units, self.view.holders(), hosts, self.me, leaving, spread=spread)
        self._rests_at = basis if found == NOTHING else None
        leaving |= {*found.releases}
        for names in _portions([] if self.draining else self._claimable(found.claims)):
            seen = {name: row.epoch if (row := self.view.leases.get(name)) else None for name in names}
            with self._database.transaction() as run:
                claimed = self._statements(run, self.me).claim(seen)
            self.holdings.add(claimed, {})
            self.view = self.view.with_leases(claimed, self.me)

    def _claimable(self, names: Sequence[str]) -> Sequence[str]:
        """Without those whose host may come back. What another host has sent to them counts here before they
        are claimed: whatever happens in between, nothing is sent too early."""
        lapsed = self.view.lapsed()
        if not self._settled:
            names = [name for name in names if name not in lapsed]
        others = {name: lapsed.get(name, 0.0) for name in names if self._was_another_hosts(name)}
        try:
            if others:
                self._hand_over({name.removeprefix(DESTINATION): ago for name, ago in others.items()})
        except StorageUnavailable:  # limits.db; nothing could be sent
            names = [name for name in names if name not in others]
        return names

    def _was_another_hosts(self, name: str) -> bool:
        """Whether a destination has been somebody's since this host gave it up (a job that was paused)."""
        row = self.view.leases.get(name)
        had = row is not None and row.epoch != self._given_up.get(name)
        return name.startswith(DESTINATION) and had

    def _grant(self, units: Mapping[str, Unit]) -> None:
        for keys in _portions([] if self.draining else self.holdings.missing(units)):
            with self._database.transaction() as run:
                claimed = self._statements(run, self.me).claim_workers(keys)
            self.holdings.add({}, claimed)
        self._waits = not self.draining and bool(self.holdings.missing(units))
        self.holdings.grant(units)

    def _give_up(self, told: tuple[int, Collection[Key]]) -> None:
        keys = self.holdings.ended(*told)
        names = self.holdings.empty(without={*keys})
        if keys or names:
            with self._database.transaction() as run:
                rows = self._statements(run, self.me)
                rows.give_up_workers(keys)
                given_up = rows.give_up(names)
                notify(run, CHANGED)
            self._given_up |= given_up
            self.holdings.drop(keys, names)


def _portions(items: Sequence[_Item]) -> Iterator[Sequence[_Item]]:
    return (items[start : start + AT_ONCE] for start in range(0, len(items), AT_ONCE))
