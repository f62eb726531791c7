"""Which host takes and gives up what: each plan alone, and clusters that follow their plans to the end."""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.hosts.plan import Plan, plan
from disgram.hosts.spread import MARGIN, STEP, Host
from disgram.hosts.units import ACCOUNT, ALERTS, Unit, destination


def unit(number: int, weight: float = 1.0, *, private: bool = False) -> Unit:
    return Unit(destination(str(number)), weight, frozenset({("job", str(number))}), private)


def units(weights: Iterable[float]) -> dict[str, Unit]:
    return {it.name: it for it in (unit(number, weight) for number, weight in enumerate(weights))}


def hosts(*names: str) -> list[Host]:
    return [Host(name) for name in names]


@dataclass
class Cluster:
    """Hosts that plan one after another, each from what the leases are then or were a while ago."""

    units: dict[str, Unit]
    hosts: list[Host]
    leases: dict[str, str] = field(default_factory=dict)
    leaving: dict[str, set[str]] = field(default_factory=dict)
    moves: list[str] = field(default_factory=list)

    def turn(self, host: Host, seen: Mapping[str, str]) -> None:
        """`host` gives up what it was leaving, plans, and claims what nobody has. It knows its own leases,
        and of the others what it has seen."""
        me = host.id
        for name in self.leaving.pop(me, ()):
            del self.leases[name]
        others = {name: holder for name, holder in seen.items() if holder != me}
        ours = {name: holder for name, holder in self.leases.items() if holder == me}
        found = plan(self.units, others | ours, self.hosts, me)
        valid = {host.id for host in self.hosts}
        self.leases |= {name: me for name in found.claims if self.leases.get(name) not in valid}
        self.leaving[me] = {*found.releases}
        self.moves += found.releases

    def rests(self) -> bool:
        """Whether nobody has anything to do."""
        plans = [plan(self.units, self.leases, self.hosts, host.id) for host in self.hosts]
        return plans == [Plan((), ())] * len(plans) and not any(self.leaving.values())

    def rests_after(self, order: random.Random | None = None, most: int = 200) -> int:
        """How many rounds it takes; with `order` hosts take turns anyhow, and half of them see old leases."""
        for number in range(most):
            if self.rests():
                return number
            turns, old = [*self.hosts], dict(self.leases)
            if order:
                order.shuffle(turns)
            for host in turns:
                self.turn(host, old if order and order.random() < 0.5 else dict(self.leases))
        raise AssertionError(f"still moving after {most} rounds: {self.leases}")

    def load(self, host: Host) -> float:
        weight = sum(it.weight for it in self.units.values() if self.leases.get(it.name) == host.id)
        return weight / host.weight

    def held_by(self, host: str) -> set[str]:
        """Its units, without what it does alone."""
        return {name for name, holder in self.leases.items() if holder == host} - {ACCOUNT, ALERTS}


WEIGHTS = st.lists(st.sampled_from([1 / 300, 1 / 60, 0.1, 0.5, 3.0]), max_size=40)
HOSTS = st.lists(st.sampled_from([0.5, 1.0, 2.0, 8.0]), min_size=1, max_size=6).map(
    lambda weights: [Host(f"h{number}", weight) for number, weight in enumerate(weights)]
)


# --- one plan ---------------------------------------------------------------------------------------


def test_host_that_is_not_valid_plans_nothing() -> None:
    assert plan(units([1, 1]), {"destination:0": "a"}, hosts("b", "c"), "a") == Plan((), ())


def test_single_host_takes_everything() -> None:
    assert plan(units([1, 2]), {}, hosts("a"), "a").claims == (ALERTS, "destination:0", "destination:1")


@given(WEIGHTS, HOSTS, st.randoms(use_true_random=False))
def test_each_free_unit_is_claimed_by_exactly_one_host(
    weights: list[float], members: list[Host], order: random.Random
) -> None:
    there = units(weights)
    names = [*(host.id for host in members), "dead"]
    held = {name: order.choice(names) for name in there if order.random() < 0.6}
    valid = {host.id for host in members}
    free = [name for name in there if held.get(name) not in valid]
    claims = [name for host in members for name in plan(there, held, members, host.id).claims]
    assert sorted(claims) == sorted([*free, ALERTS])


@given(WEIGHTS, HOSTS, st.randoms(use_true_random=False))
def test_host_gives_up_only_what_it_has_and_one_step_at_most(
    weights: list[float], members: list[Host], order: random.Random
) -> None:
    there = units(weights)
    held = {name: order.choice(members).id for name in there}
    for host in members:
        releases = plan(there, held, members, host.id).releases
        assert {held[name] for name in releases} <= {host.id}
        load = sum(it.weight for it in there.values() if held[it.name] == host.id)
        mean = sum(it.weight for it in there.values()) / sum(it.weight for it in members) * host.weight
        given_up = sum(there[name].weight for name in releases)
        assert len(releases) <= 1 or given_up <= STEP * max(load, mean) * 1.001


def test_lease_of_a_destination_that_no_job_names_is_given_up() -> None:
    assert plan({}, {"destination:9": "a", ALERTS: "a"}, hosts("a", "b"), "a").releases == ("destination:9",)


def test_what_is_leaving_already_counts_in_the_step() -> None:
    there = units([1] * 10)
    held = dict.fromkeys(there, "a")
    first = plan(there, held, hosts("a", "b"), "a").releases
    assert len(first) == STEP * 5
    assert plan(there, held, hosts("a", "b"), "a", first).releases == ()


