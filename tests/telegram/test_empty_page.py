"""The worker and a page that says "No posts found" though there are posts."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.errors import MessageRejected
from disgram.report import EXIT_CRASH, EXIT_OK
from tests.builders import pages
from tests.builders.delivery_fakes import Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def begun(bench: Bench, last: int) -> Bench:
    """Posts 1 to `last` are sent."""
    bench.telegram.fill(1, last)
    bench.again(start=1)
    bench.poll()
    assert bench.discord.numbers == list(range(1, last + 1))
    return bench


def hide_pages_before_a_post(bench: Bench) -> None:
    bench.telegram.hides = lambda before: before is not None


def show_all(bench: Bench) -> None:
    bench.telegram.hides = lambda _: False


@pytest.mark.parametrize("lying", [46, 47, 66])
def test_catch_up_asks_another_address_when_a_page_says_no_posts(bench: Bench, lying: int) -> None:
    begun(bench, 25)
    bench.telegram.fill(26, 65)
    bench.telegram.hides = lambda before: before == lying
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == list(range(1, 66))


def test_catch_up_waits_and_leaves_a_gap_while_every_older_page_says_no_posts(bench: Bench) -> None:
    begun(bench, 25)
    bench.telegram.fill(26, 65)
    hide_pages_before_a_post(bench)
    assert bench.poll(2) == EXIT_CRASH
    assert bench.said.facts["reason"] == "telegram_unavailable"
    assert bench.discord.numbers == list(range(1, 26))
    assert bench.poll() == EXIT_OK
    assert bench.said.facts["gaps"] == [(26, 45)]
    assert bench.discord.numbers == [*range(1, 26), *range(46, 66)]
    bench.poll(3)
    assert bench.said.facts["gaps"] == [(26, 45)]
    show_all(bench)
    bench.poll()
    assert sorted(bench.discord.numbers) == list(range(1, 66))
    assert bench.said.facts["gaps"] == []


def test_open_gap_stays_open_on_the_word_of_one_address(bench: Bench) -> None:
    begun(bench, 5)
    bench.telegram.fill(6, 40)
    bench.ledger.add_gap(6, 15)
    bench.ledger.advance(15)
    bench.telegram.hides = lambda before: before == 16
    bench.poll()
    assert sorted(bench.discord.numbers) == list(range(1, 41))
    assert bench.ledger.gaps() == []


def test_open_gap_stays_open_while_the_newest_page_says_no_posts(bench: Bench) -> None:
    begun(bench, 5)
    bench.ledger.add_gap(2, 4)
    bench.telegram.hides = lambda _: True
    bench.poll(3)
    assert bench.ledger.gaps() == [(2, 4)]


def test_posts_deleted_before_the_catch_up_do_not_hold_it_up(bench: Bench) -> None:
    begun(bench, 25)
    bench.telegram.posts.clear()
    bench.telegram.fill(52, 90)
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [*range(1, 26), *range(52, 91)]
    assert bench.said.facts["gaps"] == []


def test_gap_of_deleted_posts_is_closed(bench: Bench) -> None:
    begun(bench, 5)
    bench.telegram.posts.clear()
    bench.telegram.fill(90, 130)
    bench.ledger.add_gap(6, 15)
    bench.ledger.advance(15)
    bench.poll()
    assert bench.ledger.gaps() == []


@pytest.mark.parametrize("initial_posts", [0, 5])
def test_first_poll_begins_nothing_with_a_page_without_posts(tmp_path: Path, initial_posts: int) -> None:
    bench = Bench(tmp_path, initial_posts=initial_posts)
    for number in range(1, 151):
        bench.telegram.posts[number] = pages.post(number, pages.text("old"), date="2026-08-01T07:59:58+00:00")
    bench.telegram.hides = lambda _: True
    assert bench.poll(2) == EXIT_OK
    assert bench.ledger.progress() is None
    show_all(bench)
    bench.poll()
    assert bench.discord.numbers == list(range(151 - initial_posts, 151))


def test_posts_newer_than_an_empty_first_poll_are_sent_after_a_restart(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=0)
    assert bench.poll() == EXIT_OK
    bench.telegram.fill(2, 45)
    bench.telegram.posts[1] = pages.post(1, pages.text("old"), date="2026-08-01T07:59:58+00:00")
    bench.clock.now += 3600
    bench.again()
    bench.poll()
    assert bench.discord.numbers == list(range(2, 46))


def test_first_poll_does_not_begin_while_an_older_page_only_claims_to_be_empty(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=30)
    bench.telegram.fill(1, 60)
    hide_pages_before_a_post(bench)
    assert bench.poll() == EXIT_CRASH
    assert bench.ledger.progress() is None
    show_all(bench)
    bench.poll()
    assert bench.discord.numbers == list(range(31, 61))


def test_retried_post_is_not_marked_deleted_by_a_page_without_posts(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.refuses = lambda _: MessageRejected("400 no")
    bench.poll()
    bench.discord.refuses = lambda _: None
    bench.database.retry("job")
    hide_pages_before_a_post(bench)
    bench.poll()
    assert bench.ledger.to_retry() == [1, 2, 3]
    show_all(bench)
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3]


def test_retried_oldest_post_is_marked_deleted_once_two_addresses_agree(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.refuses = lambda _: MessageRejected("400 no")
    bench.poll()
    bench.discord.refuses = lambda _: None
    bench.database.retry("job", 1)
    del bench.telegram.posts[1]
    bench.poll()
    assert bench.ledger.to_retry() == []
    assert bench.said.errors("harbour/1 cannot be sent again: it was deleted in Telegram")


def test_newest_page_without_posts_is_not_believed_if_another_page_has_some(bench: Bench) -> None:
    begun(bench, 5)
    bench.telegram.fill(6, 6)
    bench.telegram.hides = lambda before: before is None
    assert bench.poll() == EXIT_CRASH
    assert bench.said.facts["reason"] == "telegram_unavailable"
    show_all(bench)
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("policy", ["mark", "delete"])
def test_page_without_posts_deletes_nothing_in_discord(tmp_path: Path, policy: str) -> None:
    bench = begun(Bench(tmp_path, follow_deletions=policy), 5)
    bench.telegram.hides = lambda _: True
    bench.poll(4)
    assert set(bench.discord.asked) == {"POST"}
