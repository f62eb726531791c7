"""Counts of many reports become sums that only grow, whatever a report holds."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.metrics.totals import DELAYS, NO_DELIVERIES, Totals

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=20), inner, max_size=3),
    max_leaves=8,
)


def after(*reports: dict[str, Any], job: str = "news") -> Totals:
    totals = Totals()
    for facts in reports:
        totals.add(job, facts)
    return totals


def test_counts_of_several_reports_are_added_up() -> None:
    counts = {"posts sent": 2, "telegram_requests ok": 1, "discord_requests 429 user": 1, "upload_bytes": 7.5}
    totals = after({"counts": counts}, {"polled": True}, {"counts": {"posts sent": 1}})
    assert totals.sums() == {
        ("posts", "news", "sent"): 3,
        ("telegram_requests", "ok"): 1,
        ("discord_requests", "429", "user"): 1,
        ("upload_bytes",): 7.5,
    }


def test_posts_of_two_jobs_are_counted_apart() -> None:
    totals = after({"counts": {"posts sent": 1}})
    totals.add("other", {"counts": {"posts sent": 5}})
    assert totals.sums() == {("posts", "news", "sent"): 1, ("posts", "other", "sent"): 5}


@pytest.mark.parametrize(
    "counts",
    [
        {"unheard_of": 1}, {"posts": 1}, {"posts sent late": 1}, {"upload_bytes x": 1}, {"": 1},
        {"posts sent": -1}, {"posts sent": "1"}, {"posts sent": float("nan")}, {"posts sent": 10**400},
        [], "x",
    ],
)  # fmt: skip
def test_count_of_another_form_is_ignored(counts: Any) -> None:
    assert after({"counts": counts}).sums() == {}


@given(facts=st.dictionaries(st.sampled_from(["counts", "lag", "x"]), JSON), counts=JSON)
def test_no_report_breaks_the_sums_or_makes_one_fall(facts: dict[str, Any], counts: Any) -> None:
    totals = after({"counts": {"posts sent": 3}, "lag": 1.0})
    totals.add("news", facts)
    totals.add("news", {"counts": {"posts sent": counts}})
    assert totals.sums()["posts", "news", "sent"] >= 3
    assert sum(totals.deliveries.numbers) >= 1


def test_posts_fall_into_the_bucket_of_their_delay() -> None:
    deliveries = after({"lag": 5.0}, {"lag": 5.1}, {"lag": 10**6}, {"lag": -1}, {"lag": "9"}).deliveries
    assert deliveries.numbers == (1, 1, *[0] * (len(DELAYS) - 2), 1)
    assert deliveries.seconds == pytest.approx(1_000_010.1)
    assert after({"counts": {}}).deliveries == NO_DELIVERIES
