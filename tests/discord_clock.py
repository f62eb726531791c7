"""Discord's limits and many workers on one simulated clock: no sleep, an hour takes milliseconds.

`FixedWindow` and `SlidingWindow` are the two ways a server may count; `HiddenLimit` announces
nothing. `play` lets workers send through one real limiter and returns what the server saw.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from disgram.addresses import Destination
from disgram.discord.message import RateLimitHeaders
from disgram.storage.rate_limits import LimitStore
from rate_limiter import DiscordRateLimiter, Route


class Clock:
    """A monotonic clock that the test moves."""

    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class Server(Protocol):
    """Counts a request at its arrival and returns the headers of its answer."""

    def arrive(self, now: float) -> RateLimitHeaders: ...


@dataclass
class FixedWindow:
    """`size` per `window` seconds, the window beginning with the first request after the last one ended."""

    size: int = 5
    window: float = 2.0
    ends: float = float("-inf")
    used: int = 0

    def arrive(self, now: float) -> RateLimitHeaders:
        if now >= self.ends:
            self.ends, self.used = now + self.window, 0
        over = self.used >= self.size
        self.used += not over
        return announced(self.size, self.size - self.used, self.ends - now, refused=over)


@dataclass
class SlidingWindow:
    """`size` in any `window` seconds."""

    size: int = 5
    window: float = 2.0
    seen: list[float] = field(default_factory=list)

    def arrive(self, now: float) -> RateLimitHeaders:
        self.seen = [at for at in self.seen if at > now - self.window]
        over = len(self.seen) >= self.size
        if not over:
            self.seen.append(now)
        return announced(
            self.size, self.size - len(self.seen), self.seen[0] + self.window - now, refused=over
        )


@dataclass
class HiddenLimit:
    """Behind an announced limit, one that only its own 429 shows."""

    announcing: Server
    hidden: FixedWindow | SlidingWindow
    scope: str = "shared"
    claims_room: bool = True

    def arrive(self, now: float) -> RateLimitHeaders:
        headers = self.announcing.arrive(now)
        if headers.retry_after is not None:
            return headers
        verdict = self.hidden.arrive(now)
        if verdict.retry_after is None:
            return headers
        remaining = max(1, headers.remaining or 0) if self.claims_room else 0
        return RateLimitHeaders(
            answered=True, bucket="hash", limit=headers.limit, remaining=remaining,
            reset_after=headers.reset_after, retry_after=verdict.retry_after, scope=self.scope,
        )  # fmt: skip


def announced(size: int, remaining: int, reset_after: float, *, refused: bool) -> RateLimitHeaders:
    return RateLimitHeaders(
        answered=True, bucket="hash", limit=size, remaining=remaining, reset_after=round(reset_after, 3),
        retry_after=round(reset_after, 3) if refused else None, scope="user" if refused else None,
        channel_id=None if refused else "77",
    )  # fmt: skip


@dataclass
class Seen:
    """What the server saw: per worker the times of its accepted requests, and how many it refused."""

    accepted: list[tuple[float, str]] = field(default_factory=list)
    refused: int = 0

    @property
    def seconds(self) -> float:
        return self.accepted[-1][0] - self.accepted[0][0]

    @property
    def by_worker(self) -> Counter[str]:
        return Counter(worker for _, worker in self.accepted)


def play(
    path: Path,
    server: Server,
    posts: dict[str, int],
    *,
    latency: Callable[[int], tuple[float, float]] = lambda _: (0.004, 0.004),
    destination: Callable[[str], Destination] = lambda _: Destination("https://discord.com", "1", "t"),
    until: float = 10_000.0,
) -> Seen:
    """Let each worker send its posts one after another; a refused one is sent again.

    `latency(n)`: seconds on the way there and back of the n-th request.
    """
    clock, seen, turn, sent = Clock(), Seen(), 0, 0
    limiter = DiscordRateLimiter(LimitStore(path, boot="simulated"), clock)
    left, tickets = dict(posts), dict[str, int | None]()
    # The events: (when, tie-breaker, worker, the answer that arrives, or None: the worker asks).
    events: list[tuple[float, int, str, RateLimitHeaders | None]] = []
    for worker in posts:
        heapq.heappush(events, (clock.now, turn, worker, None))
        turn += 1
    while events and events[0][0] < 1000 + until:
        clock.now, _, worker, headers = heapq.heappop(events)
        turn += 1
        route = Route.to("POST", worker, destination(worker))
        if headers is not None:
            limiter.observe(route, tickets.pop(worker) or 0, headers)
            left[worker] -= headers.retry_after is None
            if left[worker]:
                heapq.heappush(events, (clock.now + 0.001, turn, worker, None))
            continue
        ticket, delay = limiter.ask(route, tickets.get(worker))
        tickets[worker] = ticket
        if delay > 0:
            heapq.heappush(events, (clock.now + delay, turn, worker, None))
            continue
        there, back = latency(sent)
        sent += 1
        arrival = clock.now + there
        answer = server.arrive(arrival)
        if answer.retry_after is None:
            seen.accepted.append((arrival, worker))
        else:
            seen.refused += 1
        heapq.heappush(events, (arrival + back, turn, worker, answer))
    return seen
