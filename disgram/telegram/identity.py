"""Whether a page is of the channel that was forwarded so far: a name can be given to another channel.

Telegram's own id of the channel stands on its pages. Where it cannot be read, a newest post far below
progress says the same. One page may be wrong: the newest page has to say it at two polls in a row. Never
decides what to do about it.
"""

from __future__ import annotations

from disgram.errors import ChannelReplaced, TelegramUnavailable
from disgram.post import ChannelPage
from disgram.storage.channel_ledger import ChannelLedger

FAR_BELOW = 10
"""Post ids that the newest post must at least be below progress; and it is less than half of it."""


class ChannelIdentity:
    """For one worker; the ledger keeps the id over restarts."""

    def __init__(self, ledger: ChannelLedger) -> None:
        self._ledger = ledger
        self._known: int | None = None
        self._loaded = self._marked = False
        self._suspect: int | None = None
        """The id that the newest page of the last poll had instead; 0 for one far below progress."""

    def begin_anew(self) -> None:
        """A person wants the channel that has the name now: everything about the old one is forgotten."""
        self._ledger.source.begin_anew()
        self._known = None
        self._suspect, self._marked = None, False

    def check_older(self, page: ChannelPage) -> None:
        """A page of older posts. Raises TelegramUnavailable if it is of another channel."""
        self._load()
        if self._other_id(page):
            raise TelegramUnavailable(f"a page is of another channel: {self._difference(page)}")

    def check_newest(self, page: ChannelPage, progress: int) -> None:
        """The newest page; remembers its id. Raises ChannelReplaced: `certain` at the second poll in a row,
        or if it was certain before and this worker is new."""
        self._load()
        if self._other_id(page):
            raise self._replaced(self._difference(page), page.channel_id)
        same = self._known is not None and page.channel_id == self._known
        if page.slices and not same and self._far_below(page, progress):
            why = f"its newest post is {page.slices[-1].last_id}, and {progress} was forwarded"
            raise self._replaced(why, None)
        if page.slices:
            self._is_the_old_one()
            self._remember(page.channel_id)

    def _load(self) -> None:
        if not self._loaded:
            self._known, _, self._marked = self._ledger.source.get()
            self._loaded = True

    def _other_id(self, page: ChannelPage) -> bool:
        return bool(self._known and page.channel_id and page.channel_id != self._known)

    def _difference(self, page: ChannelPage) -> str:
        return f"its id was {self._known} and is {page.channel_id}"

    def _is_the_old_one(self) -> None:
        self._suspect = None
        if self._marked:
            self._ledger.source.mark_replaced(False)
            self._marked = False

    def _remember(self, channel_id: int | None) -> None:
        if channel_id and channel_id != self._known:
            self._ledger.source.put_channel_id(channel_id)
            self._known = channel_id

    def _replaced(self, why: str, channel_id: int | None) -> ChannelReplaced:
        certain = self._marked or self._suspect == (channel_id or 0)
        self._suspect = channel_id or 0
        if certain and not self._marked:
            self._ledger.source.mark_replaced()
            self._marked = True
        return ChannelReplaced(why, certain=certain)

    def _far_below(self, page: ChannelPage, progress: int) -> bool:
        newest = page.slices[-1].last_id
        if newest > progress - FAR_BELOW or newest * 2 >= progress:
            return False
        return not any(self._was_sent_unchanged(post.id, post.fingerprint) for post in page.slices)

    def _was_sent_unchanged(self, post_id: int, fingerprint: str) -> bool:
        row = self._ledger.post(post_id)
        return row is not None and row.fingerprint == fingerprint
