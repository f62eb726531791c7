"""One message at a time through the limiter to Discord, with the ledger written before and after.

Owns what "at least once, and twice only in doubt" means: `attempting` before a request, `sent` after
its 2xx, the same message again after anything else that may pass, and an ERROR line for each case in
which a message may have arrived without a confirmation. Never renders, never reads t.me.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, Protocol

from disgram.addresses import Destination
from disgram.backoff import REQUEST_BACKOFF_MAX, jittered_backoff
from disgram.delivery.poison import PoisonDetector
from disgram.discord.client import DiscordClient
from disgram.discord.message import DiscordMessage, RateLimitHeaders
from disgram.discord.render import digest
from disgram.discord.responses import DiscordResponse
from disgram.errors import (
    CloudflareBlocked,
    DiscordError,
    DiscordUnavailable,
    MessageGone,
    RateLimited,
    StorageUnavailable,
    WebhookGone,
)
from disgram.report import Level, Reporter
from disgram.storage.ledger import ChannelLedger, MessageRow

TELL_WAITS_FROM = 30.0
"""Seconds of waiting for a limit from which on the log says so."""

STORAGE_RETRY = 5.0

PATIENCE = 4
"""429s of one message in a row from which on it backs off as well as waiting for the limiter."""


class Limiter(Protocol):
    """What rate_limiter.DiscordRateLimiter offers; `Any` stands for its Route."""

    def acquire(self, route: Any, wait: Callable[[float], None]) -> int: ...
    def cancel(self, ticket: int) -> None: ...
    def observe(self, route: Any, ticket: int, facts: RateLimitHeaders) -> None: ...


class RouteFor(Protocol):
    """Makes the limiter's route for a method (`POST`, `PATCH`, `DELETE`, `GET`)."""

    def __call__(self, method: str) -> Any: ...


