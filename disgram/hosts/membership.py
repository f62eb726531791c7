"""This host among the others: one thread that keeps its row valid, and claims and gives up leases.

Owns that thread, and what it last knew, which any thread may ask without waiting. Never starts or stops a
worker: the supervisor asks `lease_of` for what it may run, and tells in `turned` what runs.

How the service uses it, in this order:

    membership.join()            before the first worker; StartRefused where another host has this name
    membership.want(units)       before the start, and whenever the jobs have changed
    membership.start()
    ... desired():  the specs of those for which `lease_of` is not None, with it as their epoch
    ... on_turn():  membership.turned(live)
    ... on NOTIFY, and where a write was refused:  membership.wake()
    membership.drain()           SIGTERM: takes nothing more
    supervisor.stop(), account.stop()
    membership.stop()            gives everything up, so that others take over at once
"""

from __future__ import annotations

import logging
import math
import threading
import time
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from typing import NamedTuple

from disgram.errors import StartRefused, StorageUnavailable
from disgram.hosts.holdings import Grants
from disgram.hosts.keeper import LeaseKeeper
from disgram.hosts.times import LEASE_TIMES, LeaseTimes
from disgram.hosts.units import Key, Unit
from disgram.hosts.view import HostSeen
from disgram.storage.engine import Engine

_NEVER = float("-inf")
_STOP_WITHIN = 2.0


class _Known(NamedTuple):
    """What other threads read. `valid_until`: monotonic, when our leases end; `held`: but workers' leases."""

    grants: Grants = Grants()
    held: frozenset[str] = frozenset()
    valid_until: float = _NEVER
    problem: str | None = None
    hosts: tuple[HostSeen, ...] = ()


