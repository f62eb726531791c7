"""The worker: where it begins, its reaction to each error, gaps, and pages that become old."""

from __future__ import annotations

import gc
from pathlib import Path
from types import ModuleType

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
from disgram.post import ChannelPage, PostSlice
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT
from disgram.storage.channel_ledger import Progress
from disgram.workers.lifecycle import RETRY_FAILED_AFTER
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, refusal
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


def test_initial_posts_zero_forwards_only_what_comes_later(tmp_path: Path) -> None:
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


def test_a_page_without_posts_between_two_polls_changes_nothing(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.poll()
    kept, bench.telegram.posts = bench.telegram.posts, {}
    assert bench.poll() == EXIT_OK
    bench.telegram.posts = kept
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3]


def test_a_changed_start_post_goes_back_without_repeating_sent_posts(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=2)
    bench.telegram.fill(1, 30)
    bench.poll()
    bench.again(start=27)
    bench.poll(2)
    assert bench.discord.numbers == [29, 30, 27, 28]
    assert bench.ledger.progress() == Progress(30, 27)


def test_the_first_poll_goes_on_after_imported_progress(bench: Bench) -> None:
    bench.telegram.fill(1, 30)
    (bench.folder / "old.log").write_text("https://t.me/harbour/28\n")
    bench.database.import_log(bench.folder / "old.log", {"job": ["harbour"]})
    bench.poll()
    assert bench.discord.numbers == [29, 30]


def test_channel_parameter_is_a_name_and_a_post_id_or_none() -> None:
    assert parse_channel_param("https://t.me/s/durov/7") == ("durov", 7)
    assert parse_channel_param("@durov") == ("durov", None)


def test_channel_without_a_chosen_colour_always_has_the_same() -> None:
    assert stable_color("durov") == stable_color("DUROV") != stable_color("telegram")


# --- each error's reaction ----------------------------------------------------------------------


@pytest.mark.parametrize("error", [ChannelHasNoPreview("a group"), ChannelNotFound("nobody")])
def test_log_says_when_an_unreadable_channel_is_tried_again(bench: Bench, error: DisgramError) -> None:
    """As lifecycle.py does it."""
    bench.telegram.fails = lambda _: error
    bench.poll()
    assert RETRY_FAILED_AFTER == 3600.0
    assert bench.said.errors("The next try is in an hour, or after PATCH /job")


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
def test_each_error_of_a_page_has_its_exit_code_and_reason(
    bench: Bench, error: DisgramError, code: int, reason: str
) -> None:
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


def test_a_post_refused_in_every_form_is_failed_and_the_channel_goes_on(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.refuses = lambda message: (
        MessageRejected("400 no") if "harbour/2" in str(message.payload) else None
    )
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 3]
    assert [row["post_id"] for row in bench.database.failed()] == [2]
    bench.discord.refuses = lambda _: None
    bench.database.retry("job")
    bench.poll()
    assert bench.discord.numbers == [1, 3, 2]
    assert bench.database.failed() == []


def test_a_dismissed_post_is_never_sent(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.discord.refuses = lambda message: (
        MessageRejected("400 no") if "harbour/1" in str(message.payload) else None
    )
    bench.poll()
    bench.discord.refuses = lambda _: None
    assert bench.database.dismiss("job") == 1
    bench.ledger.begin(0, None)
    assert bench.poll(2) == EXIT_OK
    assert bench.discord.numbers == [2]


def test_a_retried_post_that_cannot_be_read_does_not_hold_up_new_posts(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.discord.refuses = lambda message: MessageRejected("400") if len(bench.discord.shown) < 1 else None
    bench.poll()
    bench.discord.refuses = lambda _: None
    bench.database.retry("job")
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


def test_only_one_gap_is_tried_per_poll_while_telegram_is_down(bench: Bench) -> None:
    bench.telegram.fill(1, 100)
    bench.poll()
    for first in range(1, 80, 10):
        bench.ledger.add_gap(first, first + 5)
    bench.telegram.fails = lambda before: TelegramUnavailable("down") if before else None
    asked = len(bench.telegram.asked)
    bench.poll()
    assert len(bench.telegram.asked) - asked <= 5


def test_a_newest_page_that_is_not_understood_waits_for_the_next_poll(bench: Bench) -> None:
    """There are no newer posts to go on with, so the poll ends: the worker once looped here for ever."""
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


def test_a_channel_whose_only_post_the_preview_cannot_show_is_no_changed_layout(bench: Bench) -> None:
    bench.telegram.posts[1] = pages.post(1, pages.label(pages.OPEN_TELEGRAM))
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1]


# --- long waits ---------------------------------------------------------------------------------


def test_pages_that_became_old_while_sending_are_read_again(bench: Bench) -> None:
    """Media addresses expire, and posts may have been edited meanwhile."""
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


def test_health_shows_discord_as_blocked_until_it_answers_again(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "changed")
    bench.discord.script = [refusal(CloudflareBlocked("1015", retry_after=0.0))]
    bench.poll()
    assert bench.said.facts["reason"] == "blocked_by_cloudflare"
    bench.poll()
    assert bench.said.facts["reason"] is None
    assert bench.discord.texts == ["changed"]


def test_health_shows_telegram_as_unavailable_from_the_second_failure(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    tries = iter([TelegramUnavailable("502"), TelegramUnavailable("502"), None])
    bench.telegram.fails = lambda _: next(tries, None)
    assert bench.poll() == EXIT_OK
    assert bench.said.reasons == ["telegram_unavailable", None, None]


def test_sigterm_ends_a_wait_between_two_tries(bench: Bench) -> None:
    bench.telegram.fails = lambda _: TelegramUnavailable("down")
    bench.stop_after = 1
    with pytest.raises(Stopping):
        bench.worker.run()


# --- what waits ---------------------------------------------------------------------------------


def test_worker_reports_how_many_posts_wait_while_it_sends_them(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    seen: list[int] = []
    bench.discord.before = lambda: seen.append(bench.said.facts["waiting"])
    bench.poll()
    assert seen == [3, 2, 1]
    assert (bench.said.facts["newest_post_id"], bench.said.facts["waiting"]) == (3, 0)


def test_posts_of_older_pages_are_counted_by_their_numbers(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=50)
    bench.telegram.fill(1, 60)
    seen: list[int] = []
    bench.discord.before = lambda: seen.append(bench.said.facts["waiting"])
    bench.poll()
    assert seen == list(range(50, 0, -1))


# --- memory -------------------------------------------------------------------------------------


@pytest.mark.parametrize("shortest_cooldown", [None, 5.0])
def test_no_page_is_kept_from_one_poll_to_the_next(tmp_path: Path, shortest_cooldown: float | None) -> None:
    bench = Bench(tmp_path, shortest_cooldown=shortest_cooldown)
    bench.telegram.fill(1, 3)
    bench.poll(2)
    assert bench.discord.numbers == [1, 2, 3]
    assert not [kept for kept in reachable(bench.worker) if isinstance(kept, (ChannelPage, PostSlice))]


def is_of_a_module(found: object) -> bool:
    """Whether these are the names of a module, which each of its functions knows."""
    return isinstance(found, dict) and "__builtins__" in found


def reachable(start: object) -> list[object]:
    """All objects that `start` keeps alive, but for types, modules and what they keep."""
    found, waiting = {id(start): start}, [start]
    while waiting:
        new = [one for one in gc.get_referents(waiting.pop()) if id(one) not in found]
        new = [one for one in new if not isinstance(one, (ModuleType, type)) and not is_of_a_module(one)]
        waiting += new
        found |= {id(one): one for one in new}
    return list(found.values())