def test_what_is_leaving_is_not_claimed_back_while_another_host_is_there() -> None:
    there, held = units([1]), {"destination:0": "a", ALERTS: "a"}
    assert plan(there, {}, hosts("a", "b"), "a", ["destination:0"]).claims == (ALERTS,)
    assert plan(there, held, hosts("a"), "a", ["destination:0"]) == Plan((), ())


def test_without_spreading_nothing_moves_but_free_units_are_taken() -> None:
    there = units([1] * 10)
    held = dict.fromkeys([*there][1:], "a") | {ALERTS: "a"}
    assert plan(there, held, hosts("a", "b"), "a", spread=False) == Plan((), ())
    assert plan(there, held, hosts("a", "b"), "b", spread=False) == Plan(("destination:0",), ())


# --- the account and the alerts -----------------------------------------------------------------------


def test_account_and_alerts_stay_with_the_host_that_has_them() -> None:
    members = [Host("a", account=True), Host("b", account=True)]
    held = {ACCOUNT: "b", ALERTS: "b"}
    assert [plan({}, held, members, host.id) for host in members] == [Plan((), ())] * 2


def test_only_a_host_with_a_login_takes_the_account() -> None:
    members = [Host("a"), Host("b", account=True)]
    assert [plan({}, {}, members, host.id).claims for host in members] == [(ALERTS,), (ACCOUNT,)]


def test_account_is_given_up_by_a_host_whose_login_is_gone() -> None:
    members = [Host("a"), Host("b", account=True)]
    assert plan({}, {ACCOUNT: "a", ALERTS: "a"}, members, "a").releases == (ACCOUNT,)
    assert plan({}, {ACCOUNT: "a", ALERTS: "a"}, hosts("a", "b"), "a").releases == (ACCOUNT,)


def test_private_channels_move_to_the_account_and_stay_there() -> None:
    there = {it.name: it for it in [*(unit(n, private=True) for n in range(6)), unit(7), unit(8)]}
    members = [Host("a"), Host("b", account=True)]
    cluster = Cluster(there, members, dict.fromkeys(there, "a"))
    cluster.rests_after()
    assert cluster.held_by("b") == {destination(str(number)) for number in range(6)}
    assert cluster.leases[ACCOUNT] == "b"


def test_without_any_login_private_channels_are_spread_like_the_others() -> None:
    there = {it.name: it for it in (unit(number, private=True) for number in range(4))}
    cluster = Cluster(there, hosts("a", "b"))
    cluster.rests_after()
    assert len(cluster.held_by("a")) == len(cluster.held_by("b")) == 2


# --- clusters -------------------------------------------------------------------------------------------


def as_even_as_can_be(cluster: Cluster) -> bool:
    """No host could give a unit to another that would carry clearly less with it than the first does now."""
    total = sum(it.weight for it in cluster.units.values())
    least_gain = MARGIN * total / sum(host.weight for host in cluster.hosts)
    highest = max(cluster.hosts, key=cluster.load)
    lowest = min(cluster.hosts, key=cluster.load)
    gains = (
        cluster.load(highest) - cluster.load(lowest) - cluster.units[name].weight / lowest.weight
        for name in cluster.held_by(highest.id)
    )
    return all(gain <= least_gain + 1e-9 for gain in gains)


@given(WEIGHTS, HOSTS, st.randoms(use_true_random=False))
def test_cluster_comes_to_rest_with_every_unit_held_and_even_loads(
    weights: list[float], members: list[Host], order: random.Random
) -> None:
    there = units(weights)
    cluster = Cluster(there, members, {name: members[0].id for name in there if order.random() < 0.7})
    cluster.rests_after(order)
    assert {*there} <= {*cluster.leases}
    assert as_even_as_can_be(cluster)


@given(WEIGHTS, HOSTS, st.randoms(use_true_random=False))
def test_only_the_units_of_a_dead_host_find_a_new_one(
    weights: list[float], members: list[Host], order: random.Random
) -> None:
    cluster = Cluster(units(weights), [*members, Host("dying")])
    cluster.rests_after(order)
    before, cluster.hosts, cluster.moves = dict(cluster.leases), members, []
    for host in members:
        cluster.turn(host, before)
    kept = {name: holder for name, holder in before.items() if holder != "dying"}
    assert {name: cluster.leases[name] for name in kept} == kept
    assert "dying" not in cluster.leases.values()


@pytest.mark.parametrize("count", [1, 3, 10])
def test_joining_host_gets_its_share_in_steps_and_nothing_moves_twice(count: int) -> None:
    members = [Host(f"h{number}") for number in range(count)]
    there = units([1 / 300] * 60 * (count + 1))
    cluster = Cluster(there, members)
    cluster.rests_after()
    cluster.hosts, cluster.moves = [*members, Host("new")], []
    rounds = cluster.rests_after()
    assert 54 <= len(cluster.held_by("new")) <= 60
    assert len(cluster.moves) == len({*cluster.moves}) == len(cluster.held_by("new"))
    assert 1 / STEP <= rounds <= 2 / STEP + 2


def test_host_that_carries_twice_as_much_gets_twice_the_share() -> None:
    cluster = Cluster(units([0.1] * 90), [Host("big", 2.0), Host("small", 1.0)])
    cluster.rests_after()
    assert len(cluster.held_by("big")) == 60


def test_one_heavy_destination_does_not_keep_the_others_from_being_spread() -> None:
    there = units([50.0, *[1.0] * 20])
    cluster = Cluster(there, hosts("a", "b", "c"), dict.fromkeys(there, "a"))
    cluster.rests_after()
    assert cluster.held_by("a") == {"destination:0"}
    assert len(cluster.held_by("b")) == len(cluster.held_by("c")) == 10
