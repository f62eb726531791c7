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
from dataclasses import replace
from functools import partial
from typing import IO, NoReturn

from disgram.addresses import ChannelRef, Destination
from disgram.backoff import REQUEST_BACKOFF_MAX, jittered_backoff
from disgram.delivery.destination_requests import DestinationRequests, Limiter, RouteFor
from disgram.delivery.message_options import into_thread
from disgram.delivery.refused.archived_threads import ArchivedThreads
from disgram.delivery.refused.fields import RefusedFields
from disgram.delivery.refused.poison import PoisonDetector, PoisonEdits, is_plain_429
from disgram.delivery.refused.refusals import Refusals
from disgram.delivery.webhook_look import DailyLook, WebhookLook
from disgram.discord.client import DiscordClient
from disgram.discord.message import DiscordMessage
from disgram.discord.render import digest, edit_request
from disgram.discord.responses import DiscordResponse
from disgram.errors import (
    DiscordUnavailable,
    EditRefused,
    EditWaits,
    MessageGone,
    MessageRejected,
    NotDiscord,
    RateLimited,
    UnreadableResponse,
)
from disgram.report import Level, Reporter
from disgram.storage.channel_ledger import ChannelLedger, MessageRow

RATE_LIMIT_TRIES = 4
"""429s of one message in a row from which on it backs off as well as waiting for the limiter."""


