"""Discord's rate limits as counters: who may pass at a moment, and what the headers say.

Owns the arithmetic and the 429 answers (docs.discord.com, Rate Limits, and what was seen of the hidden
per-channel limit). Time is an argument, in seconds. Never sleeps, never knows a route. Not thread-safe: the
caller holds a lock.
"""

from __future__ import annotations

import hashlib
from collections import deque
from dataclasses import dataclass, field
from math import ceil

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Rates:
    """Limits as (requests, seconds); None switches one off."""

    webhook: tuple[int, float] = (5, 2.0)
    channel: tuple[int, float] | None = None
    """The hidden one: (30, 60.0) at Discord. Its 429 is the first thing that is heard of it."""
    everything: tuple[int, float] | None = (50, 1.0)
    invalid: tuple[int, float] | None = (10_000, 600.0)
    """401, 403 and 429 answers before Cloudflare refuses the address."""


@dataclass(slots=True)
class Window:
    """A fixed window: it opens with a request and is full after `limit` of them until it ends."""

    limit: int
    period: float
    opened: float = float("-inf")
    used: int = 0

    def take(self, now: float) -> bool:
        """Count one request; False: the window is full and nothing was counted."""
        if now >= self.opened + self.period:
            self.opened, self.used = now, 0
        if self.used >= self.limit:
            return False
        self.used += 1
        return True

    def left(self, now: float) -> float:
        """Seconds until the window ends."""
        return max(self.opened + self.period - now, 0.0)


@dataclass(frozen=True, slots=True)
class Refused:
    """A 429 to be: seconds to wait, its scope, and the headers beside Retry-After."""

    wait: float
    scope: str
    headers: Headers


@dataclass(slots=True)
class Limiter:
    """All counters of the service. `wall` is added to `now` for the epoch seconds in the headers."""

    rates: Rates
    wall: float = 0.0
    _windows: dict[tuple[str, str], Window] = field(default_factory=dict)
    _invalid: deque[float] = field(default_factory=deque)

    def globally(self, now: float) -> Refused | None:
        """The limit on everything; it has no headers but those of its 429."""
        if self.rates.everything is None:
            return None
        window = self._window("everything", "", self.rates.everything)
        if window.take(now):
            return None
        return Refused(window.left(now), "global", (("X-RateLimit-Global", "true"),))

    def webhook(self, route: str, webhook_id: str, now: float) -> tuple[Headers, Refused | None]:
        """Count a request to a webhook's bucket; the headers go with whatever is answered."""
        window = self._window(route, webhook_id, self.rates.webhook)
        passed = window.take(now)
        headers = self._headers(route, window, now)
        return headers, None if passed else Refused(window.left(now), "user", headers)

    def channel(self, channel_id: str, headers: Headers, now: float) -> Refused | None:
        """The hidden limit. Its 429 carries the webhook's headers, which contradict it."""
        if self.rates.channel is None:
            return None
        window = self._window("channel", channel_id, self.rates.channel)
        return None if window.take(now) else Refused(window.left(now), "shared", headers)

    def note_invalid(self, now: float) -> None:
        self._invalid.append(now)

    def banned(self, now: float) -> bool:
        """Whether this address has sent too many invalid requests."""
        if self.rates.invalid is None:
            return False
        limit, period = self.rates.invalid
        while self._invalid and self._invalid[0] <= now - period:
            self._invalid.popleft()
        return len(self._invalid) >= limit

    def _window(self, kind: str, key: str, rate: tuple[int, float]) -> Window:
        return self._windows.setdefault((kind, key), Window(*rate))

    def _headers(self, route: str, window: Window, now: float) -> Headers:
        left = window.left(now)
        return (
            ("X-RateLimit-Limit", str(window.limit)),
            ("X-RateLimit-Remaining", str(window.limit - window.used)),
            ("X-RateLimit-Reset", f"{self.wall + now + left:.3f}"),
            ("X-RateLimit-Reset-After", f"{left:.3f}"),
            ("X-RateLimit-Bucket", hashlib.sha256(route.encode()).hexdigest()[:32]),
        )


def refusal(refused: Refused, *, milliseconds: bool) -> tuple[dict[str, object], Headers]:
    """Body and headers of a 429; API v6 counts in milliseconds."""
    shared = refused.scope == "shared"
    wait = round(refused.wait + 0.001, 3)
    body: dict[str, object] = {
        "message": "The resource is being rate limited." if shared else "You are being rate limited.",
        "retry_after": ceil(wait * 1000) if milliseconds else wait,
        "global": refused.scope == "global",
    }
    after = ceil(wait * 1000) if milliseconds else ceil(wait)
    return body, (*refused.headers, ("Retry-After", str(after)), ("X-RateLimit-Scope", refused.scope))
