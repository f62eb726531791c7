"""Questions about the webhook itself: its server's id, and once a day whether Discord still knows it.

Owns when it is asked. What follows from the answer is for refused/refusals.py.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from disgram.discord.message import RateLimitHeaders
from disgram.discord.responses import DiscordResponse
from disgram.errors import DiscordUnavailable, EditWaits, WebhookGone
from disgram.storage.channel_ledger import ChannelLedger
from disgram.storage.destinations import Destinations

DAY, HOUR = 86_400.0, 3600.0

_UNKNOWN = frozenset({10015, 50027})
"""Discord's own codes. A relay that knows no such request answers with a 404 of its own."""


class Requests(Protocol):
    """What destination_requests.DestinationRequests offers."""

    def make(self, method: str, send: Callable[[], DiscordResponse], /) -> DiscordResponse: ...
    def edit_given_up(self) -> None: ...


class WebhookLook:
    """For one worker. `look` is one request; `requests` gives what makes it, limits and all."""

    def __init__(
        self,
        webhook_id: str,
        ledger: ChannelLedger,
        look: Callable[[], DiscordResponse],
        requests: Callable[[], Requests],
    ) -> None:
        self._webhook_id, self._ledger = webhook_id, ledger
        self._look, self._requests = look, requests

    def ask(self) -> DiscordResponse:
        """Raises EditWaits."""
        return self._requests().make("GET", self._look)

    def quietly(self) -> DiscordResponse:
        """No reason in /health comes of it: maybe no later request would end that."""
        try:
            response = self.ask()
        except EditWaits as error:
            return DiscordResponse(RateLimitHeaders(), error)
        if isinstance(response.error, DiscordUnavailable):
            self._requests().edit_given_up()
        return response

    def guild_id(self) -> str:
        """The id of the webhook's server, for links to messages; "" if Discord does not say. Asked once and
        kept in the ledger."""
        known = self._ledger.guild(self._webhook_id)
        if known is None:
            try:
                response = self.ask()
            except EditWaits:
                return ""
            known = str(response.message.get("guild_id") or "")
            if not isinstance(response.error, DiscordUnavailable | WebhookGone):
                self._ledger.put_guild(self._webhook_id, known)
        return known


class DailyLook:
    """For one worker. `look` asks for the webhook and waits for no limit."""

    def __init__(self, webhook: str, destinations: Destinations, look: Callable[[], DiscordResponse]) -> None:
        self._webhook, self._destinations, self._look = webhook, destinations, look
        self._due_at = 0.0

    def unknown(self) -> WebhookGone | None:
        """The error, if a day is over and Discord says that it does not know the webhook. Raises
        StorageUnavailable."""
        now = self._destinations.now()
        if 0 < self._due_at - now <= DAY:  # a clock that was set back makes it due
            return None
        asked_at = self._destinations.asked_at(self._webhook)
        if asked_at is not None and 0 <= now - asked_at < DAY:
            self._due_at = asked_at + DAY
            return None
        self._due_at = now + DAY
        mine = self._destinations.claim_daily(self._webhook, asked_at, now)
        return self._answer(now) if mine and asked_at is not None else None

    def _answer(self, now: float) -> WebhookGone | None:
        response = self._look()
        if isinstance(response.error, DiscordUnavailable):
            again = now - DAY + HOUR
            self._destinations.claim_daily(self._webhook, now, again)
            self._due_at = again + DAY
        known = response.code not in _UNKNOWN
        return response.error if isinstance(response.error, WebhookGone) and not known else None
