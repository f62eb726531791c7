"""Posts that are tried again at later polls: those that could not be read, and those a person asks for.

If Telegram does not answer for a stretch of posts, or its page is broken, newer posts wait for a few polls,
so that the order is kept. Then the stretch becomes a gap: newer posts go ahead of it, and every poll tries
to read it again. Its posts arrive late, but they arrive.

Owns the count of those polls and the gaps in the ledger. Never reads a page and never sends by itself: both
are the caller's functions; the one that reads vouches for pages without posts (telegram/empty_page.py).
"""

from __future__ import annotations

from collections.abc import Callable

from disgram.errors import PageNotUnderstood, TelegramUnavailable
from disgram.post import PostSlice
from disgram.report import Level, Reporter
from disgram.storage.channel_ledger import ChannelLedger
from disgram.telegram.backfill import posts_between
from disgram.telegram.empty_page import Read

POLLS_BEFORE_GAP = 3
"""Polls in a row that cannot read the same stretch before it becomes a gap."""

Deliver = Callable[[PostSlice], None]


class Retries:
    """For one worker. `post_url` gives a post's link for log lines."""

    def __init__(self, ledger: ChannelLedger, report: Reporter, post_url: Callable[[int], str]) -> None:
        self._ledger = ledger
        self._report = report
        self._post_url = post_url
        self._failed_polls = 0

    # posts that could not be read ------------------------------------------------------------

    def all_new_posts_were_read(self) -> None:
        """Call at the end of such a poll: the count of failed polls begins anew."""
        self._failed_polls = 0

    def pass_over(self, first: int, last: int) -> bool:
        """Call when the posts with ids `first` to `last` could not be read.

        False: newer posts wait for the next poll. True: these are a gap now, and progress is `last`.
        """
        self._failed_polls += 1
        is_gap = self._failed_polls >= POLLS_BEFORE_GAP
        self._report(
            Level.ERROR,
            f"Posts {first} to {last} could not be read in {self._failed_polls} poll(s); "
            + ("newer posts go ahead of them" if is_gap else "newer posts wait for them"),
            gaps=[*self._ledger.gaps(), (first, last)],
        )
        if is_gap:
            self._ledger.add_gap(first, last)
            self._ledger.advance(last)
        return is_gap

    def close_gaps(self, read: Read, deliver: Deliver) -> None:
        """Read every gap again and deliver its posts. Raises what `deliver` raises."""
        for first, last in self._ledger.gaps():
            try:
                for post_slice in posts_between(first - 1, last + 1, read):
                    deliver(post_slice)
            except (TelegramUnavailable, PageNotUnderstood) as error:
                self._report(
                    Level.INFO,
                    f"Posts {first} to {last} still cannot be read ({error}); next try at the next poll",
                )
                if isinstance(error, TelegramUnavailable):
                    return  # the other gaps would each take as many requests, at every poll
            else:
                self._ledger.close_gap(first)

    # posts that Discord refused --------------------------------------------------------------

    def retry_failed(self, read: Read, deliver: Deliver) -> None:
        """Deliver the failed posts that a person named with POST /job/retry. Raises what `deliver` raises."""
        for post_id in self._ledger.to_retry():
            try:
                self._retry(post_id, read, deliver)
            except (TelegramUnavailable, PageNotUnderstood) as error:
                url = self._post_url(post_id)
                self._report(
                    Level.ERROR, f"{url} cannot be read to be sent again ({error}); next try at the next poll"
                )

    def _retry(self, post_id: int, read: Read, deliver: Deliver) -> None:
        page = read(post_id + 1)
        found = next((post_slice for post_slice in page.slices if post_id in post_slice.ids), None)
        if found:
            deliver(found)
        else:
            self._ledger.deleted(post_id)
            url = self._post_url(post_id)
            self._report(Level.ERROR, f"{url} cannot be sent again: it was deleted in Telegram")
