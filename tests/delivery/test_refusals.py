"""A destination that refuses everything keeps its posts, is asked again, and goes on by itself."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest

from disgram.addresses import ChannelRef
from disgram.delivery.refused.posts import FEW
from disgram.delivery.refused.refusals import ASK_AGAIN, FIRST_RETRY, UNREADABLE
from disgram.discord.message import DiscordMessage
from disgram.errors import (
    DestinationRefuses,
    DiscordError,
    DiscordUnavailable,
    MessageRejected,
    UnreadableResponse,
    WebhookGone,
)
from disgram.report import EXIT_CRASH, EXIT_OK, EXIT_PERMANENT
from tests.builders.delivery_fakes import Bench, refusal

TOO_MANY_THREADS = DestinationRefuses("400 Maximum number of active threads reached (code 160006)")
NO = MessageRejected("400 no")
HOUR = 3600.0


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def refusing(bad: Callable[[int], bool]) -> Callable[[DiscordMessage], DiscordError | None]:
    """Refuses every form of the posts with such numbers."""

    def refuses(message: DiscordMessage) -> DiscordError | None:
        number = re.search(r"harbour/(\d+)", str(message.payload))
        return NO if number and bad(int(number[1])) else None

    return refuses


# --- a webhook that was not gone ----------------------------------------------------------------


@pytest.mark.parametrize("reason", ["webhook_gone", "thread_gone", "thread_archived", "thread_locked"])
def test_a_wrong_refusal_of_an_incident_heals_within_an_hour(bench: Bench, reason: str) -> None:
    bench.telegram.fill(1, 2)
    bench.discord.script = [refusal(WebhookGone("404", reason=reason))]
    assert bench.poll() == EXIT_PERMANENT
    bench.clock.now += HOUR
    bench.again()
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 2]
    assert bench.said.facts["reason"] is None


def test_a_webhook_that_is_gone_is_asked_once_an_hour(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.discord.script = [refusal(WebhookGone("404"))] * 4
    bench.poll()
    for hour in range(1, 4):
        bench.clock.now += HOUR
        bench.again()
        assert bench.poll(3) == EXIT_PERMANENT
        assert bench.discord.asked == ["POST"] + ["GET"] * hour
    assert bench.said.facts["reason"] == "webhook_gone"


def test_a_webhook_is_asked_again_soon_when_discord_did_not_answer_the_question(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.discord.script = [refusal(WebhookGone("404")), refusal(DiscordUnavailable("503"))]
    bench.poll()
    bench.clock.now += HOUR
    assert bench.poll() == EXIT_CRASH
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1]


def test_one_worker_asks_for_a_webhook_and_the_others_follow(tmp_path: Path) -> None:
    benches = [Bench(tmp_path, job=f"job {number}") for number in range(3)]
    benches[0].telegram.fill(1, 1)
    benches[0].discord.script = [refusal(WebhookGone("404"))]
    for bench in benches:
        assert bench.poll() == EXIT_PERMANENT
        bench.clock.now += HOUR
        bench.again()
    assert [bench.poll() for bench in benches] == [EXIT_OK] * 3
    assert [bench.discord.asked for bench in benches] == [["POST", "GET", "POST"], [], []]


def test_a_worker_that_starts_while_another_asks_awaits_the_answer(tmp_path: Path) -> None:
    asking, waiting = Bench(tmp_path, job="a"), Bench(tmp_path, job="b")
    asking.telegram.fill(1, 1)
    asking.discord.script = [refusal(WebhookGone("404"))]
    asking.poll()
    waiting.clock.now = asking.clock.now = asking.clock.now + HOUR
    found = asking.ledger.destinations.gone(asking.spec.destination.webhook_key)[0]
    asking.ledger.destinations.claim_asking(found, asking.clock.now + 60)

    def answers(seconds: float) -> None:
        asking.ledger.destinations.accepts_again(found.destination)

    waiting.sender.refusals._wait = answers
    assert waiting.poll() == EXIT_OK


def test_a_clock_set_back_does_not_make_the_question_wait_longer(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.discord.script = [refusal(WebhookGone("404"))]
    bench.poll()
    bench.clock.now -= 1000 * HOUR
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1]


# --- a destination that refuses -----------------------------------------------------------------


def test_posts_refused_by_the_destination_are_kept_and_arrive_in_order(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.refuses = lambda _: TOO_MANY_THREADS
    for _ in range(5):
        assert bench.poll() == EXIT_CRASH
    assert bench.discord.asked == ["POST"]
    assert bench.said.facts["reason"] == "destination_refuses"
    assert len(bench.said.errors("No message is accepted there now")) == 1
    bench.telegram.fill(4, 4)
    bench.discord.refuses = lambda _: None
    bench.clock.now += FIRST_RETRY
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 2, 3, 4]
    assert bench.database.failed() == []
    assert bench.said.facts["reason"] is None


def test_a_destination_that_refuses_is_tried_ever_later_up_to_an_hour(bench: Bench) -> None:
    bench.telegram.fill(1, 1)
    bench.discord.refuses = lambda _: TOO_MANY_THREADS
    tried: list[float] = []
    bench.discord.before = lambda: tried.append(bench.clock.now)
    while bench.clock.now < 1000 + 12 * HOUR:
        bench.poll()
        bench.clock.now += 10
    pauses = [later - earlier for earlier, later in pairwise(tried)]
    assert pauses[:4] == [30, 60, 120, 240]
    assert all(ASK_AGAIN - 300 <= pause <= HOUR for pause in pauses[8:])
    assert len(tried) <= 20


def test_five_posts_in_a_row_refused_in_every_form_are_due_again_in_order(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.poll()
    bench.telegram.fill(3, 12)
    bench.discord.refuses = lambda _: NO
    assert bench.poll() == EXIT_CRASH
    assert bench.said.facts["reason"] == "destination_refuses"
    assert bench.database.failed() == []
    assert bench.poll(4) == EXIT_CRASH
    bench.clock.now += FIRST_RETRY
    bench.again()
    assert bench.poll() == EXIT_CRASH  # tried, and refused again
    assert bench.database.failed() == []
    bench.discord.refuses = lambda _: None
    bench.clock.now += HOUR
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == list(range(1, 13))


def test_five_posts_refused_at_one_poll_each_and_over_a_restart_are_due_again(bench: Bench) -> None:
    bench.poll()
    bench.discord.refuses = lambda _: NO
    for number in range(1, FEW + 1):
        bench.telegram.fill(number, number)
        bench.poll()
        bench.again()
    assert bench.said.facts["reason"] == "destination_refuses"
    assert bench.database.failed() == []
    bench.discord.refuses = lambda _: None
    bench.clock.now += FIRST_RETRY
    bench.poll()
    assert bench.discord.numbers == list(range(1, FEW + 1))


@pytest.mark.parametrize("bad", [4, 7, 12])
def test_posts_that_are_at_fault_themselves_do_not_hold_the_channel_for_ever(bench: Bench, bad: int) -> None:
    bench.telegram.fill(1, bad + 2)
    bench.discord.refuses = refusing(lambda number: number <= bad)
    for _ in range(40):
        bench.poll()
        bench.clock.now += 300
    assert bench.discord.numbers == [bad + 1, bad + 2]
    assert [row["post_id"] for row in bench.database.failed()] == list(range(1, bad + 1))
    assert bench.said.facts["reason"] is None


def test_a_channel_whose_posts_are_refused_does_not_stop_another_one(tmp_path: Path) -> None:
    refused, other = Bench(tmp_path, job="a"), Bench(tmp_path, job="b")
    for bench in (refused, other):
        bench.telegram.fill(1, FEW)
    refused.discord.refuses = lambda _: NO
    assert refused.poll() == EXIT_CRASH
    other.spec = replace(other.spec, channel=ChannelRef("other"))
    other.again()
    assert other.poll() == EXIT_OK


def test_failed_posts_that_a_person_retries_are_failed_again_and_hold_nothing(bench: Bench) -> None:
    bench.telegram.fill(1, 9)
    bench.discord.refuses = refusing(lambda number: number % 2 == 1 and number < 9)
    bench.poll()
    bench.discord.refuses = refusing(lambda number: number < 9)
    bench.database.retry("job")
    assert bench.poll(2) == EXIT_OK
    assert len(bench.database.failed()) == 4


def test_a_message_confirmed_in_a_refusing_destination_is_not_sent_twice(bench: Bench) -> None:
    bench.telegram.write(1, " ".join(f"word{number}" for number in range(900)))
    bench.discord.script = [None, refusal(TOO_MANY_THREADS)]
    assert bench.poll() == EXIT_CRASH
    bench.clock.now += FIRST_RETRY
    assert bench.poll() == EXIT_OK
    assert len(bench.discord.shown) == 2


# --- what is not Discord ------------------------------------------------------------------------

OK = refusal(UnreadableResponse("200 with a response that is not Discord's", ambiguous=True))


def test_a_relay_that_says_ok_for_ever_gets_a_few_copies_and_then_one_an_hour(bench: Bench) -> None:
    bench.telegram.fill(1, 2)
    bench.discord.script = [OK] * 100
    for _ in range(int(3 * HOUR / 300)):
        assert bench.poll() == EXIT_CRASH
        bench.clock.now += 300
    assert bench.discord.asked == ["POST"] * (UNREADABLE + 3)
    assert bench.said.facts["reason"] == "not_discord"
    assert len(bench.said.errors("not Discord's; the message may have arrived")) == 4
    bench.discord.script = []
    bench.clock.now += HOUR
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 2]
    assert bench.said.facts["reason"] is None


def test_a_few_responses_that_are_not_discords_do_not_stop_the_channel(bench: Bench) -> None:
    bench.telegram.fill(1, 3)
    bench.discord.script = [OK, OK, OK, None, OK, OK, OK, None]
    assert bench.poll() == EXIT_OK
    assert bench.discord.numbers == [1, 2, 3]
