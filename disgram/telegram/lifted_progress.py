"""Whether progress was lifted by a post that never was: t.me's pages had an id that cannot be true.

Without this, a channel whose ids are below it would be silent until it gets there. Ids ascend with time: a
post that was published after the last one was dealt with, and has a lower id, shows that the last one's id
is wrong. Only reads; the caller puts progress right.
"""

from __future__ import annotations

from typing import NamedTuple

from disgram.post import ChannelPage, PostSlice
from disgram.storage.channel_ledger import ChannelLedger
from disgram.telegram.page import published_at


class WrongPost(NamedTuple):
    """`post_id` cannot be true; `later` is the lowest id on the page of a post published after it."""

    post_id: int
    later: int


class LiftedProgress:
    """For one worker."""

    def __init__(self, ledger: ChannelLedger) -> None:
        self._ledger = ledger
        self._suspect: int | None = None
        """The wrong id, by the newest page of the last poll."""

    def wrong_post(self, page: ChannelPage, progress: int) -> WrongPost | None:
        """The post that progress stands at, if the newest page shows at two polls in a row that its id is
        wrong. Call once a poll."""
        before, wrong = self._suspect, self._wrong_by(page, progress)
        self._suspect = wrong.post_id if wrong else None
        return wrong if wrong and wrong.post_id == before else None

    def _wrong_by(self, page: ChannelPage, progress: int) -> WrongPost | None:
        if not page.slices or page.slices[-1].last_id >= progress:
            return None
        last = self._ledger.last_post()
        if last is None:
            return None
        later = (one.id for one in page.slices if one.id < last.post_id and _is_later(one, last.at))
        first = next((post_id for post_id in later if self._ledger.post(post_id) is None), None)
        return WrongPost(last.post_id, first) if first else None


def _is_later(post: PostSlice, at: float) -> bool:
    return (published_at(post) or 0.0) > at
