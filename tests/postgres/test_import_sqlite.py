"""`disgram import-sqlite`: jobs and progress move whole, into the database and back, or nothing does."""

from __future__ import annotations

import json
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("psycopg")

from commands import import_sqlite
from config import Settings, read
from disgram.errors import StorageUnavailable
from disgram.post import PostSlice
from disgram.postgres import transfer
from disgram.postgres.database import PostgresDatabase
from disgram.postgres.ledger import PostgresLedger
from disgram.storage.channel_ledger import MessageRow, PostRow
from disgram.storage.destinations import GoneRow
from disgram.storage.files.json_file import JsonFile
from disgram.storage.files.locks import LOCK_FILE
from disgram.storage.ledger import Ledger
from standins.postgres import PostgresServer

JOBS = {
    name: {"jobName": name, "webhookUrl": f"https://discord.com/api/webhooks/{number}/token-{name}",
           "telegramChannels": ["https://t.me/durov", "https://t.me/telegram/5"]}
    for number, name in enumerate(("zebra", "apple", "with / and 'quote'"), 1)
}  # fmt: skip


@pytest.fixture
def settings(tmp_path: Path, postgres_url: str) -> Settings:
    return read({"DATA_DIR": str(tmp_path / "data"), "DATABASE_URL": postgres_url, "AUTH_PASSWORD": "x" * 12})


@pytest.fixture
def folder(settings: Settings) -> Path:
    """Of an installation with jobs and progress."""
    settings.data_dir.mkdir()
    fill(settings.data_dir)
    return settings.data_dir


def fill(folder: Path) -> None:
    (folder / "jobs.json").write_text(json.dumps(JOBS))
    with closing(Ledger(folder / "disgram.db", lambda: 1_700_000_000.25)) as ledger:
        for job in JOBS:
            rows = ledger.of(job, "durov")
            rows.begin(4, 5)
            rows.history.seen([PostSlice(5, (5, 6), "", "print")], 4)
            rows.put_message(
                5, MessageRow(0, "sent", "100", "200", "d", "[]", '{"a": "\u20ac"}', "1", None, 1.5)
            )
            rows.put_message(7, MessageRow(0, "attempting", digest="a\tb\\n"))
            rows.finish(PostRow(5, 6, "sent", "print", "shape"))
            rows.fail(PostRow(6, 6, "failed", "print", "shape"), "400 Invalid", "[]")
            rows.add_gap(1, 2)
            rows.source.put_channel_id(2**40)
            rows.source.found_empty()
            rows.source.missing.begin(5, 100.5)
        (folder / "Disgram.log").write_text(
            "2025-10-04 12:00:00 [zebra] New message found: https://t.me/telegram/3\n"
        )
        ledger.import_log(folder / "Disgram.log", {"zebra": ["telegram"]})
        ledger.destinations.mark_gone(GoneRow("1/2", "webhook_gone", 3, 9.75))
        ledger.destinations.claim_daily("1", None, 5.5)
        ledger.put_guild("1", "77")


def file_rows(path: Path) -> dict[str, list[Any]]:
    with closing(sqlite3.connect(path)) as connection:
        return {
            table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr)  # noqa: S608 - ours
            for table in transfer.TABLES
        }


def moved(settings: Settings, *arguments: str) -> int:
    return import_sqlite.main(arguments, settings)


@pytest.fixture
def ledger(postgres_url: str) -> Iterator[PostgresLedger]:
    with closing(PostgresDatabase(postgres_url)) as database:
        yield PostgresLedger(database)


def jobs_of(ledger: PostgresLedger) -> list[tuple[str, Any]]:
    with ledger.database.reading() as run:
        return run.execute("SELECT name, fields FROM job ORDER BY position, id").fetchall()


