"""Old copies of Telegram's pages delete nothing in Discord, and what was taken for deleted comes back."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.telegram.missing_posts import OLDEST_COPY, oldest_copy
from tests.builders.delivery_fakes import Bench

POLICIES = pytest.mark.parametrize("policy", ["mark", "delete"])


def begun(folder: Path, policy: str = "delete") -> Bench:
    """Posts 1 to 5 are sent."""
    bench = Bench(folder, follow_deletions=policy, initial_posts=5)
    bench.telegram.fill(1, 5)
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4, 5]
    return bench


def without(bench: Bench, *numbers: int) -> dict[int, str]:
    """Take these posts off the pages; returns all there were."""
    all_posts = dict(bench.telegram.posts)
    for number in numbers:
        del bench.telegram.posts[number]
    return all_posts


def miss(bench: Bench, *numbers: int) -> None:
    """All pages lack these posts until that is believed; then they are there again."""
    all_posts = without(bench, *numbers)
    bench.poll()
    bench.clock.now += OLDEST_COPY
    bench.poll()
    bench.telegram.posts = all_posts


@POLICIES
@pytest.mark.parametrize("polls", [2, 30])
def test_old_copy_on_all_addresses_deletes_nothing(tmp_path: Path, policy: str, polls: int) -> None:
    bench = begun(tmp_path, policy)
    all_posts = without(bench, 4, 5)
    for _ in range(polls):
        bench.clock.now += OLDEST_COPY / 31
        bench.poll()
    bench.telegram.posts = all_posts
    bench.telegram.fill(6, 6)
    bench.poll(3)
    assert bench.discord.texts == [f"post {number}" for number in range(1, 7)]
    assert set(bench.discord.asked) == {"POST"}


def test_post_missing_at_the_end_is_deleted_once_a_newer_one_is_there(tmp_path: Path) -> None:
    bench = begun(tmp_path)
    without(bench, 4, 5)
    bench.poll(3)
    bench.telegram.fill(6, 6)
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 6]


def test_time_that_a_post_is_missing_counts_over_a_restart(tmp_path: Path) -> None:
    bench = begun(tmp_path)
    without(bench, 5)
    bench.poll()
    bench.clock.now += OLDEST_COPY
    bench.again()
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4, 5]
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4]


def test_post_that_was_there_meanwhile_is_missing_anew(tmp_path: Path) -> None:
    bench = begun(tmp_path)
    all_posts = without(bench, 5)
    bench.poll()
    kept, bench.telegram.posts = bench.telegram.posts, all_posts
    bench.poll()
    bench.telegram.posts = kept
    bench.clock.now += OLDEST_COPY
    bench.poll(3)
    assert bench.discord.numbers == [1, 2, 3, 4, 5]


def test_mark_is_taken_off_a_post_that_is_back(tmp_path: Path) -> None:
    bench = begun(tmp_path, "mark")
    miss(bench, 4, 5)
    assert [text.startswith("*deleted in Telegram*") for text in bench.discord.texts] == [False] * 3 + [
        True
    ] * 2
    bench.poll(3)
    assert bench.discord.texts == [f"post {number}" for number in range(1, 6)]
    assert bench.discord.asked == ["POST"] * 5 + ["PATCH"] * 4


def test_deleted_message_of_a_post_that_is_back_is_sent_again_once(tmp_path: Path) -> None:
    bench = begun(tmp_path)
    miss(bench, 4, 5)
    assert bench.discord.numbers == [1, 2, 3]
    bench.poll(5)
    assert bench.discord.numbers == [1, 2, 3, 4, 5]


def test_post_that_is_back_is_sent_again_behind_newer_ones(tmp_path: Path) -> None:
    bench = begun(tmp_path)
    miss(bench, 4)
    bench.telegram.fill(6, 6)
    bench.poll(3)
    assert bench.discord.numbers == [1, 2, 3, 5, 6, 4]


@POLICIES
def test_pages_that_never_agree_send_no_second_copy(tmp_path: Path, policy: str) -> None:
    bench = begun(tmp_path, policy)
    for _ in range(4):
        miss(bench, 4)
        bench.clock.now += OLDEST_COPY
        bench.poll(3)
    assert sorted(bench.discord.texts) == [f"post {number}" for number in range(1, 6)]
    assert len(bench.discord.asked) == 5 + 2


@POLICIES
def test_old_copy_does_not_bring_a_deleted_post_back(tmp_path: Path, policy: str) -> None:
    bench = begun(tmp_path, policy)
    old = without(bench, 2)
    new = bench.telegram.posts
    bench.poll(2)
    changed = len(bench.discord.asked)
    bench.telegram.posts = old
    bench.poll(5)
    bench.telegram.posts = new
    bench.clock.now += OLDEST_COPY
    bench.poll(5)
    assert len(bench.discord.asked) == changed


def test_message_deleted_in_discord_is_not_sent_again(tmp_path: Path) -> None:
    bench = begun(tmp_path)
    bench.discord.shown.clear()
    bench.telegram.write(5, "edited")
    bench.poll()
    miss(bench, 5)
    bench.poll(3)
    assert bench.discord.shown == {}


def test_post_deleted_between_two_reads_is_deleted_at_the_next_poll(tmp_path: Path) -> None:
    bench = begun(tmp_path)
    all_posts = without(bench, 4)
    bench.poll()
    page = bench.telegram.page

    def one_less(channel: str, before: int | None = None) -> str:
        if before:
            bench.telegram.posts.pop(2, None)
        return page(channel, before)

    bench.telegram.page = one_less  # type: ignore[method-assign]
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4, 5]
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 5]
    assert 4 in all_posts


@pytest.mark.parametrize(
    ("cooldown", "seconds"), [(300.0, 3600.0), (3600.0, 3600.0), (60.0, 720.0), (1.0, 12.0)]
)
def test_who_polls_more_often_sees_the_end_of_a_channel_deleted_sooner(
    cooldown: float, seconds: float
) -> None:
    assert oldest_copy(cooldown) == seconds
