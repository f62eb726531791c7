"""One message at a time to Discord, through the rate limiter, with the ledger written before and after.

Owns "at least once, and twice only where nobody can know": a message is `attempting` in the ledger before
its request and `sent` after its 2xx; after any other response that may pass it is sent again; and an ERROR
line names each message that may have arrived without a confirmation. Never renders, never reads t.me.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import IO, Any, Protocol

from disgram.addresses import ChannelRef, Destination
from disgram.backoff import REQUEST_BACKOFF_MAX, jittered_backoff
from disgram.delivery.limit_wait import LimitWait
from disgram.delivery.poison import PoisonDetector, is_plain_429
from disgram.discord.client import DiscordClient
from disgram.discord.message import DiscordMessage, RateLimitHeaders
from disgram.discord.render import digest, edited
from disgram.discord.responses import DiscordResponse
from disgram.errors import (
    DiscordError,
    DiscordUnavailable,
    MessageGone,
    RateLimited,
    StorageUnavailable,
    WebhookGone,
)
from disgram.report import Level, Reporter
from disgram.storage.ledger import ChannelLedger, MessageRow

STORAGE_RETRY = 5.0
"""Seconds between two tries to write the ledger."""

RATE_LIMIT_TRIES = 4
"""429s of one message in a row from which on it backs off as well as waiting for the limiter."""


class Limiter(Protocol):
    """What rate_limiter.DiscordRateLimiter offers; `Any` stands for its Route."""

    def acquire(self, route: Any, wait: Callable[[float], None], /) -> int: ...
    def blocked_by_cloudflare(self) -> bool: ...
    def cancel(self, ticket: int, /) -> None: ...
    def observe(self, route: Any, ticket: int, headers: RateLimitHeaders, /) -> None: ...


class RouteFor(Protocol):
    """Makes the limiter's route for a method (`POST`, `PATCH`, `DELETE`, `GET`)."""

    def __call__(self, method: str, /) -> Any: ...


