"""At least once, and twice only in doubt: the ledger before, during and after every request."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disgram.delivery.sender import RATE_LIMIT_TRIES
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
from disgram.storage.channel_ledger import MessageRow
from disgram.storage.destinations import GoneRow
from tests.builders.delivery_fakes import FACTS, Bench, refusal

HELLO = DiscordMessage({"content": "hello"})
DOWN = refusal(DiscordUnavailable("503"))
IN_DOUBT = refusal(DiscordUnavailable("no answer", ambiguous=True))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def states(bench: Bench) -> list[str]:
    return [row.state for row in bench.ledger.messages(1)]


def test_a_message_is_attempting_during_its_request_and_sent_after(bench: Bench) -> None:
    during: list[list[str]] = []
    bench.discord.before = lambda: during.append(states(bench))
    row = bench.sender.send(1, 0, HELLO, {})
    assert during == [["attempting"]]
    assert (row.state, row.message_id, row.channel_id) == ("sent", "101", "9")
    assert states(bench) == ["sent"]


def test_a_message_waiting_for_the_limiter_has_no_row(bench: Bench) -> None:
    """Else a worker killed there would report a message as unconfirmed that it never sent."""

    def stopped(route: object, wait: object) -> int:
        assert states(bench) == []
        raise Stopping("asked to stop")

    bench.turns.acquire = stopped  # type: ignore[method-assign]
    with pytest.raises(Stopping):
        bench.sender.send(1, 0, HELLO, {})
    assert states(bench) == []


def test_a_message_is_sent_until_confirmed_and_each_doubt_is_an_error_line(bench: Bench) -> None:
    bench.discord.script = [DOWN, IN_DOUBT, DOWN, None]
    bench.sender.send(1, 0, HELLO, {})
    assert len(bench.discord.asked) == 4
    assert len(bench.said.errors("may appear twice")) == 1
    assert bench.said.reasons == ["discord_unavailable", None]
    assert all(0.75 <= wait / base <= 1 for wait, base in zip(bench.waited, (1, 2, 4), strict=True))


def test_only_a_message_that_may_have_arrived_stays_attempting(bench: Bench) -> None:
    for answer, left in ((DOWN, []), (IN_DOUBT, ["attempting"])):
        bench.discord.script, bench.stop_after = [answer], 0
        with pytest.raises(Stopping):
            bench.sender.send(1, 0, HELLO, {})
        assert states(bench) == left


def test_a_refused_message_leaves_no_row(bench: Bench) -> None:
    bench.discord.script = [refusal(MessageRejected("400"))]
    with pytest.raises(MessageRejected):
        bench.sender.send(1, 0, HELLO, {})
    assert states(bench) == []


def test_repeated_429s_back_off_as_well_as_waiting_for_the_limiter(bench: Bench) -> None:
    bench.discord.script = [refusal(RateLimited("429", retry_after=0.0))] * (RATE_LIMIT_TRIES + 1)
    bench.sender.send(1, 0, HELLO, {})
    assert len(bench.waited) == 2
    assert bench.said.reasons == []
    assert bench.said.errors() == []


def test_429s_without_a_possible_time_are_waited_for_longer_each_time_and_logged(bench: Bench) -> None:
    """The limiter waits as well, but always the same few seconds."""
    odd = RateLimited("429; no time to wait is named", retry_after=5.0, is_guessed=True)
    bench.discord.script = [refusal(odd)] * 4
    bench.sender.send(1, 0, HELLO, {})
    assert len(bench.waited) == 4
    assert bench.waited == sorted(bench.waited)
    assert bench.waited[-1] > 4 * bench.waited[0]
    assert bench.said.count("no time to wait is named") == 4


def test_a_confirmation_is_written_though_the_limiters_file_is_full(bench: Bench) -> None:
    bench.turns.fail = StorageUnavailable("limits.db: disk full")
    bench.sender.send(1, 0, HELLO, {})
    assert states(bench) == ["sent"]
    assert bench.turns.seen == []
    bench.turns.fail = None
    bench.sender.send(2, 0, HELLO, {})
    assert bench.turns.seen == [FACTS, FACTS]
    assert bench.turns.open == set()


def test_a_confirmation_is_written_once_the_disk_has_room(bench: Bench) -> None:
    failures = iter([StorageUnavailable("disk full")] * 3)
    put = bench.ledger.put_message

    def full(post_id: int, row: MessageRow) -> None:
        if row.state == "sent" and (error := next(failures, None)):
            raise error
        put(post_id, row)

    bench.ledger.put_message = full  # type: ignore[method-assign]
    bench.sender.send(1, 0, HELLO, {})
    assert states(bench) == ["sent"]
    assert len(bench.discord.asked) == 1
    assert len(bench.said.errors("Cannot write")) == 1
    assert bench.said.reasons == ["storage_unavailable", None]


def test_turn_is_given_back_while_the_attempt_cannot_be_written(bench: Bench) -> None:
    """A turn that is held through a long outage runs out; then all workers would send at once."""
    failures = iter([StorageUnavailable("PostgreSQL: connection refused")] * 3)
    put, open_then = bench.ledger.put_message, []

    def away(post_id: int, row: MessageRow) -> None:
        if error := next(failures, None):
            open_then.append({*bench.turns.open})
            raise error
        put(post_id, row)

    bench.ledger.put_message = away  # type: ignore[method-assign]
    bench.sender.send(1, 0, HELLO, {})
    assert open_then == [{1}, {2}, {3}]
    assert (states(bench), bench.turns.open, bench.turns.given) == (["sent"], set(), 4)
    assert len(bench.discord.asked) == 1
    assert len(bench.said.errors("Cannot write")) == 1
    assert bench.said.reasons == ["storage_unavailable", None]


def test_a_webhook_found_gone_during_the_wait_is_not_called(bench: Bench) -> None:
    acquire = bench.turns.acquire

    def somebody_finds_out(route: object, wait: object) -> int:
        key, until = bench.spec.destination.webhook_key, bench.today() + 1000
        bench.ledger.destinations.mark_gone(GoneRow(key, "webhook_gone", 1, until))
        return acquire(route, lambda _: None)

    bench.turns.acquire = somebody_finds_out  # type: ignore[method-assign]
    with pytest.raises(WebhookGone):
        bench.sender.send(1, 0, HELLO, {})
    assert bench.discord.asked == []
    assert bench.turns.open == set()
    assert states(bench) == []


def test_a_gone_webhook_is_written_before_the_next_request_may_start(bench: Bench) -> None:
    """Else another worker could call the dead webhook once more in between."""
    observe, known = bench.turns.observe, list[str]()

    def next_one_starts(route: object, ticket: int, facts: RateLimitHeaders) -> None:
        known.extend(row.reason for row in bench.ledger.destinations.gone(bench.spec.destination.webhook_key))
        observe(route, ticket, facts)

    bench.turns.observe = next_one_starts  # type: ignore[method-assign]
    bench.discord.script = [refusal(WebhookGone("404"))]
    with pytest.raises(WebhookGone):
        bench.sender.send(1, 0, HELLO, {})
    assert known == ["webhook_gone"]


def test_a_message_without_a_known_id_is_neither_edited_nor_deleted_at_discord(bench: Bench) -> None:
    """Its address would be the webhook's own, and a 404 would count as webhook_gone."""
    bench.discord.script = [DiscordResponse(FACTS, None, {})]
    row = bench.sender.send(1, 0, HELLO, {})
    with pytest.raises(MessageGone):
        bench.sender.edit(1, row, HELLO)
    bench.sender.delete(1, row)
    assert bench.discord.asked == ["POST"]
    assert states(bench) == []


