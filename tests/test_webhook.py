"""The worker's decisions: where it begins, what it does about each failure, what it passes over."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.discord.color import stable_color
from disgram.errors import (
    ChannelHasNoPreview,
    ChannelNotFound,
    CloudflareBlocked,
    DisgramError,
    MessageRejected,
    PageNotUnderstood,
    Stopping,
    StorageUnavailable,
    TelegramUnavailable,
    WebhookGone,
)
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT
from disgram.storage.ledger import Progress
from tests import pages
from tests.delivery_fakes import Bench, refusal
from webhook import PAGE_FRESH, parse_channel_param


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


# --- where it begins ----------------------------------------------------------------------------


def test_the_first_poll_forwards_the_newest_posts_in_order(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=25)
    bench.telegram.fill(1, 60)
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == list(range(36, 61))
    assert bench.said.facts["last_post_id"] == 60


def test_none_of_them_if_so_asked(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=0)
    bench.telegram.fill(1, 5)
    bench.poll()
    bench.telegram.fill(6, 6)
    bench.poll()
    assert bench.discord.numbers == [6]


def test_a_channel_without_posts_begins_with_its_first(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=0)
    assert bench.poll() == EXIT_OK
    bench.telegram.fill(1, 2)
    bench.poll()
    assert bench.discord.numbers == [1, 2]


def test_a_page_without_posts_in_between_changes_nothing(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.poll()
    kept, bench.telegram.posts = bench.telegram.posts, {}
    assert bench.poll() == EXIT_OK
    bench.telegram.posts = kept
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3]


def test_a_changed_post_number_goes_back_without_repeating_what_was_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=2)
    bench.telegram.fill(1, 30)
    bench.poll()
    bench.again(start=27)
    bench.poll(2)
    assert bench.discord.numbers == [29, 30, 27, 28]
    assert bench.ledger.progress() == Progress(30, 27)


def test_an_imported_progress_counts_for_the_first_poll(bench: Bench) -> None:
    bench.telegram.fill(1, 30)
    (bench.folder / "old.log").write_text("https://t.me/harbour/28\n")
    bench.book.import_log(bench.folder / "old.log")
    bench.poll()
    assert bench.discord.numbers == [29, 30]


def test_channel_parameter_is_a_name_and_a_post_id_or_none() -> None:
    assert parse_channel_param("https://t.me/s/durov/7") == ("durov", 7)
    assert parse_channel_param("@durov") == ("durov", None)


def test_channel_without_a_chosen_colour_always_has_the_same() -> None:
    assert stable_color("durov") == stable_color("DUROV") != stable_color("telegram")


# --- each error's reaction ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("error", "code", "reason"),
    [
        (ChannelHasNoPreview("a group"), EXIT_PERMANENT, "no_preview"),
        (ChannelNotFound("nobody"), EXIT_PERMANENT, "channel_not_found"),
        (TelegramUnavailable("down"), EXIT_CRASH, "telegram_unavailable"),
        (PageNotUnderstood("what?"), EXIT_CRASH, "layout_changed"),
        (StorageUnavailable("disk"), EXIT_CRASH, "storage_unavailable"),
    ],
)
def test_what_a_failing_page_leads_to(bench: Bench, error: DisgramError, code: int, reason: str) -> None:
    bench.telegram.fill(1, 2)
    bench.poll()
    bench.telegram.fails = lambda _: error
    assert bench.poll() == code
    assert bench.said.facts["reason"] == reason
    assert bench.ledger.progress() == Progress(2, None)
    bench.telegram.fails = lambda _: None
    bench.telegram.fill(3, 3)
    assert bench.poll() == EXIT_OK
    assert bench.said.facts["reason"] is None
    assert bench.discord.numbers == [1, 2, 3]


def test_a_gone_webhook_ends_the_worker_and_is_not_called_again(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.script = [refusal(WebhookGone("404 Unknown Webhook"))]
    assert bench.poll() == EXIT_PERMANENT
    bench.again()
    assert bench.poll() == EXIT_PERMANENT
    assert bench.said.facts["reason"] == "webhook_gone"
    assert bench.discord.asked == ["POST"]


def test_a_webhook_is_gone_for_all_its_threads_but_a_thread_only_for_itself(tmp_path: Path) -> None:
    benches = [Bench(tmp_path, thread=thread, job=f"job {thread}") for thread in (None, "7", "8")]
    for bench in benches:
        bench.telegram.fill(1, 1)
    benches[1].discord.script = [refusal(WebhookGone("404 Unknown Channel", reason="thread_gone"))]
    assert [bench.poll() for bench in reversed(benches)] == [EXIT_OK, EXIT_PERMANENT, EXIT_OK]
    benches[0].telegram.fill(2, 2)
    benches[0].discord.script = [refusal(WebhookGone("404 Unknown Webhook"))]
    assert [bench.poll() for bench in benches] == [EXIT_PERMANENT] * 3
    assert [len(bench.discord.asked) for bench in benches] == [2, 1, 1]


def test_a_post_that_is_refused_in_every_form_waits_and_the_channel_goes_on(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.refuses = lambda message: (
        MessageRejected("400 no") if "harbour/2" in str(message.payload) else None
    )
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 3]
    assert [row["post_id"] for row in bench.book.failed()] == [2]
    bench.discord.refuses = lambda _: None
    bench.book.retry("job")
    bench.poll()
    assert bench.discord.numbers == [1, 3, 2]
    assert bench.book.failed() == []


def test_a_retry_that_cannot_be_read_holds_nothing_up(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.discord.refuses = lambda message: MessageRejected("400") if len(bench.discord.shown) < 1 else None
    bench.poll()
    bench.discord.refuses = lambda _: None
    bench.book.retry("job")
    bench.telegram.fails = lambda before: PageNotUnderstood("torn") if before else None
    bench.telegram.fill(3, 3)
    assert bench.poll() == EXIT_OK
    assert 3 in bench.discord.numbers
    bench.telegram.fails = lambda _: None
    bench.telegram.posts.pop(1)
    bench.poll()
    assert bench.said.errors("deleted in Telegram")
    assert bench.ledger.to_retry() == []


# --- gaps ---------------------------------------------------------------------------------------


def test_an_unreadable_stretch_becomes_a_gap_after_three_polls_and_is_closed_later(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.poll()
    bench.telegram.fill(3, 60)
    torn = range(20, 30)
    bench.telegram.fails = lambda before: PageNotUnderstood("torn") if before and before - 1 in torn else None
    assert bench.poll(2) == EXIT_CRASH
    assert bench.discord.numbers == [1, 2]
    assert bench.said.facts["gaps"] == [(3, 22)]
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 2, *range(23, 61)]
    assert bench.said.facts["gaps"] == [(3, 22)]
    bench.telegram.fails = lambda _: None
    bench.poll()
    assert sorted(bench.discord.numbers) == list(range(1, 61))
    assert bench.said.facts["gaps"] == []


def test_many_gaps_cost_one_round_of_tries_while_telegram_is_down(bench: Bench) -> None:
    bench.telegram.fill(1, 100)
    bench.poll()
    for first in range(1, 80, 10):
        bench.ledger.add_gap(first, first + 5)
    bench.telegram.fails = lambda before: TelegramUnavailable("down") if before else None
    asked = len(bench.telegram.asked)
    bench.poll()
    assert len(bench.telegram.asked) - asked <= 5


def test_a_newest_page_that_no_reader_understands_is_left_to_the_next_poll(bench: Bench) -> None:
    """It made the worker spin: behind the newest page there is nothing to pass over to."""
    bench.telegram.fill(1, 2)
    bench.poll()
    for number in range(1, 4):
        bench.telegram.posts[number] = pages.post(number, '<div class="brand_new">?</div>')
    for _ in range(5):
        assert bench.poll() == EXIT_CRASH
        assert bench.said.facts["reason"] == "layout_changed"
    assert bench.ledger.gaps() == []
    bench.telegram.fill(1, 3)
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3]


def test_a_channel_of_nothing_but_posts_the_preview_cannot_show_is_no_changed_layout(bench: Bench) -> None:
    bench.telegram.posts[1] = pages.post(1, pages.label(pages.OPEN_TELEGRAM))
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1]


# --- long waits ---------------------------------------------------------------------------------


def test_pages_that_grew_old_while_discord_was_down_are_read_again(bench: Bench) -> None:
    """Media addresses expire, and the post may say something else by now."""
    bench.telegram.fill(1, 5)

    def an_hour_passes() -> None:
        if len(bench.discord.asked) == 2:
            bench.clock.now += PAGE_FRESH + 1
            bench.telegram.write(4, "corrected meanwhile")

    bench.discord.before = an_hour_passes
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4, 5]
    assert "corrected meanwhile" in bench.discord.texts[3]
    assert bench.discord.asked == ["POST"] * 5


def test_discord_being_down_is_shown_as_long_as_it_lasts(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "changed")
    bench.discord.script = [refusal(CloudflareBlocked("1015", retry_after=0.0))]
    bench.poll()
    assert bench.said.facts["reason"] == "blocked_by_cloudflare"
    bench.poll()
    assert bench.said.facts["reason"] is None
    assert bench.discord.texts == ["changed"]


def test_a_telegram_that_fails_twice_is_shown_before_the_poll_gives_up(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    tries = iter([TelegramUnavailable("502"), TelegramUnavailable("502"), None])
    bench.telegram.fails = lambda _: next(tries, None)
    assert bench.poll() == EXIT_OK
    assert bench.said.reasons == ["telegram_unavailable", None, None]


def test_sigterm_ends_any_wait(bench: Bench) -> None:
    bench.telegram.fails = lambda _: TelegramUnavailable("down")
    bench.stop_after = 1
    with pytest.raises(Stopping):
        bench.worker.run()
