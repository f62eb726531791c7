"""Whether a page is of the channel that was forwarded so far: a name can be given to another channel.

Telegram's own id of the channel stands on its pages. Where it cannot be read, a newest post far below
progress is taken for another channel at the second poll. Never decides what to do about it.
"""

from __future__ import annotations

from disgram.errors import ChannelReplaced
from disgram.post import ChannelPage
from disgram.storage.channel_ledger import ChannelLedger

FAR_BELOW = 10
"""Post ids that the newest post must at least be below progress; and it is less than half of it."""


class ChannelIdentity:
    """For one worker; the ledger keeps the id over restarts."""

    def __init__(self, ledger: ChannelLedger) -> None:
        self._ledger = ledger
        self._known: int | None = None
        self._loaded = self._was_far_below = self._marked = False

    def begin_anew(self) -> None:
        """A person wants the channel that has the name now: everything about the old one is forgotten."""
        self._ledger.source.begin_anew()
        self._known = None
        self._was_far_below = self._marked = False

    def check(self, page: ChannelPage) -> None:
        """Any page. Raises ChannelReplaced if its id is another one than that of the earlier pages."""
        if not self._loaded:
            self._known, _, self._marked = self._ledger.source.get()
            self._loaded = True
        if self._known and page.channel_id and page.channel_id != self._known:
            raise self._replaced(f"its id was {self._known} and is {page.channel_id}")

    def check_newest(self, page: ChannelPage, progress: int) -> None:
        """The newest page; remembers its id. Raises ChannelReplaced, which is not certain at first if the
        id does not tell."""
        self.check(page)
        same = self._known is not None and page.channel_id == self._known
        if not page.slices or same:
            self._is_the_old_one()
        elif self._far_below(page, progress):
            why = f"its newest post is {page.slices[-1].last_id}, and {progress} was forwarded"
            if not self._was_far_below:
                self._was_far_below = True
                raise ChannelReplaced(why, certain=False)
            raise self._replaced(why)
        else:
            self._is_the_old_one()
            self._remember(page.channel_id)

    def _is_the_old_one(self) -> None:
        self._was_far_below = False
        if self._marked:
            self._ledger.source.mark_replaced(False)
            self._marked = False

    def _remember(self, channel_id: int | None) -> None:
        if channel_id and channel_id != self._known:
            self._ledger.source.put_channel_id(channel_id)
            self._known = channel_id

    def _replaced(self, why: str) -> ChannelReplaced:
        self._ledger.source.mark_replaced()
        self._marked = True
        return ChannelReplaced(why, certain=True)

    def _far_below(self, page: ChannelPage, progress: int) -> bool:
        newest = page.slices[-1].last_id
        if newest > progress - FAR_BELOW or newest * 2 >= progress:
            return False
        return not any(self._was_sent_unchanged(post.id, post.fingerprint) for post in page.slices)

    def _was_sent_unchanged(self, post_id: int, fingerprint: str) -> bool:
        row = self._ledger.post(post_id)
        return row is not None and row.fingerprint == fingerprint
