"""What the service knows of the addresses of TELEGRAM_EGRESS, if that is set. Loads nothing if it is not."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeAlias

from disgram.storage.rate_limits import LimitStore

if TYPE_CHECKING:
    from disgram.telegram.egress.states import AddressState


EgressStates: TypeAlias = "Callable[[Iterable[str]], Sequence[AddressState]]"
"""Of every address, in the order of the setting, with how many of these channels (by key) use it. For any
thread. Raises StorageUnavailable."""


def egress_states(limits: LimitStore, addresses: Sequence[str]) -> EgressStates | None:
    """`addresses`: as they are set; None without any."""
    if not addresses:
        return None
    from disgram.telegram.egress.states import SeenAddresses  # only here: few have several addresses

    return SeenAddresses(limits, addresses)
