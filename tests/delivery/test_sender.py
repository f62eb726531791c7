"""At least once, twice only in doubt: what the ledger says before, during and after every request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disgram.delivery.sender import PATIENCE, backoff
from disgram.discord.message import DiscordMessage, RateLimitHeaders
from disgram.discord.responses import DiscordResponse
from disgram.errors import (
    DiscordUnavailable,
    MessageGone,
    MessageRejected,
    RateLimited,
    Stopping,
    StorageUnavailable,
    WebhookGone,
)
from disgram.storage.ledger import MessageRow
from tests.delivery_fakes import FACTS, Bench, refusal

HELLO = DiscordMessage({"content": "hello"})
DOWN = refusal(DiscordUnavailable("503"))
IN_DOUBT = refusal(DiscordUnavailable("no answer", ambiguous=True))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def states(bench: Bench) -> list[str]:
    return [part.state for part in bench.ledger.messages(1)]


def test_a_message_is_booked_before_it_goes_out_and_confirmed_after(bench: Bench) -> None:
    during: list[list[str]] = []
    bench.discord.before = lambda: during.append(states(bench))
    row = bench.sender.post(1, 0, HELLO, {})
    assert during == [["attempting"]]
    assert (row.state, row.message_id, row.channel_id) == ("sent", "101", "9")
    assert states(bench) == ["sent"]


def test_nothing_is_booked_while_a_message_waits_for_its_turn(bench: Bench) -> None:
    """A worker killed there would cry doubt about a message it never sent."""

    def stopped(route: object, wait: object) -> int:
        assert states(bench) == []
        raise Stopping("asked to stop")

    bench.turns.acquire = stopped  # type: ignore[method-assign]
    with pytest.raises(Stopping):
        bench.sender.post(1, 0, HELLO, {})
    assert states(bench) == []


def test_it_is_sent_until_it_is_confirmed_and_each_doubt_is_an_error(bench: Bench) -> None:
    bench.discord.script = [DOWN, IN_DOUBT, DOWN, None]
    bench.sender.post(1, 0, HELLO, {})
    assert len(bench.discord.asked) == 4
    assert len(bench.said.errors("may appear twice")) == 1
    assert bench.said.reasons == ["discord_unavailable", None]
    assert all(0.75 <= wait / base <= 1 for wait, base in zip(bench.waited, (1, 2, 4), strict=True))


def test_only_what_may_have_arrived_stays_in_doubt(bench: Bench) -> None:
    for answer, left in ((DOWN, []), (IN_DOUBT, ["attempting"])):
        bench.discord.script, bench.stop_after = [answer], 0
        with pytest.raises(Stopping):
            bench.sender.post(1, 0, HELLO, {})
        assert states(bench) == left


def test_a_refused_message_leaves_no_trace(bench: Bench) -> None:
    bench.discord.script = [refusal(MessageRejected("400"))]
    with pytest.raises(MessageRejected):
        bench.sender.post(1, 0, HELLO, {})
    assert states(bench) == []


def test_a_429_is_left_to_the_limiter_until_it_proves_endless(bench: Bench) -> None:
    bench.discord.script = [refusal(RateLimited("429", retry_after=0.0))] * (PATIENCE + 1)
    bench.sender.post(1, 0, HELLO, {})
    assert len(bench.waited) == 2
    assert bench.said.reasons == []
    assert bench.said.errors() == []


def test_a_limiter_whose_file_cannot_be_written_does_not_stand_in_a_confirmations_way(bench: Bench) -> None:
    bench.turns.fail = StorageUnavailable("limits.db: disk full")
    bench.sender.post(1, 0, HELLO, {})
    assert states(bench) == ["sent"]
    assert bench.turns.seen == []
    bench.turns.fail = None
    bench.sender.post(2, 0, HELLO, {})
    assert bench.turns.seen == [FACTS, FACTS]
    assert bench.turns.open == set()


def test_a_confirmation_is_written_however_long_the_disk_stays_full(bench: Bench) -> None:
    failures = iter([StorageUnavailable("disk full")] * 3)
    put = bench.ledger.put_message

    def full(post_id: int, row: MessageRow) -> None:
        if row.state == "sent" and (error := next(failures, None)):
            raise error
        put(post_id, row)

    bench.ledger.put_message = full  # type: ignore[method-assign]
    bench.sender.post(1, 0, HELLO, {})
    assert states(bench) == ["sent"]
    assert len(bench.discord.asked) == 1
    assert len(bench.said.errors("Cannot write")) == 1
    assert bench.said.reasons == ["storage_unavailable", None]


def test_a_webhook_found_gone_while_this_one_waited_is_not_called(bench: Bench) -> None:
    acquire = bench.turns.acquire

    def somebody_finds_out(route: object, wait: object) -> int:
        bench.ledger.mark_gone(bench.spec.destination.webhook_key, "webhook_gone")
        return acquire(route, lambda _: None)

    bench.turns.acquire = somebody_finds_out  # type: ignore[method-assign]
    with pytest.raises(WebhookGone):
        bench.sender.post(1, 0, HELLO, {})
    assert bench.discord.asked == []
    assert bench.turns.open == set()
    assert states(bench) == []


def test_a_gone_webhook_is_booked_before_the_next_in_the_queue_may_start(bench: Bench) -> None:
    """Between the two another worker would have asked the dead webhook once more."""
    observe, known = bench.turns.observe, list[str | None]()

    def next_one_starts(route: object, ticket: int, facts: RateLimitHeaders) -> None:
        known.append(bench.ledger.gone(bench.spec.destination.webhook_key))
        observe(route, ticket, facts)

    bench.turns.observe = next_one_starts  # type: ignore[method-assign]
    bench.discord.script = [refusal(WebhookGone("404"))]
    with pytest.raises(WebhookGone):
        bench.sender.post(1, 0, HELLO, {})
    assert known == ["webhook_gone"]


def test_a_message_without_a_known_id_is_neither_edited_nor_deleted_under_no_id(bench: Bench) -> None:
    """Its address would be no message's, and the 404 would bury the whole webhook."""
    bench.discord.script = [DiscordResponse(FACTS, None, {})]
    row = bench.sender.post(1, 0, HELLO, {})
    with pytest.raises(MessageGone):
        bench.sender.edit(1, row, HELLO, HELLO, {})
    bench.sender.delete(1, row)
    assert bench.discord.asked == ["POST"]
    assert states(bench) == []


