"""One post is complete in Discord, whatever happens between its messages: stops, edits, refusals, 413s."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from disgram.delivery.post_delivery import MEDIA_TRIES
from disgram.discord.message import DiscordMessage
from disgram.errors import (
    DiscordUnavailable,
    DisgramError,
    MessageRejected,
    PayloadTooLarge,
    Stopping,
    TelegramUnavailable,
)
from disgram.report import EXIT_OK
from disgram.telegram.client import Download
from disgram.telegram.media_budget import MediaBudget
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, refusal, text_of

LONG = " ".join(f"word{number}" for number in range(900))
"""Two messages."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def stop_in_the_middle(bench: Bench) -> None:
    """The first message is confirmed; while the second is unconfirmed the worker stops and starts again."""
    bench.discord.script = [None, refusal(DiscordUnavailable("reset", ambiguous=True))]
    bench.stop_after = 0
    with pytest.raises(Stopping):
        bench.poll()
    bench.stop_after = None
    bench.again()


def test_a_post_of_two_messages_resumes_at_the_first_unconfirmed_one(bench: Bench) -> None:
    bench.telegram.write(1, LONG)
    stop_in_the_middle(bench)
    bench.poll()
    assert bench.discord.asked == ["POST", "POST", "POST"]
    assert " ".join(bench.discord.texts).split() == LONG.split()
    assert len(bench.said.errors("may appear twice")) == 2  # when it happened, and when it was sent again


def test_a_post_edited_between_its_two_messages_is_complete_in_the_end(bench: Bench) -> None:
    """The confirmed message no longer fits the one that follows, so it is edited first."""
    bench.telegram.write(1, LONG)
    stop_in_the_middle(bench)
    changed = LONG.replace("word5 ", "a good many more words than there were before ")
    bench.telegram.write(1, changed)
    bench.poll()
    assert bench.discord.asked == ["POST", "POST", "PATCH", "POST"]
    assert " ".join(bench.discord.texts).split() == changed.split()


def test_a_post_shortened_between_its_two_messages_leaves_no_surplus_message(bench: Bench) -> None:
    bench.telegram.write(1, LONG)
    stop_in_the_middle(bench)
    bench.telegram.write(1, "short")
    bench.poll()
    assert bench.discord.texts == ["short"]
    assert [row.state for row in bench.ledger.messages(1)] == ["sent"]
    bench.telegram.write(1, "shorter")
    bench.poll()
    assert bench.discord.texts == ["shorter"]
    assert "DELETE" not in bench.discord.asked


def test_a_first_message_deleted_in_discord_meanwhile_is_not_put_back(bench: Bench) -> None:
    bench.telegram.write(1, LONG)
    stop_in_the_middle(bench)
    bench.discord.shown.clear()
    bench.telegram.write(1, "short")
    bench.telegram.write(2, "next")
    bench.poll()
    assert bench.discord.texts == ["next"]


def test_a_second_message_refused_in_every_form_becomes_a_link_behind_the_first(bench: Bench) -> None:
    """The link is one message, and one is confirmed: that must not count as sent."""
    bench.telegram.write(1, LONG)

    def refuses(message: DiscordMessage) -> DisgramError | None:
        return MessageRejected("240000") if "word899" in text_of(message.payload) else None

    bench.discord.refuses = refuses  # type: ignore[assignment]
    bench.poll()
    assert bench.discord.texts[0].startswith("word0 ")
    assert bench.discord.texts[-1].endswith("https://t.me/harbour/1")
    assert bench.database.failed() == []


def test_a_simpler_form_of_the_second_message_loses_no_word_of_the_first(bench: Bench) -> None:
    """Lines with links for files move the point where the text is split; no word may be lost there."""
    bench.telegram.files = {"one.jpg": b"x" * 10}
    bench.telegram.write(1, LONG, pages.photo(1))

    def refuses(message: DiscordMessage) -> DisgramError | None:
        last = "word899" in text_of(message.payload)
        return MessageRejected("400") if last and len(bench.discord.asked) == 2 else None

    bench.discord.refuses = refuses  # type: ignore[assignment]
    bench.poll()
    shown = " ".join(bench.discord.texts).split()
    assert [word for word in shown if word.startswith("word")] == LONG.split()