def test_deleting_a_message_already_gone_from_discord_succeeds(bench: Bench) -> None:
    row = bench.sender.send(1, 0, HELLO, {})
    bench.discord.shown.clear()
    bench.sender.delete(1, row)
    assert states(bench) == []


def test_the_guild_id_is_asked_for_once_and_a_failure_is_not_kept(bench: Bench) -> None:
    bench.discord.script = [DOWN]
    assert [bench.sender.guild_id() for _ in range(3)] == ["", "55", "55"]
    assert bench.discord.asked == ["GET", "GET"]


def test_a_gone_webhook_leaves_its_guild_id_unknown(bench: Bench) -> None:
    bench.discord.script = [refusal(WebhookGone("404"))]
    bench.sender.guild_id()
    bench.database.destinations.clear_gone(bench.spec.destination.webhook_key)
    assert bench.sender.guild_id() == "55"


def test_only_long_waits_for_a_rate_limit_are_logged(bench: Bench) -> None:
    def slow(route: object, wait: Callable[[float], None]) -> int:
        wait(5.0)
        wait(40.0)
        return 1

    bench.turns.acquire = slow  # type: ignore[method-assign]
    bench.sender.send(1, 0, HELLO, {})
    assert bench.said.count("Waiting 40 s") == 1
    assert bench.said.count("Waiting") == 1


def test_the_limiter_learns_of_a_request_without_a_response(bench: Bench) -> None:
    bench.discord.script = [DiscordResponse(RateLimitHeaders(), DiscordUnavailable("no connection"))]
    bench.sender.send(1, 0, HELLO, {})
    assert bench.turns.seen == [RateLimitHeaders(), FACTS]
