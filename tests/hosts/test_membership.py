"""Hosts whose threads run, over a real PostgreSQL that comes and goes; leases last a second here."""

from __future__ import annotations

import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

pytest.importorskip("psycopg")

from disgram.errors import StartRefused
from disgram.hosts.units import ACCOUNT, ALERTS, destination
from disgram.postgres import connections
from standins.postgres import PostgresServer
from standins.stage import eventually
from tests.hosts.member import TIMES, Member, units_of_channels

Start = Callable[..., Member]
CHANNELS = [*"abcdef"]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Start a host of this name, each in a folder of its own; all are ended with the test."""
    members: list[Member] = []

    def start_one(url: str, name: str, channels: list[str] = CHANNELS, **more: object) -> Member:
        folder = tmp_path / f"{name}{len(members)}"
        folder.mkdir()
        member = Member(url, name, folder, channels, **more)  # type: ignore[arg-type]
        members.append(member)
        return member.start()

    yield start_one
    for member in members:
        member.crash()


def test_single_host_runs_all_and_names_itself(start: Start, postgres_url: str) -> None:
    member = start(postgres_url, "one")
    eventually(lambda: member.runs == {*CHANNELS})
    (seen,) = member.membership.hosts()
    assert (seen.name, seen.valid, seen.channels, seen.is_this) == ("one", True, 6, True)
    assert member.membership.holds(ALERTS) and not member.membership.holds(ACCOUNT)
    assert member.membership.problem is None
    assert 0 < member.membership.may_send_until() - time.monotonic() <= TIMES.lease - TIMES.margin


def test_three_hosts_share_the_channels_and_each_knows_who_has_how_many(
    start: Start, postgres_url: str
) -> None:
    members = [start(postgres_url, name) for name in ("one", "two", "three")]
    eventually(lambda: [len(member.runs) for member in members] == [2, 2, 2])
    assert set[str]().union(*(member.runs for member in members)) == {*CHANNELS}
    eventually(lambda: [seen.channels for seen in members[0].membership.hosts()] == [2, 2, 2])
    assert sum(member.membership.holds(ALERTS) for member in members) == 1


def test_channels_of_a_stopped_host_run_elsewhere_at_once(start: Start, postgres_url: str) -> None:
    """Far sooner than any renewal, which is a minute away."""
    slow = replace(TIMES, lease=600.0, renew=60.0, margin=60.0)
    leaver = start(postgres_url, "leaver", times=slow)
    eventually(lambda: len(leaver.runs) == 6)
    heir = start(postgres_url, "heir", times=slow)
    eventually(lambda: len(heir.membership.hosts()) == 2)
    leaver.stop()
    eventually(lambda: heir.runs == {*CHANNELS}, timeout=5)
    assert heir.taken_over == dict.fromkeys(CHANNELS, 0.0)
    assert [seen.name for seen in heir.membership.hosts()] == ["heir"]


def test_crashed_host_is_succeeded_as_soon_as_its_lease_ends(start: Start, postgres_url: str) -> None:
    crashing, heir = start(postgres_url, "crashing"), start(postgres_url, "heir")
    eventually(lambda: len(crashing.runs) == len(heir.runs) == 3)
    time.sleep(TIMES.patience)
    crashing.crash()
    until = next(seen.until for seen in heir.membership.hosts() if seen.name == "crashing")
    began = time.monotonic()
    eventually(lambda: heir.runs == {*CHANNELS})
    assert time.monotonic() - began < TIMES.lease + TIMES.renew
    seen = next(seen for seen in heir.membership.hosts() if seen.name == "crashing")
    assert (seen.valid, seen.channels) == (False, 0) and seen.until >= until


def test_hosts_whose_clocks_differ_by_years_share_as_others_do(
    start: Start, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(time, "time", lambda: 1.0)
    right = start(postgres_url, "right")
    wrong = start(postgres_url, "wrong", clock=lambda: time.monotonic() + 1e8)
    eventually(lambda: len(right.runs) == len(wrong.runs) == 3)
    time.sleep(TIMES.patience)
    wrong.crash()
    eventually(lambda: right.runs == {*CHANNELS})


def test_new_job_is_run_by_one_host_and_a_deleted_one_by_none(start: Start, postgres_url: str) -> None:
    members = [start(postgres_url, name) for name in ("one", "two")]
    eventually(lambda: sum(len(member.runs) for member in members) == 6)
    for member in members:
        member._channels = [*CHANNELS[1:], "new"]
        member.membership.want(units_of_channels(member._channels))
    eventually(lambda: members[0].runs | members[1].runs == {*CHANNELS[1:], "new"})
    assert not members[0].runs & members[1].runs


# --- the database away -----------------------------------------------------------------------------------


def test_restarted_database_finds_each_host_with_the_leases_it_had(
    start: Start, own_postgres_server: PostgresServer
) -> None:
    server = own_postgres_server
    times = replace(
        TIMES, lease=2.5, renew=1.0
    )  # whoever is first leaves the other one a second to come back
    members = [start(server.url(), name, times=times) for name in ("one", "two")]
    eventually(lambda: [len(member.runs) for member in members] == [3, 3])
    before = [dict(member.processes) for member in members]
    server.stop(signal.SIGQUIT)
    eventually(lambda: all("PostgreSQL: connection" in str(one.membership.problem) for one in members))
    eventually(lambda: not any(member.membership.holds(ALERTS) for member in members))
    time.sleep(times.lease)  # until all leases have ended
    assert [member.processes for member in members] == before
    server.start()
    eventually(lambda: not any(member.membership.problem for member in members))
    time.sleep(2 * times.renew)
    assert [member.processes for member in members] == before


def test_host_that_is_cut_off_may_not_send_well_before_its_lease_ends_and_tells_its_parts(
    start: Start, own_postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.Connection, "patience", 0.2)
    server = own_postgres_server
    member = start(server.url(), "one", account=True)
    membership = member.membership
    eventually(lambda: member.runs == {*CHANNELS} and membership.holds(ACCOUNT))
    server.freeze()
    began, changes = time.monotonic(), member.changes
    eventually(lambda: membership.problem)
    eventually(lambda: not membership.holds(ACCOUNT), every=0.01)
    assert time.monotonic() - began < TIMES.lease - TIMES.margin + 0.3
    eventually(lambda: time.monotonic() >= membership.may_send_until() and member.changes >= changes + 2)
    assert member.runs == {*CHANNELS}
    server.freeze(False)
    eventually(lambda: membership.holds(ACCOUNT) and not membership.problem)
    assert time.monotonic() < membership.may_send_until()


# --- names ------------------------------------------------------------------------------------------------


def test_second_host_of_a_name_is_refused_while_the_first_renews(start: Start, postgres_url: str) -> None:
    first = start(postgres_url, "same")
    with pytest.raises(StartRefused, match="Another host goes by the name same"):
        start(postgres_url, "same")
    eventually(lambda: first.runs == {*CHANNELS})
    assert first.membership.problem is None


def test_host_with_the_name_of_a_dead_one_waits_for_the_end_of_its_lease(
    start: Start, postgres_url: str
) -> None:
    dead = start(postgres_url, "same")
    eventually(lambda: dead.runs == {*CHANNELS})
    dead.crash()
    began = time.monotonic()
    heir = start(postgres_url, "same")
    assert TIMES.lease / 2 < time.monotonic() - began < TIMES.lease + 1
    eventually(lambda: heir.runs == {*CHANNELS})


def test_service_that_starts_again_in_its_directory_waits_for_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    slow = replace(TIMES, lease=600.0, renew=60.0, margin=60.0)
    killed = Member(postgres_url, "one", tmp_path, CHANNELS, times=slow).start()
    eventually(lambda: killed.runs == {*CHANNELS})
    killed.crash()
    again = Member(postgres_url, "one", tmp_path, CHANNELS, times=slow).start()
    eventually(lambda: again.runs == {*CHANNELS}, timeout=5)
    assert min(again.processes.values()) > max(killed.processes.values())
    again.crash()


def test_host_whose_name_a_copy_of_its_directory_has_taken_says_so_and_sends_nothing(
    tmp_path: Path, postgres_url: str
) -> None:
    first = Member(postgres_url, "one", tmp_path, CHANNELS).start()
    eventually(lambda: first.runs == {*CHANNELS})
    copy = Member(postgres_url, "one", tmp_path, CHANNELS).start()
    eventually(lambda: first.membership.problem)
    assert "Another host goes by the name one now" in str(first.membership.problem)
    assert time.monotonic() > first.membership.may_send_until()
    assert not first.membership.holds(destination("a"))
    eventually(lambda: not first.runs and copy.runs == {*CHANNELS})
    first.crash()
    copy.crash()


def test_crash_of_the_thread_is_told(tmp_path: Path, postgres_url: str) -> None:
    member = Member(postgres_url, "one", tmp_path, CHANNELS)
    crashed: list[bool] = []
    member.membership._on_crash = lambda: crashed.append(True)
    member.membership._on_change = lambda: 1 / 0
    member.start()
    eventually(lambda: crashed)
    member.crash()
