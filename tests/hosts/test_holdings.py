"""What a host has, what it grants to its workers, and when a lease may be given up."""

from __future__ import annotations

from disgram.hosts.holdings import Holdings
from disgram.hosts.units import Unit, destination, worker

A, B = ("job", "a"), ("job", "b")
ONE, TWO = destination("1"), destination("2")


def units(**channels: str) -> dict[str, Unit]:
    """`one="a b"`: destination 1 has the channels a and b."""
    names = {"one": ONE, "two": TWO}
    return {
        names[it]: Unit(names[it], 1.0, frozenset(("job", name) for name in text.split()))
        for it, text in channels.items()
    }


def holding(**epochs: int) -> Holdings:
    """`one=1, a=2`: destination 1 under epoch 1, and the worker of channel a under epoch 2."""
    names = {"one": ONE, "two": TWO, "a": worker(A), "b": worker(B)}
    holdings = Holdings()
    holdings.see([(names[it], epoch) for it, epoch in epochs.items()])
    return holdings


def test_worker_is_granted_only_with_its_own_lease_and_that_of_its_destination() -> None:
    holdings = holding(one=1, a=2)
    assert holdings.missing(units(one="a b", two="c")) == [B]
    assert holdings.grant(units(one="a b", two="c"))
    assert holdings.grants.epochs == {A: 2}


def test_nothing_new_gives_no_new_grants() -> None:
    holdings = holding(one=1, a=2)
    holdings.grant(units(one="a"))
    before = holdings.grants
    assert not holdings.grant(units(one="a"))
    assert holdings.grants is before


def test_leaving_destination_is_given_up_once_its_last_process_is_gone() -> None:
    holdings = holding(one=1, a=2, b=3)
    holdings.grant(units(one="a b"))
    holdings.leaving.add(ONE)
    holdings.grant(units(one="a b"))
    grants = holdings.grants
    assert not grants.epochs and grants.ending == {A, B}
    assert holdings.ended(grants.version, {A}) == [A]
    holdings.drop([A], [])
    assert holdings.empty() == []
    holdings.drop(holdings.ended(grants.version, {B}), [])
    assert holdings.empty() == [ONE]
    holdings.drop([], [ONE])
    assert holdings.held == {} and holdings.leaving == set()


def test_what_was_told_of_older_grants_ends_no_lease() -> None:
    """The supervisor had seen no process; since then the worker was granted, started and taken away again."""
    holdings = holding(one=1, a=2)
    holdings.grant(units(one="a"))
    holdings.grant(units())
    told = holdings.grants.version, {A}
    holdings.grant(units(one="a"))
    holdings.grant(units())
    assert holdings.ended(*told) == []
    assert holdings.ended(holdings.grants.version, {A}) == [A]


def test_channel_moved_to_another_hosts_destination_ends_here_while_its_old_destination_stays() -> None:
    holdings = holding(one=1, a=2, b=3)
    holdings.grant(units(one="a b"))
    holdings.grant(units(one="b", two="a"))
    assert holdings.grants.epochs == {B: 3} and holdings.grants.ending == {A}


def test_channel_moved_to_another_destination_of_this_host_keeps_its_epoch() -> None:
    holdings = holding(one=1, two=5, a=2)
    holdings.grant(units(one="a"))
    holdings.grant(units(two="a"))
    assert holdings.grants.epochs == {A: 2} and not holdings.grants.ending
    assert (holdings.grants.epoch(A, ONE), holdings.grants.epoch(A, TWO)) == (None, 2)


def test_worker_may_not_run_for_a_destination_that_was_not_granted_to_it() -> None:
    """Its job has a new webhook, whose destination another host may have."""
    holdings = holding(one=1, a=2)
    holdings.grant(units(one="a"))
    assert (holdings.grants.epoch(A, ONE), holdings.grants.epoch(A, TWO)) == (2, None)


def test_lease_that_was_lost_is_neither_granted_nor_waited_for() -> None:
    holdings = holding(one=1, a=2)
    holdings.grant(units(one="a"))
    holdings.see([(ONE, 1)])
    assert holdings.grant(units(one="a"))
    assert not holdings.grants.epochs and not holdings.grants.ending
    assert holdings.missing(units(one="a")) == [A]


def test_destination_waits_for_processes_whose_destination_is_not_known() -> None:
    """Leases of a service that crashed: whatever its workers did, they must be known to be gone first."""
    holdings = holding(one=1, a=2)
    holdings.leaving.add(ONE)
    holdings.grant(units())
    assert holdings.empty() == []
    holdings.drop(holdings.ended(holdings.grants.version, {A}), [])
    assert holdings.empty() == [ONE]
