"""What only PostgreSQL's ledger does: writes are refused under an old epoch, and its tables are SQLite's."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

pytest.importorskip("psycopg")

from disgram.errors import LeaseLost
from disgram.hosts.shared.jobs_table import JobsTable
from disgram.jobs.job import Job
from disgram.post import PostSlice
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.ledger import PostgresLedger, begin_anew
from disgram.storage import schema
from disgram.storage.channel_ledger import ChannelLedger, MessageRow, PostRow
from disgram.storage.channel_source import TABLES_OF_CHANNEL
from disgram.storage.destinations import GoneRow
from disgram.storage.sqlite import Database
from tests.builders.leases import claim

DONE = PostRow(5, 5, "sent", "print", "shape")


@pytest.fixture
def ledger(database: PostgresDatabase) -> PostgresLedger:
    return PostgresLedger(database)


WRITES: list[Callable[[ChannelLedger], object]] = [
    lambda rows: rows.begin(1, None),
    lambda rows: rows.advance(9),
    lambda rows: rows.put_message(5, MessageRow(0, "attempting")),
    lambda rows: rows.put_message(5, MessageRow(0, "sent")),
    lambda rows: rows.drop_message(5, 0),
    lambda rows: rows.finish(DONE),
    lambda rows: rows.fail(DONE, "no", "[]"),
    lambda rows: rows.leave_out(DONE, "rule"),
    lambda rows: rows.take_back(1),
    lambda rows: rows.forget_last_post(5, 6),
    lambda rows: rows.deleted(5),
    lambda rows: rows.add_gap(1, 2),
    lambda rows: rows.close_gap(1),
    lambda rows: rows.put_guild("webhook", "guild"),
    lambda rows: rows.source.found_empty(),
    lambda rows: rows.source.put_channel_id(1),
    lambda rows: rows.source.mark_replaced(),
    lambda rows: rows.source.begin_anew(),
    lambda rows: rows.source.missing.begin(5, 1.0),
    lambda rows: rows.source.missing.put_state(5, "removed"),
    lambda rows: rows.source.missing.forget(5),
    lambda rows: rows.history.seen([PostSlice(9, (9,), "", "print")], 0),
    lambda rows: rows.destinations.mark_gone(GoneRow("webhook", "webhook_gone", 1, 0.0)),
    lambda rows: rows.destinations.claim_asking(GoneRow("webhook", "webhook_gone", 1, 0.0), 1.0),
    lambda rows: rows.destinations.claim_daily("webhook", None, 1.0),
    lambda rows: rows.destinations.accepts_again("webhook"),
]


def test_every_late_write_under_an_old_epoch_is_refused(
    database: PostgresDatabase, ledger: PostgresLedger
) -> None:
    late = ledger.fenced("job", "C", claim(database, "a"))
    late.begin(4, None)
    now = ledger.fenced("job", "c", claim(database, "b"))
    for write in WRITES:
        with pytest.raises(LeaseLost, match="worker:job/c"):
            write(late)
    assert now.progress() == (4, None)
    now.finish(DONE)
    assert late.progress() == (5, None)


def test_every_write_under_the_newest_epoch_is_done(
    database: PostgresDatabase, ledger: PostgresLedger
) -> None:
    rows = ledger.fenced("job", "c", claim(database, "a"))
    for write in WRITES:
        write(rows)


def test_claim_waits_for_the_write_that_has_begun(database: PostgresDatabase, ledger: PostgresLedger) -> None:
    rows, claimed = ledger.fenced("job", "c", claim(database, "a")), threading.Event()

    def take_over() -> None:
        claim(database, "b")
        claimed.set()

    taking = threading.Thread(target=take_over)
    with rows._database.transaction():
        taking.start()
        assert not claimed.wait(0.1)
    taking.join(5)
    assert claimed.is_set()
    with pytest.raises(LeaseLost):
        rows.finish(DONE)


def test_late_write_brings_no_row_of_a_deleted_job_back(
    database: PostgresDatabase, ledger: PostgresLedger
) -> None:
    epoch, other = claim(database, "a"), claim(database, "a", "job/longer", "c")
    private = claim(database, "a", "job", "c/123")
    ledger.fenced("job", "c", epoch).begin(4, None)
    ledger.delete_job("job")
    for channel, held in (("c", epoch), ("c/123", private)):
        with pytest.raises(LeaseLost):
            ledger.fenced("job", channel, held).begin(9, None)
    assert ledger.of("job", "c").progress() is None
    ledger.fenced("job/longer", "c", other).begin(1, None)


@pytest.mark.parametrize("made_anew_before", [False, True])
def test_late_deletion_leaves_the_progress_of_a_job_that_was_made_anew(
    database: PostgresDatabase, ledger: PostgresLedger, made_anew_before: bool
) -> None:
    old = claim(database, "a")
    ledger.fenced("job", "c", old).begin(4, None)
    if not made_anew_before:
        ledger.delete_job("job")
    make_job(database, "job")
    assert ledger.of("job", "c").progress() is None
    with pytest.raises(LeaseLost):
        ledger.fenced("job", "c", old).advance(9)
    ledger.fenced("job", "c", claim(database, "b")).begin(7, None)
    ledger.delete_job("job")
    assert ledger.of("job", "c").progress() == (7, None)


def test_deletion_waits_for_a_job_that_is_being_made(
    database: PostgresDatabase, ledger: PostgresLedger
) -> None:
    deleting = threading.Thread(target=ledger.delete_job, args=["job"])
    with database.transaction() as run:
        run.execute("INSERT INTO job (name, fields) VALUES ('job', '{}')")
        deleting.start()
        deleting.join(0.2)
        assert deleting.is_alive()
        ledger.of("job", "c").begin(7, None)
    deleting.join(5)
    assert ledger.of("job", "c").progress() == (7, None)


def make_job(database: PostgresDatabase, name: str) -> None:
    table = JobsTable(database, begin_anew=begin_anew)
    fields = {
        "webhookUrl": "https://discord.com/api/webhooks/1/aToken",
        "telegramChannels": ["https://t.me/durov"],
    }
    table.store({name: Job.parse({"jobName": name, **fields})})


def test_postgresql_has_the_columns_of_the_sqlite_ledger(database: PostgresDatabase, tmp_path: Path) -> None:
    left_out = {"imported", "log_position"}
    file = Database(tmp_path / "disgram.db", schema.LEDGER, durable=False)
    with file.reading() as run:
        tables = {name for (name,) in run.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        wanted = {
            table: {row[1] for row in run.execute(f"PRAGMA table_info({table})")}
            for table in tables - left_out
        }
    query = "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = 'public'"
    with database.reading() as run:
        found: dict[str, set[str]] = {}
        for table, column in run.execute(query):
            found.setdefault(table, set()).add(column)
    assert {table: found.get(table) for table in wanted} == wanted
    assert set(TABLES_OF_CHANNEL) <= set(wanted)
