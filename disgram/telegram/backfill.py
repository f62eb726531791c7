"""Which posts come after a number, however many pages back they begin: oldest first, none left out.

The newest page is at hand; older ones are read with `?before=`, whose page holds the newest posts
below a number. Asking for `before = progress + 21` therefore walks forward in steps a page can
cover (a page holds 20 message numbers, an album of N being N of them: seen 2026-08); where numbers have
vanished the steps grow, and where a page does not reach back far enough the walk goes back first.

Owns that walk. Never sends, never sleeps; reading a page is the caller's function.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

from disgram.errors import PageNotUnderstood
from disgram.post import ChannelPage, PostSlice

PAGE_IDS = 20
STEP_MAX = 20 * 256

Read = Callable[[int], ChannelPage]
"""`read(before)`: the page of posts with numbers below `before`."""


def missing(head: ChannelPage, progress: int, read: Read) -> Iterator[PostSlice]:
    """Yield the posts with numbers above `progress`, ascending. Raises what `read` raises."""
    if head.slices:
        yield from between(progress, head.slices[0].id, read)
        yield from (post for post in head.slices if post.last_id > progress)


def between(progress: int, end: int, read: Read) -> Iterator[PostSlice]:
    """Yield the posts with `progress` < number < `end`, ascending, reading pages as they are needed."""
    step = PAGE_IDS
    while progress + 1 < end:
        before = min(progress + 1 + step, end)
        stretch, reads = _stretch(progress, before, read)
        yield from stretch
        progress = max([before - 1, *(post.last_id for post in stretch)])  # an album may reach across
        step = min(step * 2, STEP_MAX) if reads == 1 and len(stretch) < PAGE_IDS // 2 else PAGE_IDS


def _stretch(progress: int, before: int, read: Read) -> tuple[list[PostSlice], int]:
    """All posts with `progress` < number < `before`, and how many pages it took."""
    found: dict[int, PostSlice] = {}
    reads = 0
    while True:
        page = read(before)
        reads += 1
        fresh = [post for post in page.slices if post.id < before and post.id not in found]
        if page.slices and not fresh:
            raise PageNotUnderstood(f"the page of posts before {before} holds none of them")
        found |= {post.id: post for post in fresh if post.last_id > progress}
        # A page without a link to older ones is not always the oldest (seen 2026-08).
        if not fresh or fresh[0].id <= progress + 1:
            return [found[number] for number in sorted(found)], reads
        before = fresh[0].id


def newest(head: ChannelPage, count: int, read: Read, counts: Callable[[PostSlice], bool]) -> int:
    """The number after which the newest `count` posts lie (those that `counts` counts), for a first poll."""
    posts = list(head.slices)
    page = head
    while sum(map(counts, posts)) < count and page.slices and page.older:
        older = read(page.slices[0].id)
        fresh = [post for post in older.slices if post.id < page.slices[0].id]
        if not fresh:
            break
        posts, page = fresh + posts, older
    chosen = [post for post in posts if counts(post)][-count:] if count else []
    if chosen:
        return chosen[0].id - 1
    return posts[-1].last_id if posts else 0