def test_a_message_deleted_by_somebody_else_is_deleted(bench: Bench) -> None:
    row = bench.sender.post(1, 0, HELLO, {})
    bench.discord.shown.clear()
    bench.sender.delete(1, row)
    assert states(bench) == []


def test_the_server_is_asked_for_once_and_a_failure_is_not_remembered(bench: Bench) -> None:
    bench.discord.script = [DOWN]
    assert [bench.sender.guild() for _ in range(3)] == ["", "55", "55"]
    assert bench.discord.asked == ["GET", "GET"]


def test_a_gone_webhook_tells_nothing_of_its_server(bench: Bench) -> None:
    bench.discord.script = [refusal(WebhookGone("404"))]
    bench.sender.guild()
    bench.book.clear_gone(bench.spec.destination.webhook_key)
    assert bench.sender.guild() == "55"


def test_long_waits_for_a_limit_are_told(bench: Bench) -> None:
    def slow(route: object, wait: Callable[[float], None]) -> int:
        wait(5.0)
        wait(40.0)
        return 1

    bench.turns.acquire = slow  # type: ignore[method-assign]
    bench.sender.post(1, 0, HELLO, {})
    assert bench.said.told("Waiting 40 s") == 1
    assert bench.said.told("Waiting") == 1


def test_the_backoff_doubles_up_to_its_bound() -> None:
    assert all(0.75 * 60 <= backoff(n, 60.0) <= 60 for n in (7, 20, 5000))


def test_facts_of_a_request_without_an_answer_are_told_too(bench: Bench) -> None:
    bench.discord.script = [DiscordResponse(RateLimitHeaders(), DiscordUnavailable("no connection"))]
    bench.sender.post(1, 0, HELLO, {})
    assert bench.turns.seen == [RateLimitHeaders(), FACTS]
