"""Whether the post ids of the newest page can be true: one absurd id would end a channel for good.

An id far beyond progress and the page's other posts is believed when the page of another address has it,
too. A channel that really jumps is thus forwarded with one request more.
"""

from __future__ import annotations

from dataclasses import replace

from disgram.post import ChannelPage, PostSlice
from disgram.telegram.empty_page import Read

JUMP = 100
"""Ids from one post to the next that are believed at once. After a long outage, or where many posts were
deleted, a channel jumps farther."""


def without_implausible(head: ChannelPage, progress: int, read: Read) -> ChannelPage:
    """The newest page without posts whose ids nothing else supports. Raises what `read` raises."""
    first = _first_after_jump(head.slices, progress)
    if first is None:
        return head
    confirmed = {post.id for post in read(head.slices[-1].last_id + 1).slices}
    sure, unsure = head.slices[:first], head.slices[first:]
    return replace(head, slices=sure + tuple(post for post in unsure if post.id in confirmed))


def _first_after_jump(slices: tuple[PostSlice, ...], progress: int) -> int | None:
    """The index of the first post too far from what comes before; without progress that is the first post,
    unless it is the only one."""
    previous = progress or (slices[0].id if len(slices) > 1 else 0)
    for index, post in enumerate(slices):
        if post.last_id > previous + JUMP:
            return index
        previous = max(previous, post.last_id)
    return None
