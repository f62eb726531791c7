"""Retries of a page, unreadable posts and pages, and the markup saved for a bug report."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.errors import PageNotUnderstood, TelegramUnavailable
from disgram.report import Level
from disgram.telegram.channel import PAGE_TRIES
from disgram.telegram.unknown_markup import MAX_FILE_SIZE, MAX_FILES, UnknownMarkup
from tests.builders import pages
from tests.builders.delivery_fakes import Bench


def test_page_is_requested_four_times_with_growing_waits(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fails = lambda _: TelegramUnavailable("502")
    bench.poll()
    assert len(bench.telegram.asked) == PAGE_TRIES
    assert [0.75 <= wait / base <= 1 for wait, base in zip(bench.waited, (1, 2, 4), strict=True)] == [
        True
    ] * 3


def test_retry_after_of_telegram_shows_as_a_reason_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 1)
    errors = iter([TelegramUnavailable("429", retry_after=60.0)])
    bench.telegram.fails = lambda _: next(errors, None)
    bench.poll()
    assert bench.said.reasons == ["telegram_unavailable", None, None]


def test_retry_line_names_no_seconds_after_a_429(tmp_path: Path) -> None:
    """The throttle then waits as long as Telegram asked, which is more than the backoff of this retry."""
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 1)
    errors = iter(
        [TelegramUnavailable("Telegram: 502"), TelegramUnavailable("Telegram: 429", retry_after=60.0)]
    )
    bench.telegram.fails = lambda _: next(errors, None)
    bench.poll()
    retries = [text for _, text in bench.said.lines if "trying again" in text]
    assert retries == ["Telegram: 502; trying again in 1 s", "Telegram: 429; trying again"]


def test_one_line_says_that_an_outage_over_several_polls_is_over(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 1)
    bench.telegram.fails = lambda _: TelegramUnavailable("Telegram: 502 Bad Gateway")
    bench.poll(3)
    assert bench.said.count("Telegram: 502 Bad Gateway") == 3 * PAGE_TRIES
    bench.telegram.fails = lambda _: None
    bench.poll(3)
    over = [level for level, text in bench.said.lines if text == "Telegram answers again"]
    assert over == [Level.STATUS]


def test_answer_after_a_single_failure_is_no_status_line(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 1)
    errors = iter([TelegramUnavailable("Telegram: 502")])
    bench.telegram.fails = lambda _: next(errors, None)
    bench.poll(2)
    assert (Level.INFO, "Telegram answers again") in bench.said.lines
    assert bench.said.count("answers again") == 1


def test_unreadable_post_is_reported_and_the_others_are_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 3)
    bench.telegram.posts[2] = pages.post(2, '<div class="brand_new">Something <b>new</b></div>')
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3]
    assert "Something" in bench.discord.texts[1]
    assert bench.said.facts["layout_changed"] == 1
    (kept,) = (tmp_path / "layout").iterdir()
    assert "brand_new" in kept.read_text()


HOLOGRAM = '<div class="hologram">Something <b>new</b></div>'


def test_unknown_element_counts_once_and_is_no_reason(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 3)
    bench.telegram.posts[2] = pages.post(2, HOLOGRAM)
    bench.poll(3)
    assert (bench.said.facts["layout_changed"], bench.said.facts["reason"]) == (1, None)
    bench.telegram.posts[2] = pages.post(2, HOLOGRAM, pages.text("edited"))
    bench.poll()
    assert (bench.said.facts["layout_changed"], bench.said.facts["reason"]) == (1, None)
    again = UnknownMarkup(tmp_path, "harbour")
    assert again.count == 1
    (kept,) = (tmp_path / "layout").iterdir()
    kept.unlink()
    assert UnknownMarkup(tmp_path, "harbour").count == 0


def test_only_post_of_a_channel_is_forwarded_though_its_kind_is_unknown(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.posts[1] = pages.post(1, HOLOGRAM)
    bench.poll()
    assert bench.discord.texts == ["Something **new**"]
    assert bench.said.facts["reason"] is None


def test_page_of_unknown_kinds_only_is_not_sent(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for number in range(1, 5):
        bench.telegram.posts[number] = pages.post(number, HOLOGRAM)
    bench.poll(6)
    assert bench.discord.asked == []
    assert (bench.said.facts["reason"], bench.said.facts["layout_changed"]) == ("layout_changed", 4)
    bench.telegram.fill(1, 4)
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4]
    assert bench.said.facts["reason"] is None


def test_saved_markup_contains_no_token(tmp_path: Path) -> None:
    html = (
        '<div data-view="eyJjIjotMTAw" data-post="a/1"><video src="https://cdn4.telesco.pe/file/a.mp4?token=S3-c_ret"'
        " style=\"background:url('https://cdn4.telesco.pe/b?x=1&amp;token=S3-c_ret')\">kept</video></div>"
    )
    path = UnknownMarkup(tmp_path, "harbour").save("1", html)
    assert path is not None
    kept = path.read_text()
    assert "S3-c_ret" not in kept
    assert "eyJ" not in kept
    assert all(
        part in kept for part in ("file/a.mp4?token=…", "x=1&amp;token=…')", 'data-post="a/1"', "kept")
    )


def test_block_page_is_saved_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.page = lambda channel, before=None: "<html>somebody's block page</html>"  # type: ignore[method-assign]
    bench.poll(3)
    assert [path.name for path in (tmp_path / "layout").iterdir()] == ["harbour-page.html"]
    assert len(bench.said.errors("for a bug report")) == 1
    assert bench.said.facts["layout_changed"] == 0
    assert bench.discord.asked == []


def test_cut_off_page_does_not_change_progress(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 3)
    whole = bench.telegram.page("harbour")
    bench.telegram.page = lambda channel, before=None: whole[: len(whole) // 2]  # type: ignore[method-assign]
    with pytest.raises(PageNotUnderstood):
        bench.worker.poll_once()
    assert bench.ledger.progress() is None


def test_saved_markup_stays_in_its_folder_whatever_the_name(tmp_path: Path) -> None:
    path = UnknownMarkup(tmp_path, "../Evil").save("../../x y", "html")
    assert path == tmp_path / "layout" / "evil-------x-y.html"


def test_saved_markup_is_limited_in_number_and_size(tmp_path: Path) -> None:
    watch = UnknownMarkup(tmp_path, "harbour")
    kept = [watch.save(str(number), "x" * (MAX_FILE_SIZE + 1)) for number in range(MAX_FILES + 5)]
    assert sum(path is not None for path in kept) == MAX_FILES
    assert watch.count == MAX_FILES + 5
    assert all(path.stat().st_size == MAX_FILE_SIZE for path in kept if path)


def test_markup_that_cannot_be_saved_raises_nothing(tmp_path: Path) -> None:
    (tmp_path / "layout").write_text("in the way")
    assert UnknownMarkup(tmp_path, "harbour").save("page", "html") is None