class Sender:
    """One per worker: its destination, its ledger, its waits."""

    def __init__(
        self,
        destination: Destination,
        ledger: ChannelLedger,
        client: DiscordClient,
        limiter: Limiter,
        route: RouteFor,
        *,
        report: Reporter,
        wait: Callable[[float], None],
        backoff_max: float = REQUEST_BACKOFF_MAX,
        keep_payloads: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._destination = destination
        self._ledger = ledger
        self._client = client
        self._limiter = limiter
        self._route = route
        self._report = report
        self._wait = wait
        self._backoff_max = backoff_max
        self._keep_payloads = keep_payloads
        self.server_errors = PoisonDetector(clock)
        """Of the post whose turn it is; who begins with another one lets it forget."""
        self._unsettled: list[tuple[Any, int, RateLimitHeaders]] = []
        self.unwell: str | None = None
        """What /health shows of Discord, going by the last request: a reason, or None."""

    def post(
        self, post: int, part: int, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> MessageRow:
        """Send until Discord confirms. Raises what no repetition mends: PayloadTooLarge, MessageRejected,
        WebhookGone; after nothing but 500s for long, PoisonMessage (from then on, any DiscordUnavailable at
        the first try); and Stopping."""
        row = self.row(part, message)
        failures = 0
        while True:
            answer = self._try(post, row, message, files)
            given_up = self.server_errors.after(answer.error)
            if answer.error is None:
                row = row._replace(
                    state="sent",
                    message_id=str(answer.message.get("id", "")),
                    channel_id=str(answer.message.get("channel_id", "")),
                )
                self.book(self._ledger.put_message, post, row)
                return row
            if not isinstance(answer.error, DiscordUnavailable):
                self.book(self._ledger.drop_message, post, part)
                raise answer.error
            failures += 1
            self._told(post, answer.error)
            if not answer.error.ambiguous:
                self.book(self._ledger.drop_message, post, part)
            if given_up:
                raise given_up
            # The limiter itself waits for a 429; but one that is repeated and names no time must end.
            if not isinstance(answer.error, RateLimited) or failures >= PATIENCE:
                self._wait(jittered_backoff(failures, self._backoff_max))

    def _try(
        self, post: int, row: MessageRow, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> DiscordResponse:
        """One attempt. It is booked when its turn has come, not before: a worker killed while it waits for
        a limit leaves no doubt behind."""

        def send() -> DiscordResponse:
            self.book(self._ledger.put_message, post, row)
            return self._client.execute(self._destination, message, files)

        return self._request("POST", send)

    def edit(
        self,
        post: int,
        old: MessageRow,
        message: DiscordMessage,
        request: DiscordMessage,
        files: Mapping[int, IO[bytes]],
    ) -> None:
        """Make an old message look like `message` by PATCHing it with `request`, which leaves out what stays.

        One try: an edit can wait for the next poll. Raises DiscordError; MessageGone also for a message whose
        id was never learned (its confirmation was cut off), which nobody can address.
        """
        if not old.message_id:
            raise MessageGone("Discord confirmed it without an id that could be read")
        ident = old.message_id
        answer = self._request("PATCH", lambda: self._client.edit(self._destination, ident, request, files))
        if answer.error:
            raise answer.error
        row = self.row(old.position, message)
        row = row._replace(state="sent", message_id=ident, channel_id=old.channel_id)
        self.book(self._ledger.put_message, post, row)

    def delete(self, post: int, old: MessageRow) -> None:
        """Remove a message; one that is gone already is fine. One try. Raises DiscordError."""
        if ident := old.message_id:  # without one the address would be no message's, and its 404 a webhook's
            answer = self._request("DELETE", lambda: self._client.delete(self._destination, ident))
            if answer.error and not isinstance(answer.error, MessageGone):
                raise answer.error
        self.book(self._ledger.drop_message, post, old.position)

    def guild(self) -> str:
        """The id of the server, for links to messages; "" where Discord does not tell. Asked once ever."""
        known = self._ledger.guild(self._destination.webhook_id)
        if known is None:
            answer = self._request("GET", lambda: self._client.look(self._destination))
            known = str(answer.message.get("guild_id") or "")
            if not isinstance(answer.error, DiscordUnavailable | WebhookGone):
                self._ledger.put_guild(self._destination.webhook_id, known)
        return known

    def _request(self, method: str, send: Callable[[], DiscordResponse]) -> DiscordResponse:
        """One request when its turn comes. A webhook known to be gone is not called."""
        route = self._route(method)
        self.refuse_if_gone()
        self.book(self._settle)
        ticket = self._limiter.acquire(route, self._wait_for_limit)
        try:
            self.refuse_if_gone()  # somebody may have found out while this one waited
            answer = send()
        except BaseException:
            with suppress(StorageUnavailable):  # the ticket runs out by itself
                self._limiter.cancel(ticket)
            raise
        self._unsettled.append((route, ticket, answer.facts))
        if isinstance(answer.error, WebhookGone):  # before the next in the queue may start
            reason = answer.error.reason or "webhook_gone"
            self.book(self._ledger.mark_gone, self._grave(reason), reason)
        # What Discord said of the message is booked first: it must not wait for the limiter's file.
        with suppress(StorageUnavailable):
            self._settle()
        self._note_health(answer.error)
        return answer

    def _settle(self) -> None:
        """Tell the limiter how requests ended. Raises StorageUnavailable; what is left is told later."""
        while self._unsettled:
            self._limiter.observe(*self._unsettled[0])
            del self._unsettled[0]

    def _grave(self, reason: str) -> str:
        """The key under which a death is written: a webhook dies for all its threads."""
        return self._destination.webhook_key if reason == "webhook_gone" else self._destination.key

    def refuse_if_gone(self) -> None:
        """Raise WebhookGone if any worker found this webhook gone and nobody has looked after it since."""
        for key in (self._destination.webhook_key, self._destination.key):
            reason = self._ledger.gone(key)
            if reason:
                raise WebhookGone("found gone before; PATCH the job once it is repaired", reason=reason)

    def row(self, part: int, message: DiscordMessage) -> MessageRow:
        """What the ledger keeps of a message that is about to be sent."""
        return MessageRow(
            part,
            "attempting",
            digest=digest(message),
            files=json.dumps([upload.filename for upload in message.uploads]),
            payload=json.dumps(message.payload, ensure_ascii=False) if self._keep_payloads else None,
        )

    def _told(self, post: int, error: DiscordUnavailable) -> None:
        if error.ambiguous:
            self._report(
                Level.ERROR,
                f"Post {post}: Discord did not confirm the message ({error}); "
                "sending it again, it may appear twice",
            )
        elif isinstance(error, RateLimited) and not isinstance(error, CloudflareBlocked):
            self._report(Level.STATUS, f"Post {post}: Discord asks to wait {error.retry_after:.1f} s")
        else:
            self._report(Level.ERROR, f"Post {post}: {error}; it is kept and tried again")

    def _note_health(self, error: DiscordError | None) -> None:
        """Tell /health when Discord stops answering, and when it answers again."""
        plain_429 = isinstance(error, RateLimited) and not isinstance(error, CloudflareBlocked)
        reason = error.reason if isinstance(error, DiscordUnavailable) and not plain_429 else None
        if reason != self.unwell:
            self.unwell = reason
            self._report(
                Level.STATUS,
                f"Discord is not available: {error}" if reason else "Discord answers again",
                reason=reason,
            )

    def _wait_for_limit(self, seconds: float) -> None:
        if seconds >= TELL_WAITS_FROM:
            self._report(Level.STATUS, f"Waiting {seconds:.0f} s for Discord's rate limit")
        self._wait(seconds)

    def book(self, write: Callable[..., None], *values: object) -> None:
        """Write, however long the disk stays full: what Discord confirmed must not be forgotten."""
        told = False
        while True:
            try:
                write(*values)
                break
            except StorageUnavailable as error:
                if not told:
                    self._report(Level.ERROR, f"Cannot write {error}; waiting", reason=error.reason)
                told = True
                self._wait(STORAGE_RETRY)
        if told:
            self._report(Level.STATUS, "Writing works again", reason=None)
