"""How an alert leaves: to a Discord webhook through the rate limiter, or to any other address by a POST.

Owns the requests. Imported only where ALERT_WEBHOOK_URL is set, since HTTP weighs megabytes.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Protocol

from disgram import __version__
from disgram.addresses import Destination
from disgram.discord.client import DiscordClient
from disgram.discord.message import DiscordMessage, RateLimitHeaders
from disgram.errors import HttpError, RateLimited, StorageUnavailable
from disgram.http.client import HttpClient

TIMEOUT = 10.0
"""Seconds to connect, and without a byte of the answer."""
TURN_WITHIN = 60.0
"""Seconds an alert waits in the limiter's queue, behind the posts that were there before it."""

SUPPRESS_EMBEDS = 1 << 2
"""An alert may name an address, of which Discord would show a card (Message Resource, Message Flags)."""


class Limiter(Protocol):
    """What rate_limiter.DiscordRateLimiter offers; `Any` stands for its Route."""

    def acquire(self, route: Any, wait: Callable[[float], None], /) -> int: ...
    def cancel(self, ticket: int, /) -> None: ...
    def observe(self, route: Any, ticket: int, headers: RateLimitHeaders, /) -> None: ...


class DiscordSender:
    """To a webhook, like any message. `wait` raises Stopping; `clock` is monotonic."""

    def __init__(
        self,
        destination: Destination,
        limiter: Limiter,
        route: Any,
        wait: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._destination, self._limiter, self._route = destination, limiter, route
        self._wait, self._clock = wait, clock
        self._client = DiscordClient(TIMEOUT)

    def __call__(self, content: str) -> None:
        """Raises DiscordError, StorageUnavailable and Stopping."""
        ticket = self._limiter.acquire(self._route, self._patiently())
        message = DiscordMessage(
            {"content": content, "allowed_mentions": {"parse": []}, "flags": SUPPRESS_EMBEDS}
        )
        try:
            answer = self._client.execute(self._destination, message, {})
        except BaseException:
            self._limiter.cancel(ticket)
            raise
        with suppress(StorageUnavailable):  # the limiter drops the ticket by itself
            self._limiter.observe(self._route, ticket, answer.rate_limit)
        if answer.error:
            raise answer.error

    def _patiently(self) -> Callable[[float], None]:
        until = self._clock() + TURN_WITHIN

        def wait(seconds: float) -> None:
            if (left := until - self._clock()) <= 0:
                raise RateLimited("no turn among the posts", retry_after=0.0)
            self._wait(min(seconds, left))

        return wait


class PlainSender:
    """To an address that takes `{"content": "…"}` and answers with a 2xx."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._http = HttpClient({"User-Agent": f"Disgram/{__version__}"}, (TIMEOUT, TIMEOUT))

    def __call__(self, content: str) -> None:
        """Raises HttpError."""
        body = json.dumps({"content": content}, ensure_ascii=False).encode()
        headers = {"Content-Type": "application/json"}
        with self._http.request("POST", self._url, headers=headers, body=body) as answer:
            if not 200 <= answer.status < 300:
                raise HttpError(f"answered with {answer.status}")
