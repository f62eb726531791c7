"""Which address is used, and which rests: tables and properties, without a clock or a store."""

from __future__ import annotations

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.storage.limit_rows import RestRow
from disgram.telegram.egress.rests import (
    FIRST_REST,
    LONGEST_FAULT,
    REFUSED,
    TRIAL,
    Choice,
    after_fault,
    after_refusal,
    believable,
    choose,
    is_well,
    on_trial,
    ranked,
)
from disgram.telegram.egress.throttle import LONGEST_REST

NAMES = ("a", "b", "c")
NOW = 1000.0


def refused(name: str, until: float) -> RestRow:
    return RestRow(name, REFUSED, NOW - 10, until, 0)


def faulty(name: str, until: float, strikes: int = 1) -> RestRow:
    return RestRow(name, "unreachable", NOW - 10, until, strikes)


def by_name(*rows: RestRow) -> dict[str, RestRow]:
    return {row.name: row for row in rows}


def chosen(*rows: RestRow, **given: object) -> Choice | None:
    return choose(NAMES, by_name(*rows), NOW, **given)  # type: ignore[arg-type]


names = st.lists(st.text(min_size=1, max_size=8), min_size=1, max_size=8, unique=True)
reasons = st.sampled_from([REFUSED, "unreachable", "cannot_bind"])


@st.composite
def histories(draw: st.DrawFn) -> tuple[list[str], dict[str, RestRow]]:
    order = draw(names)
    rows = {
        name: RestRow(name, draw(reasons), NOW - 5, NOW + draw(st.floats(-100, 100)), draw(st.integers(0, 9)))
        for name in draw(st.sets(st.sampled_from(order)))
    }
    return order, rows


# --- the place of a channel -----------------------------------------------------------------------------


def test_channels_are_spread_evenly() -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 6)]
    homes = Counter(ranked(f"channel{number}", addresses)[0] for number in range(5000))
    assert max(homes.values()) < 1.15 * min(homes.values())


@given(st.text(), names)
def test_order_of_a_channel_depends_on_names_alone(channel: str, addresses: list[str]) -> None:
    order = ranked(channel, addresses)
    assert sorted(order) == sorted(addresses)
    assert order == ranked(channel, addresses[::-1])


@given(st.text(), names, st.data())
def test_address_taken_out_moves_only_its_own_channels(
    channel: str, addresses: list[str], data: st.DataObject
) -> None:
    out = data.draw(st.sampled_from(addresses))
    left = [name for name in ranked(channel, addresses) if name != out]
    assert ranked(channel, [name for name in addresses if name != out]) == left


def test_channels_of_an_address_that_rests_are_spread_over_all_others() -> None:
    addresses = [f"192.0.2.{number}" for number in range(1, 5)]
    orders = [ranked(f"channel{number}", addresses) for number in range(4000)]
    rests = by_name(refused(addresses[0], NOW + 60))
    moved = Counter(
        choice.name for order in orders if order[0] == addresses[0] and (choice := choose(order, rests, NOW))
    )
    assert set(moved) == set(addresses[1:])
    assert max(moved.values()) < 1.3 * min(moved.values())


# --- the choice -----------------------------------------------------------------------------------------


def test_channel_keeps_its_address_while_that_is_well() -> None:
    assert chosen() == Choice("a")
    assert chosen(refused("b", NOW + 60), faulty("c", NOW + 60)) == Choice("a")


def test_address_that_rests_is_passed_over_for_the_next_one() -> None:
    assert chosen(refused("a", NOW + 60)) == Choice("b")
    assert chosen(refused("a", NOW + 60), faulty("b", NOW + 60)) == Choice("c")


def test_address_whose_refusal_is_over_is_used_again() -> None:
    assert chosen(refused("a", NOW)) == Choice("a")


def test_first_lost_answer_moves_nobody() -> None:
    assert chosen(faulty("a", NOW - 5, strikes=0)) == Choice("a")


def test_one_request_tries_an_address_whose_rest_for_a_fault_is_over() -> None:
    due = faulty("c", NOW - 1)
    assert chosen(due) == Choice("c", trial=True)
    assert chosen(on_trial(due, NOW)) == Choice("a")
    assert on_trial(due, NOW).until == NOW + TRIAL
    assert chosen(due, may_try=False) == Choice("a")
    assert chosen(due, failed=["b"]) == Choice("a")


