"""Backfill: each post once, ascending, in a limited number of requests, whatever ids are missing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.errors import PageNotUnderstood
from disgram.post import ChannelPage, PostSlice
from disgram.telegram.backfill import posts_after, posts_between, start_of_newest


def post(number: int, size: int = 1, *, service: bool = False) -> PostSlice:
    return PostSlice(number, tuple(range(number, number + size)), "", str(number), service)


class Channel:
    """Posts served in pages as t.me does: the newest 20 numbers below `before`."""

    def __init__(self, posts: list[PostSlice], *, links_to_older: bool = True) -> None:
        self.posts = posts
        self.links_to_older = links_to_older
        self.requests: list[int | None] = []

    def page(self, before: int | None = None) -> ChannelPage:
        self.requests.append(before)
        chosen: list[PostSlice] = []
        for one in reversed([one for one in self.posts if before is None or one.id < before]):
            if chosen and sum(len(other.ids) for other in chosen) + len(one.ids) > 20:
                break
            chosen.insert(0, one)
        older = chosen and chosen[0].id > self.posts[0].id and self.links_to_older
        return ChannelPage("c", "C", None, tuple(chosen), chosen[0].id if older else None)

    def read(self, before: int) -> ChannelPage:
        return self.page(before)


def numbers(channel: Channel, progress: int) -> list[int]:
    return [one.id for one in posts_after(channel.page(), progress, channel.read)]


def test_backfill_without_new_posts_reads_no_page() -> None:
    channel = Channel([post(n) for n in range(1, 50)])
    assert numbers(channel, 49) == []
    assert channel.requests == [None]


def test_backfill_of_two_hundred_posts_reads_about_a_page_per_twenty() -> None:
    channel = Channel([post(n) for n in range(1, 301)])
    assert numbers(channel, 100) == list(range(101, 301))
    assert len(channel.requests) <= 11


def test_backfill_goes_on_past_a_page_without_a_link_to_older_posts() -> None:
    channel = Channel([post(n) for n in range(1, 100)], links_to_older=False)
    assert numbers(channel, 0) == list(range(1, 100))


def test_backfill_over_thousands_of_missing_ids_reads_few_pages() -> None:
    channel = Channel([post(n) for n in (*range(1, 10), *range(20_000, 20_030))])
    assert numbers(channel, 5) == [6, 7, 8, 9, *range(20_000, 20_030)]
    assert len(channel.requests) < 25


def test_backfill_of_albums_counts_each_message_id() -> None:
    channel = Channel([post(n, 10) for n in range(1, 400, 10)])
    assert numbers(channel, 0) == list(range(1, 400, 10))


def test_backfill_leaves_out_an_album_that_ends_at_progress() -> None:
    channel = Channel([post(1), post(5, 4), post(10)])
    assert numbers(channel, 8) == [10]


def test_backfill_raises_if_the_server_ignores_before() -> None:
    newest_page = ChannelPage("c", "C", None, (post(500), post(501)), 500)
    with pytest.raises(PageNotUnderstood):
        list(posts_between(0, 500, lambda before: newest_page))


@settings(max_examples=150, deadline=None)
@given(data=st.data())
def test_backfill_gives_each_post_once_and_in_order(data: st.DataObject) -> None:
    posts, number = [], 0
    for _ in range(data.draw(st.integers(1, 80))):
        number += data.draw(st.sampled_from([1, 1, 1, 2, 15, 40, 700]))
        size = data.draw(st.sampled_from([1, 1, 1, 3, 10]))
        posts.append(post(number, size))
        number += size - 1
    progress = data.draw(st.integers(0, number))
    channel = Channel(posts, links_to_older=data.draw(st.booleans()))
    assert numbers(channel, progress) == [one.id for one in posts if one.last_id > progress]


@pytest.mark.parametrize(("count", "after"), [(0, 49), (1, 48), (20, 29), (45, 4), (100, 0)])
def test_first_poll_starts_before_the_newest_posts(count: int, after: int) -> None:
    channel = Channel([post(n) for n in range(1, 50)])
    assert start_of_newest(channel.page(), count, channel.read, lambda _: True) == after


def test_first_poll_does_not_count_service_messages() -> None:
    channel = Channel([post(1), post(2), post(3, service=True), post(4)])
    assert start_of_newest(channel.page(), 2, channel.read, lambda one: not one.service) == 1


def test_first_poll_of_an_empty_channel_starts_at_zero() -> None:
    assert (
        start_of_newest(ChannelPage("c", "C", None, ()), 20, lambda _: pytest.fail("no page to read"), bool)
        == 0
    )


def test_first_poll_reads_older_posts_though_the_page_has_no_link_to_them() -> None:
    channel = Channel([post(n) for n in range(1, 50)], links_to_older=False)
    assert start_of_newest(channel.page(), 30, channel.read, lambda _: True) == 19
