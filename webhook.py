"""The worker: one Telegram channel -> one Discord webhook.

    python webhook.py CHANNEL [URL] [COLOR] [JOB] [--once]

Under the service, one such process runs for each (job, channel), forked from a warm template, and
`serve` is its whole life. By hand it is the same code, printing its log lines to the terminal.

Owns the loop, one `poll_once` after another, and each error's reaction: what is tried again, what
waits for the next poll, what ends the worker for good. Never parses HTML, writes SQL, touches
jobs.json or knows the API. Importing it has no effects: the template forks it a thousand times.
"""

from __future__ import annotations

import colorsys
import hashlib
import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from disgram.addresses import ChannelRef
from disgram.delivery.follow import Follower
from disgram.delivery.post_delivery import PostDelivery
from disgram.delivery.sender import BACKOFF_MAX, Sender
from disgram.discord.client import DiscordClient
from disgram.errors import (
    ChannelHasNoPreview,
    ChannelNotFound,
    DiscordError,
    PageNotUnderstood,
    StorageUnavailable,
    TelegramUnavailable,
    WebhookGone,
)
from disgram.post import ChannelPage, PostSlice, TelegramPost
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT, Level, Reporter
from disgram.storage.ledger import ChannelLedger, Ledger
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.backfill import between, missing, newest
from disgram.telegram.channel import ChannelReader
from disgram.telegram.client import TelegramClient
from disgram.telegram.throttle import TelegramThrottle
from disgram.telegram.unknown_markup import UnknownMarkup
from disgram.workers import warmup as warmup
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec
from rate_limiter import DiscordRateLimiter, Route

JITTER = 0.05
"""Part of the cooldown by which a poll may come late, so that workers do not march in step."""

STUCK_POLLS = 3
"""Polls in a row that fail to read a stretch of older posts before newer ones go ahead of it."""

PAGE_FRESH = 600.0
"""Seconds after which a page is read again before more of it is sent: its media addresses expire, and posts
on it may have been edited or deleted meanwhile."""


def parse_channel_param(param: str) -> tuple[str, int | None]:
    """(name, post number to start with or None) of any form of address. Raises BadChannelAddress."""
    channel = ChannelRef.parse(param)
    return channel.name, channel.start


def get_last_message_number(ledger: ChannelLedger) -> int | None:
    """The number up to which the channel is dealt with; None before its first poll."""
    progress = ledger.progress()
    return progress.last_id if progress else None


def send_message_to_discord(delivery: PostDelivery, post: TelegramPost, fingerprint: str) -> None:
    """Deliver one post, all its messages: returns once Discord confirmed them or refused every form."""
    delivery.deliver(post, fingerprint)


def stable_color(channel: str) -> int:
    """The embed colour of a channel that was given none: arbitrary, but always the same for its name."""
    hue = hashlib.sha256(channel.lower().encode()).digest()[0] / 256
    red, green, blue = (round(part * 255) for part in colorsys.hsv_to_rgb(hue, 0.65, 0.9))
    return red << 16 | green << 8 | blue


