"""A channel's pages and posts, read with patience: fetched, split, parsed, and watched for a changed layout.

Owns the tries for one page within one poll, and the judgement that a page yields nothing readable.
Never decides which posts are due and never sends.
"""

from __future__ import annotations

import gc
from collections.abc import Callable

from disgram.backoff import REQUEST_BACKOFF_MAX, jittered_backoff
from disgram.errors import PageNotUnderstood, TelegramUnavailable
from disgram.post import (
    ChannelPage,
    PostSlice,
    TelegramPost,
    Unknown,
    Unsupported,
)
from disgram.report import Level, Reporter
from disgram.telegram.client import TelegramClient
from disgram.telegram.page import parse_post, split_page
from disgram.telegram.unknown_markup import PAGE, UnknownMarkup

PAGE_TRIES = 4
"""Requests for one page within one poll before it is left to the next."""

FEW_POSTS = 3
"""A page of fewer tells nothing about the layout: one post of a new kind may be all a channel has."""

UNREAD = Unsupported("Post")
"""Stands for a post that no reader understood."""


class ChannelReader:
    """For one worker. `asked` is the `before` of the last page asked for, None for the newest."""

    def __init__(
        self,
        client: TelegramClient,
        channel: str,
        layout: UnknownMarkup,
        *,
        report: Reporter,
        wait: Callable[[float], None],
    ) -> None:
        self._client = client
        self._channel = channel
        self._layout = layout
        self._report = report
        self._wait = wait
        self.asked: int | None = None

    def read(self, before: int | None = None) -> ChannelPage:
        """The newest page, or that of the posts below a number. Raises TelegramError and Stopping."""
        self.asked = before
        for failures in range(1, PAGE_TRIES):
            try:
                page = self._scan(before)
            except TelegramUnavailable as error:
                # One failure passes unseen; a rest that t.me asked for takes long enough to be shown.
                shown = {"reason": error.reason} if failures > 1 or error.retry_after else {}
                self._report(Level.INFO, f"Telegram: {error}; trying again", **shown)
                self._wait(jittered_backoff(failures, REQUEST_BACKOFF_MAX))
            else:
                if failures > 1:
                    self._report(Level.INFO, "Telegram answers again", reason=None)
                return page
        return self._scan(before)

    def _scan(self, before: int | None) -> ChannelPage:
        html = self._client.page(self._channel, before)
        try:
            return split_page(html, self._channel)
        except PageNotUnderstood:
            self._kept(PAGE, html)
            raise

    def parse(self, piece: PostSlice, page: ChannelPage) -> TelegramPost:
        """A post, whole. One that cannot be read comes back as "open in Telegram", unless its whole page is
        like that: then the layout has changed, and PageNotUnderstood is raised."""
        post = self._parsed(piece, page)
        alone = len(page.slices) < FEW_POSTS and UNREAD not in post.blocks
        if alone or readable(post) or any(readable(self._parsed(other, page)) for other in page.slices):
            return post
        raise PageNotUnderstood("none of the page's posts could be read")

    @property
    def not_understood(self) -> int:
        """How many different pieces of this channel's posts were not understood."""
        return self._layout.count

    def _parsed(self, piece: PostSlice, page: ChannelPage) -> TelegramPost:
        try:
            post = parse_post(piece, page)
            gc.collect()  # a tree is all cycles: waiting for their turn, a few would cost a megabyte
        except PageNotUnderstood as error:
            self._kept(str(piece.id), piece.html)
            self._report(Level.ERROR, f"Post {piece.id} could not be read: {error}")
            return TelegramPost(page.channel, piece.id, piece.ids, page.title, (UNREAD,))
        for block in post.blocks:
            if isinstance(block, Unknown):
                self._kept(f"{piece.id}-{block.css_class}", block.html)
        return post

    def _kept(self, name: str, html: str) -> None:
        path = self._layout.keep(name, html)
        if path:
            self._report(
                Level.ERROR,
                f"Something on the page was not understood; it is kept in {path} for a bug report",
                layout_changed=self._layout.count,
            )


def readable(post: TelegramPost) -> bool:
    """Whether anything of a post was understood; that t.me itself shows nothing of it is something, too."""
    return any(block is not UNREAD and not isinstance(block, Unknown) for block in post.blocks)
