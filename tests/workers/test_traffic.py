"""What a worker's reports tell of the posts of its channel."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from disgram.traffic import HOURS_KEPT, NO_TRAFFIC, Traffic, posts_in_last_hour

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
NUMBERS = st.integers(0, 60)
REPORTS = st.fixed_dictionaries(
    {},
    optional={
        "last_post_id": NUMBERS,
        "newest_post_id": NUMBERS,
        "waiting": st.integers(-1, 60),
        "forwarded": st.booleans(),
    },
)


def after(*reports: dict[str, Any], minutes: float = 1.0) -> Traffic:
    traffic = NO_TRAFFIC
    for number, facts in enumerate(reports):
        traffic = traffic.updated(facts, NOON + timedelta(minutes=number * minutes))
    return traffic


def test_waiting_posts_are_as_old_as_the_first_look_at_the_oldest_of_them() -> None:
    traffic = after(
        {"last_post_id": 5, "newest_post_id": 7, "waiting": 2},
        {"newest_post_id": 7, "waiting": 2},
        {"newest_post_id": 9, "waiting": 4},
    )
    assert (traffic.newest_post_id, traffic.waiting, traffic.waiting_since) == (9, 4, NOON)
    traffic = traffic.updated({"last_post_id": 7, "newest_post_id": 9, "waiting": 2}, NOON)
    assert (traffic.waiting, traffic.waiting_since) == (2, NOON + timedelta(minutes=2))
    traffic = traffic.updated({"last_post_id": 9, "newest_post_id": 9, "waiting": 0}, NOON)
    assert (traffic.waiting, traffic.waiting_since) == (0, None)


def test_post_that_is_due_again_waits_from_now_on() -> None:
    """Five refused in a row are taken back: progress moves to before them."""
    done = {"last_post_id": 9, "newest_post_id": 9, "waiting": 0}
    traffic = after(done, {"last_post_id": 4, "newest_post_id": 9, "waiting": 5})
    assert traffic.waiting_since == NOON + timedelta(minutes=1)


def test_confirmed_posts_are_counted_by_the_hour_for_a_day() -> None:
    traffic = after(*[{"forwarded": True}] * (30 * 60))
    assert traffic.last_forwarded_at == NOON + timedelta(minutes=30 * 60 - 1)
    assert [count for _, count in traffic.per_hour] == [60] * HOURS_KEPT
    assert posts_in_last_hour(traffic, NOON + timedelta(hours=30)) == 60
    assert posts_in_last_hour(traffic, NOON + timedelta(hours=30, minutes=15)) == 45
    assert posts_in_last_hour(traffic, NOON + timedelta(hours=32)) == 0


def test_values_of_an_unexpected_type_are_ignored() -> None:
    assert after({"waiting": "3", "newest_post_id": [], "forwarded": "yes"}) == NO_TRAFFIC


@given(st.lists(REPORTS, max_size=150))
def test_age_is_known_only_of_posts_that_wait_and_marks_stay_few(reports: list[dict[str, Any]]) -> None:
    traffic = after(*reports)
    assert traffic.waiting >= 0
    assert traffic.waiting or traffic.waiting_since is None
    assert len(traffic.marks) <= 100
    assert [mark[0] for mark in traffic.marks] == sorted({mark[0] for mark in traffic.marks})


def test_lag_is_that_of_the_newest_post_and_not_of_one_sent_late() -> None:
    traffic = after(
        {"lag": 4.5, "last_post_id": 9}, {"lag": 90_000.0, "last_post_id": 3}, {"last_post_id": 10}
    )
    assert (traffic.lag, traffic.lag_of) == (4.5, 9)
    assert after({"lag": "5", "last_post_id": 9}, {"lag": 5.0}).lag is None