class Worker:
    """One channel's work. `poll_once` is one look at the channel; `run` repeats it until told to stop."""

    def __init__(
        self,
        spec: WorkerSpec,
        ledger: ChannelLedger,
        reader: ChannelReader,
        delivery: PostDelivery,
        follower: Follower,
        *,
        report: Reporter,
        wait: Callable[[float], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._spec = spec
        self._ledger = ledger
        self._reader = reader
        self._delivery = delivery
        self._follower = follower
        self._report = report
        self._wait = wait
        self._clock = clock
        self._stuck = 0
        self._head_at = self._read_at = clock()

    def run(self) -> int:
        """Poll every COOLDOWN seconds; returns the exit code when no poll can help any more."""
        cooldown = self._spec.settings.cooldown
        due = self._clock()
        while self.poll_and_react() != EXIT_PERMANENT:
            due = max(due + cooldown, self._clock())
            self._wait(due - self._clock() + random.uniform(0, JITTER * cooldown))  # noqa: S311
        return EXIT_PERMANENT

    def poll_and_react(self) -> int:
        """One poll, and the one reaction to whatever it met. Raises Stopping."""
        try:
            self.poll_once()
        except (ChannelHasNoPreview, ChannelNotFound, WebhookGone) as error:
            self._report(Level.ERROR, f"{error}", reason=error.reason)
            return EXIT_PERMANENT
        except TelegramUnavailable as error:
            self._report(
                Level.ERROR, f"Telegram is not available: {error}", reason=error.reason, polled=False
            )
        except PageNotUnderstood as error:
            told = f"The page was not understood: {error}; progress stays where it was"
            self._report(Level.ERROR, told, reason=error.reason, polled=False)
        except (StorageUnavailable, DiscordError) as error:
            self._report(Level.ERROR, f"{error}; trying again at the next poll", reason=error.reason)
        else:
            return EXIT_OK
        return EXIT_CRASH

    def poll_once(self) -> None:
        """Read the newest page, deliver what is new, follow what changed. Raises DisgramError."""
        self._delivery.sender.refuse_if_gone()
        head = self._read()
        progress = self._progress(head)
        self._report(Level.INFO, f"Checked: {_seen(head, progress)}", polled=True, last_post_id=progress)
        self._retry_failed(head)
        self._close_gaps(head)
        head = self._catch_up(head)
        self._follower.compare(head, lambda piece: self._reader.parse(piece, head), self._read)
        self._report(
            None, "", reason=self._delivery.sender.unwell, gaps=self._ledger.gaps(),
            layout_changed=self._reader.not_understood,
        )  # fmt: skip

    # where to go on --------------------------------------------------------------------------

    def _progress(self, head: ChannelPage) -> int:
        """The number to go on after; settled in the ledger before anything is sent."""
        start, known = self._spec.channel.start, self._ledger.progress()
        if known and (start is None or start == known.start):
            return known.last_id
        imported = None if known else self._ledger.imported()
        if imported is not None:
            last_id = imported
        elif start is not None:
            last_id = start - 1
        else:
            last_id = newest(head, self._spec.settings.initial_posts, self._read, self._counts)
        self._ledger.begin(last_id, start)
        return last_id

    def _counts(self, piece: PostSlice) -> bool:
        return not piece.service or self._spec.settings.forward_service_messages

    # delivering ------------------------------------------------------------------------------

    def _catch_up(self, head: ChannelPage) -> ChannelPage:
        """Everything above progress, oldest first; returns the newest page as it was last read.

        A stretch that stays unreadable becomes a gap.
        """
        while True:
            progress = get_last_message_number(self._ledger) or 0
            try:
                if self._deliver_above(progress, head):
                    self._stuck = 0
                    return head
                head = self._read()
            except (TelegramUnavailable, PageNotUnderstood):
                if not self._pass_over(head):
                    raise

    def _deliver_above(self, progress: int, head: ChannelPage) -> bool:
        """False: delivering took so long (a limit, an outage) that the pages should be read anew first."""
        for piece in missing(head, progress, self._read):
            read_at = self._head_at if piece.id >= head.slices[0].id else self._read_at
            if self._clock() - read_at > PAGE_FRESH:
                return False
            self._deliver(piece, head)
        return True

    def _read(self, before: int | None = None) -> ChannelPage:
        page = self._reader.read(before)
        self._read_at = self._clock()
        if before is None:
            self._head_at = self._read_at
        return page

    def _pass_over(self, head: ChannelPage) -> bool:
        """Older posts could not be read: hold newer ones back for a few polls, then let them go ahead.

        False: stop here. So it is with the newest page, behind which there is nothing to go on with.
        """
        first = (get_last_message_number(self._ledger) or 0) + 1
        end = min(self._reader.asked or 0, head.slices[0].id) - 1
        if end < first:
            return False
        self._stuck += 1
        open_gap = [*self._ledger.gaps(), (first, end)]
        self._report(Level.ERROR, f"Posts {first} to {end} could not be read so far", gaps=open_gap)
        if self._stuck < STUCK_POLLS:
            return False
        self._ledger.add_gap(first, end)
        self._ledger.advance(end)
        return True

    def _deliver(self, piece: PostSlice, page: ChannelPage) -> None:
        known = self._ledger.post(piece.id)
        if known and known.state in {"sent", "deleted", "failed"}:
            self._ledger.advance(piece.last_id)
        elif not self._counts(piece):
            self._report(Level.STATUS, f"Post {piece.id} is a service message, not forwarded")
            self._ledger.advance(piece.last_id)
        else:
            send_message_to_discord(self._delivery, self._reader.parse(piece, page), piece.fingerprint)

    def _close_gaps(self, head: ChannelPage) -> None:
        """Try again what could not be read; what is read now comes late, but comes."""
        for first, last in self._ledger.gaps():
            try:
                for piece in between(first - 1, last + 1, self._read):
                    self._deliver(piece, head)
            except (TelegramUnavailable, PageNotUnderstood) as error:
                self._report(Level.INFO, f"Posts {first} to {last} still cannot be read: {error}")
                if isinstance(error, TelegramUnavailable):
                    return  # the other gaps would cost as many tries, each poll
            else:
                self._ledger.close_gap(first)

    def _retry_failed(self, head: ChannelPage) -> None:
        """Send again what a person asked for with POST /job/retry."""
        for number in self._ledger.to_retry():
            try:
                self._retry(number, head)
            except (TelegramUnavailable, PageNotUnderstood) as error:
                self._report(Level.ERROR, f"Post {number} cannot be sent again just now: {error}")

    def _retry(self, number: int, head: ChannelPage) -> None:
        page = self._read(number + 1)
        found = next((piece for piece in page.slices if number in piece.ids), None)
        if found:
            send_message_to_discord(self._delivery, self._reader.parse(found, head), found.fingerprint)
        else:
            self._ledger.deleted(number)
            self._report(Level.ERROR, f"Post {number} cannot be sent again: it is gone from Telegram")


def _seen(head: ChannelPage, progress: int) -> str:
    if not head.slices:
        return "the channel has no posts"
    newest_id = head.slices[-1].last_id
    return (
        f"nothing new, post {newest_id}" if newest_id <= progress else f"posts {progress + 1} to {newest_id}"
    )


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat, *, once: bool = False) -> int:
    """A worker's life, up to its exit code. The caller holds its WorkerLock. Raises Stopping on SIGTERM."""
    settings = spec.settings
    owner = f"{spec.job}/{spec.channel.key}"
    with ExitStack() as stack:
        book = Ledger(settings.data_dir / "disgram.db")
        stack.callback(book.close)
        store = LimitStore(settings.data_dir / "limits.db")
        stack.callback(store.close)
        limiter = DiscordRateLimiter(store)
        limiter.finish_abandoned(owner)
        throttle = TelegramThrottle(store, settings.telegram_requests_per_second, heartbeat.wait)
        telegram = TelegramClient(
            settings.telegram_base_url, throttle, patience=settings.request_timeout, check=heartbeat.check
        )
        stack.callback(telegram.close)
        discord = DiscordClient(settings.request_timeout, heartbeat.beat)
        stack.callback(discord.close)
        ledger = book.of(spec.job, spec.channel.key)
        sender = Sender(
            spec.destination, ledger, discord, limiter,
            lambda method: Route.to(method, owner, spec.destination),
            report=report, wait=heartbeat.wait,
            backoff_max=min(BACKOFF_MAX, max(settings.cooldown, 1.0)),
            keep_payloads=settings.follow_deletions == "mark",
        )  # fmt: skip
        delivery = PostDelivery(
            sender, ledger, telegram,
            color=stable_color(spec.channel.key) if spec.embed_color is None else spec.embed_color,
            max_upload_bytes=settings.max_upload_bytes, report=report, wait=heartbeat.wait,
        )  # fmt: skip
        follower = Follower(
            delivery, ledger, edits=settings.follow_edits, policy=settings.follow_deletions, report=report
        )
        layout = UnknownMarkup(settings.data_dir, spec.channel.key)
        reader = ChannelReader(telegram, spec.channel.name, layout, report=report, wait=heartbeat.wait)
        worker = Worker(spec, ledger, reader, delivery, follower, report=report, wait=heartbeat.wait)
        return worker.poll_and_react() if once else worker.run()


def warm_up() -> None:
    """For the template, before it forks: see disgram/workers/warmup.py."""
    warmup.warm_up(serve)


if __name__ == "__main__":
    from worker_cli import main  # only here: it reads the environment

    sys.exit(main(sys.argv[1:], serve, threaded=False))
