"""Edits and deletions in Telegram change the same messages in Discord, and no others."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from disgram.delivery.refused.archived_threads import EDITS_WAIT
from disgram.errors import (
    DiscordUnavailable,
    DisgramError,
    EditRefused,
    EditWaits,
    MessageRejected,
    PageNotUnderstood,
    PayloadTooLarge,
    RateLimited,
    TelegramUnavailable,
)
from disgram.report import EXIT_OK
from disgram.telegram.missing_posts import OLDEST_COPY
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, refusal, sent_before
from tests.delivery.test_post_delivery import LONG

FIRST, SECOND = "5449764 126_4600", "5449765 127_4601"
"""What t.me's page says of a photo, by which it is known again."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def album(*names: str, first: int = 1, caption: str = "") -> str:
    photos = [pages.photo(first + index, name) for index, name in enumerate(names)]
    return pages.post(first, pages.album(*photos, caption=caption))


# --- edits --------------------------------------------------------------------------------------


def test_an_edit_is_followed_in_place_and_once(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.poll()
    pages_read = len(bench.telegram.asked)
    bench.telegram.write(2, "corrected", meta="edited ")
    bench.poll(3)
    assert bench.discord.texts == ["post 1", "corrected", "post 3"]
    assert bench.discord.asked == ["POST"] * 3 + ["PATCH"]
    assert len(bench.telegram.asked) - pages_read == 3


def test_age_of_a_live_location_is_shown_once_and_causes_no_edit(bench: Bench) -> None:
    for minutes in range(5, 8):
        age = f'<div class="tgme_widget_message_location_updated">updated {minutes} minutes ago</div>'
        bench.telegram.posts = {1: pages.post(1, pages.location().replace("</a>", f"{age}</a>"))}
        bench.poll()
    (shown,) = bench.discord.texts
    assert shown.count("updated 5 minutes ago") == 1
    assert bench.discord.asked == ["POST"]


def test_edits_are_not_followed_with_follow_edits_off(tmp_path: Path) -> None:
    bench = Bench(tmp_path, follow_edits=False)
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.poll(2)
    assert bench.discord.texts == ["post 1"]


@pytest.mark.parametrize(("before", "after", "asked"), [
    ("short", LONG, ["PATCH", "POST"]),
    (LONG, "short", ["PATCH", "DELETE"]),
    (LONG, LONG.replace("word899", "the end"), ["PATCH"]),
    (LONG, LONG.replace("word3 ", "many more words than there were "), ["PATCH", "PATCH"]),
])  # fmt: skip
def test_an_edited_text_may_need_more_or_fewer_messages(
    bench: Bench, before: str, after: str, asked: list[str]
) -> None:
    bench.telegram.write(1, before)
    bench.poll()
    sent = len(bench.discord.asked)
    bench.telegram.write(1, after)
    bench.poll(2)
    assert " ".join(bench.discord.texts).split() == after.split()
    assert bench.discord.asked[sent:] == asked


def test_a_caption_is_edited_without_its_files(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"1", "two.jpg": b"2"}
    bench.telegram.posts[1] = album("one", "two", caption="before")
    bench.poll()
    fetched = len(bench.telegram.fetched)
    bench.telegram.posts[1] = album("one", "two", caption="after")
    bench.poll()
    assert bench.discord.texts == ["after"]
    assert len(bench.telegram.fetched) == fetched
    assert list(bench.discord.files.values()) == [[b"1", b"2"]]


def test_a_caption_is_edited_where_links_stand_for_the_files(bench: Bench) -> None:
    bench.telegram.posts[1] = album("one", "two", caption="before")
    bench.poll()
    bench.telegram.posts[1] = album("one", "two", caption="after")
    bench.poll(2)
    assert bench.discord.texts[0].endswith("after")
    assert bench.discord.texts[0].count("https://t.me/harbour/") == 2
    assert bench.discord.asked == ["POST", "PATCH"]


def test_another_photo_is_uploaded_in_the_old_ones_place(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"1", "two.jpg": b"2"}
    bench.telegram.posts[1] = pages.post(1, pages.photo(1, "one", numbers=FIRST), pages.text("words"))
    bench.poll()
    bench.telegram.posts[1] = pages.post(1, pages.photo(1, "two", numbers=SECOND), pages.text("words"))
    bench.poll(2)
    assert list(bench.discord.files.values()) == [[b"2"]]
    assert bench.discord.asked == ["POST", "PATCH"]


def test_an_album_that_lost_its_first_item_is_still_the_same_post(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"1", "two.jpg": b"2", "three.jpg": b"3"}
    bench.telegram.posts[1] = album("one", "two", "three", caption="all of them")
    bench.poll()
    bench.telegram.posts = {2: album("two", "three", first=2, caption="two are left")}
    bench.poll(3)
    assert bench.discord.texts == ["two are left"]
    assert list(bench.discord.files.values()) == [[b"2", b"3"]]
    assert bench.discord.asked == ["POST", "PATCH"]
    bench.telegram.posts = {2: album("two", "three", first=2, caption="changed again")}
    bench.poll()
    assert bench.discord.texts == ["changed again"]


def test_an_album_that_was_read_half_is_completed_by_an_edit(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"1", "two.jpg": b"2"}
    bench.telegram.posts[1] = album("one", caption="c")
    bench.poll()
    bench.telegram.posts[1] = album("one", "two", caption="c")
    bench.poll(2)
    assert list(bench.discord.files.values()) == [[b"1", b"2"]]
    progress = bench.ledger.progress()
    assert progress and progress.last_id == 2


def test_a_telegram_polls_new_votes_are_followed(bench: Bench) -> None:
    for share in ("10%", "20%", "30%"):
        bench.telegram.posts[1] = pages.post(1, pages.poll("Who?", "Poll", (share, "me"), ("1%", "you")))
        bench.poll()
        assert share in bench.discord.texts[0]
    assert bench.discord.asked == ["POST", "PATCH", "PATCH"]


def test_a_post_the_preview_no_longer_shows_loses_its_text_in_discord(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.poll()
    bench.telegram.posts[1] = pages.post(1, pages.label(pages.OPEN_TELEGRAM))
    bench.poll()
    assert "post 1" not in bench.discord.texts[0]
    assert bench.discord.asked == ["POST", "POST", "PATCH"]


@pytest.mark.parametrize("answer", [
    refusal(DiscordUnavailable("503")),
    refusal(RateLimited("30046: edits of old messages", retry_after=0.0)),
])  # fmt: skip
def test_an_edit_waits_for_the_next_poll_and_new_posts_do_not_wait_for_it(bench: Bench, answer: Any) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.telegram.fill(2, 2)
    bench.discord.script = [None, answer]
    bench.poll()
    assert bench.discord.texts == ["post 1", "post 2"]
    bench.poll()
    assert bench.discord.texts == ["corrected", "post 2"]


@pytest.mark.parametrize("error", [MessageRejected("400"), PayloadTooLarge("413")])
def test_an_edit_that_is_refused_is_tried_once(bench: Bench, error: Any) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.discord.script = [refusal(error)]
    bench.poll(3)
    assert bench.discord.asked == ["POST", "PATCH"]


def test_a_message_deleted_in_discord_is_not_brought_back_by_an_edit(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.discord.shown.clear()
    bench.telegram.write(1, "corrected")
    bench.poll(3)
    assert bench.discord.asked == ["POST", "PATCH"]


def test_an_edit_for_which_the_rate_limit_has_no_room_waits_for_the_next_poll(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.telegram.fill(2, 2)
    bench.turns.full = True
    assert bench.poll() == EXIT_OK
    assert bench.discord.asked == ["POST", "POST"]
    assert bench.waited == []
    assert bench.said.facts["reason"] is None
    bench.turns.full = False
    bench.poll()
    assert bench.discord.texts == ["corrected", "post 2"]


ARCHIVED = refusal(EditWaits("400 Thread is archived (code 50083)"))


def test_an_edit_in_an_archived_thread_waits_for_the_next_post_which_opens_it(tmp_path: Path) -> None:
    bench = Bench(tmp_path, thread="7")
    bench.telegram.fill(1, 2)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.telegram.write(2, "corrected, too")
    bench.discord.script = [ARCHIVED]
    assert bench.poll(5) == EXIT_OK
    assert bench.discord.asked == ["POST", "POST", "PATCH"]
    assert bench.said.facts["reason"] is None
    assert bench.said.errors() == []
    bench.telegram.fill(3, 3)
    bench.poll()
    assert bench.discord.texts == ["corrected", "corrected, too", "post 3"]


def test_an_edit_in_an_archived_thread_is_tried_again_after_an_hour(tmp_path: Path) -> None:
    bench = Bench(tmp_path, thread="7")
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.discord.script = [ARCHIVED]
    bench.poll()
    bench.clock.now += EDITS_WAIT - 1
    bench.poll()
    assert bench.discord.texts == ["post 1"]
    bench.clock.now += 2
    bench.poll()
    assert bench.discord.texts == ["corrected"]


@pytest.mark.parametrize("policy", ["mark", "delete"])
def test_a_deletion_in_an_archived_thread_waits_for_the_next_post(tmp_path: Path, policy: str) -> None:
    bench = deleting(tmp_path, policy)
    bench.poll()
    bench.discord.script = [ARCHIVED]
    bench.poll(3)
    assert len(bench.discord.shown) == 5
    bench.telegram.fill(6, 6)
    bench.poll()
    assert "post 2" not in bench.discord.texts
    assert "post 4" not in bench.discord.texts


@pytest.mark.parametrize("policy", ["keep", "delete"])
def test_a_refused_edit_or_deletion_is_given_up_and_posts_go_on(tmp_path: Path, policy: str) -> None:
    bench = deleting(tmp_path, policy)
    bench.telegram.write(3, "corrected")
    bench.discord.refuses_changes = EditRefused("403 Missing Access (code 50001)", code=50001)
    assert bench.poll(3) == EXIT_OK
    bench.telegram.fill(6, 6)
    assert bench.poll(2) == EXIT_OK
    assert bench.discord.numbers == [1, 2, 3, 4, 5, 6]
    assert bench.discord.asked.count("PATCH") == 1
    assert bench.discord.asked.count("DELETE") == (2 if policy == "delete" else 0)
    assert bench.said.facts["reason"] is None


def test_messages_sent_through_another_webhook_are_neither_edited_nor_deleted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, webhook_id="2", follow_deletions="delete")
    sent_before(bench, 1, 3, webhook_id="1")
    bench.telegram.write(1, "corrected")
    bench.telegram.posts.pop(2)
    assert bench.poll(3) == EXIT_OK
    assert bench.discord.asked == []
    bench.telegram.fill(4, 4)
    bench.poll()
    assert bench.discord.numbers == [4]


@pytest.mark.parametrize(
    ("old", "now", "place"),
    [
        ({"webhook_id": "1", "thread_id": "7"}, None, "7"),
        ({"webhook_id": "1", "thread_id": None}, "7", None),
        ({"webhook_id": None, "channel_id": "7"}, "8", "7"),
        ({"webhook_id": None, "channel_id": "9"}, None, None),
        ({"webhook_id": None, "channel_id": None}, "8", "8"),
    ],
)
def test_an_old_message_is_edited_in_the_thread_it_was_sent_to(
    tmp_path: Path, old: dict[str, str | None], now: str | None, place: str | None
) -> None:
    bench = Bench(tmp_path, thread=now)
    sent_before(bench, 1, 1, **old)
    bench.telegram.write(1, "corrected")
    bench.poll()
    assert [to.thread_id for to in bench.discord.changed_at] == [place]


# --- deletions ----------------------------------------------------------------------------------


def deleting(folder: Path, policy: str) -> Bench:
    bench = Bench(folder, follow_deletions=policy)
    bench.telegram.fill(1, 5)
    bench.poll()
    bench.telegram.posts.pop(2)
    bench.telegram.posts.pop(4)
    return bench


def test_deleted_posts_stay_in_discord_with_policy_keep(tmp_path: Path) -> None:
    bench = deleting(tmp_path, "keep")
    bench.poll(3)
    assert bench.discord.asked == ["POST"] * 5


def test_deleted_posts_are_deleted_at_the_second_poll_that_misses_them(tmp_path: Path) -> None:
    bench = deleting(tmp_path, "delete")
    bench.poll()
    assert len(bench.discord.shown) == 5
    bench.poll(3)
    assert bench.discord.texts == ["post 1", "post 3", "post 5"]
    assert bench.discord.asked == ["POST"] * 5 + ["DELETE"] * 2
    assert bench.telegram.asked == [None] * 3 + [5] + [None] * 2


def test_a_post_that_is_back_at_the_second_poll_is_not_deleted(tmp_path: Path) -> None:
    bench = deleting(tmp_path, "delete")
    bench.poll()
    bench.telegram.fill(2, 4)
    bench.poll(3)
    assert len(bench.discord.shown) == 5


def test_a_page_without_any_post_deletes_nothing(tmp_path: Path) -> None:
    bench = deleting(tmp_path, "delete")
    kept, bench.telegram.posts = bench.telegram.posts, {}
    bench.poll(3)  # a page without any post says nothing about single ones
    bench.telegram.posts = kept
    assert len(bench.discord.shown) == 5


def test_deleted_posts_are_marked_once_with_policy_mark(tmp_path: Path) -> None:
    bench = deleting(tmp_path, "mark")
    bench.poll(4)
    assert bench.discord.texts[1] == "*deleted in Telegram*\n~~post 2~~"
    assert bench.discord.asked == ["POST"] * 5 + ["PATCH"] * 2


def test_deleted_post_of_two_messages_is_marked_in_both(tmp_path: Path) -> None:
    bench = Bench(tmp_path, follow_deletions="mark")
    bench.telegram.fill(1, 3)
    bench.telegram.write(2, LONG)
    bench.poll()
    bench.telegram.posts.pop(2)
    bench.poll(2)
    before, first, second, after = bench.discord.texts
    assert first.startswith("*deleted in Telegram*\n~~word0 ")
    assert second.startswith("*deleted in Telegram*\n~~word") and second.endswith("word899~~")
    assert (before, after) == ("post 1", "post 3")


def test_a_deleted_post_whose_payload_was_not_kept_is_not_marked_and_the_log_says_so(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(1, 3)
    bench.poll()
    bench.database.close()
    later = Bench(tmp_path, follow_deletions="mark")
    later.telegram.fill(1, 1)
    later.telegram.fill(3, 3)
    later.poll(3)
    assert later.discord.asked == []
    assert later.said.count("nothing is left to mark") == 1


def test_a_deletion_is_tried_again_at_the_next_poll_while_discord_is_down(tmp_path: Path) -> None:
    bench = deleting(tmp_path, "delete")
    bench.poll()
    bench.discord.script = [refusal(DiscordUnavailable("503")), None]
    bench.poll()
    assert bench.discord.texts == ["post 1", "post 2", "post 3", "post 5"]
    bench.poll(2)
    assert bench.discord.texts == ["post 1", "post 3", "post 5"]


def test_posts_older_than_the_page_are_not_taken_for_deleted(tmp_path: Path) -> None:
    bench = Bench(tmp_path, follow_deletions="delete")
    bench.telegram.fill(1, 20)
    bench.poll()
    bench.telegram.fill(21, 45)
    bench.poll(3)
    assert len(bench.discord.shown) == 45


# --- deletions at the end of the page -----------------------------------------------------------


def with_posts(folder: Path, count: int) -> Bench:
    bench = Bench(folder, follow_deletions="delete")
    bench.telegram.fill(1, count)
    bench.ledger.begin(0, None)
    bench.poll()
    assert bench.discord.numbers == list(range(1, count + 1))
    return bench


def miss_for_an_hour(bench: Bench) -> None:
    bench.poll()
    bench.clock.now += OLDEST_COPY
    bench.poll()


@pytest.mark.parametrize("kept", [1, 3, 4, 25])
def test_an_old_page_from_a_cache_deletes_nothing(tmp_path: Path, kept: int) -> None:
    """A page of another address shows that it is old."""
    bench = with_posts(tmp_path, 50)
    page = bench.telegram.page

    def cached(channel: str, before: int | None = None) -> str:
        return page(channel, kept + 1 if before is None else before)

    bench.telegram.page = cached  # type: ignore[method-assign]
    bench.poll(20)
    assert len(bench.discord.shown) == 50
    bench.telegram.page = page  # type: ignore[method-assign]
    bench.telegram.fill(51, 52)
    bench.poll(3)
    assert bench.discord.numbers == list(range(1, 53))


def test_a_second_page_older_than_the_first_deletes_nothing(tmp_path: Path) -> None:
    bench = with_posts(tmp_path, 5)
    page = bench.telegram.page

    def cached(channel: str, before: int | None = None) -> str:
        return page(channel, 5 if before is None else 3)

    bench.telegram.page = cached  # type: ignore[method-assign]
    bench.poll()
    bench.clock.now += OLDEST_COPY
    bench.poll(20)
    assert len(bench.discord.shown) == 5
    assert bench.said.count("may be deleted") == 1
    bench.telegram.page = page  # type: ignore[method-assign]
    bench.poll(2)
    assert bench.said.count("pages agree again") == 1


def test_the_newest_posts_are_deleted_once_a_second_page_confirms_it(tmp_path: Path) -> None:
    bench = with_posts(tmp_path, 5)
    bench.telegram.posts.pop(4)
    bench.telegram.posts.pop(5)
    asked = len(bench.telegram.asked)
    bench.poll(2)
    bench.clock.now += OLDEST_COPY - 1
    bench.poll()
    assert len(bench.discord.shown) == 5
    bench.clock.now += 1
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3]
    assert bench.telegram.asked[asked:] == [None] * 4 + [6]
    assert bench.said.count("is missing at the end of the newest page") == 1
    bench.poll()
    assert bench.said.count("No post is missing at the end") == 1


def test_an_album_at_the_end_of_the_page_is_deleted_whole(tmp_path: Path) -> None:
    bench = with_posts(tmp_path, 2)
    bench.telegram.posts[3] = album("one", "two", "three", first=3, caption="gone soon")
    bench.poll()
    bench.telegram.posts.pop(3)
    miss_for_an_hour(bench)
    assert bench.discord.numbers == [1, 2]
    assert 6 in bench.telegram.asked


@pytest.mark.parametrize("error", [TelegramUnavailable("502"), PageNotUnderstood("torn")])
def test_newest_post_is_not_deleted_while_the_second_page_cannot_be_read(
    tmp_path: Path, error: DisgramError
) -> None:
    bench = with_posts(tmp_path, 5)
    bench.telegram.posts.pop(5)
    bench.telegram.fails = lambda before: error if before else None
    miss_for_an_hour(bench)
    bench.poll(3)
    assert len(bench.discord.shown) == 5
    assert bench.said.count("Telegram cannot be asked now") == 1
    assert bench.poll() == EXIT_OK
    bench.telegram.fails = lambda _: None
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4]


def test_deletion_of_the_newest_post_is_tried_again_while_discord_is_down(tmp_path: Path) -> None:
    bench = with_posts(tmp_path, 5)
    bench.telegram.posts.pop(5)
    bench.discord.script = [refusal(DiscordUnavailable("503"))]
    miss_for_an_hour(bench)
    assert len(bench.discord.shown) == 5
    bench.poll()
    assert bench.discord.numbers == [1, 2, 3, 4]
