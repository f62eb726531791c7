"""A stop for the whole host as a value: Discord's `global` 429s, and Cloudflare's refusals.

Owns how long one lasts, and what of an answer is believed. A pause is immutable and time is an argument.
"""

from __future__ import annotations

from disgram.discord.limits.bucket import LONGEST_BLOCK, capped
from disgram.storage.rate_limits import CLOCK_SLACK, PauseRow

FIRST_PAUSE, LONGEST_UNNAMED = 60.0, 900.0
"""Seconds, where Cloudflare names none: a minute, doubling to fifteen."""

LONGEST_PAUSE = 3600.0
"""Seconds the host may pause. Cloudflare blocks an address for about an hour (error 1015); where it names
more (81671 s were seen, discord-api-docs #7040), one request an hour asks whether that is still so."""


class HostPause(PauseRow):
    """Immutable; the methods give the next state."""

    __slots__ = ()

    def believed(self, now: float) -> HostPause:
        """As it is used after it was read: one that is longer than any pause can be is over."""
        return self if self.until <= now + LONGEST_PAUSE + CLOCK_SLACK else self._replace(until=now)

    def prolonged(self, now: float, retry_after: float) -> HostPause:
        """After a `global` 429."""
        return self._replace(until=max(self.until, now + capped(retry_after, LONGEST_BLOCK)))

    def refused(self, now: float, retry_after: float | None) -> HostPause:
        """After a refusal by Cloudflare, which names a time or None."""
        strikes = self.strikes + 1 if now >= self.until else max(1, self.strikes)
        return HostPause(max(self.until, now + cloudflare_pause(strikes, retry_after)), strikes)

    def answered(self, now: float) -> HostPause:
        """Discord itself answered. An answer that was under way when the pause began proves nothing."""
        return HostPause(now, 0) if self.strikes and now >= self.until else self


def cloudflare_pause(strikes: int, retry_after: float | None) -> float:
    """Seconds to send nothing after so many refusals in a row (1 = the first)."""
    named = capped(retry_after or 0.0, LONGEST_PAUSE)
    return named or min(FIRST_PAUSE * 2 ** min(strikes - 1, 10), LONGEST_UNNAMED)
