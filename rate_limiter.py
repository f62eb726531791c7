"""Discord's rate limits, kept by all workers of the host together.

The theory. A request is counted in up to three *lanes*, and starts when each has room for it:

* the bucket Discord announces in its headers. All webhooks report the same hash, so the lane is
  (hash, webhook id); before the first answer it is unknown, and one request goes through alone.
  (Discord's Rate Limits: buckets are "non-inclusive of top-level resources"; discord-api-docs #6753)
* the channel the message lands in. Discord allows about 30 messages a minute there, all webhooks
  together, and announces nothing: the limit is learned from its first 429, whose headers still
  claim room, or whose scope is `shared`. Until then requests of a channel start one after another,
  so that the lesson costs one 429 and not one per worker.
* the host: 50 requests a second for an address that sends no Authorization.

A lane has room for `size` requests per `window`, less those under way, less those that ended within
the last window. Counting from the end is what makes it safe: Discord counts a request somewhere
between its start and its end, so whatever kind of window it keeps, fixed or sliding, a request that
starts a window after another's end never meets it there. `remaining` and `reset_at` from the headers
narrow this further, for a webhook that others use too.

Waiting requests hold a ticket in the lane; the lowest starts first, so nobody starves. A ticket
whose owner does not come back in time is dropped. Sleeping happens outside the transaction.

Above the lanes stand pauses of the whole host: `global` 429s, and Cloudflare's refusals (a 429 or
403 that is not Discord's JSON), which last as long as `Retry-After` says, else a minute, doubling to
fifteen; at the end of each one request goes ahead as a probe. And the count of invalid requests
(401, 403, 404, 429 but for scope `shared`), of which Discord allows 10,000 in 10 minutes.

Owns that arithmetic. Never speaks HTTP, writes SQL or sleeps.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from disgram.addresses import Destination
from disgram.discord.message import RateLimitHeaders
from disgram.errors import StorageUnavailable
from disgram.storage.rate_limits import (
    BucketRow,
    LimitRows,
    LimitStore,
    PauseRow,
)

HOST_LIMIT = 50
"""Requests per second and address without Authorization (Rate Limits, "Global Rate Limit")."""

INVALID_LIMIT = 2_000
"""Of the 10,000 invalid requests in 10 minutes that end in a ban ("Invalid Request Limit")."""

CLOUDFLARE_PAUSE, CLOUDFLARE_PAUSE_MAX = 60.0, 900.0
"""Seconds, where Cloudflare names none: a minute, doubling to fifteen."""

HIDDEN_WINDOW = 60.0
"""Seconds of the unannounced channel limit, as it was measured (discord-api-docs #367, #1454)."""

LEARNED_FOR = 24 * 3600.0
"""Seconds a learned limit is believed before it is put to the test again, which costs one 429."""

GUESSED_FOR, HEARSAY_FOR = 600.0, 60.0
"""The same for a limit that is no 30 a minute, and for one whose 429 was not even of that limit's form."""

HISTORY = 150.0
"""Seconds of sending remembered per lane: more than any window."""

POLL = 0.03
"""Seconds between two looks while the room depends on requests under way."""

GRACE = 2.0
"""Seconds a waiting request may be late before its ticket is dropped."""

LONGEST_REQUEST = 180.0
"""Seconds after which a request under way is taken for dead (its worker was killed)."""

_SLACK = 0.005
_HOST, _GLOBAL, _CLOUDFLARE = "host", "global", "cloudflare"
_CHANNEL = "channel:"


class RateLimitBucket(BucketRow):
    """One lane, with the arithmetic. Immutable; `observed` and the like give the next state."""

    __slots__ = ()

    @classmethod
    def unknown(cls, name: str) -> RateLimitBucket:
        """A lane nothing is known of yet."""
        return cls(name, None, 0.0, 0, -math.inf, -math.inf, -math.inf)

    @property
    def is_channel(self) -> bool:
        """Its size is learned, not announced."""
        return self.name.startswith((_CHANNEL, "into:"))

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
            rounds, place = divmod(surplus - 1, self.size)
            opens = max(opens, done[min(place, len(done) - 1)] + (1 + rounds) * self.window + _SLACK)
        return opens

    def observed(self, now: float, facts: RateLimitHeaders) -> RateLimitBucket:
        """After an answer with rate-limit headers; answers may arrive in any order."""
        if facts.limit is None or facts.remaining is None or facts.reset_after is None:
            return self
        reset_at = now + facts.reset_after
        fresh = facts.limit != self.size
        window = facts.reset_after if fresh else max(self.window, facts.reset_after)
        if fresh or reset_at > self.reset_at + self.window / 2:
            remaining = facts.remaining
        else:  # the window we know: every answer gives an upper bound of its end
            remaining, reset_at = min(self.remaining, facts.remaining), min(self.reset_at, reset_at)
        return self._replace(size=facts.limit, window=window, remaining=remaining, reset_at=reset_at)

    def blocked(self, until: float) -> RateLimitBucket:
        """After a 429 of this lane."""
        return self._replace(blocked_until=max(self.blocked_until, until))

    def learned(
        self, now: float, done: Sequence[float], retry_after: float, *, announced: bool = True
    ) -> RateLimitBucket:
        """After a 429 that no header announced: what the channel must allow, going by what it took.

        `announced`: the 429 bore the webhook's own headers, as the hidden limit's does. One that does not, or
        that fits no minute, may have been about something else, and is believed for less long.
        """
        size, window = learn_hidden_limit(done, now, retry_after)
        if size == 0:
            return self
        if self.size is not None and size * self.window >= self.size * window:
            # Believed, still refused, and the new estimate is no stricter: a little less than before.
            size, window = max(1, self.size - 1), self.window
        trust = LEARNED_FOR if window == HIDDEN_WINDOW else GUESSED_FOR if announced else HEARSAY_FOR
        return self._replace(size=size, window=window, learned_at=now + trust - LEARNED_FOR)

    def believed(self, now: float) -> RateLimitBucket:
        """A learned limit that is too old to hold is unknown again."""
        outdated = self.is_channel and self.size is not None and now - self.learned_at > LEARNED_FOR
        return self._replace(size=None) if outdated else self


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


def cloudflare_pause(strikes: int, retry_after: float | None) -> float:
    """Seconds to stay away after so many refusals in a row (1 = the first)."""
    return retry_after or min(CLOUDFLARE_PAUSE * 2 ** (strikes - 1), CLOUDFLARE_PAUSE_MAX)


@dataclass(frozen=True, slots=True)
class Route:
    """Which lanes a request is counted in, by the names known before Discord's first answer."""

    owner: str
    webhook_id: str
    bucket: str
    channel: str = ""

    @classmethod
    def to(cls, method: str, owner: str, destination: Destination) -> Route:
        """A POST counts in the webhook's bucket and in the channel it lands in; other methods have buckets
        of their own and put no new message into the channel."""
        ident = destination.webhook_id
        into = f"into:{ident}:{destination.thread_id or ''}" if method == "POST" else ""
        return cls(owner, ident, f"{method}:{ident}", into)


class DiscordRateLimiter:
    """`acquire` before each request, `observe` after it. One per process; the store is shared by all."""

    def __init__(self, store: LimitStore, clock: Callable[[], float] = time.monotonic) -> None:
        self._store = store
        self._clock = clock

    @classmethod
    def open(cls, data_dir: Path) -> DiscordRateLimiter:
        """Over `limits.db` of a data directory. Raises StorageUnavailable."""
        return cls(LimitStore(data_dir / "limits.db"))

    def close(self) -> None:
        self._store.close()

    def acquire(self, route: Route, wait: Callable[[float], None]) -> int:
        """Return a ticket once the request may start. Raises what `wait` raises, and StorageUnavailable."""
        ticket = None
        try:
            while True:
                ticket, delay = self.ask(route, ticket)
                if delay <= 0:
                    return ticket
                wait(delay)
        except BaseException:
            if ticket is not None:
                with suppress(StorageUnavailable):  # the ticket runs out by itself
                    self.cancel(ticket)
            raise

    def ask(self, route: Route, ticket: int | None = None) -> tuple[int, float]:
        """One look: the ticket, and the seconds after which to look again (0: the request may start)."""
        now = self._clock()
        with self._store.transaction() as rows:
            rows.drop_dead(now - GRACE, now - LONGEST_REQUEST)
            bucket = rows.resolve(route.bucket)
            channel = rows.resolve(route.channel) if route.channel else ""
            if ticket is None or rows.request(ticket) is None:
                ticket = rows.queue(route.owner, bucket, channel, now)
            opens = max(
                _host_opens(rows, now), _lane_opens(rows, bucket, ticket, now),
                _lane_opens(rows, channel, ticket, now) if channel else now,
            )  # fmt: skip
            if opens <= now:
                rows.start(ticket, now)
                return ticket, 0.0
            rows.promise(ticket, opens)
        return ticket, opens - now

    def cancel(self, ticket: int) -> None:
        """The request will not be made."""
        with self._store.transaction() as rows:
            rows.finish(ticket)

    def observe(self, route: Route, ticket: int, facts: RateLimitHeaders) -> None:
        """The request ended, with or without an answer. Raises StorageUnavailable."""
        now = self._clock()
        with self._store.transaction() as rows:
            rows.finish(ticket)
            bucket = _renamed(rows, route.bucket, facts.bucket and f"{facts.bucket}:{route.webhook_id}")
            channel = route.channel and _renamed(
                rows, route.channel, facts.channel_id and f"{_CHANNEL}{facts.channel_id}"
            )
            if facts.invalid:
                rows.count_invalid(int(now // 60))
            if facts.cloudflare:
                _stay_away(rows, now, facts.retry_after)
                return
            if facts.answered:
                _all_clear(rows, now)
            if facts.retry_after is not None:
                _refused(rows, bucket, channel, now, facts, facts.retry_after)
                return
            for name in filter(None, (bucket, channel, _HOST)):
                rows.record_done(name, now, now - HISTORY)
            rows.put_lane(_load(rows, bucket).observed(now, facts))

    def abandon(self, owner: str) -> None:
        """A worker starts: what its predecessor had under way counts as sent just now."""
        now = self._clock()
        with self._store.reading() as rows:
            if not rows.of_owner(owner):  # nearly always: no need to queue for the store
                return
        with self._store.transaction() as rows:
            for request in rows.of_owner(owner):
                rows.finish(request.id)
                if request.started is not None:
                    for name in filter(None, (request.bucket, request.channel, _HOST)):
                        rows.record_done(name, now, now - HISTORY)

    def snapshot(self) -> dict[str, Any]:
        """For /health: limits, waits and counts. Holds webhook ids, never a token."""
        now = self._clock()
        with self._store.reading() as rows:
            lanes = [RateLimitBucket(*row).believed(now) for row in rows.lanes()]
            known = {lane.name: _shown(rows, lane, now) for lane in lanes if lane.size is not None}
            return {
                "active_buckets": len(known),
                "global_requests_per_second": len(rows.done_since(_HOST, now - 1)),
                "buckets": known,
                "invalid_requests": {
                    "last_10_minutes": rows.invalid_since(int(now // 60) - 9),
                    "stop_at": INVALID_LIMIT,
                },
                "paused_seconds": {
                    name: round(max(0.0, rows.pause(name).until - now), 1) for name in (_GLOBAL, _CLOUDFLARE)
                },
            }


def _load(rows: LimitRows, name: str) -> RateLimitBucket:
    row = rows.lane(name)
    return RateLimitBucket(*row) if row else RateLimitBucket.unknown(name)


def _renamed(rows: LimitRows, name: str, real: str | None) -> str:
    """The lane `name` stands for, after Discord has perhaps told its real one."""
    current = rows.resolve(name)
    if not real or real == current:
        return current
    rows.rename(name, current, real)
    return real


def _lane_opens(rows: LimitRows, name: str, ticket: int, now: float) -> float:
    """When this ticket may start as far as one lane goes; `now` or earlier: at once."""
    lane = _load(rows, name).believed(now)
    if lane.is_channel and lane.size is None:
        # One after another until the limit is known; an upload that takes its time holds nobody up.
        free, done = 1 - rows.under_way(name, since=now - 1.0), []
        free = min(free, 0) if now < lane.blocked_until else free
    else:
        done = rows.done_since(name, now - lane.window)
        free = lane.free(now, rows.under_way(name), done)
    ahead = rows.ahead(name, ticket)
    if free > ahead:
        return now
    opens = lane.opens_at(now, done, ahead + 1)
    return opens if opens > now else now + POLL * (ahead + 1)


def _host_opens(rows: LimitRows, now: float) -> float:
    """When the host may send at all."""
    cloudflare = rows.pause(_CLOUDFLARE)
    opens = max(cloudflare.until, rows.pause(_GLOBAL).until)
    if opens <= now and cloudflare.strikes and rows.all_under_way():
        opens = now + POLL  # somebody is probing
    if rows.invalid_since(int(now // 60) - 9) >= INVALID_LIMIT:
        opens = max(opens, now + 30.0)
    done = rows.done_since(_HOST, now - 1.0)
    if len(done) + rows.all_under_way() >= HOST_LIMIT:
        opens = max(opens, done[0] + 1.0 if done else now + POLL)
    return opens


def _stay_away(rows: LimitRows, now: float, retry_after: float | None) -> None:
    pause = rows.pause(_CLOUDFLARE)
    strikes = pause.strikes + 1 if now >= pause.until else max(1, pause.strikes)
    until = max(pause.until, now + cloudflare_pause(strikes, retry_after))
    rows.put_pause(_CLOUDFLARE, PauseRow(until, strikes))


def _all_clear(rows: LimitRows, now: float) -> None:
    """Discord itself answered. An answer that was under way when the block began proves nothing."""
    pause = rows.pause(_CLOUDFLARE)
    if pause.strikes and now >= pause.until:
        rows.put_pause(_CLOUDFLARE, PauseRow(now, 0))


def _refused(
    rows: LimitRows, bucket: str, channel: str, now: float, facts: RateLimitHeaders, retry_after: float
) -> None:
    """A 429 of Discord's own: block the lane it speaks of."""
    until = now + retry_after
    if facts.is_global:
        rows.put_pause(_GLOBAL, PauseRow(max(until, rows.pause(_GLOBAL).until), 0))
    elif channel and _is_hidden(_load(rows, bucket), facts, retry_after):
        lane = _load(rows, channel).believed(now)
        done = rows.done_since(channel, now - HISTORY)
        lane = lane.learned(now, done, retry_after, announced=facts.limit is not None)
        rows.put_lane(lane.blocked(until))
    else:
        rows.put_lane(_load(rows, bucket).observed(now, facts).blocked(until))


def _is_hidden(bucket: RateLimitBucket, facts: RateLimitHeaders, retry_after: float) -> bool:
    """Whether a 429 speaks of a limit its headers do not announce: they claim room, or a shorter wait."""
    announced = max(bucket.window, facts.reset_after or 0.0)
    return facts.scope == "shared" or (facts.remaining or 0) > 0 or retry_after > 2 * announced + 1


def _shown(rows: LimitRows, lane: RateLimitBucket, now: float) -> dict[str, Any]:
    done = len(rows.done_since(lane.name, now - lane.window))
    return {
        "limit": lane.size,
        "window_seconds": round(lane.window, 1),
        "used": done,
        "learned": lane.is_channel,
        "blocked_seconds": round(max(0.0, lane.blocked_until - now), 1),
        "waiting": rows.ahead(lane.name, 2**62),
    }
