"""PostgresDatabase: transactions are atomic, errors are ours and soon, what can never work ends the start."""

from __future__ import annotations

import signal
import threading
import time
from contextlib import closing

import pytest

pytest.importorskip("psycopg")

from disgram.errors import DatabaseTooNew, StartRefused, StorageUnavailable
from disgram.postgres import connections
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.schema import MIGRATIONS
from disgram.storage.engine import Engine
from standins.postgres import PostgresServer

INSERT = "INSERT INTO guild (webhook_id, guild_id) VALUES (?, ?)"


def guilds(database: Engine) -> list[tuple[str, str]]:
    with database.reading() as run:
        return run.execute("SELECT webhook_id, guild_id FROM guild ORDER BY 1").fetchall()


def put(database: Engine, name: str) -> None:
    with database.transaction() as run:
        run.execute(INSERT, (name, "g"))


def test_failed_transaction_leaves_nothing(database: PostgresDatabase) -> None:
    with pytest.raises(KeyError), database.transaction() as run:
        run.execute(INSERT, ("half", "g"))
        raise KeyError
    put(database, "whole")
    assert guilds(database) == [("whole", "g")]


def test_statement_that_fails_raises_storage_unavailable_and_the_next_works(
    database: PostgresDatabase,
) -> None:
    put(database, "one")
    with pytest.raises(StorageUnavailable, match="PostgreSQL: duplicate key"):
        put(database, "one")
    put(database, "two")
    assert [name for name, _ in guilds(database)] == ["one", "two"]


def test_text_with_nul_is_stored_with_a_replacement(database: PostgresDatabase) -> None:
    put(database, "a\0b")
    assert guilds(database) == [("a\ufffdb", "g")]


def test_connection_that_the_server_ended_is_replaced_unseen(
    database: PostgresDatabase, postgres_server: PostgresServer
) -> None:
    put(database, "one")
    end_sessions(postgres_server)
    put(database, "two")
    assert len(guilds(database)) == 2


def end_sessions(server: PostgresServer) -> None:
    server.run(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = 'disgram'"
    )


def test_connection_killed_within_a_transaction_leaves_nothing_and_heals(
    database: PostgresDatabase, postgres_server: PostgresServer, caplog: pytest.LogCaptureFixture
) -> None:
    with pytest.raises(StorageUnavailable), database.transaction() as run:
        run.execute(INSERT, ("half", "g"))
        end_sessions(postgres_server)
        run.executemany(INSERT, [("other", "g")])
    put(database, "whole")
    assert guilds(database) == [("whole", "g")]
    assert caplog.records == []


