"""Database: transactions are atomic and exclusive, and SQLite's errors become ours."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import threading
from contextlib import closing
from pathlib import Path

import pytest

from disgram.errors import StorageUnavailable
from disgram.storage import sqlite as storage
from disgram.storage.sqlite import Database
from tests.integrity import integrity

WORDS = (("CREATE TABLE IF NOT EXISTS word (text TEXT)",),)


def words(database: Database) -> list[str]:
    with database.reading() as run:
        return [row[0] for row in run.execute("SELECT text FROM word")]


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return Database(tmp_path / "words.db", WORDS, durable=True)


def test_failed_transaction_is_rolled_back_and_releases_its_lock(tmp_path: Path, database: Database) -> None:
    with pytest.raises(KeyError), database.transaction() as run:
        run.execute("INSERT INTO word VALUES ('half')")
        raise KeyError
    other = Database(database.path, WORDS, durable=True)
    with other.transaction() as run:
        run.execute("INSERT INTO word VALUES ('whole')")
    assert words(database) == ["whole"]


def test_opening_a_new_file_waits_for_another_writer(tmp_path: Path) -> None:
    path = tmp_path / "words.db"
    with closing(sqlite3.connect(path, isolation_level=None, check_same_thread=False)) as other:
        other.execute("BEGIN IMMEDIATE")
        other.execute("CREATE TABLE number (value INTEGER)")
        release = threading.Timer(0.05, other.execute, ("COMMIT",))
        release.start()
        database = Database(path, WORDS, durable=True)
        release.join()
    assert words(database) == []
    database.close()


def test_opening_a_new_file_fails_when_another_writer_takes_too_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.05)
    path = tmp_path / "words.db"
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable, match="locked"):
            Database(path, WORDS, durable=True)


def test_failed_opening_keeps_the_locks_of_this_process(database: Database) -> None:
    """POSIX locks end with the first descriptor that is closed, whoever opened it."""
    probe = (
        "import sqlite3, sys\n"
        "other = sqlite3.connect(sys.argv[1], timeout=0, isolation_level=None)\n"
        "try: other.execute('BEGIN IMMEDIATE')\n"
        "except sqlite3.OperationalError as error: print(error)\n"
    )
    with closing(sqlite3.connect(database.path.with_name("plain.db"), isolation_level=None)) as plain:
        plain.execute("CREATE TABLE number (value INTEGER)")
        plain.execute("BEGIN IMMEDIATE")
        with pytest.raises(StorageUnavailable), pytest.MonkeyPatch.context() as patch:
            patch.setattr(storage, "BUSY_SECONDS", 0.0)
            Database(database.path.with_name("plain.db"), WORDS, durable=True)
        probed = subprocess.run(
            [sys.executable, "-c", probe, str(database.path.with_name("plain.db"))],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
    assert "locked" in probed.stdout


def test_full_disk_raises_storage_unavailable_until_there_is_room(database: Database) -> None:
    with database.transaction() as run:
        run.execute("PRAGMA max_page_count=2")
    with pytest.raises(StorageUnavailable, match=r"words\.db"), database.transaction() as run:
        for _ in range(100):
            run.execute("INSERT INTO word VALUES (?)", ("x" * 1000,))
    assert words(database) == []
    database._connection.execute("PRAGMA max_page_count=1000")
    with database.transaction() as run:
        run.execute("INSERT INTO word VALUES ('again')")
    assert words(database) == ["again"]


def test_transaction_fails_when_another_one_takes_too_long(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.05)
    other = Database(database.path, WORDS, durable=False)
    with (
        database.transaction(),
        pytest.raises(StorageUnavailable, match="locked"),
        other.transaction(),
    ):
        pass
    assert words(other) == []


def test_file_that_is_no_database_is_refused_and_unchanged(tmp_path: Path) -> None:
    path = tmp_path / "words.db"
    path.write_text("not a database, but long enough to be looked at")
    with pytest.raises(StorageUnavailable, match=r"words\.db"):
        Database(path, WORDS, durable=True)
    assert path.read_text() == "not a database, but long enough to be looked at"


def test_database_in_a_missing_folder_raises_storage_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable):
        Database(tmp_path / "nowhere" / "words.db", WORDS, durable=True)


def test_new_database_is_sound_and_in_wal_mode(database: Database) -> None:
    assert integrity(database.path) == "ok"
    with closing(sqlite3.connect(database.path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)


def test_opening_a_current_file_does_not_wait_for_a_writer(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storage, "BUSY_SECONDS", 0.05)
    with database.transaction():
        assert words(Database(database.path, WORDS, durable=True)) == []
