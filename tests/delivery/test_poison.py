"""Poison messages, which always get 500, and outages, in which everything does."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disgram.delivery.refused.poison import POISON_COUNT, POISON_SECONDS, PoisonDetector
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
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, text_of
from tests.builders.discord_clock import Clock

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


def fails_on(bench: Bench, on: Callable[[DiscordMessage], bool]) -> None:
    """Discord answers such messages with 500."""
    bench.discord.refuses = lambda message: INTERNAL if on(message) else None


def down(bench: Bench, *, until: float, otherwise: DiscordError = INTERNAL) -> None:
    """Discord answers every message with this error until then."""
    bench.discord.refuses = lambda _: otherwise if bench.clock.now < until else None


# --- poison messages -----------------------------------------------------------------------------


def test_an_embed_that_always_gets_500_is_sent_as_text_and_the_channel_goes_on(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    fails_on(
        bench, lambda message: bool(message.payload.get("embeds")) and "post 2" in text_of(message.payload)
    )
    bench.poll()
    assert [text.splitlines()[0] for text in bench.discord.texts] == ["post 1", "post 2", "post 3"]
    assert ["embeds" in payload for payload in bench.discord.shown.values()] == [True, False, True]
    assert POISON_SECONDS <= sum(bench.waited) <= POISON_SECONDS + 60
    assert bench.said.facts["reason"] is None
    assert bench.said.count("Forwarded") == 3


def test_a_file_that_always_gets_500_becomes_a_link(bench: Bench) -> None:
    bench.telegram.files = {"one.jpg": b"x"}
    bench.telegram.write(1, "words", pages.photo(1))
    fails_on(bench, lambda message: bool(message.uploads))
    bench.poll()
    (payload,) = bench.discord.shown.values()
    assert payload["embeds"][0]["description"].endswith("words")
    assert list(bench.discord.files.values()) == [[]]


def test_a_second_message_that_always_gets_500_is_sent_simpler_behind_the_first(bench: Bench) -> None:
    bench.telegram.write(1, LONG)
    fails_on(
        bench, lambda message: bool(message.payload.get("embeds")) and "word899" in text_of(message.payload)
    )
    bench.poll()
    assert [word for word in " ".join(bench.discord.texts).split() if word.startswith("word")] == LONG.split()
    assert [row.state for row in bench.ledger.messages(1)] == ["sent"] * len(bench.discord.shown)


def test_the_log_says_of_each_500_that_the_message_may_appear_twice(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    fails_on(bench, lambda message: bool(message.payload.get("embeds")))
    bench.poll()
    assert len(bench.said.errors("may appear twice")) == len(bench.discord.asked) - 1
    assert len(bench.said.errors("Discord refused it")) == 2


def test_a_post_that_gets_500_in_every_form_stays_unconfirmed(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    down(bench, until=bench.clock.now + HOUR)
    bench.poll()
    assert [row.state for row in bench.ledger.messages(1)] == ["attempting"]


# --- an outage ----------------------------------------------------------------------------------


@pytest.mark.parametrize("lasts", [0.4 * HOUR, 0.6 * HOUR, 1.3 * HOUR, 30 * HOUR])
@pytest.mark.parametrize("otherwise", [INTERNAL, DOWN])
def test_an_outage_loses_no_post_and_simplifies_none(
    bench: Bench, lasts: float, otherwise: DiscordError
) -> None:
    bench.telegram.files = {"one.jpg": b"x"}
    bench.telegram.write(1, "words", pages.photo(1))
    bench.telegram.fill(2, 3)
    down(bench, until=bench.clock.now + lasts, otherwise=otherwise)
    while bench.poll() == EXIT_CRASH:
        bench.clock.now += 300
    assert bench.discord.numbers == [1, 2, 3]
    assert bench.discord.texts[1:] == ["post 2", "post 3"]
    assert next(iter(bench.discord.files.values())) == [b"x"]
    assert bench.database.failed() == []
    assert len(bench.discord.asked) <= 3 + lasts / 45 + 20 * (1 + lasts / HOUR)  # requests stay few


def test_a_simpler_form_that_fails_otherwise_is_not_tried_again(bench: Bench) -> None:
    """Otherwise the simpler form would be sent when that outage ends."""
    bench.telegram.fill(1, 1)
    down = True

    def refuses(message: DiscordMessage) -> DiscordError | None:
        simplified = bench.said.errors("Discord refused it")
        return (DOWN if simplified else INTERNAL) if down else None

    bench.discord.refuses = refuses
    assert bench.poll() == EXIT_CRASH
    down = False
    bench.poll()
    assert bench.discord.numbers == [1]


def test_a_post_that_gets_500_in_every_form_waits_and_health_says_so(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    fails_on(bench, lambda message: "harbour/1" in str(message.payload))
    assert bench.poll(3) == EXIT_CRASH
    assert bench.discord.shown == {}
    assert bench.said.facts["reason"] == "discord_unavailable"
    assert sum(bench.waited) >= 3 * POISON_SECONDS  # each poll asks as patiently as the first
    assert len(bench.said.errors("https://t.me/harbour/1: Discord accepts not even its link")) == 3
    assert bench.database.failed() == []


def test_a_refused_link_after_500s_is_a_failed_post(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    link_only = "Harbour News\nhttps://t.me/harbour/1"

    def refuses(message: DiscordMessage) -> DiscordError | None:
        if message.payload.get("content") == link_only:
            return MessageRejected("400")
        return INTERNAL if "post 1" in text_of(message.payload) else None

    bench.discord.refuses = refuses
    bench.poll()
    assert bench.discord.texts == ["post 2"]
    assert [row["reason"] for row in bench.database.failed()] == ["400"]


# --- edits --------------------------------------------------------------------------------------


def test_an_edit_that_always_gets_500_does_not_hold_up_new_posts(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, LONG)
    fails_on(bench, lambda message: "word899" in text_of(message.payload))
    bench.poll()
    bench.telegram.fill(2, 2)
    bench.poll()
    assert "post 2" in bench.discord.texts
    assert bench.said.errors("did not take the edit")


# --- the count ----------------------------------------------------------------------------------


def recorded(*answers: tuple[float, DiscordError | None]) -> list[DiscordUnavailable | None]:
    """What the detector returns for each response; the seconds pass before it."""
    clock = Clock()
    detector, results = PoisonDetector(clock), []
    for seconds, error in answers:
        clock.now += seconds
        results.append(detector.record(error))
    return results


def test_poison_takes_many_500s_over_a_long_time() -> None:
    assert recorded(*[(1.0, INTERNAL)] * 500)[-1] is None
    few = [(0.0, INTERNAL), *[(HOUR, INTERNAL)] * (POISON_COUNT - 1)]
    assert recorded(*few[:-1])[-1] is None
    assert isinstance(recorded(*few)[-1], PoisonMessage)


@pytest.mark.parametrize("between", [None, DOWN, MessageRejected("400"), BLOCKED])
def test_any_other_response_resets_the_count_of_500s(between: DiscordError | None) -> None:
    half = [(POISON_SECONDS / 20, INTERNAL)] * 20
    assert set(recorded(*half, (1.0, between), *half)) == {None}


def test_a_429_does_not_reset_the_count_of_500s() -> None:
    half = [(POISON_SECONDS / 20, INTERNAL)] * 20
    results = recorded(*half, (1.0, LIMITED), *half, (1.0, LIMITED))
    assert isinstance(results[-2], PoisonMessage)
    assert results[-1] is None


def test_after_poison_every_failure_is_raised_at_once_until_another_response() -> None:
    long = [(POISON_SECONDS / 20, INTERNAL)] * 21
    first, second, other, afresh = recorded(*long, (0.0, INTERNAL), (0.0, DOWN), (0.0, INTERNAL))[-4:]
    assert isinstance(first, PoisonMessage)
    assert isinstance(second, PoisonMessage)
    assert other is DOWN
    assert afresh is None


def test_poison_message_says_how_many_500s_in_how_many_minutes() -> None:
    (*_, error) = recorded(*[(POISON_SECONDS / 20, INTERNAL)] * 21)
    assert str(error) == "500 Internal Server Error (code 0), 21 times in 30 minutes"


# --- edits that always get 500 --------------------------------------------------------------------


def poll_for(bench: Bench, seconds: float, every: float = 60.0) -> None:
    until = bench.clock.now + seconds
    while bench.clock.now < until:
        bench.poll()
        bench.clock.now += every


def test_edit_that_always_gets_500_is_given_up_and_posts_go_on(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.discord.refuses_changes = INTERNAL
    poll_for(bench, POISON_SECONDS / 2)
    assert bench.said.facts["reason"] == "discord_unavailable"
    assert bench.said.count("it is given up") == 0
    poll_for(bench, POISON_SECONDS)
    tries = bench.discord.asked.count("PATCH")
    assert tries >= POISON_COUNT
    assert len(bench.said.errors("it is given up")) == 1
    assert bench.said.facts["reason"] is None
    bench.telegram.fill(2, 2)
    poll_for(bench, HOUR)
    assert bench.discord.texts == ["post 1", "post 2"]
    assert bench.discord.asked.count("PATCH") == tries


def test_edit_after_one_that_was_given_up_is_followed(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.discord.refuses_changes = INTERNAL
    poll_for(bench, POISON_SECONDS * 2)
    bench.discord.refuses_changes = None
    bench.telegram.write(1, "corrected again")
    bench.poll()
    assert bench.discord.texts == ["corrected again"]


def test_edit_is_not_given_up_while_discord_cannot_be_reached(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.poll()
    bench.telegram.write(1, "corrected")
    bench.discord.refuses_changes = DOWN
    poll_for(bench, POISON_SECONDS * 2)
    bench.discord.refuses_changes = None
    bench.poll()
    assert bench.discord.texts == ["corrected"]


def test_deletion_that_always_gets_500_is_given_up(tmp_path: Path) -> None:
    bench = Bench(tmp_path, follow_deletions="delete")
    bench.telegram.fill(1, 3)
    bench.poll()
    del bench.telegram.posts[2]
    bench.discord.refuses_changes = INTERNAL
    poll_for(bench, POISON_SECONDS * 2)
    tries = bench.discord.asked.count("DELETE")
    assert tries >= POISON_COUNT
    assert bench.said.facts["reason"] is None
    poll_for(bench, HOUR)
    assert bench.discord.asked.count("DELETE") == tries
