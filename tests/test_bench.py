"""The benchmarks' own parts: a stand-in that is cheap must still be like t.me where it counts."""

from __future__ import annotations

import pytest
import requests

from bench.figures import Figure, table
from bench.stage import StandIn
from disgram.telegram_page import parse_post, scan


def test_its_pages_are_pages_and_differ_each_time_without_a_post_having_changed() -> None:
    stand_in = StandIn()
    try:
        stand_in.publish(4, "media")
        first, second = (requests.get(f"{stand_in.url}/s/bench", timeout=5).text for _ in range(2))
    finally:
        stand_in.close()
    page, again = scan(first, "bench"), scan(second, "bench")
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
