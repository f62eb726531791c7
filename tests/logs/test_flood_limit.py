"""How many of many log records are written."""

from __future__ import annotations

from disgram.logs.flood_limit import FloodLimit
from disgram.report import Level


def test_repeated_text_is_written_once_and_counted() -> None:
    limit = FloodLimit(window=60)
    assert [limit.admit(Level.ERROR, "disk full", now) for now in (0.0, 1.0, 59.0)] == [True, False, False]
    assert limit.summaries() == [(Level.ERROR, "Repeated 2 times within 60 s: disk full")]


def test_same_text_of_another_level_is_not_a_repetition() -> None:
    limit = FloodLimit()
    assert limit.admit(Level.ERROR, "disk full", 0.0)
    assert limit.admit(Level.STATUS, "disk full", 0.0)
    assert limit.summaries() == []


def test_texts_beyond_the_limit_are_counted_together() -> None:
    limit = FloodLimit(window=60, max_texts=3)
    assert sum(limit.admit(Level.STATUS, f"text {number}", 0.0) for number in range(1000)) == 3
    assert limit.summaries() == [(Level.ERROR, "997 more log records within 60 s were not written")]


def test_window_begins_with_the_first_record_and_ends_with_the_summaries() -> None:
    limit = FloodLimit(window=60)
    assert limit.ends_at is None
    limit.admit(Level.ERROR, "disk full", 100.0)
    limit.admit(Level.ERROR, "disk full", 150.0)
    assert limit.ends_at == 160
    limit.summaries()
    assert limit.ends_at is None
    assert limit.admit(Level.ERROR, "disk full", 161.0)
    assert limit.summaries() == []


def test_summary_repeats_only_the_beginning_of_a_long_text() -> None:
    limit = FloodLimit()
    limit.admit(Level.ERROR, "x" * 6000, 0.0)
    limit.admit(Level.ERROR, "x" * 6000, 0.0)
    ((_, text),) = limit.summaries()
    assert len(text) < 400