def test_address_that_failed_just_now_comes_after_the_others() -> None:
    assert chosen(doubted=["a"]) == Choice("b")
    assert chosen(doubted=["a", "c", "b"]) == Choice("a")
    assert chosen(faulty("b", NOW + 60), faulty("c", NOW + 60), doubted=["a"]) == Choice("a")


def test_faulty_address_is_used_where_no_other_is_well() -> None:
    rows = (refused("a", NOW + 5), faulty("b", NOW + 60), faulty("c", NOW + 30))
    assert chosen(*rows) == Choice("c")
    assert chosen(*rows, failed=["c"]) == Choice("b")
    assert chosen(*rows, failed=["b", "c"]) is None


def test_the_first_end_is_awaited_where_every_address_was_refused() -> None:
    rows = (refused("a", NOW + 60), refused("b", NOW + 30), refused("c", NOW + 90))
    assert chosen(*rows) == Choice("b", ready_at=NOW + 30)


@given(histories(), st.data())
def test_choice_is_an_address_that_may_be_asked(
    history: tuple[list[str], dict[str, RestRow]], data: st.DataObject
) -> None:
    order, rests = history
    failed = data.draw(st.sets(st.sampled_from(order)))
    choice = choose(order, rests, NOW, failed=failed)
    if choice is None:
        assert failed
        assert all(rests[name].reason == REFUSED for name in set(order) - failed)
        return
    row = rests.get(choice.name)
    assert choice.name not in failed
    assert choice.ready_at > NOW or row is None or row.reason != REFUSED or row.until <= NOW
    if not is_well(row, NOW) and not choice.trial:
        assert not any(is_well(rests.get(name), NOW) for name in set(order) - failed)


# --- rests ----------------------------------------------------------------------------------------------


def test_refusal_lasts_as_long_as_telegram_says_and_an_hour_at_most() -> None:
    row = after_refusal(None, "a", NOW, 30)
    assert (row.reason, row.since, row.until) == (REFUSED, NOW, NOW + 30)
    assert after_refusal(None, "a", NOW, 1e9).until == NOW + LONGEST_REST
    assert after_refusal(row, "a", NOW + 1, 5) == row
    assert after_refusal(row, "a", NOW + 40, 5).since == NOW + 40


def test_certain_fault_counts_at_once_and_a_lost_answer_the_second_time() -> None:
    certain = after_fault(None, "a", "cannot_bind", NOW, began=NOW, certain=True, trial=False)
    assert certain == RestRow("a", "cannot_bind", NOW, NOW + FIRST_REST, 1)
    first = after_fault(None, "a", "unreachable", NOW, began=NOW, certain=False, trial=False)
    assert first == RestRow("a", "unreachable", NOW, NOW, 0)
    assert first
    early = after_fault(first, "a", "unreachable", NOW + 5, began=NOW - 1, certain=False, trial=False)
    assert early is None  # it may have been within the same outage
    second = after_fault(first, "a", "unreachable", NOW + 5, began=NOW, certain=False, trial=False)
    assert second == RestRow("a", "unreachable", NOW, NOW + 5 + FIRST_REST, 1)


def test_address_that_rests_already_rests_no_longer_for_another_failure() -> None:
    row = faulty("a", NOW + 20)
    assert after_fault(row, "a", "unreachable", NOW, began=NOW, certain=True, trial=False) is None
    assert (
        after_fault(refused("a", NOW + 5), "a", "unreachable", NOW, began=NOW, certain=True, trial=False)
        is None
    )


def test_rest_doubles_with_each_failed_trial_up_to_its_longest() -> None:
    row, now, lasted = faulty("a", NOW + FIRST_REST), NOW, []
    for _ in range(8):
        now = row.until
        after = after_fault(
            on_trial(row, now), "a", "unreachable", now + 1, began=now, certain=False, trial=True
        )
        assert after
        row = after
        lasted.append(row.until - now - 1)
    assert lasted == [60, 120, 240, 480, *[LONGEST_FAULT] * 4]
    assert row.since == NOW - 10


@pytest.mark.parametrize(
    "row", [RestRow("a", REFUSED, NOW, NOW + 90_000, 0), RestRow("a", "unreachable", NOW + 9000, NOW, 0)]
)
def test_row_of_a_clock_that_began_anew_is_not_believed(row: RestRow) -> None:
    assert believable(by_name(row, faulty("b", NOW + 5)), NOW) == by_name(faulty("b", NOW + 5))
