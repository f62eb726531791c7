"""Asks Discord about webhooks, and sends a test message, from the service: within seconds, and through the
limiter like every request.

Owns what an answer means for a person. Never decides what follows from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from disgram.addresses import Destination
from disgram.checks.bounded_calls import BoundedCalls, Deadline, OutOfTime
from disgram.discord.message import DiscordMessage, RateLimitHeaders
from disgram.errors import StorageUnavailable, WebhookGone

if TYPE_CHECKING:
    from disgram.discord.client import DiscordClient
    from disgram.discord.responses import DiscordResponse

ANSWER_WITHIN = 4.5
"""Seconds for all webhooks of one request, which is answered within five."""

AT_ONCE = 8

_UNKNOWN = frozenset({10015, 50027})
"""Unknown Webhook, Invalid Webhook Token (Opcodes and Status Codes)."""

_MOST_SHOWN = 80
"""Characters of a webhook's name, which is Discord's bound, too."""

TEST_MESSAGE = DiscordMessage(
    {
        "content": "This is a test of Disgram: posts of the job's channels will appear here.",
        "allowed_mentions": {"parse": []},
    }
)

TEST_THREAD = DiscordMessage(TEST_MESSAGE.payload | {"thread_name": "Test of Disgram"})


class Limiter(Protocol):
    """What rate_limiter.DiscordRateLimiter offers; `Any` stands for its Route."""

    def acquire(self, route: Any, wait: Callable[[float], None], /) -> int: ...
    def cancel(self, ticket: int, /) -> None: ...
    def observe(self, route: Any, ticket: int, headers: RateLimitHeaders, /) -> None: ...


@dataclass(frozen=True)
class WebhookAnswer:
    """`ok`: Discord knows the webhook (or took the message); False: it does not; None: it could not be asked.
    `message`: one sentence for a person."""

    ok: bool | None
    message: str
    name: str | None = None
    channel_id: str | None = None
    guild_id: str | None = None


NOT_ASKED = WebhookAnswer(None, "Discord did not answer in time.")


class WebhookLookup:
    """For any thread. `route` makes the limiter's key of a method and a destination; `elsewhere` names
    another host, if one sends to the webhook of this id: its limit is known there."""

    def __init__(
        self,
        limiter: Limiter,
        route: Callable[[str, Destination], Any],
        elsewhere: Callable[[str], str | None] = lambda webhook_id: None,
    ) -> None:
        self._limiter, self._route, self._elsewhere = limiter, route, elsewhere
        self._calls = BoundedCalls(AT_ONCE)

    def ask(self, webhooks: Collection[Destination]) -> dict[str, WebhookAnswer]:
        """By `webhook_key`, within ANSWER_WITHIN."""
        known = {webhook.webhook_key: webhook for webhook in webhooks}
        found = self._calls.run(
            {key: partial(self._ask, webhook) for key, webhook in known.items()}, ANSWER_WITHIN
        )
        return {key: found.get(key, NOT_ASKED) for key in known}

    def send_test(self, destination: Destination, *, new_thread: bool = False) -> WebhookAnswer:
        """Whether Discord takes a message there, within ANSWER_WITHIN. `new_thread`: of a forum. Raises
        StorageUnavailable if it is not known which host may send there."""
        if host := self._elsewhere(destination.webhook_id):
            return WebhookAnswer(
                None,
                f"The test message was not sent: host {host} keeps this webhook's limit, ask it instead.",
            )
        found = self._calls.run({"test": partial(self._send_test, destination, new_thread)}, ANSWER_WITHIN)
        return found.get("test", NOT_ASKED)

    def _ask(self, webhook: Destination, deadline: Deadline) -> WebhookAnswer:
        return _understood(self._request("GET", webhook, lambda client: client.look(webhook), deadline))

    def _send_test(self, destination: Destination, new_thread: bool, deadline: Deadline) -> WebhookAnswer:
        message = TEST_THREAD if new_thread else TEST_MESSAGE
        response = self._request(
            "POST", destination, lambda client: client.execute(destination, message, {}), deadline
        )
        if isinstance(response, WebhookAnswer):
            return response
        if response.error is None:
            return WebhookAnswer(True, "Discord has taken the test message.")
        refused = isinstance(response.error, WebhookGone) or response.code
        return WebhookAnswer(False if refused else None, f"The test message was not taken: {response.error}.")

    def _request(
        self,
        method: str,
        destination: Destination,
        send: Callable[[DiscordClient], DiscordResponse],
        deadline: Deadline,
    ) -> DiscordResponse | WebhookAnswer:
        from disgram.discord.client import DiscordClient  # only here: requests weighs more than the API

        route = self._route(method, destination)
        try:
            ticket = self._limiter.acquire(route, deadline.wait)
        except OutOfTime:
            return WebhookAnswer(None, "Discord's rate limits let no request through now.")
        except StorageUnavailable as error:
            return WebhookAnswer(None, f"{error}.")
        client = DiscordClient(max(0.1, deadline.left))
        try:
            response = send(client)
        except BaseException:
            with suppress(StorageUnavailable):
                self._limiter.cancel(ticket)
            raise
        finally:
            client.close()
        with suppress(StorageUnavailable):
            self._limiter.observe(route, ticket, response.rate_limit)
        return response


def _understood(response: DiscordResponse | WebhookAnswer) -> WebhookAnswer:
    if isinstance(response, WebhookAnswer):
        return response
    if response.error:
        known = response.code not in _UNKNOWN
        what = "Discord cannot be asked now" if known else "Discord does not know this webhook"
        return WebhookAnswer(None if known else False, f"{what}: {response.error}.")
    name, channel_id, guild_id = (
        _text(response.message.get(field)) for field in ("name", "channel_id", "guild_id")
    )
    where = f"the channel {channel_id}" if channel_id else "a channel that Discord does not name"
    through = f" (webhook {name!r})" if name else ""
    return WebhookAnswer(True, f"Posts go to {where}{through}.", name, channel_id, guild_id)


def _text(value: object) -> str | None:
    """What stands in an answer is not ours: no lone surrogate, and not too long."""
    text = value if isinstance(value, str) else ""
    return text.encode("utf-8", "replace").decode()[:_MOST_SHOWN] or None
