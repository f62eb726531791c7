"""Destinations that refuse everything: what the ledger knows of them, and when one is asked again.

A webhook that is gone is asked once an hour with a GET (one that is not, once a day: daily_look.py); a
thread, or a destination that refuses, with the next post that is due. One worker asks; the others with that
destination read the answer from the ledger. So what heals by itself is found out, and what does not costs a
request an hour.

Owns the rows of `gone` and their times. Never speaks HTTP itself.
"""

from __future__ import annotations

import random
from collections.abc import Callable

from disgram.addresses import Destination
from disgram.backoff import backoff
from disgram.delivery.webhook_look import DailyLook
from disgram.discord.responses import DiscordResponse
from disgram.errors import DestinationRefuses, DiscordError, DiscordUnavailable, NotDiscord, WebhookGone
from disgram.report import Level, Reporter
from disgram.storage.destinations import Destinations, GoneRow

ASK_AGAIN = 3300.0
"""Seconds until what is gone is asked again. A worker that ended with exit code 78 starts after 3,600."""

JITTER = 300.0
"""Up to so many seconds earlier, so that not all are asked at the same moment."""

FIRST_RETRY = 30.0
"""Seconds until a destination that refuses is tried again; doubled by each refusal, up to ASK_AGAIN."""

UNREADABLE = 4
"""2xx in a row for one message that are not Discord's; each may have been a copy of it."""

ASKING = 90.0
"""Seconds one worker has for asking; then the next may."""


class Refusals:
    """For one worker. `look` asks for the webhook itself; `daily`: once a day, too."""

    def __init__(
        self,
        destination: Destination,
        channel: str,
        destinations: Destinations,
        look: Callable[[], DiscordResponse],
        *,
        report: Reporter,
        wait: Callable[[float], None],
        daily: DailyLook | None = None,
    ) -> None:
        self._webhook, self._thread = destination.webhook_key, destination.key
        self._channel = f"{destination.key}/{channel}"
        self._keys = tuple(dict.fromkeys((self._webhook, self._thread, self._channel)))
        self._destinations = destinations
        self._look = look
        self._daily = daily
        self._report = report
        self._wait = wait
        self._claims: dict[str, float] = {}
        """Destinations for which this worker's next POST is the question, and until when."""
        self.channel_tries = 0
        """How often in a row all posts of this channel were refused; 0: they were not."""

    def check(self) -> None:
        """At the start of a poll: raise WebhookGone or DestinationRefuses while nobody may ask; ask for a
        webhook whose hour is over."""
        rows = self._destinations.gone(*self._keys)
        self.channel_tries = max((row.tries for row in rows if row.destination == self._channel), default=0)
        for row in filter(None, map(self._awaited, rows)):
            self._raise_if_not_due(row)
            if row.reason == "webhook_gone":
                self._ask_for_webhook(row)
        if self._daily and (error := self._daily.unknown()):
            self.refused(error)
            raise error

    def peek(self) -> None:
        """Before a POST waits for the limiter: raise while nobody may ask."""
        for row in self._destinations.gone(*self._keys):
            self._raise_if_not_due(row)

    def claim(self) -> None:
        """Right before a POST: the same, and of several workers that may ask again one does."""
        for row in self._destinations.gone(*self._keys):
            self._raise_if_not_due(row)
            self._claim(row)

    def answered(self, error: DiscordError | None) -> None:
        """After the POST: keep what it says of the destination. Raises StorageUnavailable."""
        if isinstance(error, WebhookGone | DestinationRefuses):
            self.refused(error)
        elif error is None and self._claims:
            for destination in self._claims:
                self._destinations.accepts_again(destination)
            self._claims, self.channel_tries = {}, 0
            self._report(Level.STATUS, "Discord takes messages there again")

    def refused(self, error: WebhookGone | DestinationRefuses, *, channel_only: bool = False) -> None:
        """Nothing is sent there before it is due to be asked. `channel_only`: other channels go on."""
        reason = error.reason or "webhook_gone"
        whole = reason in {"webhook_gone", NotDiscord.reason}
        key = self._channel if channel_only else self._webhook if whole else self._thread
        tries = 1 + self.tries(key)
        self._destinations.mark_gone(
            GoneRow(key, reason, tries, self._destinations.now() + _pause(error, tries))
        )
        self._claims.pop(key, None)

    def tries(self, key: str | None = None) -> int:
        """Refusals in a row of this destination (None: of the webhook)."""
        return max((row.tries for row in self._destinations.gone(key or self._webhook)), default=0)

    @property
    def unreadable_tries(self) -> int:
        """How many 2xx in a row that are not Discord's are enough: one where they were seen before."""
        seen = any(row.reason == NotDiscord.reason for row in self._destinations.gone(self._webhook))
        return 1 if seen else UNREADABLE

    def _awaited(self, row: GoneRow) -> GoneRow | None:
        """The row once nobody asks: a worker that ended here would ask an hour later."""
        while isinstance(_error(row), WebhookGone) and 0 < row.ask_at - self._destinations.now() <= ASKING:
            self._wait(1.0)
            found = self._destinations.gone(row.destination)
            if not found:
                return None
            row = found[0]
        return row

    def _raise_if_not_due(self, row: GoneRow) -> None:
        """It is due also if the clock was set back: no row waits longer than ASK_AGAIN."""
        left = row.ask_at - self._destinations.now()
        mine = self._claims.get(row.destination) == row.ask_at
        if 0 < left <= ASK_AGAIN and not mine:
            raise _error(row)

    def _claim(self, row: GoneRow) -> None:
        """Raises if another worker was faster."""
        until = self._destinations.now() + ASKING
        if self._claims.get(row.destination) == row.ask_at:
            return
        if not self._destinations.claim_asking(row, until):
            raise _error(row)
        self._claims[row.destination] = until

    def _ask_for_webhook(self, row: GoneRow) -> None:
        self._claim(row)
        error = self._look().error
        if isinstance(error, WebhookGone):
            self.refused(error)
            raise error
        if isinstance(error, DiscordUnavailable):
            raise error
        self._destinations.accepts_again(row.destination)
        del self._claims[row.destination]
        self._report(Level.STATUS, "Discord knows the webhook again")


def _pause(error: DiscordError, tries: int) -> float:
    """Seconds until the next question after so many refusals in a row."""
    longest = ASK_AGAIN - random.uniform(0, JITTER)  # noqa: S311
    if isinstance(error, WebhookGone | NotDiscord):
        return longest
    return min(FIRST_RETRY * backoff(tries, ASK_AGAIN), longest)


def _error(row: GoneRow) -> DiscordError:
    found = f"found earlier: {row.reason}"
    if row.reason == NotDiscord.reason:
        return NotDiscord(found, known=True)
    if row.reason == DestinationRefuses.reason:
        return DestinationRefuses(found, known=True)
    return WebhookGone(found, reason=row.reason)
