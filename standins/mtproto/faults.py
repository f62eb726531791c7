"""How Telegram goes wrong: what the next calls of a method get, delays, lost updates, connections that die.

Every method may be called from any thread at any time, also while clients are connected.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

from standins.mtproto.refusals import Refusal

FOREVER = -1
"""As a number of times: until `heal()`."""


@dataclass(slots=True)
class _Planned:
    method: str
    refusal: Refusal
    times: int


class Faults:
    """What a test commands, and what the server asks before it answers."""

    def __init__(self) -> None:
        self.silent = False
        """Connections stay open and take what is sent, and nothing comes back."""
        self.refuses_connections = False
        """A new connection is accepted and closed at once."""
        self.delayed = 0
        """Calls whose answer was held back so far."""
        self._planned: list[_Planned] = []
        self._delays: dict[str, float] = {}
        self._lost = 0
        self._healed = threading.Event()
        self._guard = threading.Lock()

    def fail(self, method: str, error: str, *, times: int = 1, code: int | None = None) -> None:
        """The next `times` calls of a method get an RPC error.

        `method` as in the schema (`messages.getHistory`), `*` for every method that needs an account.
        `error`: `FLOOD_WAIT_30`, `CHANNEL_PRIVATE`, `RPC_CALL_FAIL`, …; its code is looked up when not given.
        """
        with self._guard:
            self._planned.append(_Planned(method, Refusal(error, code), times))

    def delay(self, method: str, seconds: float) -> None:
        """Every answer to a method takes that long from now on; 0 ends it, and `heal` what waits already."""
        with self._guard:
            self._delays[method] = seconds

    def lose_updates(self, count: int = 1) -> None:
        """The next updates are not sent to anybody: a gap in `pts`. FOREVER: none is sent any more."""
        with self._guard:
            self._lost = count

    def heal(self) -> None:
        """End every fault that was commanded."""
        with self._guard:
            self._healed.set()
            self._healed = threading.Event()
            self.silent = self.refuses_connections = False
            self._planned.clear()
            self._delays.clear()
            self._lost = 0

    # --- for the server ---

    def planned_for(self, method: str, *, any_method: bool) -> Refusal | None:
        """The error that this call gets; counts it."""
        with self._guard:
            for planned in self._planned:
                if planned.method == method or (any_method and planned.method == "*"):
                    planned.times -= planned.times != FOREVER
                    if not planned.times:
                        self._planned.remove(planned)
                    return planned.refusal
            return None

    def delay_of(self, method: str) -> Callable[[], object] | None:
        """What waits before the answer to this call, if anything does; counts it."""
        with self._guard:
            seconds = self._delays.get(method, 0.0)
            if not seconds:
                return None
            self.delayed += 1
            return partial(self._healed.wait, seconds)

    def loses(self, update: Any) -> bool:
        """Whether this update is lost; counts it."""
        with self._guard:
            lost = self._lost != 0
            self._lost -= lost and self._lost != FOREVER
            return lost