class Sender:
    """One per worker. `route` makes the limiter's key of a method; `wait` raises Stopping on SIGTERM;
    `keep_payloads`: keep what was sent, for FOLLOW_DELETIONS=mark; `clock` is monotonic."""

    def __init__(
        self,
        channel: ChannelRef,
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
        self._channel = channel
        self._destination = destination
        self._ledger = ledger
        self._client = client
        self._limiter = limiter
        self._route = route
        self._report = report
        self._wait = wait
        self._backoff_max = backoff_max
        self._keep_payloads = keep_payloads
        self._limit_wait = LimitWait(report, wait, clock, limiter.blocked_by_cloudflare)
        self.poison = PoisonDetector(clock)
        """Counts for one post: reset it before the messages of another."""
        self._unobserved: list[tuple[Any, int, RateLimitHeaders]] = []
        """Requests that have ended and that the limiter could not be informed of yet."""
        self.buttons_ignored = False
        """Discord took a message and left out its link buttons."""
        self.health_reason: str | None = None
        """The `reason` of /health after the last request: why Discord is unavailable, None if it is not."""

    # messages --------------------------------------------------------------------------------

    def send(
        self, post_id: int, position: int, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> MessageRow:
        """Send message `position` of a post until Discord confirms it, and return its row in the ledger.

        Raises PayloadTooLarge, MessageRejected and WebhookGone at once; PoisonMessage after too many 500s,
        and from then on any DiscordUnavailable at the first try; Stopping while it waits.
        """
        row = self.new_row(position, message)
        failures = 0
        while True:
            response = self._send_once(post_id, row, message, files)
            give_up = self.poison.record(response.error)
            if response.error is None:
                self.buttons_ignored |= _ignores_buttons(message, response)
                row = row._replace(
                    state="sent",
                    message_id=str(response.message.get("id", "")),
                    channel_id=str(response.message.get("channel_id", "")),
                )
                self.persist(self._ledger.put_message, post_id, row)
                return row
            if not isinstance(response.error, DiscordUnavailable):
                self.persist(self._ledger.drop_message, post_id, position)
                raise response.error
            failures += 1
            self._report_failure(post_id, response.error)
            if not response.error.ambiguous:
                self.persist(self._ledger.drop_message, post_id, position)
            if give_up:
                raise give_up
            # The limiter waits for a 429 by itself; but one that is repeated may name no time.
            if not isinstance(response.error, RateLimited) or failures >= RATE_LIMIT_TRIES:
                self._wait(jittered_backoff(failures, self._backoff_max))

    def _send_once(
        self, post_id: int, row: MessageRow, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> DiscordResponse:
        """One attempt. Its row is written when the limiter lets it start, not before: a worker that is killed
        while it waits for a limit leaves no unconfirmed message behind."""

        def send() -> DiscordResponse:
            self.persist(self._ledger.put_message, post_id, row)
            return self._client.execute(self._destination, message, files)

        return self._request("POST", send)

    def edit(
        self,
        post_id: int,
        old: MessageRow,
        message: DiscordMessage,
        files: Mapping[int, IO[bytes]] | None = None,
    ) -> None:
        """Turn an old message into `message` with a PATCH. `files` None: it keeps the files it has.

        One try: an edit can wait for the next poll. Raises DiscordError; MessageGone also for a message whose
        id is unknown, since without it there is no address to PATCH.
        """
        if not old.message_id:
            raise MessageGone("its id is unknown: Discord's confirmation could not be read")
        message_id, body = old.message_id, edited(message)
        if files is None:
            request = DiscordMessage(body)
        else:  # a list of attachments without the old files removes them (Edit Webhook Message)
            attachments = message.payload.get("attachments", [])
            request = DiscordMessage(body | {"attachments": attachments}, message.uploads)
        response = self._request(
            "PATCH", lambda: self._client.edit(self._destination, message_id, request, files or {})
        )
        if response.error:
            raise response.error
        row = self.new_row(old.position, message)
        row = row._replace(state="sent", message_id=message_id, channel_id=old.channel_id)
        self.persist(self._ledger.put_message, post_id, row)

    def delete(self, post_id: int, old: MessageRow) -> None:
        """Delete a message; one that is gone already is fine. One try. Raises DiscordError."""
        if message_id := old.message_id:  # with none, the address would be the webhook's own
            response = self._request("DELETE", lambda: self._client.delete(self._destination, message_id))
            if response.error and not isinstance(response.error, MessageGone):
                raise response.error
        self.persist(self._ledger.drop_message, post_id, old.position)

    def guild_id(self) -> str:
        """The id of the webhook's server, for links to messages; "" if Discord does not say. Asked once and
        kept in the ledger."""
        known = self._ledger.guild(self._destination.webhook_id)
        if known is None:
            response = self._request("GET", lambda: self._client.look(self._destination))
            known = str(response.message.get("guild_id") or "")
            if not isinstance(response.error, DiscordUnavailable | WebhookGone):
                self._ledger.put_guild(self._destination.webhook_id, known)
        return known

    def new_row(self, position: int, message: DiscordMessage) -> MessageRow:
        """The ledger's row for a message that is about to be sent."""
        return MessageRow(
            position,
            "attempting",
            digest=digest(message),
            files=json.dumps([upload.filename for upload in message.uploads]),
            payload=json.dumps(message.payload, ensure_ascii=False) if self._keep_payloads else None,
        )

    def post_url(self, post_id: int) -> str:
        """A post's link in Telegram, for log lines."""
        return ChannelRef(self._channel.name, post_id).address

    # one request -----------------------------------------------------------------------------

    def _request(self, method: str, send: Callable[[], DiscordResponse]) -> DiscordResponse:
        """One request, once the limiter lets it start. Raises WebhookGone for one known to be gone."""
        route = self._route(method)
        self.raise_if_gone()
        self.persist(self._observe)
        ticket = self._limiter.acquire(route, self._limit_wait)
        try:
            self.raise_if_gone()  # another worker may have found out during the wait
            response = send()
        except BaseException:
            with suppress(StorageUnavailable):  # the limiter drops the ticket by itself after a while
                self._limiter.cancel(ticket)
            raise
        self._unobserved.append((route, ticket, response.rate_limit))
        if isinstance(response.error, WebhookGone):  # before the limiter lets the next request start
            reason = response.error.reason or "webhook_gone"
            self.persist(self._ledger.mark_gone, self._gone_key(reason), reason)
        # Never wait here: the caller has to write down what became of the message.
        with suppress(StorageUnavailable):
            self._observe()
        self._report_availability(response.error)
        return response

    def _observe(self) -> None:
        """Give the limiter the headers of ended requests. Raises StorageUnavailable, and is called again."""
        while self._unobserved:
            self._limiter.observe(*self._unobserved[0])
            del self._unobserved[0]

    def _gone_key(self, reason: str) -> str:
        """What is gone, as the ledger names it: the webhook with all its threads, or one thread."""
        return self._destination.webhook_key if reason == "webhook_gone" else self._destination.key

    def raise_if_gone(self) -> None:
        """Raise WebhookGone if any worker found it gone since a person last named it with POST or PATCH."""
        for key in (self._destination.webhook_key, self._destination.key):
            reason = self._ledger.gone(key)
            if reason:
                raise WebhookGone(f"found earlier: {reason}", reason=reason)

    # the log ---------------------------------------------------------------------------------

    def _report_failure(self, post_id: int, error: DiscordUnavailable) -> None:
        url = self.post_url(post_id)
        if error.ambiguous:
            self._report(
                Level.ERROR,
                f"Post {post_id}: Discord did not confirm the message ({error}); "
                f"sending it again, it may appear twice: {url}",
            )
        elif is_plain_429(error):
            self._report(
                Level.STATUS, f"Post {post_id}: Discord's rate limit ({error}); sending again: {url}"
            )
        else:
            self._report(
                Level.ERROR, f"Post {post_id}: Discord did not take it ({error}); sending it again: {url}"
            )

    def _report_availability(self, error: DiscordError | None) -> None:
        """Let /health and the log know when Discord becomes unavailable, and when it answers again."""
        unavailable = isinstance(error, DiscordUnavailable) and not is_plain_429(error)
        reason = error.reason if error and unavailable else None
        if reason != self.health_reason:
            self.health_reason = reason
            text = f"Discord is not available: {error}" if reason else "Discord answers again"
            self._report(Level.STATUS, text, reason=reason)
        elif self._limit_wait.reason and not isinstance(error, RateLimited):
            self._report(Level.STATUS, "The wait for Discord's rate limit is over", reason=reason)
        if not isinstance(error, RateLimited):
            self._limit_wait.over()

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


def _ignores_buttons(message: DiscordMessage, response: DiscordResponse) -> bool:
    """An answer that cannot be read says nothing."""
    sent = bool(message.payload.get("components"))
    return sent and "id" in response.message and not response.message.get("components")