def test_files_too_large_together_are_dropped_one_by_one(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"a" * 50, "two.jpg": b"b" * 90}
    bench.telegram.posts[1] = pages.post(1, pages.album(pages.photo(1), pages.photo(2, "two")))
    bench.discord.refuses = lambda message: PayloadTooLarge("413") if len(message.uploads) > 1 else None
    bench.poll()
    assert list(bench.discord.files.values()) == [[b"a" * 50]]
    assert "https://t.me/harbour/2" in bench.discord.texts[0]
    assert bench.said.errors("too large")


def test_a_file_that_cannot_be_downloaded_does_not_hold_up_its_post(bench: Bench) -> None:
    bench.telegram.write(1, "words", pages.photo(1))
    bench.poll()
    assert bench.discord.texts[0].endswith("words")
    assert bench.said.errors("becomes a link")


def test_a_file_is_tried_three_times_while_its_host_is_down(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"x"}
    media, failures = bench.telegram.media, iter([TelegramUnavailable("502")] * 2)

    def shaky(url: str, limit: int, budget: MediaBudget, family: str) -> object:
        if error := next(failures, None):
            raise error
        return media(url, limit, budget, family)

    bench.telegram.media = shaky  # type: ignore[method-assign,assignment]
    bench.telegram.write(1, "words", pages.photo(1))
    bench.poll()
    assert list(bench.discord.files.values()) == [[b"x"]]


def test_a_failed_post_is_kept_with_its_payload(bench: Bench) -> None:
    bench.telegram.write(1, "never to be seen")
    bench.discord.refuses = lambda _: MessageRejected("400 no")
    bench.poll()
    (row,) = bench.database.failed()
    assert row["reason"] == "400 no"
    assert "never to be seen" in json.loads(row["payload"])[0]["embeds"][0]["description"]


def test_a_reply_links_the_discord_message_it_answers(bench: Bench) -> None:
    bench.telegram.write(7, "first")
    bench.poll()
    bench.telegram.posts[8] = pages.post(8, pages.reply("Harbour", "first", 7), pages.text("second"))
    bench.poll()
    assert "https://discord.com/channels/55/9/101" in bench.discord.texts[1]


def test_slow_files_hold_up_a_post_once_and_not_each_of_them(bench: Bench) -> None:
    """Ten files, each with every try of its own, have one budget together; the next post has a new one."""
    bench.telegram.posts[1] = pages.post(1, pages.album(*(pages.photo(n, f"{n}") for n in range(1, 11))))
    bench.telegram.posts[11] = pages.post(11, pages.photo(11, "11"))
    budgets: list[MediaBudget] = []

    def slow(url: str, limit: int, budget: MediaBudget, family: str) -> Download:
        budgets.append(budget)
        raise TelegramUnavailable("no answer within the time limit")

    bench.telegram.media = slow  # type: ignore[method-assign,assignment]
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 11]
    of_the_album = budgets[: 10 * MEDIA_TRIES]
    assert len(budgets) == 11 * MEDIA_TRIES
    assert len(set(map(id, of_the_album))) == 1
    assert budgets[-1] is not budgets[0]


def test_video_that_downloads_as_an_error_page_is_replaced_by_its_preview(bench: Bench) -> None:
    bench.telegram.posts[1] = pages.post(1, pages.video(1))
    bench.telegram.files = {"clip-thumb": b"\xff\xd8 preview"}
    bench.telegram.broken = {"clip.mp4?token=abc"}
    bench.poll()
    assert list(bench.discord.files.values()) == [[b"\xff\xd8 preview"]]
    assert bench.telegram.fetched.count(f"{pages.CDN}/clip.mp4?token=abc") == 3
