"""Pages read with patience, and what is kept of those that nobody understood."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.errors import PageNotUnderstood, TelegramUnavailable
from disgram.telegram.channel import PAGE_TRIES
from disgram.telegram.unknown_markup import MAX_FILE_SIZE, MAX_FILES, UnknownMarkup
from tests import pages
from tests.delivery_fakes import Bench


def test_a_page_is_asked_for_four_times_with_growing_pauses(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fails = lambda _: TelegramUnavailable("502")
    bench.poll()
    assert len(bench.telegram.asked) == PAGE_TRIES
    assert [0.75 <= wait / base <= 1 for wait, base in zip(bench.waited, (1, 2, 4), strict=True)] == [
        True
    ] * 3


def test_a_rest_that_telegram_asks_for_shows_at_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 1)
    errors = iter([TelegramUnavailable("429", retry_after=60.0)])
    bench.telegram.fails = lambda _: next(errors, None)
    bench.poll()
    assert bench.said.reasons == ["telegram_unavailable", None, None]


def test_one_unreadable_post_among_others_is_named_and_does_not_stop_them(tmp_path: Path) -> None:
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


def test_unknown_elements_are_counted_once_and_are_no_ones_illness(tmp_path: Path) -> None:
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


def test_a_channel_of_one_post_of_a_new_kind_is_forwarded(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.posts[1] = pages.post(1, HOLOGRAM)
    bench.poll()
    assert bench.discord.texts == ["Something **new**"]
    assert bench.said.facts["reason"] is None


def test_a_whole_page_of_new_kinds_waits_until_it_is_understood(tmp_path: Path) -> None:
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


def test_what_is_kept_holds_no_secrets(tmp_path: Path) -> None:
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


def test_a_page_that_is_none_is_kept_once(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.page = lambda channel, before=None: "<html>somebody's block page</html>"  # type: ignore[method-assign]
    bench.poll(3)
    assert [path.name for path in (tmp_path / "layout").iterdir()] == ["harbour-page.html"]
    assert len(bench.said.errors("for a bug report")) == 1
    assert bench.said.facts["layout_changed"] == 0
    assert bench.discord.asked == []


def test_a_page_that_is_cut_off_changes_nothing(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 3)
    whole = bench.telegram.page("harbour")
    bench.telegram.page = lambda channel, before=None: whole[: len(whole) // 2]  # type: ignore[method-assign]
    with pytest.raises(PageNotUnderstood):
        bench.worker.poll_once()
    assert bench.ledger.progress() is None


def test_names_from_outside_stay_inside_the_folder(tmp_path: Path) -> None:
    path = UnknownMarkup(tmp_path, "../Evil").save("../../x y", "html")
    assert path == tmp_path / "layout" / "evil-------x-y.html"


def test_what_is_kept_is_bounded(tmp_path: Path) -> None:
    watch = UnknownMarkup(tmp_path, "harbour")
    kept = [watch.save(str(number), "x" * (MAX_FILE_SIZE + 1)) for number in range(MAX_FILES + 5)]
    assert sum(path is not None for path in kept) == MAX_FILES
    assert watch.count == MAX_FILES + 5
    assert all(path.stat().st_size == MAX_FILE_SIZE for path in kept if path)


def test_no_space_is_no_reason_to_stop(tmp_path: Path) -> None:
    (tmp_path / "layout").write_text("in the way")
    assert UnknownMarkup(tmp_path, "harbour").save("page", "html") is None
