"""Discord's rate limits, kept by all workers of the host together.

The theory. A request is counted in up to three *buckets*, and starts when each has room for it:

* the bucket Discord announces in its headers. All webhooks report the same hash, and so do POST and PATCH
  at times, though a 429 to one says nothing of the other: the bucket is (method, hash, webhook id).
  Before the first answer it is unknown, and one request goes through alone. (Discord's Rate Limits:
  buckets are "non-inclusive of top-level resources"; discord-api-docs #6753; #5646, #6109, #8073)
* the channel the message lands in. Discord allows about 30 messages a minute there, all webhooks
  together, and announces nothing: the limit is learned from its first 429, whose headers still
  claim room, or whose scope is `shared`. Until then requests of a channel start one after another,
  so that learning it costs one 429 and not one per worker.
* the host: 50 requests a second for an address that sends no Authorization.

A bucket has room for `size` requests per `window`, less those under way, less those that ended within
the last window. Counting from the end is what makes it safe: Discord counts a request somewhere
between its start and its end, so whatever kind of window it keeps, fixed or sliding, a request that
starts a window after another's end never meets it there. `remaining` and `reset_at` from the headers
narrow this further, for a webhook that others use too.

Waiting requests hold a ticket in their buckets; the lowest starts first, so nobody starves. A ticket
whose owner does not come back in time is dropped. Sleeping happens outside the transaction.

Above the buckets stand pauses of the whole host: `global` 429s, and Cloudflare's refusals (a 429 or
403 that is not Discord's JSON), which last as long as `Retry-After` says, else a minute, doubling to
fifteen; at the end of each one request goes ahead as a probe. (What of these answers an edit or a deletion
holds up its own bucket alone.) And the count of invalid requests
(401, 403, 404, 429 but for scope `shared`), of which Discord allows 10,000 in 10 minutes.

Of a webhook that another host had until now (disgram/hosts/) the ledger tells what was sent there: it counts
as if it were ours, and the hidden limit is guessed to be 30 a minute for a while.

No answer is believed without bounds: what no limit of Discord's can be teaches nothing, a wait is obeyed up
to the longest one that was ever real, and stored values are judged in the same way whenever they are read.

Owns the order of requests and what an answer changes; the arithmetic of one bucket and of a pause is in
disgram/discord/limits/. Never speaks HTTP, writes SQL or sleeps.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

from disgram.discord.limits.bucket import CHANNEL, HISTORY, LONGEST_BLOCK, RateLimitBucket, capped
from disgram.discord.limits.host_pause import LONGEST_PAUSE, HostPause, cloudflare_pause
from disgram.discord.limits.route import Route
from disgram.discord.message import RateLimitHeaders
from disgram.errors import StorageUnavailable
from disgram.storage.limit_rows import LimitRows
from disgram.storage.rate_limits import LimitStore

__all__ = ["DiscordRateLimiter", "RateLimitBucket", "Route"]

HOST_LIMIT = 50
"""Requests per second and address without Authorization (Rate Limits, "Global Rate Limit")."""

INVALID_LIMIT = 2_000
"""Of the 10,000 invalid requests in 10 minutes that end in a ban ("Invalid Request Limit")."""

POLL = 0.03
"""Seconds until a waiting request asks again while it depends on requests under way."""

GRACE = 2.0
"""Seconds a waiting request may be late before its ticket is dropped."""

LONGEST_REQUEST = 180.0
"""Seconds after which a request under way is taken for dead (its worker was killed)."""

UNKNOWN_WINDOW = 5.0
"""Seconds without a POST to a webhook after another host's last one, when nothing is known of its announced
limit, which has always been one of 2 s."""

_HOST, _GLOBAL, _CLOUDFLARE = "host", "global", "cloudflare"
_CHANGES = frozenset({"PATCH", "DELETE"})
"""Methods that change a message which is there; no post waits for them."""


class DiscordRateLimiter:
    """`acquire` before each request, `observe` after it. One per process; the store is shared by all.

    `on_wait` gets each wait in seconds, and for what it was: bucket, channel, host or cloudflare.
    """

    def __init__(
        self,
        store: LimitStore,
        clock: Callable[[], float] = time.monotonic,
        on_wait: Callable[[str, float], None] = lambda lane, seconds: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._on_wait = on_wait
        self._lane = _HOST
        store.delete_all_ahead_of(clock())

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
                lane = self._lane
                wait(delay)
                self._on_wait(lane, delay)
        except BaseException:
            if ticket is not None:
                with suppress(StorageUnavailable):  # the ticket runs out by itself
                    self.cancel(ticket)
            raise

    def try_acquire(self, route: Route) -> int | None:
        """A ticket if the request may start now, else None: for what never waits, such as an edit."""
        ticket, delay = self.ask(route)
        if delay <= 0:
            return ticket
        self.cancel(ticket)
        return None

    def ask(self, route: Route, ticket: int | None = None) -> tuple[int, float]:
        """The ticket, and the seconds after which to ask again with it (0: the request may start)."""
        now = self._clock()
        with self._store.transaction() as rows:
            rows.delete_overdue(now - GRACE, now - LONGEST_REQUEST, now + LONGEST_PAUSE)
            bucket = rows.resolve(route.bucket)
            channel = rows.resolve(route.channel_bucket) if route.channel_bucket else ""
            if ticket is None or rows.request(ticket) is None:
                ticket = rows.queue(route.owner, bucket, channel, now)
            opens, self._lane = max(
                (_bucket_opens(rows, bucket, ticket, now), "bucket"),
                (_bucket_opens(rows, channel, ticket, now) if channel else now, "channel"),
                _host_opens(rows, now),
            )
            opens = min(opens, now + LONGEST_PAUSE)  # a long queue; it asks again then
            if opens <= now:
                rows.start(ticket, now)
                return ticket, 0.0
            rows.put_due(ticket, opens)
        return ticket, opens - now

    def blocked_by_cloudflare(self) -> bool:
        """Whether requests wait for a pause that Cloudflare caused, maybe to another worker or before a
        restart. Raises StorageUnavailable."""
        now = self._clock()
        with self._store.reading() as rows:
            return _pause(rows, _CLOUDFLARE, now).until > now

    def cancel(self, ticket: int) -> None:
        """The request will not be made."""
        with self._store.transaction() as rows:
            rows.finish(ticket)

    def observe(self, route: Route, ticket: int, headers: RateLimitHeaders) -> None:
        """The request ended, with or without an answer. Raises StorageUnavailable."""
        now = self._clock()
        with self._store.transaction() as rows:
            rows.finish(ticket)
            bucket = _renamed(rows, route.bucket, headers.bucket and route.announced(headers.bucket))
            channel = route.channel_bucket and _renamed(
                rows, route.channel_bucket, headers.channel_id and f"{CHANNEL}{headers.channel_id}"
            )
            if headers.invalid:
                rows.count_invalid(int(now // 60))
            if headers.cloudflare:
                _refused_at_the_edge(rows, route, bucket, now, headers.retry_after)
                return
            pause = _pause(rows, _CLOUDFLARE, now)
            if headers.answered and pause.answered(now) != pause:
                rows.put_pause(_CLOUDFLARE, pause.answered(now))
            if headers.retry_after is not None:
                _block(rows, bucket, channel, now, headers, headers.retry_after)
                return
            _record_done(rows, now, bucket, channel)
            rows.put_bucket(_load(rows, bucket, now).observed(now, headers))

    def take_over(self, webhook_id: str, thread_id: str, ages: Sequence[float]) -> None:
        """Another host has sent there so many seconds ago; `ages` holds one for each message, the newest
        first. Raises StorageUnavailable."""
        now, route = self._clock(), Route.into("", webhook_id, thread_id)
        with self._store.transaction() as rows:
            bucket, channel = rows.resolve(route.bucket), rows.resolve(route.channel_bucket)
            for name in (bucket, channel):
                for age in ages:
                    rows.record_done(name, now - age, now - HISTORY)
            rows.put_bucket(_load(rows, bucket, now).blocked(now, UNKNOWN_WINDOW - ages[0]))
            rows.put_bucket(_load(rows, channel, now).assumed(now))

    def finish_abandoned(self, owner: str) -> None:
        """A worker starts: what an earlier process of it had under way counts as sent just now."""
        now = self._clock()
        with self._store.reading() as rows:
            if not rows.of_owner(owner):  # nearly always: no need to queue for the store
                return
        with self._store.transaction() as rows:
            for request in rows.of_owner(owner):
                rows.finish(request.id)
                if request.started is not None:
                    _record_done(rows, now, request.bucket, request.channel_bucket)

    def invalid_requests(self) -> int:
        """In the last ten minutes. Raises StorageUnavailable."""
        with self._store.reading() as rows:
            return rows.invalid_since(int(self._clock() // 60) - 9)

    def snapshot(self) -> dict[str, Any]:
        """For /health: limits, waits and counts. Holds webhook ids, never a token."""
        now = self._clock()
        with self._store.reading() as rows:
            buckets = [RateLimitBucket(*row).believed(now) for row in rows.buckets()]
            used, waiting = rows.done_in_windows(now), rows.waiting()
            shown = (bucket.shown(now, used, waiting) for bucket in buckets if bucket.size is not None)
            known = dict(shown)
            return {
                "active_buckets": len(known),
                "global_requests_per_second": len(rows.done_since(_HOST, now - 1)),
                "buckets": known,
                "invalid_requests": {
                    "last_10_minutes": rows.invalid_since(int(now // 60) - 9),
                    "stop_at": INVALID_LIMIT,
                },
                "paused_seconds": {
                    name: round(max(0.0, _pause(rows, name, now).until - now), 1)
                    for name in (_GLOBAL, _CLOUDFLARE)
                },
            }


def _load(rows: LimitRows, name: str, now: float) -> RateLimitBucket:
    row = rows.bucket(name)
    return RateLimitBucket(*row).believed(now) if row else RateLimitBucket.unknown(name)


def _pause(rows: LimitRows, name: str, now: float) -> HostPause:
    return HostPause(*rows.pause(name)).believed(now)


def _renamed(rows: LimitRows, name: str, real: str | None) -> str:
    """The bucket `name` stands for, after an answer that may have named the real one."""
    current = rows.resolve(name)
    if not real or real == current:
        return current
    rows.rename(name, current, real)
    return real


def _record_done(rows: LimitRows, now: float, bucket: str, channel: str) -> None:
    for name in filter(None, (bucket, channel, _HOST)):
        rows.record_done(name, now, now - HISTORY)


def _bucket_opens(rows: LimitRows, name: str, ticket: int, now: float) -> float:
    """When this ticket may start as far as one bucket goes; `now` or earlier: at once."""
    bucket = _load(rows, name, now)
    if bucket.is_channel and bucket.size is None:
        # One after another until the limit is known; a slow upload does not make the others wait.
        free, done = 1 - rows.under_way(name, since=now - 1.0), []
        free = min(free, 0) if now < bucket.blocked_until else free
    else:
        done = rows.done_since(name, now - bucket.window)
        free = bucket.free(now, rows.under_way(name), done)
    ahead = rows.ahead(name, ticket)
    if free > ahead:
        return now
    opens = bucket.opens_at(now, done, ahead + 1)
    return opens if opens > now else now + POLL * (ahead + 1)


def _host_opens(rows: LimitRows, now: float) -> tuple[float, str]:
    """When the host may send at all, and who says so."""
    cloudflare = _pause(rows, _CLOUDFLARE, now)
    opens = max((_pause(rows, _GLOBAL, now).until, _HOST), (cloudflare.until, _CLOUDFLARE))
    if opens[0] <= now and cloudflare.strikes and rows.all_under_way():
        opens = now + POLL, _CLOUDFLARE  # another request is the probe
    if rows.invalid_since(int(now // 60) - 9) >= INVALID_LIMIT:
        opens = max(opens, (now + 30.0, _HOST))
    done = rows.done_since(_HOST, now - 1.0)
    if len(done) + rows.all_under_way() >= HOST_LIMIT:
        opens = max(opens, (done[0] + 1.0 if done else now + POLL, _HOST))
    return opens


def _refused_at_the_edge(
    rows: LimitRows, route: Route, bucket: str, now: float, retry_after: float | None
) -> None:
    """By Cloudflare: the host pauses. A refused edit or deletion holds up its own kind alone; if the whole
    host is meant, the next post finds out."""
    if route.method in _CHANGES:
        blocked = _load(rows, bucket, now).blocked(now, cloudflare_pause(1, retry_after))
        rows.put_bucket(blocked)
    else:
        rows.put_pause(_CLOUDFLARE, _pause(rows, _CLOUDFLARE, now).refused(now, retry_after))


def _block(
    rows: LimitRows, bucket: str, channel: str, now: float, headers: RateLimitHeaders, retry_after: float
) -> None:
    """A 429 of Discord's own: block the bucket it is about, or the host."""
    retry_after = capped(retry_after, LONGEST_BLOCK)
    if headers.is_global:
        rows.put_pause(_GLOBAL, _pause(rows, _GLOBAL, now).prolonged(now, retry_after))
    elif channel and _load(rows, bucket, now).hides(headers, retry_after):
        done = rows.done_since(channel, now - HISTORY)
        learned = _load(rows, channel, now)
        learned = learned.learned(now, done, retry_after, announced=headers.limit is not None)
        rows.put_bucket(learned.blocked(now, retry_after))
    else:
        rows.put_bucket(_load(rows, bucket, now).observed(now, headers).blocked(now, retry_after))
