"""Posts refused one after another: whether the posts are at fault or the destination.

A post that Discord refuses in every form is failed, and the channel goes on. But five in a row are hardly
all at fault: they are due again, in order, and the channel waits (Refusals). When it is tried again, twice as
many may be refused, then three times as many, so that posts which are at fault cannot hold it for ever.

Owns that count, which is the ledger's rows themselves. Never sends.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from disgram.delivery.refused.refusals import Refusals
from disgram.errors import DestinationRefuses, DiscordError
from disgram.storage.channel_ledger import ChannelLedger, PostRow

FEW, MOST = 5, 50
"""Posts refused in a row that put the destination in question, at first and at last."""


class RefusedPosts:
    """For one worker. `persist(write, ...)` writes until the disk has room."""

    def __init__(self, ledger: ChannelLedger, refusals: Refusals, persist: Callable[..., None]) -> None:
        self._ledger = ledger
        self._refusals = refusals
        self._persist = persist
        self._first: tuple[int, DiscordError] | None = None
        """The first post refused since the last one that was accepted, and why."""

    def fail(self, row: PostRow, error: DiscordError, payload: str) -> None:
        """Write a post that was refused in every form. Raises DestinationRefuses if it was one too many."""
        progress = self._ledger.progress()
        is_due = progress is not None and row.last_id > progress.last_id  # not an old one that is retried
        self._persist(self._ledger.fail, row, str(error), payload)
        if not is_due:
            return
        self._first = self._first or (row.post_id, error)
        most = min(FEW * (1 + self._refusals.channel_tries), MOST)
        in_a_row = self._ledger.failed_in_a_row(row.post_id + 1, most)
        if len(in_a_row) == most:
            self._take_back(in_a_row[0], error)

    def accepted(self) -> None:
        """A post was accepted: those refused before it were at fault themselves."""
        self._first = None

    def end(self) -> None:
        """All new posts were tried. Raises DestinationRefuses if the channel waits and none was accepted."""
        first, self._first = self._first, None
        if first and self._refusals.channel_tries:
            self._take_back(*first)

    def _take_back(self, first: int, error: DiscordError) -> None:
        self._first = None
        self._persist(self._ledger.take_back, first)
        refusal = DestinationRefuses(f"post after post is refused in every form; the last one: {error}")
        self._persist(partial(self._refusals.refused, refusal, channel_only=True))
        raise refusal