def test_jobs_and_progress_move_into_the_database(
    settings: Settings, folder: Path, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert moved(settings) == 0
    said = capsys.readouterr().out
    assert "3 jobs, 3 channels, 6 posts, 6 messages, 3 gaps moved" in said
    assert "token" not in said
    assert [name for name, _ in jobs_of(ledger)] == list(JOBS)
    assert all(fields["telegramChannels"] for _, fields in jobs_of(ledger))
    assert ledger.of("zebra", "telegram").imported() == 3
    rows = ledger.of("zebra", "durov")
    assert rows.progress() == (6, 5)
    assert rows.messages(7) == [MessageRow(0, "attempting", digest="a\tb\\n")]
    assert [failed["post_id"] for failed in ledger.failed()] == [6, 6, 6]
    assert ledger.refusal("1/2") == "webhook_gone"


def test_old_files_are_set_aside_for_their_owner_alone(settings: Settings, folder: Path) -> None:
    assert moved(settings) == 0
    assert json.loads((folder / "jobs.json").read_text()) == {}
    aside = folder / "jobs.json.imported"
    assert {name: job["jobName"] for name, job in json.loads(aside.read_text()).items()} == {
        n: n for n in JOBS
    }
    assert stat.S_IMODE(aside.stat().st_mode) == 0o600
    assert (folder / "disgram.db.imported").exists()
    assert not (folder / "disgram.db").exists()


def test_moving_in_and_back_again_changes_no_row(
    settings: Settings, folder: Path, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    before = file_rows(folder / "disgram.db")
    assert moved(settings) == 0
    assert moved(settings, "--back") == 0
    assert "3 jobs, 3 channels, 6 posts, 6 messages, 3 gaps moved into" in capsys.readouterr().out
    assert file_rows(folder / "disgram.db") == before
    assert all(before.values()), "a table without rows shows nothing"
    jobs = json.loads((folder / "jobs.json").read_text())
    assert list(jobs) == list(JOBS)
    assert {name: job["webhookUrl"] for name, job in jobs.items()} == {
        name: job["webhookUrl"] for name, job in JOBS.items()
    }
    assert next(iter(next(iter(jobs.values())))) == "jobName"
    assert jobs_of(ledger) == []
    assert ledger.of("zebra", "durov").progress() is None
    assert moved(settings) == 0


def test_database_that_holds_anything_is_refused_and_nothing_changes(
    settings: Settings, folder: Path, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    ledger.of("other", "channel").begin(9, None)
    before = file_rows(folder / "disgram.db")
    assert moved(settings) == 2
    assert "holds jobs or progress already" in capsys.readouterr().err
    assert file_rows(folder / "disgram.db") == before
    assert json.loads((folder / "jobs.json").read_text()) == JOBS
    assert jobs_of(ledger) == []


def test_folder_that_holds_anything_is_refused_on_the_way_back(
    settings: Settings, folder: Path, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert moved(settings) == 0
    with closing(Ledger(folder / "disgram.db")) as file:
        file.of("job", "c").begin(1, None)
    assert moved(settings, "--back") == 2
    assert "move them away" in capsys.readouterr().err
    assert len(jobs_of(ledger)) == 3


def test_running_host_is_named_on_the_way_back(
    settings: Settings, folder: Path, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert moved(settings) == 0
    with ledger.database.transaction() as run:
        run.execute(
            "INSERT INTO host (name, incarnation, until) VALUES ('berlin', 'x', now() + interval '1 minute')"
        )
    assert moved(settings, "--back") == 2
    assert "berlin" in capsys.readouterr().err
    assert len(jobs_of(ledger)) == 3


def test_failure_in_the_middle_leaves_both_sides_as_they_were(
    settings: Settings, folder: Path, ledger: PostgresLedger, monkeypatch: pytest.MonkeyPatch,
    postgres_server: PostgresServer, capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    before = file_rows(folder / "disgram.db")
    put_jobs = transfer.put_jobs

    def put_and_lose_the_connection(*arguments: Any) -> None:
        put_jobs(*arguments)
        postgres_server.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'INSERT%'"
        )

    monkeypatch.setattr(transfer, "put_jobs", put_and_lose_the_connection)
    assert moved(settings) == 2
    assert "PostgreSQL" in capsys.readouterr().err
    assert (jobs_of(ledger), ledger.of("zebra", "durov").progress()) == ([], None)
    assert file_rows(folder / "disgram.db") == before
    assert json.loads((folder / "jobs.json").read_text()) == JOBS
    monkeypatch.undo()
    assert moved(settings) == 0


def test_jobs_that_cannot_be_written_on_the_way_back_leave_all_in_the_database(
    settings: Settings, folder: Path, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert moved(settings) == 0
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(JsonFile, "replace", refuse)
        assert moved(settings, "--back") == 2
    assert "cannot be written" in capsys.readouterr().err
    assert len(jobs_of(ledger)) == 3
    assert not any(file_rows(folder / "disgram.db").values())
    assert moved(settings, "--back") == 0


def refuse(*_: object) -> None:
    raise StorageUnavailable("jobs.json cannot be written (no space)")


def test_odd_values_of_a_file_move_as_far_as_they_can(
    settings: Settings, folder: Path, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    with closing(sqlite3.connect(folder / "disgram.db")) as other, other:
        other.execute(
            "UPDATE post SET at = 'yesterday', reason = x'61ff' WHERE job = 'zebra' AND post_id = 6"
        )
        other.execute("UPDATE post SET reason = 'a' || char(0) || 'b' WHERE job = 'apple' AND post_id = 6")
        other.execute("UPDATE post SET post_id = 'six' WHERE job LIKE 'with%' AND post_id = 6")
    assert moved(settings) == 0
    assert "5 posts" in (said := capsys.readouterr().out)
    assert "1 unreadable row left out" in said
    assert {(row["job"], row["reason"], row["at"]) for row in ledger.failed()} == {
        ("zebra", "a\ufffd", 0.0), ("apple", "a\ufffdb", 1_700_000_000.25),
    }  # fmt: skip


def test_running_service_is_refused(
    settings: Settings, folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    held = (
        "import sys; from pathlib import Path; from disgram.storage.files.locks import InstanceLock\n"
        "with InstanceLock(Path(sys.argv[1])): print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", held, str(folder / LOCK_FILE)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout
        assert other.stdin
        assert other.stdout.readline() == b"held\n"
        assert moved(settings) == 2
        other.stdin.close()
    assert str(folder) in capsys.readouterr().err
    assert moved(settings) == 0


def test_without_database_url_nothing_is_done(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert moved(read({"DATA_DIR": str(tmp_path), "AUTH_PASSWORD": "x" * 12})) == 2
    assert "DATABASE_URL is not set" in capsys.readouterr().err


def test_empty_folder_has_nothing_to_move(
    settings: Settings, ledger: PostgresLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert moved(settings) == 2
    assert "no jobs and no progress" in capsys.readouterr().err
    assert moved(settings, "--back") == 2
    assert "no jobs and no progress" in capsys.readouterr().err
