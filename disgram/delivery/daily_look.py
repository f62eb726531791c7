"""Whether Discord still knows the webhook of a channel that posts seldom: asked once a day, by one worker.

Owns when it is asked. What follows from the answer is for refusals.py.
"""

from __future__ import annotations

from collections.abc import Callable

from disgram.discord.responses import DiscordResponse
from disgram.errors import DiscordUnavailable, WebhookGone
from disgram.storage.destinations import Destinations

DAY, HOUR = 86_400.0, 3600.0

_UNKNOWN = frozenset({10015, 50027})
"""Discord's own codes. A relay that knows no such request answers with a 404 of its own."""


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