def test_held_lock_is_an_error_within_seconds(
    database: PostgresDatabase, postgres_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOCK_SECONDS", 0.1)
    with closing(PostgresDatabase(postgres_url)) as impatient:
        put(database, "one")
        with database.transaction() as run:
            run.execute("UPDATE guild SET guild_id = 'held'")
            with pytest.raises(StorageUnavailable, match="lock timeout"), impatient.transaction() as other:
                other.execute("UPDATE guild SET guild_id = 'waited'")
        assert guilds(impatient) == [("one", "held")]


def test_restart_of_the_server_is_an_error_until_it_is_back(own_postgres_server: PostgresServer) -> None:
    server = own_postgres_server
    with closing(PostgresDatabase(server.url())) as database:
        put(database, "one")
        server.stop(signal.SIGQUIT)
        began = time.monotonic()
        with pytest.raises(StorageUnavailable, match="PostgreSQL: connection"):
            put(database, "two")
        with pytest.raises(StorageUnavailable, match="PostgreSQL: connection"):
            put(database, "two")
        assert time.monotonic() - began < 5
        server.start()
        put_when_up(database, "three")
        assert [name for name, _ in guilds(database)] == ["one", "three"]


def put_when_up(database: PostgresDatabase, name: str) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            return put(database, name)
        except StorageUnavailable:
            assert time.monotonic() < until
            time.sleep(0.05)


def test_frozen_server_is_an_error_and_its_late_answer_is_not_read(
    own_postgres_server: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = own_postgres_server
    monkeypatch.setattr(connections.Connection, "patience", 0.3)
    with closing(PostgresDatabase(server.url())) as database:
        put(database, "one")
        server.freeze()
        with pytest.raises(StorageUnavailable):
            put(database, "two")
        server.freeze(False)
        put_when_up(database, "three")
        assert {"one", "three"} <= {name for name, _ in guilds(database)}


def test_closing_breaks_off_a_statement_that_waits(database: PostgresDatabase, postgres_url: str) -> None:
    """A service that ends waits for no frozen database."""
    waiting, errors = PostgresDatabase(postgres_url), []
    put(database, "one")
    locked = threading.Event()

    def wait_for_the_lock() -> None:
        locked.wait(10)
        try:
            with waiting.transaction() as run:
                run.execute("UPDATE guild SET guild_id = 'waited'")
        except StorageUnavailable as error:
            errors.append(str(error))

    thread = threading.Thread(target=wait_for_the_lock)
    thread.start()
    with database.transaction() as run:
        run.execute("UPDATE guild SET guild_id = 'held'")
        locked.set()
        queued = "SELECT count(*) FROM pg_locks WHERE NOT granted"
        until = time.monotonic() + 10
        while not run.execute(queued).fetchone()[0]:
            assert time.monotonic() < until
        began = time.monotonic()
        waiting.close()
        thread.join()
        assert time.monotonic() - began < 1
    assert len(errors) == 1


def test_fifth_caller_waits_for_a_connection_and_then_fails(
    database: PostgresDatabase, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "LOCK_SECONDS", 0.05)
    inside, leave = threading.Barrier(connections.MOST + 1), threading.Event()

    def hold() -> None:
        with database.transaction():
            inside.wait(10)
            leave.wait(10)

    threads = [threading.Thread(target=hold) for _ in range(connections.MOST)]
    for thread in threads:
        thread.start()
    inside.wait(10)
    with pytest.raises(StorageUnavailable, match="busy"):
        guilds(database)
    leave.set()
    for thread in threads:
        thread.join()
    assert guilds(database) == []


def test_full_disk_is_an_error_and_heals(own_postgres_server: PostgresServer) -> None:
    """A limit of temporary files is the one that can be reached without filling a disk: SQLSTATE class 53."""
    with closing(PostgresDatabase(own_postgres_server.url())) as database:
        with pytest.raises(StorageUnavailable, match="temporary file size"), database.transaction() as run:
            run.execute("SET LOCAL temp_file_limit = 0")
            run.execute("SET LOCAL work_mem = 64")
            run.execute(
                "SELECT count(*) FROM (SELECT i FROM generate_series(1, 90000) AS i ORDER BY -i) AS t"
            )
        put(database, "one")
        assert len(guilds(database)) == 1


def test_standby_is_not_written_to_and_its_connection_is_given_up(
    database: PostgresDatabase, postgres_server: PostgresServer, postgres_url: str
) -> None:
    """As after a fail-over, when the connected server has become read-only."""
    with pytest.raises(StorageUnavailable, match="read-only"), database.transaction() as run:
        run.execute("SET default_transaction_read_only = on")
        run.execute("SET transaction_read_only = on")
        run.execute(INSERT, ("one", "g"))
    put(database, "two")
    assert guilds(database) == [("two", "g")]


# --- what can never work --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "url",
    ["mysql://a:secret@b/c", "postgresql://u:secret@host:port/d", "postgresql://h/d?secret=1", "secret"],
)
def test_address_that_makes_no_sense_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(StartRefused, match="DATABASE_URL") as refused:
        PostgresDatabase(url)
    assert "secret" not in str(refused.value)


def test_database_that_does_not_exist_is_refused_by_name(postgres_server: PostgresServer) -> None:
    with pytest.raises(StartRefused, match='"nowhere" does not exist'):
        PostgresDatabase(postgres_server.url("nowhere"))


def test_address_with_a_senseless_option_is_refused() -> None:
    with pytest.raises(StartRefused, match="invalid sslmode"):
        PostgresDatabase("postgresql://disgram:secret@127.0.0.1:1/disgram?sslmode=maybe")


def test_server_that_is_not_there_may_come() -> None:
    with pytest.raises(StorageUnavailable, match="PostgreSQL: connection"):
        PostgresDatabase("postgresql://disgram:secret@127.0.0.1:1/disgram")


def test_tables_of_another_program_are_refused_and_left(postgres_server: PostgresServer) -> None:
    name = postgres_server.new_database()
    postgres_server.run("CREATE TABLE post (title TEXT)", name)
    with pytest.raises(StartRefused, match='"post" already exists'):
        PostgresDatabase(postgres_server.url(name))
    tables = "SELECT count(*) FROM pg_tables WHERE schemaname = 'public'"
    assert postgres_server.run(tables, name) == [(1,)]


def test_user_who_may_not_create_tables_is_refused(postgres_server: PostgresServer) -> None:
    name = postgres_server.new_database()
    postgres_server.run(f"CREATE ROLE reader_of_{name} LOGIN")
    with pytest.raises(StartRefused, match="permission denied"):
        PostgresDatabase(postgres_server.url(name, user=f"reader_of_{name}"))


def test_database_of_a_newer_disgram_is_refused_and_left(
    postgres_server: PostgresServer, postgres_url: str
) -> None:
    name = postgres_url.split("/")[3].split("?")[0]
    postgres_server.run("UPDATE schema_version SET version = version + 1", name)
    with pytest.raises(DatabaseTooNew, match="newer Disgram"):
        PostgresDatabase(postgres_url)


def test_database_with_another_encoding_is_refused(postgres_server: PostgresServer) -> None:
    postgres_server.run("CREATE DATABASE latin ENCODING 'LATIN1' LOCALE 'C' TEMPLATE template0")
    with pytest.raises(StartRefused, match="LATIN1; it must be UTF8"):
        PostgresDatabase(postgres_server.url("latin"))


def test_hosts_that_start_at_once_migrate_once(postgres_server: PostgresServer) -> None:
    url = postgres_server.url(postgres_server.new_database())
    found: list[str] = []

    def start() -> None:
        with closing(PostgresDatabase(url)) as database:
            found.append(database.file)

    threads = [threading.Thread(target=start) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 6
    assert len(set(found)) == 1


def test_later_migration_runs_over_the_rows_of_an_earlier_one(
    database: PostgresDatabase, postgres_url: str
) -> None:
    put(database, "one")
    added = (*MIGRATIONS, ("ALTER TABLE guild ADD COLUMN name TEXT NOT NULL DEFAULT 'x'",))
    with closing(PostgresDatabase(postgres_url, added)) as newer, newer.reading() as run:
        assert run.execute("SELECT webhook_id, name FROM guild").fetchall() == [("one", "x")]
    with pytest.raises(DatabaseTooNew):
        PostgresDatabase(postgres_url)
