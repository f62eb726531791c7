"""Whether "No posts found" is true: t.me also says so when it is asked too often (2026-11).

Such a page is believed when the page of another address, so that no cache answers twice, shows the oldest
post there is and none before it. Reads through the caller's function; sends nothing and does not sleep.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from disgram.errors import PageNotUnderstood, TelegramUnavailable
from disgram.post import ChannelPage

PAGE_IDS = 20
"""Message ids on one page."""

Read = Callable[[int], ChannelPage]
"""`read(before)`: the page of the newest posts with ids below `before`."""


def doubting(read: Read, head: ChannelPage) -> Read:
    """`read` that returns a page without posts only if there are none. `head` is the newest page.

    Beside what `read` raises, it raises TelegramUnavailable if nothing confirms that there are no posts.
    """

    def read_in_doubt(before: int) -> ChannelPage:
        page = read(before)
        return page if page.slices else _ask_elsewhere(before, read, head)

    return read_in_doubt


def _ask_elsewhere(before: int, read: Read, head: ChannelPage) -> ChannelPage:
    """The page of the posts before `before`, by other addresses; without posts if those say so, too."""
    asked, page = _next_page_with_posts(before, read, head)
    while (oldest := page.slices[0].id) >= before:
        if asked == oldest + 1:
            return replace(page, slices=(), older=None)
        asked, page = oldest + 1, read(oldest + 1)
        if not page.slices:
            raise _contradiction(asked, oldest)
        if page.slices[0].id > oldest:
            raise PageNotUnderstood(f"the page of posts before {asked} has none of them")
    return replace(page, slices=tuple(post for post in page.slices if post.id < before))


def _next_page_with_posts(before: int, read: Read, head: ChannelPage) -> tuple[int, ChannelPage]:
    """What was asked, and the page: it goes up to a post that the newest page shows."""
    known = next((post.id for post in head.slices if post.id >= before), None)
    asked, step = before + 1, PAGE_IDS
    while known and asked <= known + 1:
        page = read(asked)
        if page.slices:
            return asked, page
        if asked == known + 1:
            break
        asked, step = min(asked + step, known + 1), step * 2
    raise _contradiction(before, known)


def _contradiction(before: int, known: int | None) -> TelegramUnavailable:
    though = f"though it shows post {known}" if known else "which nothing confirms"
    return TelegramUnavailable(f"t.me says that there are no posts before {before}, {though}")
