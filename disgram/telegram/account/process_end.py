"""When the account's process ends.

Two that use one session would void it. So the service, which may run it under a lease of its host, says again
and again until when; a service that is frozen does not, and the process ends by itself before another host
may begin.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import Callable


class End:
    """Comes when the service is gone, with `come`, and at the moment of `clock`, CLOCK_MONOTONIC, that the
    service named last. To be made in the loop that waits for it."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._until, self._rest = clock, math.inf, b""
        self._event = asyncio.Event()

    def come(self) -> None:
        self._event.set()

    def read(self, sent: bytes) -> None:
        """What the service sent after the settings; nothing: it is gone."""
        if not sent:
            return self.come()
        *lines, self._rest = (self._rest + sent).split(b"\n")
        if lines:
            self._until = float(json.loads(lines[-1])["until"])
        return None

    @property
    def reached(self) -> bool:
        return self._event.is_set() or self._clock() >= self._until

    async def wait(self, seconds: float) -> None:
        """For the end, so long at most."""
        left = min(seconds, max(0.0, self._until - self._clock()))
        with contextlib.suppress(asyncio.TimeoutError):
            await asyncio.wait_for(self._event.wait(), left)
