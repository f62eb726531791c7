"""How the addresses of TELEGRAM_EGRESS are, for /health. For the service alone; changes nothing.

Owns the count of channels. Which address each channel uses follows from its name and the rests, so nobody has
to tell.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from typing import NamedTuple

from disgram.storage.limit_rows import RestRow
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress import rests
from disgram.telegram.egress.address import parse_addresses


class AddressState(NamedTuple):
    """`reason`: why it rests, None if it is well; `since` and `until` in seconds from now, of a rest. At
    `until` in the past it waits for the request that tries it."""

    address: str
    reason: str | None
    since: float
    until: float
    channels: int


class SeenAddresses:
    """See known.EgressStates. `addresses`: as they are set."""

    def __init__(
        self, limits: LimitStore, addresses: Sequence[str], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._limits, self._clock = limits, clock
        names = [address.name for address in parse_addresses(addresses)]
        self._names = names
        self._ranked = lru_cache(maxsize=10_000)(lambda channel: rests.ranked(channel, names))

    def __call__(self, channels: Iterable[str] = ()) -> list[AddressState]:
        now = self._clock()
        with self._limits.reading() as rows:
            known = rests.believable(rows.rests(), now)
        choices = (rests.choose(self._ranked(channel), known, now, may_try=False) for channel in channels)
        used = Counter(choice.name for choice in choices if choice)
        return [_state(name, known.get(name), now, used[name]) for name in self._names]


def _state(name: str, row: RestRow | None, now: float, channels: int) -> AddressState:
    if row is None or rests.is_well(row, now):
        return AddressState(name, None, 0.0, 0.0, channels)
    return AddressState(name, row.reason, row.since - now, row.until - now, channels)
