"""All hosts' workers as one supervisor: shown together, told together, waited for together."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

pytest.importorskip("psycopg")

from disgram.hosts.shared.exchange import Exchange
from disgram.hosts.shared.jobs_table import JobsTable
from disgram.hosts.shared.orders import Order, Orders, What
from disgram.hosts.shared.supervision import NOBODY_AFTER, HostsSupervision
from disgram.hosts.shared.worker_rows import Key, WorkerRows
from disgram.hosts.statements import HostStatements
from disgram.hosts.view import HostSeen
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.notices import Notices
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus
from standins.postgres import PostgresServer
from standins.stage import eventually


class FakeLocal:
    """The supervisor of one host; its processes are gone at once."""

    def __init__(self) -> None:
        self.workers: tuple[WorkerStatus, ...] = ()
        self.told: list[str] = []

    def start(self) -> None:
        self.told.append("start")

    def stop(self, timeout: float = 9.0) -> None:
        self.told.append("stop")

    def wake(self) -> None:
        self.told.append("wake")

    def reset_backoff(self, job: str) -> None:
        self.told.append(f"reset_backoff {job}")

    def restart(self, job: str) -> None:
        self.told.append(f"restart {job}")

    def wait_gone(self, job: str, timeout: float) -> bool:
        return True

    def snapshot(self) -> Snapshot:
        return Snapshot(self.workers, 1.0)


class Host:
    """One of several, without a membership: `alive` says who is there."""

    def __init__(self, url: str, name: str) -> None:
        self.database = PostgresDatabase(url)
        self.local, self.orders = FakeLocal(), Orders(self.database, name)
        self.table = JobsTable(self.database, tell=self.orders.jobs_changed)
        self.rows = WorkerRows(self.database, name)
        self.notices = Notices(url)
        self.noticed = 0
        self.exchange = Exchange(
            self.notices, self.orders, self.table, self.rows, self.local, self._on_notice, interval=600
        )
        self.keys: set[Key] = {("news", "a"), ("news", "b")}
        self.alive, self.now = ["north", "south"], 1000.0
        self.supervision = HostsSupervision(
            self.local,
            self.database,
            self.orders,
            self.rows,
            host=name,
            keys=lambda: self.keys,
            hosts=lambda: [seen(host, alive=host in self.alive) for host in ("north", "south")],
            on_stop=lambda: self.local.told.append("drain"),
            clock=lambda: self.now,
        )

    def _on_notice(self) -> None:
        self.noticed += 1

    def close(self) -> None:
        self.notices.close()
        self.database.close()


def seen(name: str, *, alive: bool) -> HostSeen:
    until = datetime.now(timezone.utc) + timedelta(seconds=60 if alive else -60)
    return HostSeen(name, alive, until, 1.0, False, 1, name == "north")


def status(channel: str, last_post_id: int = 1) -> WorkerStatus:
    now = time.monotonic()
    bare = WorkerStatus.without_process("news", channel, "webhook.py", WorkerState.RUNNING, now)
    return replace(bare, last_post_id=last_post_id)


@pytest.fixture
def north(postgres_url: str) -> Iterator[Host]:
    with closing(Host(postgres_url, "north")) as host:
        host.exchange.turn()
        yield host


@pytest.fixture
def south(postgres_url: str) -> Iterator[Host]:
    with closing(Host(postgres_url, "south")) as host:
        host.exchange.turn()
        yield host


def shown(host: Host) -> list[tuple[str, str | None, str | None]]:
    host.rows.read()
    found = host.supervision.snapshot().workers
    return sorted((one.channel, one.host, one.reason) for one in found)


def test_snapshot_shows_the_workers_of_all_hosts_with_their_host(north: Host, south: Host) -> None:
    north.local.workers = (status("a"),)
    south.rows.write([status("b")])
    assert shown(north) == [("a", "north", None), ("b", "south", None)]


def test_workers_that_should_run_nowhere_are_not_shown_of_others(north: Host, south: Host) -> None:
    south.rows.write([status("b"), status("of a channel that the job has no more")])
    assert shown(north) == [("b", "south", None)]


def test_worker_of_a_host_that_is_gone_is_not_well_until_another_has_it(north: Host, south: Host) -> None:
    south.rows.write([status("b")])
    north.alive = ["north"]
    assert shown(north) == [("b", "south", "host_gone")]
    assert north.supervision.snapshot().workers[0].state is WorkerState.BACKOFF
    north.local.workers = (status("b"),)
    assert shown(north) == [("b", "north", None)]


def test_channel_that_no_host_tells_of_is_not_well_after_a_while(north: Host, south: Host) -> None:
    north.local.workers = (status("a"),)
    south.rows.write([status("b")])
    assert shown(north) == [("a", "north", None), ("b", "south", None)]
    south.rows.write([])  # it is there, and can start no worker
    assert shown(north) == [("a", "north", None)]
    north.now += NOBODY_AFTER
    assert shown(north) == [("a", "north", None), ("b", None, "host_gone")]
    south.rows.write([status("b")])
    assert shown(north) == [("a", "north", None), ("b", "south", None)]
    south.rows.write([])
    assert shown(north) == [("a", "north", None)]


def test_of_two_hosts_that_told_of_a_channel_the_one_that_is_there_counts(
    north: Host, south: Host, postgres_url: str
) -> None:
    with closing(Host(postgres_url, "west")) as west:
        south.rows.write([status("b", 5)])
        west.rows.write([status("b", 9)])
        assert shown(north) == [("b", "south", None)]


def test_orders_reach_the_other_hosts_and_are_not_taken_twice_by_the_own(north: Host, south: Host) -> None:
    north.supervision.reset_backoff("news")
    north.supervision.restart("news / 'odd' \u2603")
    for _ in range(2):
        north.exchange.turn()
        south.exchange.turn()
    expected = ["reset_backoff news", "restart news / 'odd' \u2603"]
    assert north.local.told == south.local.told == expected
    assert south.noticed


def test_jobs_changed_on_one_host_wake_the_other(north: Host, south: Host) -> None:
    with north.database.transaction() as run:
        run.execute("INSERT INTO job (name, fields) VALUES ('news', ?)", (JOB,))
        north.orders.jobs_changed(run)
    south.exchange.turn()
    assert list(south.table.entries) == ["news"]
    assert south.local.told == ["wake"]


JOB = (
    '{"jobName": "news", "webhookUrl": "https://discord.com/api/webhooks/123/aToken", '
    '"telegramChannels": ["https://t.me/durov"]}'
)


def test_change_that_nobody_heard_of_is_seen_once_the_database_is_back(
    postgres_url: str, postgres_server: PostgresServer
) -> None:
    with closing(Host(postgres_url, "north")) as north, closing(Host(postgres_url, "south")) as south:
        south.exchange.start()
        try:
            eventually(lambda: listeners(postgres_server))
            postgres_server.run(END_LISTENERS)
            with north.database.transaction() as run:
                run.execute("INSERT INTO job (name, fields) VALUES ('news', ?)", (JOB,))
            eventually(lambda: "wake" in south.local.told)
        finally:
            south.exchange.stop()


END_LISTENERS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"


def listeners(server: PostgresServer) -> int:
    return len(server.run("SELECT pid FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"))


@pytest.mark.parametrize("payload", ["", "leases", "{}", '{"from": "x", "what": "dance", "job": ""}', "[1]"])
def test_notice_that_is_no_order_is_only_noticed(north: Host, payload: str) -> None:
    assert north.orders.read(payload) is None


def test_own_orders_are_not_read_and_others_are(north: Host, south: Host) -> None:
    sent: list[str] = []

    class Run:
        def execute(self, statement: str, values: tuple[str, str] = ("", ""), /) -> None:
            sent.append(values[1])

    north.orders.notify(Run(), Order(What.RESTART, "news"))  # type: ignore[arg-type]
    assert south.orders.read(sent[0]) == Order(What.RESTART, "news")
    assert north.orders.read(sent[0]) is None


def test_other_hosts_processes_are_waited_for(north: Host, south: Host) -> None:
    run_elsewhere(south, ("news", "b"), ("other", "c"))
    assert not north.supervision.wait_gone("news", 0.1)
    threading.Timer(0.3, end_elsewhere, (south, ("news", "b"))).start()
    assert north.supervision.wait_gone("news", 10)
    assert not north.supervision.wait_gone("other", 0.1)


def test_job_made_anew_elsewhere_is_not_waited_for(north: Host, south: Host) -> None:
    run_elsewhere(south, ("news", "a"))

    def make_anew() -> None:
        end_elsewhere(south, ("news", "a"))
        run_elsewhere(south, ("news", "a"))

    threading.Timer(0.3, make_anew).start()
    assert north.supervision.wait_gone("news", 10)


def test_processes_of_a_host_that_is_gone_are_not_waited_for(north: Host, south: Host) -> None:
    run_elsewhere(south, ("news", "b"))
    with south.database.transaction() as run:
        run.execute("UPDATE host SET until = now() - interval '1 second' WHERE name = 'south'")
    assert north.supervision.wait_gone("news", 0.1)


def test_database_out_of_reach_leaves_the_end_of_processes_unknown(
    own_postgres_server: PostgresServer,
) -> None:
    with closing(Host(own_postgres_server.url(), "north")) as north:
        own_postgres_server.stop()
        assert not north.supervision.wait_gone("news", 5)
        north.supervision.restart("news")
        assert north.local.told == ["restart news"]


def test_nothing_more_is_claimed_once_the_workers_are_to_stop(north: Host) -> None:
    north.supervision.stop(1)
    assert north.local.told == ["drain", "stop"]


def run_elsewhere(host: Host, *keys: Key) -> None:
    with host.database.transaction() as run:
        rows = HostStatements(run, "south/1")
        rows.register("south", 60.0, 1.0, False, again=False)
        rows.claim_workers(keys)


def end_elsewhere(host: Host, *keys: Key) -> None:
    with host.database.transaction() as run:
        HostStatements(run, "south/1").give_up_workers(keys)
