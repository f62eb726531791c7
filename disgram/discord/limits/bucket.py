"""One rate limit as a value: how many requests may start now, and what an answer teaches about it.

Owns that arithmetic (the theory is in rate_limiter.py), and what of an answer is believed: headers of
another limit, a proxy's or a program's error can claim a limit of 0 or a reset in days (discord-api-docs
#5646, #7394). A bucket is immutable and time is an argument: nothing here waits, stores or sends.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from disgram.discord.message import RateLimitHeaders
from disgram.storage.limit_rows import CLOCK_SLACK, BucketRow

HIDDEN_SIZE, HIDDEN_WINDOW = 30, 60.0
"""The unannounced limit of a channel: messages per seconds, as measured (discord-api-docs #367, #1454)."""

LEARNED_FOR = 24 * 3600.0
"""Seconds a learned limit is used before it is tested again, which costs one 429."""

GUESSED_FOR, HEARSAY_FOR = 600.0, 60.0
"""The same for a limit that is not near 30 a minute, and for one whose 429 did not have that limit's form."""

HISTORY = 150.0
"""Seconds of sending remembered per bucket: more than any window that is learned from it alone."""

LARGEST_SIZE = 1000
"""Requests per window: far more than any route of Discord allows, and than a host may send."""

LONGEST_WINDOW = 600.0
"""Seconds: the longest window that Discord announces (renaming a channel, twice in ten minutes)."""

LONGEST_BLOCK = 1200.0
"""Seconds a 429 is obeyed. The longest one seen asked for 1163 (a PATCH, discord-api-docs #6109)."""

WINDOW_KNOWN_FOR = 60.0
"""Seconds, or a window if that is longer, after which a window that no answer confirmed may shrink."""

CHANNEL, NEW_CHANNEL = "channel:", "into:"
"""How the names of channel buckets begin: with a channel's id, or with a webhook's until it is known."""

_LONGEST_LEARNED = HISTORY + LONGEST_BLOCK
"""Seconds: the sending that is remembered, and the wait of the 429 that ended it."""

_SLACK = 0.005
"""Seconds a request starts later than it might, so that a clock's last digits do not matter."""

_ROUNDED_BY = 0.001
"""Seconds by which `Reset-After` may be too short: Discord gives it with three decimals."""


def capped(seconds: float, longest: float) -> float:
    """A wait that an answer asks for, as far as it is obeyed; one that is no length of time is none."""
    return min(seconds, longest) if seconds > 0 else 0.0


class RateLimitBucket(BucketRow):
    """One bucket, with the arithmetic. Immutable; `observed` and the like give the next state.

    `learned_at` of a bucket whose limit is announced: when an answer last confirmed its window.
    """

    __slots__ = ()

    @classmethod
    def unknown(cls, name: str) -> RateLimitBucket:
        """A bucket nothing is known of yet."""
        return cls(name, None, 0.0, 0, -math.inf, -math.inf, -math.inf)

    @property
    def is_channel(self) -> bool:
        """Its size is learned, not announced."""
        return self.name.startswith((CHANNEL, NEW_CHANNEL))

    def free(self, now: float, under_way: int, done: Sequence[float]) -> int:
        """How many requests may start now. `done`: ends within the last window. May be negative."""
        if now < self.blocked_until:
            return 0
        if self.size is None:
            return 1 - under_way
        free = self.size - under_way - len(done)
        return min(free, self.remaining - under_way) if now < self.reset_at else free

    def opens_at(self, now: float, done: Sequence[float], wanted: int) -> float:
        """The earliest moment at which `wanted` requests could start, going by what has ended."""
        opens = max(now, self.blocked_until)
        if self.size is None:
            return opens
        if now < self.reset_at and self.remaining < wanted:
            opens = max(opens, self.reset_at + _SLACK)
        surplus = wanted + len(done) - self.size
        if surplus > 0 and done:
            rounds, index = divmod(surplus - 1, self.size)
            opens = max(opens, done[min(index, len(done) - 1)] + (1 + rounds) * self.window + _SLACK)
        return opens

    def observed(self, now: float, headers: RateLimitHeaders) -> RateLimitBucket:
        """After an answer with rate-limit headers; answers may arrive in any order. Impossible ones teach
        nothing."""
        if headers.limit is None or headers.remaining is None or headers.reset_after is None:
            return self
        if not (0 < headers.limit <= LARGEST_SIZE and 0 <= headers.reset_after <= LONGEST_WINDOW):
            return self
        reset_after = headers.reset_after + _ROUNDED_BY
        reset_at = now + reset_after
        resized = headers.limit != self.size
        window = reset_after if resized or self._shrinks(now, headers) else max(self.window, reset_after)
        if resized or reset_at > self.reset_at + self.window / 2:
            remaining = max(0, headers.remaining)
        else:  # the window we know: every answer gives an upper bound of its end
            remaining, reset_at = min(self.remaining, headers.remaining), min(self.reset_at, reset_at)
        confirmed = reset_after >= window / 2
        return self._replace(
            size=headers.limit,
            window=window,
            remaining=remaining,
            reset_at=reset_at,
            learned_at=now if confirmed else self.learned_at,
        )

    def _shrinks(self, now: float, headers: RateLimitHeaders) -> bool:
        """Whether an answer shows that the window is shorter than one of long ago said. The first answer of
        a window tells its whole length."""
        first = (headers.remaining or 0) >= (headers.limit or 0) - 1
        return first and now - self.learned_at > max(WINDOW_KNOWN_FOR, self.window)

    def blocked(self, now: float, retry_after: float) -> RateLimitBucket:
        """After a 429 of this bucket."""
        until = now + capped(retry_after, LONGEST_BLOCK)
        return self._replace(blocked_until=max(self.blocked_until, until))

    def learned(
        self, now: float, done: Sequence[float], retry_after: float, *, announced: bool = True
    ) -> RateLimitBucket:
        """After a 429 that no header announced: what the channel must allow, going by what it took.

        `announced`: the 429 had the webhook's own headers, as the hidden limit's does. One without them, or
        one that fits no minute, may have been about something else, and is used for a shorter time.
        """
        size, window = learn_hidden_limit(done, now, retry_after)
        if size == 0:
            return self
        if self.size is not None and size * self.window >= self.size * window:
            # Refused although the learned limit was kept, and the new estimate is no stricter: one less.
            size, window = max(1, self.size - 1), self.window
        known = window == HIDDEN_WINDOW and size >= HIDDEN_SIZE / 2
        lifetime = LEARNED_FOR if known else GUESSED_FOR if announced else HEARSAY_FOR
        return self._replace(size=size, window=window, learned_at=now + lifetime - LEARNED_FOR)

    def assumed(self, now: float) -> RateLimitBucket:
        """A channel to which another host may have sent as much as the hidden limit lets pass: unless its
        limit is known, it is guessed to be that one."""
        if self.size is not None:
            return self
        return self._replace(
            size=HIDDEN_SIZE, window=HIDDEN_WINDOW, learned_at=now + GUESSED_FOR - LEARNED_FOR
        )

    def hides(self, headers: RateLimitHeaders, retry_after: float) -> bool:
        """Whether a 429 is about a limit its headers do not announce: they claim room, or a shorter wait."""
        announced = max(self.window, headers.reset_after or 0.0)
        return headers.scope == "shared" or (headers.remaining or 0) > 0 or retry_after > 2 * announced + 1

    def shown(
        self, now: float, used: Mapping[str, int], waiting: Mapping[str, int]
    ) -> tuple[str, dict[str, Any]]:
        """Its name, and what /health says of it. `used`: how many requests ended within the last window,
        `waiting`: how many wait, by the names of buckets."""
        return self.name, {
            "limit": self.size,
            "window_seconds": round(self.window, 1),
            "used": used.get(self.name, 0),
            "learned": self.is_channel,
            "blocked_seconds": round(max(0.0, self.blocked_until - now), 1),
            "waiting": waiting.get(self.name, 0),
        }

    def believed(self, now: float) -> RateLimitBucket:
        """As it is used after it was read: a learned limit that is too old is unknown again, and so is what
        cannot be true, which an older Disgram may have stored."""
        bucket = self
        if not self._is_possible(now) or (self.is_channel and now - self.learned_at > LEARNED_FOR):
            bucket = bucket._replace(size=None)
        if self.blocked_until > now + LONGEST_BLOCK + CLOCK_SLACK:
            bucket = bucket._replace(blocked_until=-math.inf)
        return bucket

    def _is_possible(self, now: float) -> bool:
        if self.size is None:
            return True
        longest = _LONGEST_LEARNED if self.is_channel else LONGEST_WINDOW + _ROUNDED_BY
        began = self.learned_at if self.is_channel else self.reset_at - longest
        return 0 < self.size <= LARGEST_SIZE and 0 <= self.window <= longest and began <= now + CLOCK_SLACK


def learn_hidden_limit(done: Sequence[float], now: float, retry_after: float) -> tuple[int, float]:
    """(size, window) of a limit that let `done` pass and then asked to wait; size 0: nothing learned.

    If the k newest fill the window, it began with the k-th newest and ends after `retry_after`. Of all
    k, the one whose window comes nearest the known 60 s is taken if it is near, else all of `done`.
    """
    windows = [now - began + retry_after for began in reversed(done)]
    if not windows or retry_after < 1:
        return 0, 0.0
    nearest = min(range(len(windows)), key=lambda k: abs(windows[k] - HIDDEN_WINDOW))
    if abs(windows[nearest] - HIDDEN_WINDOW) <= 3.0:
        return nearest + 1, HIDDEN_WINDOW
    return len(windows), windows[-1]
