"""The pages of one channel, as far as they can be believed: the same channel, posts that are there.

Owns when they were read. Retries within one request for a page are the reader's (channel.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Protocol

from disgram.errors import ChannelReplaced, StorageUnavailable, TelegramUnavailable
from disgram.post import ChannelPage, PostSlice, TelegramPost
from disgram.report import Level, Reporter
from disgram.storage.channel_ledger import ChannelLedger
from disgram.telegram.backfill import posts_after
from disgram.telegram.empty_page import PAGE_IDS, Read, doubting
from disgram.telegram.identity import ChannelIdentity
from disgram.telegram.lifted_progress import LiftedProgress
from disgram.telegram.plausible_ids import without_implausible


class Reader(Protocol):
    """Who reads a channel: t.me's preview, the account, or the one for the other. For one worker.

    `asked`: the `before` of the last request, None for the newest page; `not_understood`: how many different
    elements and posts no reader understood.
    """

    @property
    def asked(self) -> int | None: ...
    @property
    def not_understood(self) -> int: ...

    def read(self, before: int | None = None) -> ChannelPage:
        """The newest page, or the page of the posts before a post id. Raises TelegramError and Stopping."""
        ...

    def parse(self, post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
        """Raises PageNotUnderstood if nothing on the whole page can be read."""
        ...


class ChannelPages:
    """For one worker. `start` is the post id that the job names; `clock` is monotonic."""

    def __init__(
        self,
        reader: Reader,
        ledger: ChannelLedger,
        start: int | None,
        *,
        report: Reporter,
        clock: Callable[[], float],
    ) -> None:
        self._reader = reader
        self._ledger = ledger
        self._start = start
        self._report = report
        self._clock = clock
        self._identity = ChannelIdentity(ledger)
        self._lifted_progress = LiftedProgress(ledger)
        self.newest_read_at = self.last_read_at = clock()

    def newest(self) -> ChannelPage:
        """The newest page. Begins anew if another channel has the name and a person changed the start post.

        Raises TelegramError and Stopping.
        """
        progress = self._progress()
        try:
            page = self._read_any()
            self._identity.check_newest(page, progress)
        except ChannelReplaced as error:
            if not error.certain or not self.start_was_changed():
                raise
            self._identity.begin_anew()
            return self.newest()
        self.newest_read_at = self.last_read_at
        if progress and not page.slices and self._read(progress + PAGE_IDS + 1).slices:
            raise TelegramUnavailable("its newest page says that there are no posts, but another shows some")
        head = self._plausible(page, progress)
        self._put_progress_right(head, progress)
        return head

    def older(self, newest: ChannelPage) -> Read:
        """What reads the posts before an id, and doubts a page without any."""
        return doubting(self._read, newest)

    def posts_after(self, newest: ChannelPage, progress: int) -> Iterator[PostSlice]:
        """Yield the posts after `progress`, ascending, and let the ledger know when each was first seen.

        Raises TelegramError and Stopping.
        """
        older = self.older(newest)

        def read(before: int) -> ChannelPage:
            page = older(before)
            self._note_seen(page, progress)
            return page

        self._note_seen(newest, progress)
        yield from posts_after(newest, progress, read)

    def _note_seen(self, page: ChannelPage, progress: int) -> None:
        """A full disk does not matter here: it holds up the sending, where it is reported."""
        with suppress(StorageUnavailable):
            self._ledger.history.seen(page.slices, progress)

    def start_was_changed(self) -> bool:
        """Whether the job names another start post than at the time of the first poll."""
        known = self._ledger.progress()
        return known is not None and self._start is not None and self._start != known.start

    def _read(self, before: int) -> ChannelPage:
        page = self._read_any(before)
        self._identity.check_older(page)
        return page

    def _read_any(self, before: int | None = None) -> ChannelPage:
        page = self._reader.read(before)
        self.last_read_at = self._clock()
        return page

    def _plausible(self, page: ChannelPage, progress: int) -> ChannelPage:
        head = without_implausible(page, progress, self._read)
        for post in page.slices:
            if post not in head.slices:
                self._report(Level.INFO, f"Post {post.id} is left out: only one page has it, far ahead")
        return head

    def _put_progress_right(self, head: ChannelPage, progress: int) -> None:
        wrong = self._lifted_progress.wrong_post(head, progress)
        if wrong is None:
            return
        self._ledger.forget_last_post(*wrong)
        text = f"Post {wrong.post_id} never had this number: later posts have lower ones, and are sent now"
        self._report(Level.STATUS, text)

    def _progress(self) -> int:
        known = self._ledger.progress()
        return known.last_id if known else 0
