"""What the ledger tells a host of the messages that others have sent to a webhook it takes over."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

pytest.importorskip("psycopg")

from disgram.errors import StorageUnavailable
from disgram.hosts.shared.hand_over import CLOCKS_DIFFER, WINDOW, HandOver
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.ledger import PostgresLedger
from disgram.storage.channel_ledger import MessageRow

NOW = 1_800_000_000.0


class Limits:
    """What the limiter is told, by (webhook, thread)."""

    def __init__(self) -> None:
        self.told: dict[tuple[str, str], Sequence[float]] = {}
        self.full = False

    def take_over(self, webhook_id: str, thread_id: str, ages: Sequence[float]) -> None:
        if self.full:
            raise StorageUnavailable("limits.db: disk is full")
        self.told[webhook_id, thread_id] = ages


@pytest.fixture
def ledger(database: PostgresDatabase) -> PostgresLedger:
    return PostgresLedger(database)


@pytest.fixture
def limits() -> Limits:
    return Limits()


@pytest.fixture
def hand_over(ledger: PostgresLedger, limits: Limits) -> HandOver:
    return HandOver(ledger.recent_posts, limits.take_over, lambda: NOW)


def sent(
    ledger: PostgresLedger, post_id: int, ago: float, webhook: str = "1", thread: str | None = None
) -> None:
    row = MessageRow(0, "sent", "9", webhook_id=webhook, thread_id=thread, sent_at=NOW - ago)
    ledger.of("job", "c").put_message(post_id, row)


def test_messages_of_the_last_window_count_newest_first_each_where_it_went(
    ledger: PostgresLedger, limits: Limits, hand_over: HandOver
) -> None:
    sent(ledger, 1, ago=40)
    sent(ledger, 2, ago=30)
    sent(ledger, 3, ago=20, webhook="2", thread="55")
    sent(ledger, 4, ago=10, webhook="of another host")
    sent(ledger, 5, ago=WINDOW + CLOCKS_DIFFER + 1)
    hand_over({"1": 0.0, "2": 0.0, "nothing was sent there": 0.0})
    assert limits.told == {
        ("1", ""): [30 - CLOCKS_DIFFER, 40 - CLOCKS_DIFFER],
        ("2", "55"): [20 - CLOCKS_DIFFER],
    }


def test_message_that_nobody_confirmed_counts_from_the_end_of_the_lease(
    ledger: PostgresLedger, limits: Limits, hand_over: HandOver
) -> None:
    ledger.of("job", "c").put_message(7, MessageRow(0, "attempting", webhook_id="1"))
    hand_over({"1": 25.0})
    assert limits.told == {("1", ""): [25.0]}


def test_nothing_counts_as_sent_after_the_end_of_the_lease_whatever_another_clock_says(
    ledger: PostgresLedger, limits: Limits, hand_over: HandOver
) -> None:
    sent(ledger, 1, ago=-3600)
    hand_over({"1": 25.0})
    assert limits.told == {("1", ""): [25.0]}


def test_message_counts_once_however_often_the_webhook_is_about_to_be_taken_over(
    ledger: PostgresLedger, limits: Limits, hand_over: HandOver
) -> None:
    sent(ledger, 1, ago=40)
    limits.full = True
    with pytest.raises(StorageUnavailable):
        hand_over({"1": 0.0})
    limits.full = False
    hand_over({"1": 0.0})
    assert limits.told.pop(("1", "")) == [40 - CLOCKS_DIFFER]
    sent(ledger, 2, ago=6)
    hand_over({"1": 0.0})
    assert limits.told.pop(("1", "")) == [6 - CLOCKS_DIFFER]
    hand_over({"1": 0.0})
    assert limits.told == {}
