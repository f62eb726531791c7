"""The worker when another channel has the name, and when one page shows an absurd post id."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT
from disgram.telegram.page import split_page
from tests.builders import pages
from tests.builders.delivery_fakes import Bench
from webhook import get_last_message_number

OLD, NEW = -1001, -1002


@pytest.fixture(params=[OLD, None], ids=["with id", "without id"])
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    """Posts 1 to 40 of a channel are sent; deletions and edits are followed."""
    return begun(tmp_path, request.param)


def begun(folder: Path, channel_id: int | None) -> Bench:
    bench = Bench(folder, initial_posts=40, follow_deletions="delete")
    bench.telegram.channel_id = channel_id
    bench.telegram.fill(1, 40)
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == list(range(1, 41))
    return bench


def give_the_name_away(bench: Bench, posts: int) -> None:
    if bench.telegram.channel_id:
        bench.telegram.channel_id = NEW
    bench.telegram.posts.clear()
    for number in range(1, posts + 1):
        bench.telegram.write(number, f"of the new channel: {number}")


def poll_until_ended(bench: Bench) -> int:
    return next(code for code in (bench.poll(), bench.poll()) if code != EXIT_CRASH)


def test_another_channel_under_the_name_changes_nothing_in_discord(bench: Bench) -> None:
    before, asked = dict(bench.discord.shown), list(bench.discord.asked)
    give_the_name_away(bench, 3)
    assert poll_until_ended(bench) == EXIT_PERMANENT
    assert bench.said.facts["reason"] == "channel_replaced"
    assert bench.said.errors("PATCH the job")
    bench.again()  # once an hour the service looks again
    assert poll_until_ended(bench) == EXIT_PERMANENT
    assert (bench.discord.shown, bench.discord.asked) == (before, asked)


def test_another_channel_beyond_the_old_progress_is_told_by_its_id(tmp_path: Path) -> None:
    bench = begun(tmp_path, OLD)
    give_the_name_away(bench, 60)
    assert bench.poll() == EXIT_CRASH
    assert bench.said.facts["reason"] is None
    assert bench.poll() == EXIT_PERMANENT
    assert bench.said.facts["reason"] == "channel_replaced"


def test_one_page_of_another_channel_changes_nothing(bench: Bench) -> None:
    kept, old_id = dict(bench.telegram.posts), bench.telegram.channel_id
    before, progress = dict(bench.discord.shown), bench.ledger.progress()
    for _ in range(2):
        give_the_name_away(bench, 60 if old_id else 3)
        assert bench.poll() == EXIT_CRASH
        assert (bench.discord.shown, bench.ledger.progress()) == (before, progress)
        bench.telegram.posts, bench.telegram.channel_id = dict(kept), old_id
        assert bench.poll() == EXIT_OK
    assert bench.said.errors() == []
    assert "channel_replaced" not in bench.said.reasons
    bench.telegram.fill(41, 41)
    bench.poll()
    assert bench.discord.numbers == list(range(1, 42))


def test_pages_of_two_other_channels_are_not_certain(tmp_path: Path) -> None:
    bench = begun(tmp_path, OLD)
    for channel_id in (NEW, NEW - 1, NEW):
        bench.telegram.channel_id = channel_id
        bench.telegram.fill(1, 40)
        assert bench.poll() == EXIT_CRASH


def test_older_page_of_another_channel_is_not_sent(tmp_path: Path) -> None:
    bench = begun(tmp_path, OLD)
    bench.telegram.fill(41, 62)
    ours, page = dict(bench.telegram.posts), bench.telegram.page

    def mixed(channel: str, before: int | None = None) -> str:
        bench.telegram.posts = dict(ours)
        if before:
            give_the_name_away(bench, 62)
            bench.telegram.channel_id = OLD
        return page(channel, before)

    bench.telegram.page = mixed  # type: ignore[method-assign]
    assert bench.poll() == EXIT_CRASH
    assert bench.said.facts["reason"] == "telegram_unavailable"
    assert bench.discord.numbers == list(range(1, 41))
    bench.telegram.page, bench.telegram.posts = page, ours  # type: ignore[method-assign]
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == list(range(1, 63))


def test_a_changed_start_begins_anew_with_the_other_channel(bench: Bench) -> None:
    give_the_name_away(bench, 3)
    poll_until_ended(bench)
    bench.again(start=1)
    poll_until_ended(bench)
    assert bench.discord.numbers == [*range(1, 41), 1, 2, 3]
    assert set(bench.discord.asked) == {"POST"}
    bench.telegram.write(2, "edited")
    bench.poll()
    assert bench.discord.texts[1] == "post 2"
    assert bench.discord.texts[41] == "edited"


def test_a_changed_job_begins_anew_with_the_other_channel(bench: Bench) -> None:
    give_the_name_away(bench, 3)
    poll_until_ended(bench)
    bench.database.begin_replaced_anew("other job")
    assert bench.ledger.progress() is not None
    bench.database.begin_replaced_anew("job")
    bench.again()
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [*range(1, 41), 1, 2, 3]


def test_a_changed_job_keeps_channels_that_still_have_their_names(bench: Bench) -> None:
    bench.database.begin_replaced_anew("job")
    bench.again()
    bench.poll()
    assert bench.discord.numbers == list(range(1, 41))


def test_the_old_channel_goes_on_when_it_has_its_name_again(bench: Bench) -> None:
    kept = dict(bench.telegram.posts)
    old_id = bench.telegram.channel_id
    give_the_name_away(bench, 3)
    poll_until_ended(bench)
    bench.telegram.posts, bench.telegram.channel_id = kept, old_id
    bench.telegram.fill(41, 41)
    bench.again()
    assert bench.poll() == EXIT_OK
    bench.database.begin_replaced_anew("job")
    bench.again()
    bench.poll()
    assert bench.discord.numbers == list(range(1, 42))


def test_deleted_newest_posts_are_no_other_channel(bench: Bench) -> None:
    for number in range(6, 41):
        del bench.telegram.posts[number]
    assert bench.poll(3) == EXIT_OK


def test_an_update_learns_the_id_of_a_channel_forwarded_before(tmp_path: Path) -> None:
    bench = begun(tmp_path, None)
    bench.telegram.channel_id = OLD
    bench.telegram.fill(1, 40)
    assert bench.poll() == EXIT_OK
    assert bench.ledger.source.get() == (OLD, None, False)


# --- absurd ids ---------------------------------------------------------------------------------


@pytest.mark.parametrize("absurd", [9_999_999_999, 2_000_000_000, 60_000, 9_000, 200])
def test_absurd_id_on_one_page_does_not_move_progress(bench: Bench, absurd: int) -> None:
    bench.telegram.fill(absurd, absurd)
    page, pages_read = bench.telegram.page, 0

    def only_once(channel: str, before: int | None = None) -> str:
        nonlocal pages_read
        pages_read += 1
        if pages_read > 1:
            bench.telegram.posts.pop(absurd, None)
        return page(channel, before)

    bench.telegram.page = only_once  # type: ignore[method-assign]
    assert bench.poll() == EXIT_OK
    bench.telegram.fill(41, 42)
    bench.poll()
    assert bench.discord.numbers == list(range(1, 43))


@pytest.mark.parametrize("posts", [range(60_000, 60_001), range(60_000, 60_030)])
def test_posts_after_a_real_jump_are_sent(bench: Bench, posts: range) -> None:
    bench.telegram.fill(posts[0], posts[-1])
    bench.poll()
    assert bench.discord.numbers == [*range(1, 41), *posts]


@pytest.mark.parametrize("absurd", [9_999_999_999, 90])
def test_absurd_id_on_all_pages_for_a_while_ends_no_channel(bench: Bench, absurd: int) -> None:
    bench.telegram.fill(absurd, absurd)
    bench.poll(2)
    assert bench.discord.numbers == [*range(1, 41), absurd]
    del bench.telegram.posts[absurd]
    bench.telegram.fill(41, 42)
    bench.poll(3)
    assert bench.discord.numbers == [*range(1, 41), absurd, 41, 42]
    assert get_last_message_number(bench.ledger) == 42
    bench.telegram.fill(absurd, absurd)
    bench.poll()
    assert bench.discord.numbers[-1] == absurd


def test_absurd_id_on_the_first_pages_ends_no_channel(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.channel_id = OLD
    bench.telegram.fill(9_999_999_999, 9_999_999_999)
    bench.poll()
    bench.telegram.posts.clear()
    bench.telegram.fill(1, 2)
    bench.poll(3)
    assert bench.discord.numbers == [9_999_999_999, 1, 2]


def test_old_copy_that_shows_a_post_deleted_before_it_was_seen_repeats_nothing(bench: Bench) -> None:
    bench.telegram.write(42, "post 42")
    bench.poll()
    newest = bench.telegram.posts.pop(42)
    early = "2026-08-06T07:58:00+00:00"
    bench.telegram.posts[41] = pages.post(41, pages.text("deleted at once"), date=early)
    bench.poll(4)
    bench.telegram.posts[42] = newest
    bench.poll()
    assert bench.discord.numbers == [*range(1, 41), 42]


def test_absurd_id_on_the_first_page_does_not_begin_there(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=2)
    bench.telegram.fill(1, 30)
    bench.telegram.fill(9_999_999_999, 9_999_999_999)
    page = bench.telegram.page

    def only_on_the_newest_page(channel: str, before: int | None = None) -> str:
        return page(channel, min(before, 100)) if before else page(channel)

    bench.telegram.page = only_on_the_newest_page  # type: ignore[method-assign]
    bench.poll()
    assert bench.discord.numbers == [29, 30]
    del bench.telegram.posts[9_999_999_999]
    bench.telegram.fill(31, 31)
    bench.poll()
    assert bench.discord.numbers == [29, 30, 31]


def test_page_whose_posts_disagree_names_no_channel_id() -> None:
    torn = [
        pages.post(number, pages.text("words"), view=pages.view_of(channel_id, number))
        for number, channel_id in ((1, OLD), (2, NEW))
    ]
    assert split_page(pages.page(*torn), "harbour").channel_id is None
    assert split_page(pages.page(torn[0]), "harbour").channel_id == OLD
