"""500 for ever: told from an outage by what becomes of the post's simpler forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disgram.delivery.poison import POISON_COUNT, POISON_SECONDS, PoisonDetector
from disgram.discord.message import DiscordMessage
from disgram.errors import (
    CloudflareBlocked,
    DiscordError,
    DiscordUnavailable,
    InternalError,
    MessageRejected,
    PoisonMessage,
    RateLimited,
)
from disgram.report import EXIT_CRASH
from tests import pages
from tests.delivery_fakes import Bench, text_of
from tests.discord_clock import Clock

HOUR = 3600.0
INTERNAL = InternalError("500 Internal Server Error (code 0)", ambiguous=True)
DOWN = DiscordUnavailable("503")
LIMITED = RateLimited("429", retry_after=1.0)
BLOCKED = CloudflareBlocked("1015", retry_after=60.0)
LONG = " ".join(f"word{number}" for number in range(900))
"""Two messages."""


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.stop_after = 5_000  # or a channel held up for ever would hold the test up as well
    return bench


def chokes(bench: Bench, on: Callable[[DiscordMessage], bool]) -> None:
    """Discord answers such messages with 500."""
    bench.discord.refuses = lambda message: INTERNAL if on(message) else None


def out_of_order(bench: Bench, *, until: float, otherwise: DiscordError = INTERNAL) -> None:
    """Discord answers every message so until then."""
    bench.discord.refuses = lambda _: otherwise if bench.clock.now < until else None


# --- one payload --------------------------------------------------------------------------------


def test_an_embed_discord_chokes_on_goes_as_text_and_the_channel_goes_on(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    chokes(
        bench, lambda message: bool(message.payload.get("embeds")) and "post 2" in text_of(message.payload)
    )
    bench.poll()
    assert [text.splitlines()[0] for text in bench.discord.texts] == ["post 1", "post 2", "post 3"]
    assert ["embeds" in payload for payload in bench.discord.shown.values()] == [True, False, True]
    assert POISON_SECONDS <= sum(bench.waited) <= POISON_SECONDS + 60
    assert bench.said.facts["reason"] is None
    assert bench.said.told("Forwarded") == 3


def test_a_file_discord_chokes_on_becomes_a_link(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"x"}
    bench.telegram.write(1, "words", pages.photo(1))
    chokes(bench, lambda message: bool(message.uploads))
    bench.poll()
    (payload,) = bench.discord.shown.values()
    assert payload["embeds"][0]["description"].endswith("words")
    assert list(bench.discord.files.values()) == [[]]


def test_the_second_of_two_messages_goes_on_behind_the_first(bench: Bench) -> None:
    bench.telegram.write(1, LONG)
    chokes(
        bench, lambda message: bool(message.payload.get("embeds")) and "word899" in text_of(message.payload)
    )
    bench.poll()
    assert [word for word in " ".join(bench.discord.texts).split() if word.startswith("word")] == LONG.split()
    assert [part.state for part in bench.ledger.messages(1)] == ["sent"] * len(bench.discord.shown)


def test_each_500_of_each_form_may_have_delivered_and_the_log_says_so(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    chokes(bench, lambda message: bool(message.payload.get("embeds")))
    bench.poll()
    assert len(bench.said.errors("may appear twice")) == len(bench.discord.asked) - 1
    assert len(bench.said.errors("Discord refused it")) == 2


def test_what_no_form_got_through_stays_in_doubt(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    out_of_order(bench, until=bench.clock.now + HOUR)
    bench.poll()
    assert [part.state for part in bench.ledger.messages(1)] == ["attempting"]


# --- an outage ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lasts", [0.4 * HOUR, 0.6 * HOUR, 1.3 * HOUR, 30 * HOUR])
@pytest.mark.parametrize("otherwise", [INTERNAL, DOWN])
def test_an_outage_costs_no_post_and_no_looks(bench: Bench, lasts: float, otherwise: DiscordError) -> None:
    bench.telegram.files = {"one.jpg": b"x"}
    bench.telegram.write(1, "words", pages.photo(1))
    bench.telegram.fill(2, 3)
    out_of_order(bench, until=bench.clock.now + lasts, otherwise=otherwise)
    while bench.poll() == EXIT_CRASH:
        bench.clock.now += 300
    assert bench.discord.numbers == [1, 2, 3]
    assert bench.discord.texts[1:] == ["post 2", "post 3"]
    assert next(iter(bench.discord.files.values())) == [b"x"]
    assert bench.book.failed() == []
    assert len(bench.discord.asked) <= 3 + lasts / 45 + 20 * (1 + lasts / HOUR)  # nobody hammers


def test_a_simpler_form_is_not_waited_for_when_discord_fails_otherwise(bench: Bench) -> None:
    """Else the end of that outage would bring the simpler form."""
    bench.telegram.fill(1, 1)
    down = True

    def refuses(message: DiscordMessage) -> DiscordError | None:
        descending = bench.said.errors("Discord refused it")
        return (DOWN if descending else INTERNAL) if down else None

    bench.discord.refuses = refuses
    assert bench.poll() == EXIT_CRASH
    down = False
    bench.poll()
    assert bench.discord.numbers == [1]


def test_what_gets_through_in_no_form_holds_its_place_and_is_shown(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    chokes(bench, lambda message: "harbour/1" in str(message.payload))
    assert bench.poll(3) == EXIT_CRASH
    assert bench.discord.shown == {}
    assert bench.said.facts["reason"] == "discord_unavailable"
    assert sum(bench.waited) >= 3 * POISON_SECONDS  # each poll asks as patiently as the first
    assert len(bench.said.errors("https://t.me/harbour/1: Discord accepts not even its link")) == 3
    assert bench.book.failed() == []


def test_a_refusal_of_the_barest_form_is_one(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bare = "Harbour News\nhttps://t.me/harbour/1"

    def refuses(message: DiscordMessage) -> DiscordError | None:
        if message.payload.get("content") == bare:
            return MessageRejected("400")
        return INTERNAL if "post 1" in text_of(message.payload) else None

    bench.discord.refuses = refuses
    bench.poll()
    assert bench.discord.texts == ["post 2"]
    assert [row["reason"] for row in bench.book.failed()] == ["400"]


# --- edits --------------------------------------------------------------------------------------


def test_an_edit_discord_chokes_on_does_not_keep_new_posts_back(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, LONG)
    chokes(bench, lambda message: "word899" in text_of(message.payload))
    bench.poll()
    bench.telegram.fill(2, 2)
    bench.poll()
    assert "post 2" in bench.discord.texts
    assert bench.said.errors("did not take the edit")


# --- the count ----------------------------------------------------------------------------------


def after(*answers: tuple[float, DiscordError | None]) -> list[DiscordUnavailable | None]:
    """What each answer leads to; the seconds pass before it."""
    clock = Clock()
    row, led = PoisonDetector(clock), []
    for seconds, error in answers:
        clock.now += seconds
        led.append(row.record(error))
    return led


def test_it_takes_both_many_and_long() -> None:
    assert after(*[(1.0, INTERNAL)] * 500)[-1] is None
    few = [(0.0, INTERNAL), *[(HOUR, INTERNAL)] * (POISON_COUNT - 1)]
    assert after(*few[:-1])[-1] is None
    assert isinstance(after(*few)[-1], PoisonMessage)


@pytest.mark.parametrize("between", [None, DOWN, MessageRejected("400"), BLOCKED])
def test_another_answer_begins_the_count_anew(between: DiscordError | None) -> None:
    half = [(POISON_SECONDS / 20, INTERNAL)] * 20
    assert set(after(*half, (1.0, between), *half)) == {None}


def test_a_429_says_nothing_of_the_message() -> None:
    half = [(POISON_SECONDS / 20, INTERNAL)] * 20
    led = after(*half, (1.0, LIMITED), *half, (1.0, LIMITED))
    assert isinstance(led[-2], PoisonMessage)
    assert led[-1] is None


def test_once_stuck_every_failure_counts_at_once_until_something_else_was_answered() -> None:
    long = [(POISON_SECONDS / 20, INTERNAL)] * 21
    stuck, again, down, afresh = after(*long, (0.0, INTERNAL), (0.0, DOWN), (0.0, INTERNAL))[-4:]
    assert isinstance(stuck, PoisonMessage)
    assert isinstance(again, PoisonMessage)
    assert down is DOWN
    assert afresh is None


def test_what_is_raised_is_told_with_its_count() -> None:
    (*_, stuck) = after(*[(POISON_SECONDS / 20, INTERNAL)] * 21)
    assert str(stuck) == "500 Internal Server Error (code 0), 21 times in 30 minutes"
