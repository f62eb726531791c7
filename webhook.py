"""The worker: one Telegram channel -> one Discord webhook.

    python webhook.py CHANNEL [URL] [COLOR] [JOB] [--once]

The service runs one such process for each (job, channel), forked from the fork server; its work is `serve`.
From a terminal it is the same code, and its log lines are printed there.

Owns the loop over `poll_once` and the one reaction to each error: what is tried again now, what waits for the
next poll, and what ends the worker for good. Never parses HTML, writes SQL, touches jobs.json or knows the
API. Importing it has no effects, since the fork server shares what it imports with a thousand workers.
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable
from contextlib import ExitStack

from disgram.addresses import ChannelRef
from disgram.delivery.backlog import waiting_facts
from disgram.delivery.follow import Follower
from disgram.delivery.post_delivery import PostDelivery
from disgram.delivery.retries import Retries
from disgram.delivery.rule_verdicts import FILTERED, RuleVerdicts
from disgram.errors import (
    AccountUnavailable,
    ChannelHasNoPreview,
    ChannelNotFound,
    ChannelReplaced,
    DestinationRefuses,
    DiscordError,
    PageNotUnderstood,
    StorageUnavailable,
    TelegramUnavailable,
    WebhookGone,
)
from disgram.post import ChannelPage, PostSlice, TelegramPost
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT, CountingReporter, Level, Reporter
from disgram.rules.rules import SERVICE_RULE
from disgram.storage.channel_ledger import ChannelLedger, PostRow
from disgram.telegram.backfill import start_of_newer, start_of_newest
from disgram.telegram.channel_pages import ChannelPages, Reader
from disgram.telegram.empty_page import Read
from disgram.telegram.page import published_at
from disgram.telegram.poll_interval import poll_interval
from disgram.workers import warmup
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSpec
from worker_parts import worker_parts

JITTER = 0.05
"""Share of the cooldown by which a poll may come late, so that workers do not all poll at the same moment."""

PAGE_FRESH = 600.0
"""Seconds after which a page is read again before more of it is sent: by then its media addresses may have
expired, and its posts may have been edited or deleted."""


def parse_channel_param(param: str) -> tuple[str, int | None]:
    """(name, post id to start with or None) of any form of channel address. Raises BadChannelAddress."""
    channel = ChannelRef.parse(param)
    return channel.name, channel.start


def get_last_message_number(ledger: ChannelLedger) -> int | None:
    """The post id up to which everything is forwarded, refused or left out; None before the first poll."""
    progress = ledger.progress()
    return progress.last_id if progress else None


def send_message_to_discord(delivery: PostDelivery, post: TelegramPost, fingerprint: str) -> None:
    """Deliver one post; returns once Discord confirmed all its messages or refused every form of it."""
    delivery.deliver(post, fingerprint)


class Worker:
    """One channel's work. `wait` raises Stopping on SIGTERM; `clock` is monotonic."""

    def __init__(
        self,
        spec: WorkerSpec,
        ledger: ChannelLedger,
        reader: Reader,
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
        self._pages = ChannelPages(reader, ledger, spec.channel.start, report=report, clock=clock)
        self._retries = Retries(ledger, report, delivery.sender.post_url)
        self._verdicts = RuleVerdicts(delivery.rules, ledger, delivery.sender.post_url, report=report)
        self._report = report
        self._wait = wait
        self._clock = clock
        self._posted_at: list[float] = []

    def run(self) -> int:
        """Poll every COOLDOWN seconds; returns the exit code once no further poll can help."""
        due = self._clock()
        while self.poll_and_react() != EXIT_PERMANENT:
            cooldown = self._cooldown()
            due = max(due + cooldown, self._clock())
            self._wait(due - self._clock() + random.uniform(0, JITTER * cooldown))  # noqa: S311
        return EXIT_PERMANENT

    def _cooldown(self) -> float:
        """Seconds until the next poll. Within a range it follows the times of the newest page's posts."""
        settings = self._spec.settings
        if settings.shortest_cooldown is None:
            return settings.cooldown
        cooldown = poll_interval(self._posted_at, time.time(), settings.shortest_cooldown, settings.cooldown)
        self._report(None, "", cooldown=round(cooldown, 3))
        return cooldown

    def poll_and_react(self) -> int:
        """One poll, and the one reaction to its error; returns an exit code. Raises Stopping."""
        try:
            self.poll_once()
        except (ChannelHasNoPreview, ChannelNotFound) as error:
            message = f"This channel cannot be read: {error}. The next try is in an hour, or after PATCH /job"
            self._report(Level.ERROR, message, reason=error.reason)
            return EXIT_PERMANENT
        except ChannelReplaced as error:
            if not error.certain:
                message = f"The newest page is of another channel ({error}); the next poll looks again"
                self._report(Level.INFO, message, polled=False)
                return EXIT_CRASH
            message = (
                f"Another channel has this name now ({error}). Nothing of it is sent; if you want it, "
                "PATCH the job, or name it with /1 behind its name"
            )
            self._report(Level.ERROR, message, reason=error.reason)
            return EXIT_PERMANENT
        except WebhookGone as error:
            message = f"Discord refuses this webhook or thread ({error}); it is asked again in an hour"
            self._report(Level.ERROR, message, reason=error.reason)
            return EXIT_PERMANENT
        except DestinationRefuses as error:
            message = f"No message is accepted there now ({error}); posts are kept and tried again later"
            self._report(None if error.known else Level.ERROR, message, reason=error.reason)
        except AccountUnavailable as error:
            facts = {"lasts": error.lasts} if error.lasts else {}
            message = f"The account cannot read this channel now ({error}); trying again at the next poll"
            self._report(Level.ERROR, message, reason=error.reason, polled=False, **facts)
        except TelegramUnavailable as error:
            message = f"Telegram is not available ({error}); trying again at the next poll"
            self._report(Level.ERROR, message, reason=error.reason, polled=False)
        except PageNotUnderstood as error:
            message = f"Telegram's page was not understood ({error}); trying again at the next poll"
            self._report(Level.ERROR, message, reason=error.reason, polled=False)
        except (StorageUnavailable, DiscordError) as error:
            self._report(Level.ERROR, f"{error}; trying again at the next poll", reason=error.reason)
        else:
            return EXIT_OK
        return EXIT_CRASH

    def poll_once(self) -> None:
        """Read the newest page, deliver what is new, follow edits and deletions. Raises DisgramError."""
        self._ledger.raise_if_lost()
        self._delivery.sender.raise_if_gone()
        head = self._pages.newest()
        if self._spec.settings.shortest_cooldown is not None:  # else nothing of the page outlives the poll
            self._posted_at = sorted(filter(None, map(published_at, head.slices)))
        progress = self._begin(head)
        news = _news(head, progress)
        facts = {"polled": True, "last_post_id": progress, **waiting_facts(head, progress)}
        self._report(Level.INFO if news else None, news, **facts)
        read = self._pages.older(head)
        self._retries.retry_failed(read, lambda post_slice: self._send(post_slice, head))
        self._retries.close_gaps(read, lambda post_slice: self._deliver(post_slice, head))
        if self._delivery.rules.any_verdict and self._spec.settings.follow_edits:
            forwarded = filter(self._is_forwarded, head.slices)
            self._verdicts.judge_again(forwarded, lambda post_slice: self._send(post_slice, head))
        head = self._deliver_new(head)
        self._follower.compare(head, lambda post_slice: self._reader.parse(post_slice, head), read)
        reason, layout_changed = self._delivery.sender.health_reason, self._reader.not_understood
        self._report(None, "", reason=reason, gaps=self._ledger.gaps(), layout_changed=layout_changed)

    def _begin(self, head: ChannelPage) -> int:
        """The post id to go on after, 0 if there are no posts to begin with. The first poll, and the first
        after the job's start post was changed, write it to the ledger before anything is sent."""
        start, known = self._spec.channel.start, self._ledger.progress()
        if known and not self._pages.start_was_changed():
            return known.last_id
        imported = None if known else self._ledger.imported()
        if imported is not None:
            last_id = imported
        elif start is not None:
            last_id = start - 1
        elif head.slices:
            last_id = self._start_of_initial_posts(head, self._pages.older(head))
        else:
            self._ledger.source.found_empty()
            return 0
        self._ledger.begin(last_id, start)
        return last_id

    def _start_of_initial_posts(self, head: ChannelPage, read: Read) -> int:
        """After it come the newest INITIAL_POSTS posts, and all published since a first poll without any."""
        last_id = start_of_newest(head, self._spec.settings.initial_posts, read, self._is_forwarded)
        empty_at = self._ledger.source.get().empty_at
        return last_id if empty_at is None else min(last_id, start_of_newer(head, empty_at, read))

    def _is_forwarded(self, post_slice: PostSlice) -> bool:
        by_default = self._spec.settings.forward_service_messages
        return not post_slice.service or self._delivery.rules.takes_service(by_default=by_default)

    # new posts -------------------------------------------------------------------------------

    def _deliver_new(self, head: ChannelPage) -> ChannelPage:
        """Deliver everything after progress, oldest first; returns the newest page as it was last read."""
        while True:
            progress = get_last_message_number(self._ledger) or 0
            try:
                if self._deliver_after(progress, head):
                    self._retries.all_new_posts_were_read()
                    self._delivery.refused_posts.end()
                    return head
                head = self._pages.newest()
            except (TelegramUnavailable, PageNotUnderstood):
                if not self._pass_over_unreadable(head):
                    raise

    def _deliver_after(self, progress: int, head: ChannelPage) -> bool:
        """False: sending took so long (rate limit, outage) that the pages have to be read again first."""
        for post_slice in self._pages.posts_after(head, progress):
            newest = post_slice.id >= head.slices[0].id
            read_at = self._pages.newest_read_at if newest else self._pages.last_read_at
            if self._clock() - read_at > PAGE_FRESH:
                return False
            self._deliver(post_slice, head)
            self._report(None, "", **waiting_facts(head, post_slice.last_id))
        return True

    def _pass_over_unreadable(self, head: ChannelPage) -> bool:
        """Whether this poll goes on with newer posts. It cannot if the newest page is the unreadable one."""
        first = (get_last_message_number(self._ledger) or 0) + 1
        last = min(self._reader.asked or 0, head.slices[0].id) - 1
        return first <= last and self._retries.pass_over(first, last)

    def _deliver(self, post_slice: PostSlice, page: ChannelPage) -> None:
        """Send a post, or move progress past one that is done with or not forwarded."""
        known = self._ledger.post(post_slice.id)
        if known and known.state in {"sent", "deleted", "failed", "dismissed", FILTERED}:
            self._ledger.advance(post_slice.last_id)
        elif not self._is_forwarded(post_slice):
            url = self._delivery.sender.post_url(post_slice.id)
            self._report(Level.STATUS, f"{url} is a service message and not forwarded")
            row = PostRow(post_slice.id, post_slice.last_id, FILTERED, post_slice.fingerprint, "")
            self._ledger.leave_out(row, SERVICE_RULE)
        else:
            self._send(post_slice, page)

    def _send(self, post_slice: PostSlice, page: ChannelPage) -> None:
        post = self._reader.parse(post_slice, page)
        if not self._verdicts.leave_out(post, post_slice):
            send_message_to_discord(self._delivery, post, post_slice.fingerprint)


def _news(head: ChannelPage, progress: int) -> str:
    """A line for the log; "" where nothing is new: the service sums such polls up."""
    newest_id = head.slices[-1].last_id if head.slices else 0
    if newest_id == progress + 1:
        return f"Checked: post {newest_id}"
    return f"Checked: posts {progress + 1} to {newest_id}" if newest_id > progress else ""


def serve(spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat, *, once: bool = False) -> int:
    """Run a worker; returns its exit code. The caller holds its WorkerLock. Raises Stopping on SIGTERM."""
    with ExitStack() as stack:
        counting = CountingReporter(report)
        stack.callback(counting.flush)
        parts = worker_parts(spec, counting, heartbeat, stack)
        worker = Worker(spec, *parts, report=counting, wait=heartbeat.wait)
        return worker.poll_and_react() if once else worker.run()


def warm_up() -> None:
    """For the fork server, before it forks: see disgram/workers/warmup.py."""
    warmup.warm_up(serve)


if __name__ == "__main__":
    from worker_cli import main  # only here: it reads the environment

    sys.exit(main(sys.argv[1:], threaded=False))