class Sender:
    """One per worker. `route` makes the limiter's key of a method; `wait` raises Stopping on SIGTERM;
    `keep_payloads`: keep what was sent, for FOLLOW_DELETIONS=mark; `look_daily`: webhook_look.py; `clock` is
    monotonic."""

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
        look_daily: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._destination = destination
        self._ledger = ledger
        self._client = client
        look = WebhookLook(
            destination.webhook_id, ledger, lambda: client.look(destination), lambda: self._requests
        )
        daily = DailyLook(destination.webhook_key, ledger.destinations, look.quietly)
        self.refusals = Refusals(
            destination,
            channel.key,
            ledger.destinations,
            look.ask,
            report=report,
            wait=wait,
            daily=daily if look_daily else None,
        )
        self._requests = DestinationRequests(
            self.refusals, limiter, route, report=report, wait=wait, clock=clock
        )
        self._report = report
        self._wait = wait
        self._backoff_max = backoff_max
        self._keep_payloads = keep_payloads
        self._archived_threads = ArchivedThreads(clock)
        self.poison = PoisonDetector(clock)
        """Counts for one post: reset it before the messages of another."""
        self._refused_fields = RefusedFields(report)
        self.buttons_ignored = False
        """Discord took a message and left out its link buttons."""
        self.guild_id = look.guild_id
        self.raise_if_gone = self.refusals.check
        self.persist = self._requests.persist
        self.edit_given_up = self._requests.edit_given_up
        self.poison_edits = PoisonEdits(clock)

    @property
    def health_reason(self) -> str | None:
        """The `reason` of /health after the last request: why Discord is unavailable, None if it is not."""
        return self._requests.health_reason

    # messages --------------------------------------------------------------------------------

    def send(
        self, post_id: int, position: int, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> MessageRow:
        """Send message `position` of a post until Discord confirms it, and return its row in the ledger.

        Raises PayloadTooLarge, MessageRejected, DestinationRefuses and WebhookGone at once; PoisonMessage
        after too many 500s, and from then on any DiscordUnavailable at the first try; Stopping in a wait.
        """
        message, where = self._addressed(post_id, position, message)
        outgoing = self._refused_fields.outgoing(message, self.post_url(post_id))
        failures = unreadable = 0
        while True:
            row = self.new_row(position, message, sent=outgoing.message)._replace(thread_id=where.thread_id)
            response = self._send_once(post_id, row, outgoing.message, files, where)
            give_up = self.poison.record(response.error)
            if response.error is None:
                self.buttons_ignored |= _ignores_buttons(outgoing.message, response)
                return self._confirmed(post_id, row, response, outgoing.message)
            if not isinstance(response.error, DiscordUnavailable):
                self.persist(self._ledger.drop_message, post_id, position)
                if outgoing.leave_out(response.error):
                    continue
                raise response.error
            failures += 1
            unreadable = unreadable + 1 if isinstance(response.error, UnreadableResponse) else 0
            if unreadable >= self.refusals.unreadable_tries:
                self._give_up_on_answers(response.error)
            self._report_failure(post_id, response.error)
            if not response.error.ambiguous:
                self.persist(self._ledger.drop_message, post_id, position)
            if give_up:
                raise give_up
            self._back_off(response.error, failures)

    def _confirmed(
        self, post_id: int, row: MessageRow, response: DiscordResponse, message: DiscordMessage
    ) -> MessageRow:
        message_id, channel_id = (str(response.message.get(name, "")) for name in ("id", "channel_id"))
        sent_at = self._ledger.destinations.now()
        row = row._replace(state="sent", message_id=message_id, channel_id=channel_id, sent_at=sent_at)
        if "thread_name" in message.payload:
            row = row._replace(thread_id=channel_id or None)
        self.persist(self._ledger.put_message, post_id, row)
        self._archived_threads.opened(row.thread_id)
        return row

    def _back_off(self, error: DiscordUnavailable, failures: int) -> None:
        """The limiter waits for a 429 by itself; but one that is repeated, or names no time, may be wrong."""
        waited_for = isinstance(error, RateLimited) and not error.is_guessed
        if not waited_for or failures >= RATE_LIMIT_TRIES:
            self._wait(jittered_backoff(failures, self._backoff_max))

    def _give_up_on_answers(self, error: DiscordUnavailable) -> NoReturn:
        """Else a relay that says "ok" for ever, and delivers, would be sent a copy a minute."""
        refusal = NotDiscord(f"{error}; the message may have arrived, and appear twice")
        self.persist(self.refusals.refused, refusal)
        raise refusal

    def _addressed(
        self, post_id: int, position: int, message: DiscordMessage
    ) -> tuple[DiscordMessage, Destination]:
        """The message, and where it goes. In a forum the first message of a post opens a thread by its name,
        and the others go into it."""
        if position and "thread_name" in message.payload:
            opened = (row.thread_id for row in self._ledger.messages(post_id) if row.state == "sent")
            if thread_id := next(filter(None, opened), None):
                return into_thread(message), replace(self._destination, thread_id=thread_id)
        return message, self._destination

    def _send_once(
        self,
        post_id: int,
        row: MessageRow,
        message: DiscordMessage,
        files: Mapping[int, IO[bytes]],
        where: Destination,
    ) -> DiscordResponse:
        """One attempt. Its row is written when the limiter lets it start, not before: a worker that is killed
        while it waits for a limit leaves no unconfirmed message behind. And where it cannot be written, the
        turn is given back: it would run out, and after a long outage all would send at once."""

        def send() -> DiscordResponse:
            self._ledger.put_message(post_id, row)
            return self._client.execute(where, message, files)

        responses: list[DiscordResponse] = []
        self.persist(lambda: responses.append(self._requests.make("POST", send)))
        return responses[0]

    def edit(
        self,
        post_id: int,
        old: MessageRow,
        message: DiscordMessage,
        files: Mapping[int, IO[bytes]] | None = None,
    ) -> None:
        """Turn an old message into `message` with a PATCH. `files` None: it keeps the files it has.

        One try, but for fields that are refused: an edit can wait for the next poll. Raises DiscordError;
        MessageGone also for a message whose id is unknown, since without it there is no address to PATCH.
        """
        if not old.message_id:
            raise MessageGone("its id is unknown: Discord's confirmation could not be read")
        where, message_id = self._place_of(old), old.message_id
        outgoing = self._refused_fields.outgoing(message, self.post_url(post_id), edit=True)
        while True:
            request = edit_request(outgoing.message, with_files=files is not None)
            send = partial(self._client.edit, where, message_id, request, files or {})
            try:
                self._change("PATCH", where, send)
                break
            except MessageRejected as error:
                if not outgoing.leave_out(error):
                    raise
        new = self.new_row(old.position, message, sent=outgoing.message)
        row = old._replace(digest=new.digest, files=new.files, payload=new.payload)
        self.persist(self._ledger.put_message, post_id, row)

    def delete(self, post_id: int, old: MessageRow) -> None:
        """Delete a message; one that is gone already is fine. One try. Raises DiscordError."""
        if message_id := old.message_id:  # with none, the address would be the webhook's own
            where = self._place_of(old)
            with suppress(MessageGone):
                self._change("DELETE", where, lambda: self._client.delete(where, message_id))
        self.persist(self._ledger.drop_message, post_id, old.position)

    def owns(self, row: MessageRow) -> bool:
        """Whether the message can be edited: it was sent through the webhook that the job has now."""
        return row.webhook_id in (None, self._destination.webhook_id)

    @property
    def edits_wait(self) -> bool:
        """New messages go into a thread that is archived, in which no message can be edited until then."""
        return self._archived_threads.wait(self._destination.thread_id)

    def edits_of_post_wait(self, post_id: int) -> bool:
        """Whether a message of the post is in an archived thread, which need not be where new ones go."""
        return self._archived_threads.any_wait() and any(
            self._archived_threads.wait(self._place_of(row).thread_id)
            for row in filter(self.owns, self._ledger.messages(post_id))
        )

    def gives_up_change(self, post_id: int, error: DiscordUnavailable) -> bool:
        """Whether an edit or a deletion got nothing but 500s for so long that it is not tried again."""
        if not self.poison_edits.is_poison(post_id, error):
            return False
        self.edit_given_up()
        self._report(
            Level.ERROR,
            f"{self.post_url(post_id)}: Discord answers its change with nothing but errors ({error}); "
            "it is given up, and the message stays as it was",
            reason=self.health_reason,
        )
        return True

    def _place_of(self, row: MessageRow) -> Destination:
        """Where the message is, which need not be where new ones go. Raises EditRefused."""
        if not self.owns(row):
            raise EditRefused("it was sent through another webhook than the job has now")
        if row.webhook_id:
            return replace(self._destination, thread_id=row.thread_id)
        # What was sent into a thread has the thread's id as its channel.
        thread_id = self._destination.thread_id and (row.channel_id or self._destination.thread_id)
        return replace(self._destination, thread_id=thread_id)

    def _change(self, method: str, where: Destination, send: Callable[[], DiscordResponse]) -> None:
        """One try to edit or delete a message. Raises DiscordError."""
        response = self._requests.make(method, send)
        if isinstance(response.error, EditWaits):
            self._archived_threads.found(where.thread_id)
        if response.error:
            raise response.error

    def new_row(
        self, position: int, message: DiscordMessage, *, sent: DiscordMessage | None = None
    ) -> MessageRow:
        """The ledger's row for a message that is about to be sent. `sent`: what is sent of it, if some fields
        are refused; the digest is of all of them, so that the next rendering is the same message."""
        payload = (sent or message).payload
        return MessageRow(
            position,
            "attempting",
            digest=digest(message),
            files=json.dumps([upload.filename for upload in message.uploads]),
            payload=json.dumps(payload, ensure_ascii=False) if self._keep_payloads else None,
            webhook_id=self._destination.webhook_id,
            thread_id=self._destination.thread_id,
        )

    def post_url(self, post_id: int) -> str:
        """A post's link in Telegram, for log lines."""
        return ChannelRef(self._channel.name, post_id).address

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


def _ignores_buttons(message: DiscordMessage, response: DiscordResponse) -> bool:
    """An answer that cannot be read says nothing."""
    sent = bool(message.payload.get("components"))
    return sent and "id" in response.message and not response.message.get("components")
