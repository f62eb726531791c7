"""Requests to one destination, one at a time: the limiter before and after, and what the answer changes.

Owns the order of it: known refusals first, then the limiter's turn, the request, what is kept of a
refusal, the limiter's lesson, and what /health says of Discord. Never builds a message.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from disgram.delivery.limit_wait import LimitWait
from disgram.delivery.refused.poison import is_plain_429
from disgram.delivery.refused.refusals import Refusals
from disgram.discord.message import RateLimitHeaders
from disgram.discord.responses import DiscordResponse
from disgram.errors import DiscordError, DiscordUnavailable, EditWaits, RateLimited, StorageUnavailable
from disgram.report import Level, Reporter

STORAGE_RETRY = 5.0
"""Seconds between two tries to write the ledger."""


class Limiter(Protocol):
    """What rate_limiter.DiscordRateLimiter offers; `Any` stands for its Route."""

    def acquire(self, route: Any, wait: Callable[[float], None], /) -> int: ...
    def try_acquire(self, route: Any, /) -> int | None: ...
    def blocked_by_cloudflare(self) -> bool: ...
    def cancel(self, ticket: int, /) -> None: ...
    def observe(self, route: Any, ticket: int, headers: RateLimitHeaders, /) -> None: ...


class RouteFor(Protocol):
    """Makes the limiter's route for a method (`POST`, `PATCH`, `DELETE`, `GET`)."""

    def __call__(self, method: str, /) -> Any: ...


class DestinationRequests:
    """One per worker. `route` makes the limiter's key of a method; `wait` raises Stopping on SIGTERM; `clock`
    is monotonic."""

    def __init__(
        self,
        refusals: Refusals,
        limiter: Limiter,
        route: RouteFor,
        *,
        report: Reporter,
        wait: Callable[[float], None],
        clock: Callable[[], float],
    ) -> None:
        self._refusals = refusals
        self._limiter = limiter
        self._route = route
        self._report = report
        self._wait = wait
        self._limit_wait = LimitWait(report, wait, clock, limiter.blocked_by_cloudflare)
        self._unobserved: list[tuple[Any, int, RateLimitHeaders]] = []
        """Requests that have ended and that the limiter could not be informed of yet."""
        self._asked = False
        self.health_reason: str | None = None
        """The `reason` of /health after the last request: why Discord is unavailable, None if it is not."""

    def make(self, method: str, send: Callable[[], DiscordResponse]) -> DiscordResponse:
        """One request. A POST waits for the limiter, and only it says whether messages are taken: raises
        WebhookGone and DestinationRefuses where they are known not to be. What is no POST holds no post up:
        raises EditWaits where the limiter does not let it start now."""
        route, posts = self._route(method), method == "POST"
        if posts:
            self._refusals.peek()
        self.persist(self._observe)
        ticket = self._limiter.acquire(route, self._limit_wait) if posts else self._ticket_now(route)
        try:
            if posts:
                self._refusals.claim()  # another worker may have found out during the wait
            response = send()
        except BaseException:
            with suppress(StorageUnavailable):  # the limiter drops the ticket by itself after a while
                self._limiter.cancel(ticket)
            raise
        self._unobserved.append((route, ticket, response.rate_limit))
        if posts:  # before the limiter lets the next request start
            self.persist(self._refusals.answered, response.error)
        # Never wait here: the caller has to write down what became of the message.
        with suppress(StorageUnavailable):
            self._observe()
        self._report_availability(response.error, posts=posts)
        if posts and not isinstance(response.error, RateLimited):
            self._limit_wait.over()
        return response

    def _ticket_now(self, route: Any) -> int:
        ticket = self._limiter.try_acquire(route)
        if ticket is None:
            raise EditWaits("Discord's rate limit")
        return ticket

    def _observe(self) -> None:
        """Give the limiter the headers of ended requests. Raises StorageUnavailable, and is called again."""
        while self._unobserved:
            self._limiter.observe(*self._unobserved[0])
            del self._unobserved[0]

    def _report_availability(self, error: DiscordError | None, *, posts: bool) -> None:
        """Let /health and the log know when Discord becomes unavailable, and when it answers again."""
        if not self._asked:
            self._asked = True
            self._report(None, "", discord_asked=True)
        passes = is_plain_429(error) or isinstance(error, EditWaits)
        unavailable = isinstance(error, DiscordUnavailable) and not passes
        reason = error.reason if error and unavailable else None
        if reason != self.health_reason:
            self.health_reason = reason
            text = f"Discord is not available ({error})" if reason else "Discord answers again"
            self._report(Level.STATUS, text, reason=reason)
        elif posts and self._limit_wait.reason and not isinstance(error, RateLimited):
            self._report(Level.STATUS, "The wait for Discord's rate limit is over", reason=reason)

    def edit_given_up(self) -> None:
        """What failed was an edit that is not tried again: no later request would end the reason."""
        if self.health_reason == DiscordUnavailable.reason:
            self.health_reason = None

    def persist(self, write: Callable[..., None], *values: object) -> None:
        """Call `write(*values)` until it succeeds, however long the disk is full: what Discord confirmed must
        not be lost. Raises Stopping while it waits."""
        failed = False
        while True:
            try:
                write(*values)
                break
            except StorageUnavailable as error:
                if not failed:
                    self._report(
                        Level.ERROR,
                        f"Cannot write {error}; trying again every {STORAGE_RETRY:.0f} s, "
                        "nothing is sent until then",
                        reason=error.reason,
                    )
                failed = True
                self._wait(STORAGE_RETRY)
        if failed:
            self._report(Level.STATUS, "Writing works again", reason=None)
