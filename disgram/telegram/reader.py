"""What a worker needs of whoever reads its channel: t.me's preview, the account, or the one for the other."""

from __future__ import annotations

from typing import Protocol

from disgram.post import ChannelPage, PostSlice, TelegramPost


class Reader(Protocol):
    """For one worker. `asked` is the `before` of the last request, None for the newest page;
    `not_understood`: how many different elements and posts no reader understood."""

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
