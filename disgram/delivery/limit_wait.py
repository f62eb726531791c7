"""How a worker waits for Discord's limits, and how /health learns of it.

Posts may wait in several pieces: for a 429 that is repeated, or in a queue behind other workers. All of it
counts from the first wait until a message is answered with anything but a 429. Owns that count. Never asks
the limiter when to go on and never sends.
"""

from __future__ import annotations

from collections.abc import Callable

from disgram.errors import CloudflareBlocked, RateLimited
from disgram.report import Level, Reporter

LOGGED_FROM = 30.0
"""Seconds: a wait that is at least as long is logged."""

SHOWN_FROM = 180.0
"""Seconds: posts that wait at least as long are a `reason` in /health."""


class LimitWait:
    """For one worker. `wait` raises Stopping; `clock` is monotonic; `blocked` tells whether Cloudflare blocks
    this address, and raises StorageUnavailable."""

    def __init__(
        self,
        report: Reporter,
        wait: Callable[[float], None],
        clock: Callable[[], float],
        blocked: Callable[[], bool],
    ) -> None:
        self._report = report
        self._wait = wait
        self._clock = clock
        self._blocked = blocked
        self._since: float | None = None
        self.reason: str | None = None
        """Why posts wait for longer than SHOWN_FROM; None: they do not."""

    def __call__(self, seconds: float) -> None:
        """Wait; what comes after `seconds` is not known yet, and may be another wait."""
        now = self._clock()
        self._since = now if self._since is None else self._since
        shown, logged = now + seconds - self._since >= SHOWN_FROM, seconds >= LOGGED_FROM
        blocked = (shown or logged) and self._blocked()
        if shown:
            self.reason = (CloudflareBlocked if blocked else RateLimited).reason
            self._report(None, "", reason=self.reason, lasts=seconds)
        if logged:
            whom = "Cloudflare's block" if blocked else "Discord's rate limit"
            self._report(Level.STATUS, f"Waiting {seconds:.0f} s for the end of {whom}")
        self._wait(seconds)

    def over(self) -> None:
        """A message was answered, and not with a 429."""
        self._since = self.reason = None
