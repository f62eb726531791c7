"""The jobs of all hosts in one table: each host sees what the others do, and no change overwrites another."""

from __future__ import annotations

from contextlib import closing
from typing import Any, NamedTuple

import pytest

pytest.importorskip("psycopg")

from disgram.errors import BadInput, JobExists, StartRefused, StorageUnavailable, UnknownJob
from disgram.hosts.shared.jobs_table import JobsTable
from disgram.jobs.job import Job
from disgram.postgres.database import PostgresDatabase
from disgram.storage.files.hand_edits import Edit
from jobs import JobManager
from standins.postgres import PostgresServer
from standins.stage import eventually

URL = "https://discord.com/api/webhooks/123/aToken"


class Host(NamedTuple):
    jobs: JobManager
    table: JobsTable


def job(name: str = "news", **changes: Any) -> Job:
    fields: dict[str, Any] = {"jobName": name, "webhookUrl": URL, "telegramChannels": ("https://t.me/durov",)}
    return Job.parse(fields | changes)


def host(database: PostgresDatabase) -> Host:
    table = JobsTable(database)
    found = Host(JobManager(table), table)
    found.jobs.load()
    return found


@pytest.fixture
def north(database: PostgresDatabase) -> Host:
    return host(database)


@pytest.fixture
def south(database: PostgresDatabase) -> Host:
    return host(database)


def create(where: Host, *jobs: Job) -> None:
    with where.jobs.exclusive(*(one.jobName for one in jobs)):
        where.jobs.put(jobs)


def test_jobs_of_one_host_are_those_of_the_other_in_the_order_of_creation(north: Host, south: Host) -> None:
    names = ["zulu", "alpha", "mike"]
    for name in names:
        create(north, job(name))
    create(north, *(job(name) for name in ("yankee", "bravo")))
    assert south.jobs.jobs() == {}
    assert south.table.refresh()
    assert list(south.jobs.jobs()) == list(north.jobs.jobs()) == [*names, "yankee", "bravo"]
    assert south.jobs.get("mike") == job("mike")
    assert not south.table.refresh()
    assert not north.table.refresh()


def test_host_that_starts_later_has_the_jobs_and_takes_none_for_changed(
    north: Host, database: PostgresDatabase
) -> None:
    create(north, job())
    later = host(database)
    assert later.jobs.jobs() == north.jobs.jobs()
    assert later.jobs.take_over_edits() == []


def test_what_another_host_has_changed_is_told_once(north: Host, south: Host) -> None:
    for name in ("kept", "changed", "removed"):
        create(north, job(name))
    south.table.refresh()
    assert south.jobs.take_over_edits() == [Edit(("kept", "changed", "removed"))]
    with north.jobs.exclusive("changed"):
        north.jobs.change(job("changed", threadId="7"))
    with north.jobs.exclusive("removed"):
        north.jobs.remove("removed")
    south.table.refresh()
    assert south.jobs.take_over_edits() == [Edit(("changed",), ("removed",))]
    assert south.jobs.take_over_edits() == []
    assert south.jobs.get("changed").threadId == "7"
    assert north.jobs.take_over_edits() == []


def test_a_change_is_of_what_another_host_has_made_of_the_job(north: Host, south: Host) -> None:
    create(north, job())
    with south.jobs.exclusive("news"):
        south.jobs.change(south.jobs.get("news").changed({"threadId": "7"}))
    with north.jobs.exclusive("news"):
        north.jobs.change(north.jobs.get("news").changed({"embedColor": "89a7d9"}))
    south.table.refresh()
    assert south.jobs.get("news") == job(threadId="7", embedColor="89a7d9")


@pytest.mark.parametrize("seen", [False, True])
def test_of_two_hosts_that_change_a_job_at_once_the_second_is_refused(
    north: Host, south: Host, seen: bool
) -> None:
    """Also if the first one's change was read meanwhile: the second was made of what the job was before."""
    create(north, job())
    with north.jobs.exclusive("news"):
        ours = north.jobs.get("news").changed({"embedColor": "89a7d9"})
        with south.jobs.exclusive("news"):
            south.jobs.change(south.jobs.get("news").changed({"threadId": "7"}))
        if seen:
            north.table.refresh()
        with pytest.raises(StorageUnavailable, match="changed through another host"):
            north.jobs.change(ours)
    north.table.refresh()
    assert north.jobs.get("news") == job(threadId="7")


def test_job_that_another_host_changes_meanwhile_is_not_removed(north: Host, south: Host) -> None:
    create(north, job())
    with north.jobs.exclusive("news"):
        with south.jobs.exclusive("news"):
            south.jobs.change(job(threadId="7"))
        with pytest.raises(StorageUnavailable, match="changed through another host"):
            north.jobs.remove("news")
    south.table.refresh()
    assert south.jobs.get("news") == job(threadId="7")


