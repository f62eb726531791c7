"""Workers behind their service's socket, over a PostgreSQL that restarts, hangs, or gives the lease away."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path

import pytest

pytest.importorskip("psycopg")

from disgram.errors import LeaseLost, StorageUnavailable
from disgram.postgres import connections
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.ledger import PostgresLedger
from disgram.storage.channel_ledger import ChannelLedger, MessageRow, PostRow
from disgram.storage.remote.client import RemoteLedger
from disgram.storage.remote.server import LedgerServer
from disgram.storage.remote.wire import SOCKET
from standins.postgres import PostgresServer
from tests.builders.leases import claim


class Host:
    """A service's database and socket."""

    def __init__(self, url: str, folder: Path) -> None:
        self.path = folder / SOCKET
        self.lost: list[tuple[str, str, int]] = []
        self.database = PostgresDatabase(url)
        self.ledger = PostgresLedger(self.database)
        self.server = LedgerServer(
            self.path, self.ledger.fenced, lambda: math.inf, lambda *lost: self.lost.append(lost)
        )

    def claim(self, channel: str, holder: str = "this host") -> int:
        return claim(self.database, holder, "job", channel)

    @contextmanager
    def worker(self, channel: str) -> Iterator[ChannelLedger]:
        with closing(RemoteLedger(self.path, self.claim(channel))) as ledger:
            yield ledger.of("job", channel)


@contextmanager
def running(url: str, folder: Path) -> Iterator[Host]:
    host = Host(url, folder)
    host.server.start()
    try:
        yield host
    finally:
        host.server.stop()
        host.database.close()


def test_late_write_ends_the_worker_and_is_told(postgres_url: str, tmp_path: Path) -> None:
    with running(postgres_url, tmp_path) as host, host.worker("c") as rows:
        rows.begin(4, None)
        rows.put_message(5, MessageRow(0, "attempting"))
        host.claim("c", "another host")
        with pytest.raises(LeaseLost, match="worker:job/c"):
            rows.put_message(5, MessageRow(0, "sent"))
        assert host.lost == [("job", "c", 1)]
        assert [row.state for row in host.ledger.of("job", "c").messages(5)] == ["attempting"]


def test_two_hundred_workers_write_at_once_over_four_connections(postgres_url: str, tmp_path: Path) -> None:
    with running(postgres_url, tmp_path) as host, ExitStack() as stack:
        workers = [stack.enter_context(host.worker(f"c{number}")) for number in range(200)]

        def begin(start: int) -> None:
            for rows in workers[start::20]:
                rows.begin(start, None)

        in_threads(20, begin)
        assert [rows.progress() for rows in workers] == [(number % 20, None) for number in range(200)]
        with host.database.reading() as run:
            query = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            assert run.execute(query).fetchone()[0] <= connections.MOST


def in_threads(count: int, work: Callable[[int], object]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_restart_in_the_middle_loses_no_confirmed_write(
    own_postgres_server: PostgresServer, tmp_path: Path
) -> None:
    server, stop = own_postgres_server, threading.Event()
    written, failures = [0] * 8, []

    with running(server.url(), tmp_path) as host:

        def write(number: int) -> None:
            with host.worker(f"c{number}") as rows:
                persist(lambda: rows.begin(0, None))
                while not stop.is_set():
                    row = PostRow(written[number] + 1, written[number] + 1, "sent", "print", "shape")
                    persist(lambda: rows.put_message(row.post_id, MessageRow(0, "sent", "1")))  # noqa: B023
                    persist(lambda: rows.finish(row))  # noqa: B023
                    written[number] += 1

        def persist(call: Callable[[], None]) -> None:
            until = time.monotonic() + 30
            while time.monotonic() < until:
                try:
                    return call()
                except StorageUnavailable as error:
                    failures.append(str(error))
                    time.sleep(0.05)
            raise AssertionError(failures[-1])

        writers = threading.Thread(target=in_threads, args=(8, write))
        writers.start()
        while min(written) < 5:
            time.sleep(0.01)
        server.stop(signal.SIGQUIT)
        while not failures:
            time.sleep(0.01)
        server.start()
        before = written.copy()
        while min(now - then for now, then in zip(written, before, strict=True)) < 5:
            time.sleep(0.01)
        stop.set()
        writers.join()
        assert any("PostgreSQL" in failure for failure in failures)
        for number, last_id in enumerate(written):
            rows = host.ledger.of("job", f"c{number}")
            assert rows.progress() == (last_id, None)
            assert [row.post_id for row in rows.posts_from(0)] == [*range(1, last_id + 1)]


def test_frozen_database_is_an_error_for_every_worker_within_seconds(
    own_postgres_server: PostgresServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections.Connection, "patience", 0.5)
    monkeypatch.setattr(connections, "CONNECT_SECONDS", 2)
    with running(own_postgres_server.url(), tmp_path) as host, ExitStack() as stack:
        workers = [stack.enter_context(host.worker(f"c{number}")) for number in range(40)]
        for rows in workers:
            rows.begin(1, None)
        took: list[float] = []

        def ask(number: int) -> None:
            began = time.monotonic()
            with pytest.raises(StorageUnavailable):
                workers[number].advance(2)
            took.append(time.monotonic() - began)

        own_postgres_server.freeze()
        in_threads(40, ask)
        own_postgres_server.freeze(False)
        assert len(took) == 40
        assert max(took) < 10
        until = time.monotonic() + 10
        while True:
            try:
                workers[0].advance(3)
                break
            except StorageUnavailable:
                assert time.monotonic() < until
                time.sleep(0.1)
        assert workers[0].progress() == (3, None)
