"""How long leases last, and how often hosts look at them. Tests give shorter times to the constructors."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LeaseTimes:
    """In seconds. `lease`: how long a host's row is valid after each renewal, all of its leases with it; what
    a dead host had is to be taken over within a minute, and another one looks and starts a worker meanwhile.
    `renew`: between two renewals. `margin`: the end of a lease in which no request is begun, since it may
    last so long. `retry`: between two tries to reach a database that does not answer. `gap`: between two
    looks at the leases, for each host there is, when others tell that something changed."""

    lease: float = 55.0
    renew: float = 15.0
    margin: float = 30.0
    retry: float = 2.0
    gap: float = 0.05

    @property
    def patience(self) -> float:
        """How long a host that had lost the database leaves what other hosts have let lapse: they come back
        when it does, and would find everything taken by whoever was first."""
        return self.renew + self.retry


LEASE_TIMES = LeaseTimes()