class Membership:
    """`incarnation`: see identity.py. `weight`: how much this host can carry compared with the others, as its
    requests a second to Telegram. `account`: whether somebody has logged in here, so that it can run the
    account.

    `hand_over` gets the ids of webhooks that were another host's, each with the seconds since that one's
    lease ended, before any of their channels may start (HandOver). `on_change` is called, from a thread of
    its own, whenever an answer below may be another than before (Supervisor.wake); `on_crash` after an
    unexpected exception, when nothing is renewed any more. `clock` is monotonic.
    """

    def __init__(
        self,
        database: Engine,
        name: str,
        incarnation: str,
        *,
        hand_over: Callable[[Mapping[str, float]], object],
        on_change: Callable[[], object],
        weight: float = 1.0,
        account: bool = False,
        times: LeaseTimes = LEASE_TIMES,
        clock: Callable[[], float] = time.monotonic,
        on_crash: Callable[[], object] = lambda: None,
    ) -> None:
        self.name, self.incarnation = name, incarnation
        self._keeper = LeaseKeeper(
            database, name, incarnation, hand_over, weight=weight, account=account, times=times, clock=clock
        )
        self._on_change, self._on_crash, self._times, self._clock = on_change, on_crash, times, clock
        self._known, self._could_send = _Known(), False
        self._told: tuple[int, frozenset[Key]] = (0, frozenset())
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._next_at = self._spread_at = self._looked_at = _NEVER
        self._thread: threading.Thread | None = None

    # --- starting and stopping ---

    def join(self) -> None:
        """Register this host. Where a row of its name is valid, wait until that one is renewed or ends.

        Raises StartRefused if another host renews it, and StorageUnavailable.
        """
        first = None
        while other := self._keeper.register():
            first = first or other
            if other.until > first.until:
                raise StartRefused(
                    f"Another host goes by the name {self.name}, and it is running. "
                    "Give each host a HOST_NAME of its own."
                )
            self._stopping.wait(min(1.0, self._times.renew / 4))

    def start(self) -> None:
        """Renew, claim and give up from now on."""
        self._thread = threading.Thread(target=self._run, name="membership", daemon=True)
        self._thread.start()

    def drain(self) -> None:
        """Claim nothing more; what is held stays held."""
        self._keeper.draining = True

    def stop(self) -> None:
        """All workers and the account's process have ended: give everything up. Raises nothing."""
        self._stopping.set()
        self._woken.set()
        if self._thread:
            self._thread.join(_STOP_WITHIN)
            if self._thread.is_alive():  # the database does not answer: the leases end by themselves
                return
        if not self._known.problem:
            with suppress(StorageUnavailable):
                self._keeper.leave()

    # --- for any thread: never waits for the database ---

    def want(self, units: Mapping[str, Unit]) -> None:
        """All units there are, for all hosts together."""
        if units != self._keeper.units:
            self._keeper.units = units
            self._woken.set()

    def wake(self) -> None:
        """Something has changed in the database, or a write was refused: look soon, and not only at the next
        renewal."""
        self._woken.set()

    def lease_of(self, key: Key, unit: str) -> int | None:
        """The epoch under which this host may run a worker that writes to this destination; None: it may
        not. A job that was moved to another webhook may be so long before its destination is looked for.

        Stays while the database is out of reach: the worker runs on and its writes fail until it answers.
        """
        return self._known.grants.epoch(key, unit)

    def holds(self, name: str) -> bool:
        """Whether ACCOUNT, ALERTS or a unit is this host's, and surely for another `margin` seconds.

        False once the database has been out of reach for so long that others may take it over soon.
        """
        known = self._known
        return name in known.held and self._clock() < known.valid_until - self._times.margin

    def held_until(self, name: str) -> float:
        """When the lease ends unless it is renewed, a monotonic moment; in the past if `holds` is False."""
        return self._known.valid_until if self.holds(name) else -math.inf

    def may_send_until(self) -> float:
        """The monotonic moment from which on no request may be begun that changes anything outside."""
        return self._known.valid_until - self._times.margin

    def hosts(self) -> tuple[HostSeen, ...]:
        """All hosts that have been there within the last day, by name, as of the last look."""
        return self._known.hosts

    @property
    def problem(self) -> str | None:
        """What keeps this host from renewing its leases, as a sentence; None: nothing does."""
        return self._known.problem

    # --- what the parts of this host tell ---

    def turned(self, live: Callable[[], Collection[Key]]) -> None:
        """The supervisor has acted on what `lease_of` answered. `live`: of which (job, channel key) there is
        a process, or may be; asked only where a lease waits for its end. From the supervisor's thread alone.
        """
        grants = self._known.grants
        if not grants.ending:
            return
        told = grants.version, grants.ending - {*live()}
        if told != self._told:
            self._told = told
            if told[1]:
                self._woken.set()

    # --- its own thread ---

    def _run(self) -> None:
        try:
            while True:
                self._sleep()
                if self._stopping.is_set():
                    return
                self._turn()
        except Exception:
            logging.getLogger(__name__).exception("The leases of this host are not renewed any more")
            self._on_crash()

    def _sleep(self) -> None:
        """Until the next look is due, or something has changed; but not too often for so many hosts."""
        if self._woken.wait(max(0.0, self._next_at - self._clock())):
            self._stopping.wait(max(0.0, self._looked_at + self._keeper.gap - self._clock()))
        self._woken.clear()

    def _turn(self) -> None:
        now = self._looked_at = self._clock()
        spread = now >= self._spread_at
        try:
            problem = None if self._keeper.look(self._told, spread=spread) else self._name_taken
            if spread:
                self._spread_at = now + self._times.renew
            self._next_at = now + self._keeper.due_in()
        except StorageUnavailable as error:
            problem = f"{error}. Until the database answers, this host sends nothing and changes no job."
            self._next_at = now + self._times.retry
        self._publish(problem)

    def _publish(self, problem: str | None) -> None:
        before, keeper = self._known, self._keeper
        renewed_at = _NEVER if problem == self._name_taken else keeper.renewed_at
        self._known = _Known(
            keeper.holdings.grants,
            frozenset(keeper.holdings.held),
            renewed_at + self._times.lease,
            problem,
            keeper.view.shown(keeper.units or {}, self.incarnation),
        )
        can_send = self._clock() < self.may_send_until()
        if (can_send, *self._known[:2], problem) != (self._could_send, *before[:2], before.problem):
            self._could_send = can_send
            self._on_change()

    @property
    def _name_taken(self) -> str:
        return (
            f"Another host goes by the name {self.name} now, so this one sends nothing. "
            "Give each host a HOST_NAME and a DATA_DIR of its own."
        )