def test_name_that_another_host_takes_meanwhile_is_taken(north: Host, south: Host) -> None:
    with north.jobs.exclusive("news"):
        create(south, job(threadId="7"))
        with pytest.raises(JobExists, match="'news'"):
            north.jobs.create(job())
    north.table.refresh()
    assert north.jobs.get("news").threadId == "7"


def test_many_jobs_are_stored_all_or_none(north: Host, south: Host) -> None:
    with north.jobs.exclusive("one", "two"):
        create(south, job("two"))
        with pytest.raises(JobExists):
            north.jobs.put([job("one"), job("two")])
    south.table.refresh()
    assert list(south.jobs.jobs()) == ["two"]


def test_change_of_a_job_that_is_gone_is_unknown(north: Host, south: Host) -> None:
    create(north, job())
    with south.jobs.exclusive("news"):
        south.jobs.remove("news")
    with north.jobs.exclusive("news"), pytest.raises(UnknownJob):
        north.jobs.get("news")


def test_other_jobs_changed_meanwhile_stay_as_another_host_left_them(north: Host, south: Host) -> None:
    create(north, job("one"), job("two"))
    with north.jobs.exclusive("one"):
        with south.jobs.exclusive("two"):
            south.jobs.remove("two")
        create(south, job("three"))
        north.jobs.change(job("one", threadId="7"))
    for where in (north, south):
        where.table.refresh()
        assert list(where.jobs.jobs()) == ["one", "three"]


def test_a_change_is_told_in_its_own_transaction(database: PostgresDatabase) -> None:
    told = []
    table = JobsTable(
        database, tell=lambda run: told.append(run.execute("SELECT COUNT(*) FROM job").fetchone())
    )
    create(Host(JobManager(table), table), job())
    assert told == [(1,)]


def test_job_that_cannot_run_stops_no_other_and_can_be_mended(
    north: Host, south: Host, database: PostgresDatabase
) -> None:
    create(north, job(), job("other"))
    with database.transaction() as run:
        run.execute(
            "UPDATE job SET fields = jsonb_set(fields, '{telegramChannels}', '[\"no channel!\"]') "
            "WHERE name = 'news'"
        )
    south.table.refresh()
    assert list(south.jobs.jobs()) == ["other"]
    assert "no channel" in str(south.jobs.entry("news").problem)  # type: ignore[union-attr]
    with south.jobs.exclusive("news"):
        south.jobs.change(south.jobs.entry("news").changed({"telegramChannels": "durov"}))
    north.table.refresh()
    assert north.jobs.get("news") == job()


def test_row_that_is_no_job_leaves_the_jobs_as_they_were(north: Host, database: PostgresDatabase) -> None:
    create(north, job())
    with database.transaction() as run:
        run.execute("INSERT INTO job (name, fields) VALUES ('odd', '[1]')")
    assert not north.table.refresh()
    assert north.jobs.jobs() == {"news": job()}
    assert "'odd'" in str(north.jobs.problem)
    with pytest.raises(StorageUnavailable, match=r"'odd'.*Until then"), north.jobs.exclusive("news"):
        pass
    with pytest.raises(StartRefused, match="'odd'"):
        host(database)
    with database.transaction() as run:
        run.execute("DELETE FROM job WHERE name = 'odd'")
    north.table.refresh()
    assert north.jobs.problem is None


@pytest.mark.parametrize("text", ["a\0b", "\\\\\0", "\ud83d"])
def test_characters_that_the_database_cannot_hold_are_refused(north: Host, text: str) -> None:
    unusable = job().model_copy(update={"include": text})
    with north.jobs.exclusive("news"), pytest.raises(BadInput, match="'news'"):
        north.jobs.create(unusable)
    assert north.jobs.jobs() == {}


def test_backslash_before_a_u_is_no_nul(north: Host, south: Host) -> None:
    create(north, job(include="\\\\u0000"))
    south.table.refresh()
    assert south.jobs.get("news").include == "\\\\u0000"


def answers(table: JobsTable) -> bool:
    try:
        table.refresh()
    except StorageUnavailable:
        return False
    return True


def test_database_out_of_reach_refuses_changes_and_hides_no_job(
    own_postgres_server: PostgresServer,
) -> None:
    with closing(PostgresDatabase(own_postgres_server.url())) as database:
        where = host(database)
        create(where, job())
        own_postgres_server.stop()
        with pytest.raises(StorageUnavailable), where.jobs.exclusive("news"):
            pass
        with pytest.raises(StorageUnavailable):
            where.jobs.change(job(threadId="7"))
        assert where.jobs.jobs() == {"news": job()}
        own_postgres_server.start()
        eventually(lambda: answers(where.table))
        with where.jobs.exclusive("news"):
            where.jobs.change(job(threadId="7"))
        assert host(database).jobs.get("news").threadId == "7"
