"""The benchmarks' own parts: a stand-in that is cheap must still be like t.me where it counts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from bench.figures import Figure, Theirs, joined, table
from bench.reference.stage import Reference, log_of, running
from bench.stage import StandIn
from bench.stand_in import NEWEST
from disgram.telegram.page import parse_post, split_page
from standins.stage import NeverHappened


def test_its_pages_are_pages_and_differ_each_time_without_a_post_having_changed() -> None:
    stand_in = StandIn()
    try:
        stand_in.publish(4, "media")
        first, second = (requests.get(f"{stand_in.url}/s/bench", timeout=5).text for _ in range(2))
    finally:
        stand_in.close()
    page, again = split_page(first, "bench"), split_page(second, "bench")
    assert first != second
    assert [one.fingerprint for one in page.slices] == [one.fingerprint for one in again.slices]
    assert len(page.slices) == 20
    kinds = [tuple(medium.kind for medium in parse_post(one, page).media) for one in page.slices]
    assert len(set(kinds[-4:])) == 4, "an album has four numbers, and still the next post is no album"
    assert not any(kinds[:-4])
    assert page.older == page.slices[0].id


@pytest.mark.parametrize("figure", [Figure("a", "1 ms", "3 ms"), Figure("b", "", "", "0.2 s")])
def test_the_table_is_markdown(figure: Figure) -> None:
    head, rule, row = table([figure]).splitlines()
    assert head.count("|") == rule.count("|") == row.count("|") == 5
    assert len(head) == len(rule) == len(row)


def test_the_reference_joins_the_row_it_belongs_to() -> None:
    ours = [Figure("start of 50", "1.0 s", "10 s", amount=1.0), Figure("poll", "2 ms", amount=0.002)]
    rows = joined([*ours, Theirs("poll", "30 ms", 0.03), Theirs("start", "9.0 s", 9.04)])
    assert rows == [
        Figure("start of 50", "1.0 s", "10 s", "9.0 s (x 9.0)", 1.0),
        Figure("poll", "2 ms", "", "30 ms (x 15)", 0.002),
    ]


def test_the_reference_has_a_row_of_its_own_where_ours_gave_up() -> None:
    assert joined([Figure("memory", "gave up"), Theirs("worker, PSS", "44 MB", 44.0)]) == [
        Figure("memory", "gave up"),
        Figure("worker, PSS", "", reference="44 MB"),
    ]


_POLLER = """
import sys, time
import requests

for poll in range(3):
    assert requests.get(f"https://t.me/s/{sys.argv[1]}").ok
if "posted" in open("Disgram.log").read():
    requests.post(sys.argv[2])
time.sleep(1_000)
requests.get(f"https://t.me/s/{sys.argv[1]}")
raise SystemExit("had enough")
"""
"""What every worker of the reference does, with addresses it cannot be told to change."""


@pytest.fixture
def reference(tmp_path: Path) -> Iterator[Reference]:
    (tmp_path / "webhook.py").write_text(_POLLER)
    with running(tmp_path, longest_sleep=0.1) as reference:
        yield reference


def test_the_reference_is_led_to_the_stand_in_and_never_sleeps_long(reference: Reference) -> None:
    reference.start_worker("harbour", log_of(0, "harbour"))
    reference.await_quiet(3)
    with pytest.raises(NeverHappened, match="the reference ended: had enough"):
        reference.await_polls(5)


def test_a_poll_that_posts_is_not_taken_for_a_quiet_one(reference: Reference) -> None:
    reference.start_worker("harbour", "posted")
    reference.stand_in.await_messages(1, 30)
    with pytest.raises(NeverHappened, match="posted 1 message"):
        reference.await_quiet(3)


def test_the_log_of_the_reference_says_last_that_the_channel_was_forwarded() -> None:
    *others, last = log_of(0.01, "harbour").splitlines()
    assert last.endswith(f"https://t.me/harbour/{NEWEST}")
    assert len(others) > 50
    assert not any("harbour" in line for line in others)
