"""How often a channel is polled when COOLDOWN is a range."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.telegram.poll_interval import poll_interval

NOW = 1_700_000_000.0
TIMES = st.lists(st.floats(0, 2 * NOW), max_size=20).map(sorted)


@given(TIMES, st.floats(0.1, 3600), st.floats(0.1, 3600))
def test_the_interval_stays_within_its_range(posted_at: list[float], one: float, other: float) -> None:
    shortest, longest = sorted((one, other))
    assert shortest <= poll_interval(posted_at, NOW, shortest, longest) <= longest


def test_a_range_of_one_value_is_that_value() -> None:
    assert poll_interval([NOW - 1], NOW, 300, 300) == 300


def test_a_channel_that_posts_more_often_is_polled_more_often() -> None:
    gaps = (60, 600, 1800, 3600, 4 * 3600, 24 * 3600)
    intervals = [poll_interval([NOW - n * gap for n in range(20, 0, -1)], NOW, 60, 300) for gap in gaps]
    assert intervals[0] == 60
    assert intervals[-1] == 300
    assert all(shorter <= longer for shorter, longer in pairwise(intervals))
    assert len(set(intervals)) >= 4


@pytest.mark.parametrize("posted_at", [[], [NOW - 90 * 86400]])
def test_a_channel_that_has_been_silent_is_polled_least_often(posted_at: list[float]) -> None:
    assert poll_interval(posted_at, NOW, 60, 300) == 300


def test_the_interval_grows_again_when_a_channel_falls_silent() -> None:
    posts = [NOW - 300 * n for n in range(20, 0, -1)]
    intervals = [poll_interval(posts, NOW + hours * 3600, 60, 300) for hours in range(12)]
    assert intervals == sorted(intervals)
    assert (intervals[0], intervals[-1]) == (60, 300)


def test_a_post_that_claims_to_come_from_the_future_counts_as_of_now() -> None:
    assert poll_interval([NOW + 10**9], NOW, 60, 300) == poll_interval([NOW], NOW, 60, 300)


def test_posts_wait_less_than_at_a_fixed_cooldown_of_as_many_requests() -> None:
    """Two channels, a post every 20 minutes and one a day, for three days; see bench/poll_interval.py."""
    dice = random.Random(5)
    requests, delays = 0, []
    for gap in (1200, 86400):
        posts = [NOW + gap * n + dice.uniform(0, gap) for n in range(-20, 3 * 86400 // gap)]
        now, seen = NOW, 20
        while now < NOW + 3 * 86400:
            requests += 1
            found = sum(at <= now for at in posts)
            delays += [now - at for at in posts[seen:found]]
            seen = found
            now += poll_interval(posts[max(0, seen - 20) : seen], now, 60, 300)
    fixed = 2 * 3 * 86400 / requests / 2
    assert sum(delays) / len(delays) < 0.75 * fixed
