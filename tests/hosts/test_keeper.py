"""Hosts that share the tables of one PostgreSQL: who gets a lease, and who is refused."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing
from functools import partial

import pytest

pytest.importorskip("psycopg")

from disgram.errors import StorageUnavailable
from disgram.hosts.keeper import LeaseKeeper
from disgram.hosts.statements import HostStatements, holder_of, hosts_of_job, last_epoch
from disgram.hosts.times import LeaseTimes
from disgram.hosts.units import ACCOUNT, ALERTS, Key, Unit, destination, worker
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.ledger import PostgresLedger

TIMES = LeaseTimes()
A, B, C, D = (("job", name) for name in "abcd")
NOTHING_TOLD: tuple[int, frozenset[Key]] = (0, frozenset())


class Host(LeaseKeeper):
    """One whose clock is set by the test, and which has no processes but `live`."""

    def __init__(
        self, database: PostgresDatabase, name: str, incarnation: str = "", *, account: bool = False
    ) -> None:
        self.now = 1000.0
        self.taken_over: dict[str, float] = {}
        self.live: set[Key] = set()
        me = incarnation or f"{name}-directory/1"
        super().__init__(database, name, me, self.taken_over.update, account=account, clock=lambda: self.now)

    def joined(self, units: dict[str, Unit]) -> Host:
        assert self.register() is None
        self.units = units
        return self

    def turn(self, *, spread: bool = False, seconds: float = 1.0) -> bool:
        """A look, after the supervisor has told what runs."""
        self.now += seconds
        grants = self.holdings.grants
        return self.look((grants.version, grants.ending - self.live), spread=spread)

    def settled(self) -> Host:
        """Has been in touch for so long that it takes over what has lapsed."""
        while not self._settled:
            self.turn(seconds=TIMES.renew)
        return self

    @property
    def runs(self) -> set[str]:
        """The channels that may run here."""
        return {channel for _, channel in self.holdings.grants.epochs}


@pytest.fixture
def databases(postgres_url: str) -> Iterator[list[PostgresDatabase]]:
    """As eight hosts have it, each with connections of its own."""
    with ExitStack() as stack:
        yield [stack.enter_context(closing(PostgresDatabase(postgres_url))) for _ in range(8)]


def units(*channels: str, private: bool = False) -> dict[str, Unit]:
    """ "ab", "c": destination 0 with the channels a and b, and destination 1 with c."""
    made = (
        Unit(destination(str(number)), 1.0, frozenset(("job", name) for name in names), private)
        for number, names in enumerate(channels)
    )
    return {unit.name: unit for unit in made}


def lapse(database: PostgresDatabase, name: str, seconds: float = 1) -> None:
    """Its leases ended so long ago."""
    with database.transaction() as run:
        run.execute(
            "UPDATE host SET until = now() - make_interval(secs => :s) WHERE name = :name",
            {"s": seconds, "name": name},
        )


def may_write(database: PostgresDatabase, key: Key, epoch: int) -> bool:
    """What the ledger asks within each of its writes."""
    with database.transaction() as run:
        query = "SELECT 1 FROM lease WHERE name = ? AND epoch = ? FOR SHARE"
        return bool(run.execute(query, (worker(key), epoch)).fetchone())


# --- spread over hosts --------------------------------------------------------------------------------


def test_single_host_runs_everything(database: PostgresDatabase) -> None:
    host = Host(database, "a").joined(units("ab", "c"))
    host.turn()
    assert host.runs == {"a", "b", "c"}
    assert host.holdings.held.keys() == {ALERTS, destination("0"), destination("1")}
    assert host.taken_over == {}


def test_hosts_that_know_no_jobs_yet_claim_and_give_up_nothing(database: PostgresDatabase) -> None:
    first = Host(database, "a").joined(units("a"))
    first.turn()
    again = Host(database, "a", "a-directory/2")
    assert again.register() is None
    again.turn()
    assert {destination("0"), ALERTS} <= again.holdings.held.keys()


def test_every_worker_has_an_epoch_of_its_own_that_the_ledger_accepts(database: PostgresDatabase) -> None:
    host = Host(database, "a").joined(units("ab", "c"))
    host.turn()
    epochs = host.holdings.grants.epochs
    assert len({*epochs.values()}) == 3
    assert all(may_write(database, key, epoch) for key, epoch in epochs.items())
    assert not may_write(database, A, epochs[A] - 1)


def test_joining_host_gets_units_whose_workers_have_ended_and_counts_what_they_sent(
    database: PostgresDatabase,
) -> None:
    there = units("a", "b", "c", "d")
    first = Host(database, "a").joined(there).settled()
    second = Host(database, "b").joined(there)
    first.live = {A, B, C, D}
    first.turn(spread=True)
    (leaving,) = first.holdings.leaving
    second.turn()
    first.turn()
    assert second.runs == set() and len(first.runs) == 3
    first.live -= first.holdings.grants.ending
    first.turn()
    second.turn()
    assert len(second.runs) == 1 and first.runs | second.runs == {*"abcd"}
    assert second.taken_over == {leaving.removeprefix("destination:"): 0.0}


def test_channel_moved_to_another_hosts_webhook_starts_there_after_it_has_ended_here(
    database: PostgresDatabase,
) -> None:
    there = units("ab", "c")
    first, second = (Host(database, name).joined(there) for name in "ab")
    first.turn()
    second.turn()
    giver, taker = (first, second) if "a" in first.runs else (second, first)
    giver.live = {A, B}
    epoch = giver.holdings.grants.epochs[A]
    giver.units = taker.units = units("b", "ca")
    taker.turn()
    giver.turn()
    taker.turn()
    assert giver.runs == {"b"} and taker.runs == {"c"}
    assert may_write(database, A, epoch)  # it may still confirm what it has sent
    giver.live = {B}
    giver.turn()
    taker.turn()
    assert taker.runs == {"a", "c"}
    assert not may_write(database, A, epoch)


def test_holder_of_a_destination_is_known_by_name_while_it_is_valid(database: PostgresDatabase) -> None:
    Host(database, "a").joined(units("a")).turn()
    with database.reading() as run:
        assert holder_of(run, destination("0")) == "a"
        assert holder_of(run, destination("1")) is None
    lapse(database, "a")
    with database.reading() as run:
        assert holder_of(run, destination("0")) is None


def test_job_that_is_deleted_ends_its_leases_once_its_processes_are_gone(database: PostgresDatabase) -> None:
    host = Host(database, "a").joined(units("a"))
    host.turn()
    host.live, host.units = {A}, {}
    host.turn()
    with database.reading() as run:
        assert hosts_of_job(run, "job", last_epoch(run)) == ["a"]
    host.live = set()
    host.turn()
    with database.reading() as run:
        assert hosts_of_job(run, "job", last_epoch(run)) == []
    assert host.holdings.held.keys() == {ALERTS}


def test_lease_ended_by_a_deletion_is_claimed_anew_if_the_job_is_there_again(
    database: PostgresDatabase,
) -> None:
    host = Host(database, "a").joined(units("a"))
    host.turn()
    epoch = host.holdings.grants.epochs[A]
    PostgresLedger(database).delete_job("job")
    assert not may_write(database, A, epoch)
    host.turn()
    assert host.holdings.grants.epochs[A] > epoch


def test_leases_of_a_job_are_not_those_of_one_whose_name_goes_on_behind_a_slash(
    database: PostgresDatabase,
) -> None:
    keys = [("a", "news"), ("a/c", "news"), ("a/b", "c/12"), ("a", "c/12"), ("a%", "news")]
    unit = Unit(destination("0"), 1.0, frozenset(keys))
    host = Host(database, "h").joined({unit.name: unit})
    host.turn()
    PostgresLedger(database).delete_job("a")
    with database.transaction() as run:
        left = {row.name for row in HostStatements(run, host.me).leases()}
    assert {worker(key) for key in keys} & left == {worker(key) for key in keys[1:3] + keys[4:]}


def test_private_channels_are_run_by_the_host_of_the_account(database: PostgresDatabase) -> None:
    there = units("a", private=True) | {destination("1"): Unit(destination("1"), 1.0, frozenset({B}))}
    plain, reader = Host(database, "a").joined(there), Host(database, "b", account=True).joined(there)
    plain.turn()
    reader.turn()
    assert (plain.runs, reader.runs) == ({"b"}, {"a"})
    assert ACCOUNT in reader.holdings.held and ACCOUNT not in plain.holdings.held


def test_destination_that_nobody_had_since_this_host_gave_it_up_counts_as_its_own(
    database: PostgresDatabase,
) -> None:
    """Its only job was paused and goes on."""
    there = units("a", "b")
    paused = {name: unit for name, unit in there.items() if name != destination("0")}
    host = Host(database, "a").joined(there)
    host.turn()

    def pause() -> None:
        host.units = paused
        host.turn()
        host.turn()
        assert host.runs == {"b"}
        host.units = there

    pause()
    host.turn()
    assert host.runs == {"a", "b"} and host.taken_over == {}
    pause()
    other = Host(database, "b").joined(there)
    other.turn()
    other.leave()
    host.turn()
    assert host.runs == {"a", "b"}
    assert host.taken_over == other.taken_over == {"0": 0.0}


def test_host_looks_again_soon_while_something_is_free_or_a_worker_ends_elsewhere(
    database: PostgresDatabase,
) -> None:
    there = units("a", "b")
    first, second = (Host(database, name).joined(there) for name in "ab")
    first.turn()
    assert first.due_in() == TIMES.retry  # the second host was to take the other one
    second.turn()
    first.turn()
    assert first.due_in() == second.due_in() == TIMES.renew
    first.live, first.units = {A, B}, {}
    first.turn()
    second.turn()
    assert second.due_in() == TIMES.renew
    mine, theirs = [*second.holdings.held.keys() - {ALERTS}], first.holdings.grants.ending
    second.units = {mine[0]: Unit(mine[0], 1.0, frozenset({A, B}))}
    second.turn()
    assert theirs and second.due_in() == TIMES.retry


def test_leases_that_a_long_gone_host_left_for_workers_are_forgotten(database: PostgresDatabase) -> None:
    Host(database, "gone").joined(units("a")).turn()
    lapse(database, "gone", seconds=2 * 86400)
    other = Host(database, "b").joined(units())
    with database.reading() as run:
        (count,) = run.execute("SELECT count(*) FROM lease WHERE name LIKE 'worker:%'").fetchone()
    assert count == 0
    other.turn()
    assert [row.name for row in other.view.hosts] == ["b"]


# --- hosts that end -------------------------------------------------------------------------------------


def test_leases_of_a_host_that_left_are_taken_over_at_once(database: PostgresDatabase) -> None:
    there = units("a", "b")
    first, second = (Host(database, name).joined(there) for name in "ab")
    first.turn()
    second.turn()
    first.leave()
    second.turn()
    assert second.runs == {"a", "b"}
    assert [row.name for row in second.view.hosts] == ["b"]
    assert [*second.taken_over.values()] == [0.0]


def test_dead_host_is_succeeded_and_what_it_writes_late_is_refused(database: PostgresDatabase) -> None:
    there = units("a", "b")
    dead, heir = (Host(database, name).joined(there) for name in "ab")
    dead.turn()
    heir.turn()
    old = dict(dead.holdings.grants.epochs)
    heir.settled().turn()
    assert len(heir.runs) == 1
    lapse(database, "a", seconds=20)
    heir.turn()
    assert heir.runs == {"a", "b"}
    assert not any(may_write(database, key, epoch) for key, epoch in old.items())
    (ago,) = heir.taken_over.values()
    assert ago == pytest.approx(20, abs=5)


def test_host_that_wakes_up_past_its_lease_finds_itself_replaced(database: PostgresDatabase) -> None:
    there = units("a", "b")
    sleeper, heir = (Host(database, name).joined(there) for name in "ab")
    sleeper.turn()
    heir.settled()
    lapse(database, "a")
    heir.turn()
    sleeper.turn(seconds=100)
    assert sleeper.runs == set()
    assert heir.runs == {"a", "b"}
    for _ in range(3):
        heir.turn(spread=True)
        sleeper.turn(spread=True)
    assert len(sleeper.runs) == len(heir.runs) == 1


def test_host_that_was_late_but_not_succeeded_goes_on_with_the_same_leases(
    database: PostgresDatabase,
) -> None:
    host = Host(database, "a").joined(units("a", "b"))
    host.turn()
    before = host.holdings.grants
    lapse(database, "a", seconds=500)
    host.turn(seconds=500)
    assert host.holdings.grants is before
    assert host.view.hosts[0].valid
    assert host.taken_over == {}


def test_after_an_outage_of_the_database_hosts_leave_each_other_time_to_come_back(
    database: PostgresDatabase,
) -> None:
    there = units("a", "b", "c", "d")
    hosts = [Host(database, name).joined(there).settled() for name in "ab"]
    for _ in range(6):
        for host in hosts:
            host.turn(spread=True, seconds=TIMES.renew)
    before = [host.holdings.grants.epochs for host in hosts]
    assert [*map(len, before)] == [2, 2]
    for host in hosts:
        lapse(database, host.name, seconds=100)
    hosts[0].turn(seconds=100, spread=True)
    hosts[0].turn(seconds=TIMES.renew, spread=True)
    hosts[1].turn(seconds=115, spread=True)
    assert [host.holdings.grants.epochs for host in hosts] == before
    lapse(database, "b")
    hosts[0].turn(seconds=TIMES.renew)
    assert len(hosts[0].runs) == 4


def test_service_that_starts_again_in_its_directory_has_its_leases_at_once_under_new_epochs(
    database: PostgresDatabase,
) -> None:
    there = units("a", "b")
    killed = Host(database, "a").joined(there)
    killed.turn()
    old = dict(killed.holdings.grants.epochs)
    again = Host(database, "a", "a-directory/2").joined(there)
    again.turn()
    assert again.runs == {"a", "b"}
    assert all(again.holdings.grants.epochs[key] > epoch for key, epoch in old.items())
    assert again.taken_over == {}


def test_second_host_of_a_name_is_shown_the_first_ones_row(database: PostgresDatabase) -> None:
    Host(database, "a").joined({}).turn()
    other = Host(database, "a", "other-directory/1")
    found = other.register()
    assert found and found.name == "a" and found.valid
    lapse(database, "a")
    assert other.register() is None


def test_host_whose_row_another_one_has_taken_has_nothing(database: PostgresDatabase) -> None:
    first = Host(database, "a").joined(units("a"))
    first.turn()
    first.live = {A}
    copy = Host(database, "a", "a-directory/2").joined(units("a"))
    copy.turn()
    assert not first.turn()
    assert first.runs == set() and first.holdings.held == {}
    assert copy.runs == {"a"}
    copy.leave()
    assert first.turn() and first.turn()
    assert first.runs == {"a"}


def test_row_of_a_host_that_somebody_deleted_is_made_again_with_its_leases(
    database: PostgresDatabase,
) -> None:
    host = Host(database, "a").joined(units("a"))
    host.turn()
    before = host.holdings.grants
    with database.transaction() as run:
        run.execute("DELETE FROM host")
    assert host.turn()
    assert host.holdings.grants is before


def test_draining_host_claims_nothing_and_keeps_what_it_has(database: PostgresDatabase) -> None:
    host = Host(database, "a").joined(units("a"))
    host.turn()
    host.draining, host.units = True, units("a", "b")
    host.turn()
    assert host.runs == {"a"}


def test_nothing_is_claimed_whose_messages_cannot_be_counted(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = units("a")
    first, second = (Host(database, name).joined(there) for name in "ab")
    first.turn()
    first.leave()

    def fail(lapsed: Mapping[str, float]) -> None:
        raise StorageUnavailable("limits.db: disk is full")

    monkeypatch.setattr(second, "_hand_over", fail)
    second.turn()
    assert second.runs == set()
    monkeypatch.setattr(second, "_hand_over", second.taken_over.update)
    second.turn()
    assert second.runs == {"a"}


# --- races ------------------------------------------------------------------------------------------------


def at_once(*calls: Callable[[], object]) -> None:
    """Each in a thread of its own; an exception of any is raised."""
    start, errors = threading.Barrier(len(calls)), list[Exception]()

    def run(call: Callable[[], object]) -> None:
        start.wait(10)
        try:
            call()
        except Exception as error:  # noqa: BLE001
            errors.append(error)

    threads = [threading.Thread(target=run, args=(call,)) for call in calls]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not errors, errors


def test_of_many_that_claim_the_same_leases_at_once_each_lease_goes_to_one(
    databases: list[PostgresDatabase],
) -> None:
    """All claim everything, new rows and rows of a dead host, whatever a plan would say."""
    dead = Host(databases[0], "dead").joined(units(*["x"] * 20))
    dead.turn()
    lapse(databases[0], "dead")
    seen: dict[str, int | None] = {f"destination:new{number}": None for number in range(20)}
    seen |= dead.holdings.held
    got: list[tuple[str, int]] = []

    def claim(host: Host, names: list[str]) -> None:
        with host._database.transaction() as run:
            found = HostStatements(run, host.me).claim({name: seen[name] for name in names})
        got.extend(found.items())

    hosts = [Host(it, f"h{number}").joined({}) for number, it in enumerate(databases)]
    orders = [sorted(seen, reverse=bool(number % 2)) for number in range(len(hosts))]
    at_once(*(partial(claim, host, names) for host, names in zip(hosts, orders, strict=True)))
    for host in hosts:  # what one skipped, since another was about to claim it
        claim(host, [*seen])
    assert sorted(name for name, _ in got) == sorted(seen)
    epochs = [epoch for _, epoch in got]
    assert len(epochs) == len({*epochs}) and min(epochs) > max(dead.holdings.held.values())


def test_three_hosts_that_start_at_once_divide_everything(databases: list[PostgresDatabase]) -> None:
    there = units(*"abcdefghijkl")
    hosts = [Host(it, f"h{number}") for number, it in enumerate(databases[:3])]
    at_once(*(partial(host.joined, there) for host in hosts))
    for _ in range(12):
        at_once(*(partial(host.turn, spread=True, seconds=TIMES.renew) for host in hosts))
    assert sorted(channel for host in hosts for channel in host.runs) == [*"abcdefghijkl"]
    assert [len(host.runs) for host in hosts] == [4, 4, 4]


def test_of_hosts_with_one_name_that_start_at_once_one_is_let_in(databases: list[PostgresDatabase]) -> None:
    hosts = [Host(it, "same", f"directory-{number}/1") for number, it in enumerate(databases)]
    refused: list[bool] = []
    at_once(*(lambda host=host: refused.append(host.register() is not None) for host in hosts))
    assert sorted(refused) == [False] + [True] * 7


def test_host_that_is_not_valid_any_more_claims_nothing(database: PostgresDatabase) -> None:
    """It was frozen between its renewal and its claim."""
    left = Host(database, "b").joined(units("a"))
    left.turn()
    free: dict[str, int | None] = dict(left.holdings.held)
    lapse(database, "b")
    host = Host(database, "a").joined({})
    host.turn()
    lapse(database, "a")
    with database.transaction() as run:
        rows = HostStatements(run, host.me)
        assert rows.claim({**free, "destination:new": None}) == {}
        assert rows.claim_workers([A, B]) == {}


def test_lease_that_a_write_holds_at_this_moment_is_left_for_the_next_look(
    database: PostgresDatabase,
) -> None:
    """As by a host that was frozen within a write: nobody waits for it."""
    frozen = Host(database, "frozen").joined(units("a"))
    frozen.turn()
    lapse(database, "frozen")
    heir = Host(database, "b").joined({})
    with database.transaction() as run:
        run.execute("SELECT 1 FROM lease WHERE name = ? FOR SHARE", (worker(A),))
        with database.transaction() as other:
            assert HostStatements(other, heir.me).claim_workers([A, B]).keys() == {B}
    with database.transaction() as other:
        assert HostStatements(other, heir.me).claim_workers([A, B]).keys() == {A, B}


def test_lease_counts_from_before_the_renewal_was_sent(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    host = Host(database, "a").joined({})

    class Slow(HostStatements):
        def renew(self, lease: float, weight: float, account: bool) -> bool:
            host.now += 7.0
            return super().renew(lease, weight, account)

    monkeypatch.setattr(host, "_statements", Slow)
    host.now = 2000.0
    host.turn(seconds=0.0)
    assert (host.renewed_at, host.now) == (2000.0, 2007.0)


def test_lease_claimed_by_another_since_it_was_seen_is_not_claimed(database: PostgresDatabase) -> None:
    there = units("a")
    first, second = (Host(database, name).joined(there) for name in "ab")
    first.turn()
    old: dict[str, int | None] = {destination("0"): first.holdings.held[destination("0")]}
    first.leave()
    first.joined(there).turn()
    first.leave()
    with database.transaction() as run:
        assert HostStatements(run, second.me).claim(old) == {}
