"""Reads a channel's pages and posts, with retries, and detects a changed layout of t.me.

Retries a page within one poll, and decides whether anything on a page could be read.
Does not decide which posts are due, and sends nothing.
"""

from __future__ import annotations

import gc
from collections.abc import Callable
from dataclasses import replace

from disgram.backoff import REQUEST_BACKOFF_MAX, jittered_backoff
from disgram.errors import PageNotUnderstood, TelegramUnavailable
from disgram.post import ChannelPage, PostSlice, Run, TelegramPost, Text, Unknown, Unsupported
from disgram.report import Level, Reporter
from disgram.telegram.client import TelegramClient
from disgram.telegram.page import own_page_words, parse_post, split_page
from disgram.telegram.unknown_markup import WHOLE_PAGE, UnknownMarkup

PAGE_TRIES = 4
"""Requests for one page within one poll before it is left to the next poll."""

FEW_POSTS = 3
"""A page of fewer posts says nothing about the layout: the channel's only post may be of a new kind."""

UNREADABLE = Unsupported("Post")
"""The only block of a post that could not be parsed."""


class ChannelReader:
    """For one worker. `asked` is the `before` of the last request, None for the newest page."""

    def __init__(
        self,
        client: TelegramClient,
        channel: str,
        unknown_markup: UnknownMarkup,
        *,
        report: Reporter,
        wait: Callable[[float], None],
    ) -> None:
        self._client = client
        self._channel = channel
        self._unknown_markup = unknown_markup
        self._report = report
        self._wait = wait
        self.asked: int | None = None
        self._retries = PageRetries(report, wait)

    def read(self, before: int | None = None) -> ChannelPage:
        """The newest page, or the page of the posts before a post id. Raises TelegramError and Stopping."""
        self.asked = before
        return self._retries.read(lambda: self._fetch(before))

    def _fetch(self, before: int | None) -> ChannelPage:
        html = self._client.page(self._channel, before)
        try:
            return split_page(html, self._channel)
        except PageNotUnderstood:
            self._save_for_report(WHOLE_PAGE, html)
            raise

    def parse(self, post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
        """Parse one post. One that cannot be parsed becomes a link to Telegram; if nothing on the whole page
        is readable, the layout has changed: PageNotUnderstood is raised."""
        post = self._parse_or_placeholder(post_slice, page)
        few = len(page.slices) < FEW_POSTS and UNREADABLE not in post.blocks
        if few or readable(post) or self._any_readable(page):
            return post
        raise PageNotUnderstood("none of the page's posts could be read")

    def _any_readable(self, page: ChannelPage) -> bool:
        return any(readable(self._parse_or_placeholder(each, page)) for each in page.slices)

    @property
    def not_understood(self) -> int:
        """How many different elements and posts of this channel no reader understood."""
        return self._unknown_markup.count

    def _parse_or_placeholder(self, post_slice: PostSlice, page: ChannelPage) -> TelegramPost:
        try:
            post = parse_post(post_slice, page)
            gc.collect()  # a parsed tree is full of reference cycles; a few uncollected ones take a megabyte
        except PageNotUnderstood as error:
            self._save_for_report(str(post_slice.id), post_slice.source)
            self._report(Level.ERROR, f"Post {post_slice.id} could not be read: {error}")
            return TelegramPost(page.channel, post_slice.id, post_slice.ids, page.title, (UNREADABLE,))
        if any(isinstance(block, Unsupported) for block in post.blocks):
            post = self._with_own_words(post, page)
        for block in post.blocks:
            if isinstance(block, Unknown):
                self._save_for_report(f"{post_slice.id}-{block.css_class}", block.html)
        return post

    def _with_own_words(self, post: TelegramPost, page: ChannelPage) -> TelegramPost:
        """A post that the preview does not show, with the words its own page has. Never raises
        TelegramError: without an answer the link to Telegram has to do."""
        words = self._own_words(post, page)
        if not words:
            return post
        shown = [block for block in post.blocks if not isinstance(block, Unsupported)]
        return replace(post, blocks=(*shown, Text((Run(words),)), Unsupported("")))

    def _own_words(self, post: TelegramPost, page: ChannelPage) -> str:
        for attempt in range(1, PAGE_TRIES + 1):
            try:
                return own_page_words(self._client.post_page(self._channel, post.id), page)
            except PageNotUnderstood as error:
                self._report(Level.INFO, f"The page of {post.url} has no words of it: {error}")
                break
            except TelegramUnavailable as error:
                self._report(Level.INFO, f"Telegram does not show the page of {post.url}: {error}")
                if attempt < PAGE_TRIES:
                    self._wait(jittered_backoff(attempt, REQUEST_BACKOFF_MAX))
        return ""

    def _save_for_report(self, name: str, html: str) -> None:
        path = self._unknown_markup.save(name, html)
        if path:
            self._report(
                Level.ERROR,
                f"Part of the page was not understood; saved as {path} for a bug report",
                layout_changed=self._unknown_markup.count,
                counts={"parser_unknown_blocks": 1},
            )


class PageRetries:
    """The tries for one page within one poll, of whichever reader. For one worker."""

    def __init__(self, report: Reporter, wait: Callable[[float], None]) -> None:
        self._report = report
        self._wait = wait
        self._failing: Level | None = None
        """Telegram does not answer: the level at which its first answer is reported. None: it does."""

    def read(self, fetch: Callable[[], ChannelPage]) -> ChannelPage:
        """What `fetch` returns, at one of PAGE_TRIES tries. Raises what it raises, and Stopping."""
        for failures in range(1, PAGE_TRIES + 1):
            try:
                page = fetch()
            except PageNotUnderstood:
                self._failing = Level.STATUS
                raise
            except TelegramUnavailable as error:
                self._failing = Level.STATUS if failures == PAGE_TRIES else self._failing or Level.INFO
                if failures == PAGE_TRIES:
                    raise
                # /health does not show a single failure, unless t.me named a time to wait: that is long.
                shown = {"reason": error.reason} if failures > 1 or error.retry_after else {}
                delay = jittered_backoff(failures, REQUEST_BACKOFF_MAX)
                # After a 429 TelegramThrottle makes the next request wait longer than `delay`.
                when = "" if error.retry_after else f" in {delay:.0f} s"
                self._report(Level.INFO, f"{error}; trying again{when}", **shown)
                self._wait(delay)
            else:
                break
        if self._failing:
            self._report(self._failing, "Telegram answers again", reason=None)
            self._failing = None
        return page


def readable(post: TelegramPost) -> bool:
    """Whether any block of a post was understood; t.me's own label that it cannot show the post counts."""
    return any(block is not UNREADABLE and not isinstance(block, Unknown) for block in post.blocks)
