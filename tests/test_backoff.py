"""The waits between tries."""

from __future__ import annotations

from disgram.backoff import backoff, jittered_backoff


def test_backoff_doubles_from_one_second_to_its_longest() -> None:
    assert [backoff(n, 300.0) for n in range(1, 12)] == [1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]


def test_backoff_after_very_many_failures_is_the_longest() -> None:
    assert backoff(100_000, 60.0) == 60


def test_backoff_shorter_than_a_second_is_kept() -> None:
    assert backoff(1, 0.5) == 0.5


def test_jittered_backoff_leaves_out_up_to_a_quarter() -> None:
    assert jittered_backoff(3, 60.0, lambda: 0.0) == 4
    assert jittered_backoff(3, 60.0, lambda: 1.0) == 3
    assert all(45 <= jittered_backoff(n, 60.0) <= 60 for n in (7, 20, 5000))
