"""Finds the posts after a post id, oldest first and without gaps, however many pages back they begin.

The newest page is at hand; older posts are read with `?before=`, which gives the newest posts before an id.
Requesting `before = progress + 21` therefore goes forward in steps that one page can cover (a page has 20
message ids, of which an album of N takes N: seen 2026-08). Where ids are missing the steps grow; where a
page does not reach back to `progress`, older pages are read first.

Pages are read through the caller's function, which vouches for those without posts (empty_page.py). Sends
nothing and does not sleep.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from disgram.errors import PageNotUnderstood
from disgram.post import ChannelPage, PostSlice
from disgram.telegram.empty_page import PAGE_IDS, Read
from disgram.telegram.page import published_at

STEP_MAX = 20 * 256
"""Message ids that one step goes forward at most."""


def posts_after(head: ChannelPage, progress: int, read: Read) -> Iterator[PostSlice]:
    """Yield the posts with ids above `progress`, ascending; `head` is the newest page.

    Raises what `read` raises, and PageNotUnderstood.
    """
    if head.slices:
        yield from posts_between(progress, head.slices[0].id, read)
        yield from (post for post in head.slices if post.last_id > progress)


def posts_between(progress: int, end: int, read: Read) -> Iterator[PostSlice]:
    """Yield the posts with `progress` < id < `end`, ascending; pages are read as they are needed."""
    step = PAGE_IDS
    while progress + 1 < end:
        before = min(progress + 1 + step, end)
        posts, pages_read = _read_range(progress, before, read)
        yield from posts
        progress = max([before - 1, *(post.last_id for post in posts)])  # an album may go beyond `before`
        step = min(step * 2, STEP_MAX) if pages_read == 1 and len(posts) < PAGE_IDS // 2 else PAGE_IDS


def _read_range(progress: int, before: int, read: Read) -> tuple[list[PostSlice], int]:
    """All posts with `progress` < id < `before`, and how many pages were read."""
    found: dict[int, PostSlice] = {}
    pages_read = 0
    while True:
        page = read(before)
        pages_read += 1
        fresh = [post for post in page.slices if post.id < before and post.id not in found]
        if page.slices and not fresh:
            raise PageNotUnderstood(f"the page of posts before {before} has none of them")
        found |= {post.id: post for post in fresh if post.last_id > progress}
        # A page without a link to older ones is not always the oldest (seen 2026-08).
        if not fresh or fresh[0].id <= progress + 1:
            return [found[post_id] for post_id in sorted(found)], pages_read
        before = fresh[0].id


def start_of_newest(head: ChannelPage, count: int, read: Read, included: Callable[[PostSlice], bool]) -> int:
    """For a first poll: the id after which the newest `count` posts come; only those `included` count."""

    def enough(posts: list[PostSlice]) -> bool:
        return sum(map(included, posts)) >= count

    posts = _back_until(enough, head, read)
    chosen = [post for post in posts if included(post)][-count:] if count else []
    if chosen:
        return chosen[0].id - 1
    return posts[-1].last_id if posts else 0


def start_of_newer(head: ChannelPage, since: float, read: Read) -> int:
    """For a channel that had no posts at the first poll: the id after which those published `since` come, in
    seconds since 1970."""

    def is_newer(post: PostSlice) -> bool:
        return (published_at(post) or 0.0) >= int(since)  # t.me's dates are whole seconds

    posts = _back_until(lambda posts: not is_newer(posts[0]), head, read)
    return next((post.id - 1 for post in posts if is_newer(post)), posts[-1].last_id)


def _back_until(enough: Callable[[list[PostSlice]], bool], head: ChannelPage, read: Read) -> list[PostSlice]:
    """The newest posts, ascending: as many pages as it takes, or all there are. Not by the page's link to
    older posts, which some pages lack though there are older ones."""
    posts = list(head.slices)
    while posts and not enough(posts) and posts[0].id > 1:
        first = posts[0].id
        fresh = [post for post in read(first).slices if post.id < first]
        if not fresh:
            break
        posts = fresh + posts
    return posts
