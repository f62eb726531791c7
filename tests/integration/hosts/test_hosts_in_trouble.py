"""Hosts killed, frozen and cut off, and the database restarted: nothing lost, nothing confirmed repeated."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator, Mapping
from contextlib import closing
from pathlib import Path

import pytest

pytest.importorskip("psycopg")

from standins.outcome import Outcome, outcome
from standins.postgres import PostgresServer
from standins.stage import Service, eventually
from standins.telegram.server import Channel
from tests.integration.hosts.cluster import Cluster, clustered, fill
from tests.integration.hosts.proxy import DatabaseProxy
from tests.integration.hosts.short_leases import TIMES

NAMES = ("alpha", "bravo", "charlie", "delta")


@pytest.fixture
def database(postgres_url: str) -> str:
    """Its name."""
    return postgres_url.split("/")[3].partition("?")[0]


@pytest.fixture
def proxy(postgres_server: PostgresServer, database: str) -> Iterator[DatabaseProxy]:
    with closing(DatabaseProxy(postgres_server.folder, database)) as one:
        yield one


def add_jobs(cluster: Cluster, service: Service, posts: int) -> dict[str, Channel]:
    """A job with a webhook of its own for each channel."""
    channels = {name: cluster.channel(name, posts) for name in NAMES}
    for name in NAMES:
        service.add_job(f"job {name}", f"{name}/1", cluster.room(name))
    return channels


def hosts_of(cluster: Cluster, service: Service) -> dict[str, str]:
    """Where each channel runs."""
    found: dict[str, str] = {}
    for name in NAMES:
        found |= cluster.running(service, f"job {name}")
    return found


def is_spread(cluster: Cluster, service: Service, *hosts: str) -> bool:
    found = hosts_of(cluster, service)
    return found.keys() == {*NAMES} and set(found.values()) == {*hosts}


def all_there(cluster: Cluster, channels: Mapping[str, Channel], timeout: float = 40.0) -> Outcome:
    """Wait for the last post, and check what no fault may break."""
    expected = {name: channel.numbers for name, channel in channels.items()}
    count = sum(map(len, expected.values()))
    eventually(lambda: len(set(cluster.all_links())) >= count, timeout, of=cluster.logs)
    result = outcome(cluster.all_links(), expected, cluster.logs())
    assert result.good, f"{result}\n{cluster.logs()}"
    assert cluster.discord.violations == []
    return result


def freeze(service: Service, number: int = signal.SIGSTOP) -> list[int]:
    """Stop the service and all its processes, or let them go on."""
    pids = [service.pid, *(process.pid for process in service.processes())]
    for pid in pids:
        os.kill(pid, number)
    return pids


def thaw(pids: list[int]) -> None:
    for pid in reversed(pids):
        os.kill(pid, signal.SIGCONT)


def test_host_killed_with_messages_in_flight_loses_nothing_and_others_go_on(cluster: Cluster) -> None:
    north, south, west = cluster.start("north", "south", "west")
    channels = add_jobs(cluster, north, 12)
    eventually(lambda: is_spread(cluster, north, "north", "south", "west"), of=cluster.logs)
    eventually(lambda: len(cluster.all_links()) >= 8, of=cluster.logs)
    south.stop(signal.SIGKILL)
    result = all_there(cluster, channels)
    assert result.repeated <= 2  # what was in flight
    assert cluster.discord.limited == []
    eventually(lambda: is_spread(cluster, north, "north", "west"), of=cluster.logs)
    eventually(lambda: cluster.alive(west) == {"north", "west"})


def test_host_frozen_past_its_lease_writes_and_sends_nothing_late(cluster: Cluster) -> None:
    north, south = cluster.start("north", "south")
    channels = add_jobs(cluster, north, 10)
    eventually(lambda: is_spread(cluster, north, "north", "south"), of=cluster.logs)
    eventually(lambda: len(cluster.all_links()) >= 8, of=cluster.logs)
    pids = freeze(south)
    try:
        eventually(lambda: is_spread(cluster, north, "north"), of=cluster.logs)
        all_there(cluster, channels)
    finally:
        thaw(pids)
    eventually(lambda: cluster.alive(south) == {"north", "south"}, of=cluster.logs)
    eventually(lambda: is_spread(cluster, south, "north", "south"), of=cluster.logs)
    for channel in channels.values():
        fill(channel, 3)
    result = all_there(cluster, channels)
    assert result.repeated <= 2
    assert cluster.discord.limited == []


@pytest.mark.parametrize("way", ["cut", "block"])
def test_host_cut_off_from_the_database_sends_nothing_and_recovers_by_itself(
    cluster: Cluster, proxy: DatabaseProxy, way: str
) -> None:
    north, south = cluster.host("north"), cluster.host("south", proxy.url)
    north.start()
    south.start()
    eventually(lambda: cluster.alive(north) == {"north", "south"})
    channels = add_jobs(cluster, north, 6)
    eventually(lambda: is_spread(cluster, north, "north", "south"), of=cluster.logs)
    all_there(cluster, channels)
    getattr(proxy, way)()
    eventually(lambda: south.health()["status"] == "unhealthy", of=cluster.logs)
    assert "PostgreSQL" in str(south.health()["errors"])
    began = time.monotonic()
    refused = south.call("POST", "/job/pause", JOB_NAME="job alpha")
    assert refused.status_code == 503
    assert time.monotonic() - began < 15
    assert south.call("GET", "/jobs").json().keys() == {f"job {name}" for name in NAMES}
    for channel in channels.values():
        fill(channel, 4)
    all_there(cluster, channels)
    eventually(lambda: is_spread(cluster, north, "north"), of=cluster.logs)
    assert cluster.alive(north) == {"north"}
    proxy.mend()
    eventually(lambda: south.health()["status"] == "healthy", 40, of=cluster.logs)
    eventually(lambda: is_spread(cluster, south, "north", "south"), 40, of=cluster.logs)
    for channel in channels.values():
        fill(channel, 2)
    assert all_there(cluster, channels).repeated == 0
    assert cluster.discord.limited == []


def test_the_only_host_cut_off_holds_posts_back_until_the_database_answers(
    cluster: Cluster, proxy: DatabaseProxy
) -> None:
    north = cluster.host("north", proxy.url)
    north.start()
    channels = add_jobs(cluster, north, 2)
    all_there(cluster, channels)
    proxy.cut()
    eventually(lambda: north.health()["status"] == "unhealthy", of=cluster.logs)
    before = len(cluster.all_links())
    for channel in channels.values():
        fill(channel, 2)
    time.sleep(TIMES.lease)
    assert len(cluster.all_links()) == before
    proxy.mend()
    assert all_there(cluster, channels).repeated == 0


def test_database_restarted_in_the_middle_changes_nothing_but_the_time(
    tmp_path: Path, own_postgres_server: PostgresServer
) -> None:
    name = own_postgres_server.new_database()
    with clustered(tmp_path, own_postgres_server.url(name)) as cluster:
        north, south = cluster.start("north", "south")
        channels = add_jobs(cluster, north, 10)
        eventually(lambda: is_spread(cluster, north, "north", "south"), of=cluster.logs)
        before = hosts_of(cluster, north)
        for number in (signal.SIGINT, signal.SIGQUIT):
            eventually(lambda: len(cluster.all_links()) >= 8, of=cluster.logs)
            own_postgres_server.stop(number)
            own_postgres_server.start()
        all_there(cluster, channels)
        for service in (north, south):
            eventually(lambda: service.health()["status"] == "healthy", of=cluster.logs)  # noqa: B023
        assert hosts_of(cluster, south) == before


def test_database_gone_for_longer_than_a_lease_lets_each_host_come_back_to_its_own(
    tmp_path: Path, own_postgres_server: PostgresServer
) -> None:
    name = own_postgres_server.new_database()
    with clustered(tmp_path, own_postgres_server.url(name)) as cluster:
        north, south = cluster.start("north", "south")
        channels = add_jobs(cluster, north, 3)
        eventually(lambda: is_spread(cluster, north, "north", "south"), of=cluster.logs)
        all_there(cluster, channels)
        own_postgres_server.stop()
        for channel in channels.values():
            fill(channel, 3)
        for service in (north, south):
            eventually(lambda: service.health()["status"] == "unhealthy", of=cluster.logs)  # noqa: B023
        time.sleep(TIMES.lease)
        assert len(cluster.all_links()) == 3 * len(NAMES)
        own_postgres_server.start()
        assert all_there(cluster, channels).repeated == 0
        eventually(lambda: is_spread(cluster, north, "north", "south"), of=cluster.logs)
