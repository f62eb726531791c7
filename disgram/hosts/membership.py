"""This host among the others: one thread that keeps its row valid, and claims and releases leases.

Owns that thread, and what it last knew, which any thread may ask without waiting. Never starts or stops a
worker: the supervisor asks `lease_of` for what it may run, and tells what runs in `turned`.

How the service uses it, in this order:

    membership.join()            before the first worker; StartRefused where another host has this name
    membership.start()
    membership.want(units)       whenever the jobs have changed, and before the supervisor starts
    ... desired():  {key: spec with lease_of(*key) as its epoch, for those for which it is not None}
    ... on_turn():  membership.turned(live)
    ... on NOTIFY:  membership.wake()
    membership.drain()           SIGTERM: takes nothing more
    supervisor.stop(), account.stop()
    membership.stop()            releases everything, so that others take over at once
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from disgram.hosts.units import Key, Unit


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """In seconds. `lease`: how long a host's row is valid after each renewal, all of its leases with it.
    `renew`: between two renewals. `margin`: the end of a lease in which no request is begun, since it may
    last so long. `window`: how long a new holder waits before its first POST to a webhook. `retry`: between
    two tries to reach a database that does not answer."""

    lease: float = 60.0
    renew: float = 15.0
    margin: float = 30.0
    window: float = 60.0
    retry: float = 2.0


LEASE_TIMES = LeaseTimes()


class HostSeen(NamedTuple):
    """A host as the database last showed it. `until`: when its leases end if it does not renew them.
    `weight`: how much it carries compared with others. `channels`: how many it has now."""

    name: str
    valid: bool
    until: datetime
    weight: float
    account: bool
    channels: int
    is_this: bool


class Membership:
    """`weight`: how much this host carries compared with the others (its requests a second to Telegram).
    `account`: whether somebody has logged in here, so that it can run the account.

    `hold` gets a webhook's id and seconds for which no POST may go there (DiscordRateLimiter.hold), before
    its channels may start. `on_change` is called, from its own thread, whenever an answer below may be
    another than before (Supervisor.wake). `clock` is monotonic.
    """

    def __init__(
        self,
        database: object,
        name: str,
        directory_id: str,
        *,
        weight: float = 1.0,
        account: bool = False,
        hold: Callable[[str, float], object],
        on_change: Callable[[], object],
        times: LeaseTimes = LEASE_TIMES,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        raise NotImplementedError

    # --- starting and stopping ---

    def join(self) -> None:
        """Register this host. Raises StartRefused if another one has its name, and StorageUnavailable."""
        raise NotImplementedError

    def start(self) -> None:
        """Renew, claim and release from now on."""
        raise NotImplementedError

    def drain(self) -> None:
        """Claim nothing more; what is held stays held."""
        raise NotImplementedError

    def stop(self) -> None:
        """All workers and the account's process have ended: release everything. Raises nothing."""
        raise NotImplementedError

    # --- for any thread: never waits for the database ---

    def want(self, units: Mapping[str, Unit]) -> None:
        """All units there are, for all hosts together."""
        raise NotImplementedError

    def wake(self) -> None:
        """Something has changed in the database: look soon, and not only at the next renewal."""
        raise NotImplementedError

    def lease_of(self, job: str, channel: str) -> int | None:
        """The epoch under which this host may run the worker of a (job, channel key); None: it may not.

        Stays while the database is out of reach: the worker runs on and its writes fail until it answers.
        """
        raise NotImplementedError

    def holds(self, name: str) -> bool:
        """Whether ACCOUNT, ALERTS or a unit is this host's, and surely for another `margin` seconds.

        False once the database has been out of reach for so long that others may take it over soon.
        """
        raise NotImplementedError

    def may_send_until(self) -> float:
        """The monotonic moment from which on no request may be begun that changes anything outside."""
        raise NotImplementedError

    def hosts(self) -> tuple[HostSeen, ...]:
        """All hosts that were seen within the last day, by name."""
        raise NotImplementedError

    @property
    def problem(self) -> str | None:
        """What keeps this host from renewing its leases, as a sentence; None: nothing does."""
        raise NotImplementedError

    # --- what the parts of this host tell ---

    def turned(self, live: Callable[[], Collection[Key]]) -> None:
        """The supervisor has acted on what `lease_of` answered. `live`: of which (job, channel key) there is
        a process, or may be; asked only where a lease waits for its end. From the supervisor's thread alone.
        """
        raise NotImplementedError

    def lost(self, job: str, channel: str, epoch: int) -> None:
        """A write under this epoch was refused: look who has the lease now."""
        raise NotImplementedError
