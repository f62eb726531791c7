"""Databases of earlier versions, opened by this one: every piece of progress must still be there.

data/ holds files that the released program of that version wrote, checkpointed, in WAL mode. The rows of
`disgram-*.db` are: a post of one message, an album in two, a failed post, one to be retried, one that was
gone from Telegram when it was retried, a half-sent post, a gap, an import, a webhook that is gone, a guild.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
import stat
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from threading import Barrier

import pytest

from disgram.delivery.shape import Shape
from disgram.discord.render import Fallback
from disgram.errors import DatabaseTooNew, StorageUnavailable
from disgram.post import MediaFile
from disgram.storage import schema
from disgram.storage.channel_ledger import MessageRow
from disgram.storage.ledger import Ledger
from disgram.storage.rate_limits import LimitStore
from disgram.storage.sqlite import Database
from tests.builders.integrity import integrity

DATA = Path(__file__).parent / "data"
RELEASED = ["3.0.0"]
"""Every version whose schema differs from the one before it."""


def stored(folder: Path, name: str, user_version: int | None = None) -> Path:
    """A copy of a stored database, perhaps with another number in its header."""
    path = folder / name.partition("-")[0]
    path = path.with_suffix(".db")
    shutil.copy(DATA / name, path)
    if user_version is not None:
        with closing(sqlite3.connect(path)) as connection:
            connection.execute(f"PRAGMA user_version={user_version}")
    return path


def user_version(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return int(connection.execute("PRAGMA user_version").fetchone()[0])


def tables(path: Path) -> list[tuple[str, str]]:
    """Table and column of everything in the file, whatever statements made it."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(
            "SELECT entry.name, field.name || ' ' || field.type || ' ' || field.pk "
            "FROM sqlite_master AS entry, pragma_table_info(entry.name) AS field ORDER BY 1, 2"
        ).fetchall()


@pytest.fixture(params=[*RELEASED, "without a version"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """disgram.db of each earlier version."""
    if request.param == "without a version":  # before 3.0.0 wrote one, with the same tables
        return stored(tmp_path, "disgram-3.0.0.db", user_version=0)
    return stored(tmp_path, f"disgram-{request.param}.db")


def test_stored_databases_are_in_wal_mode_with_their_own_version(tmp_path: Path) -> None:
    path = stored(tmp_path, "disgram-3.0.0.db")
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert user_version(path) == 1058235367
    assert user_version(stored(tmp_path, "limits-3.0.0.db")) == 756171998


def test_migrated_database_equals_a_new_one(path: Path, tmp_path: Path) -> None:
    Ledger(path).close()
    Ledger(tmp_path / "new.db").close()
    assert tables(path) == tables(tmp_path / "new.db")
    assert user_version(path) == user_version(tmp_path / "new.db") == len(schema.LEDGER)
    assert integrity(path) == "ok"


def test_progress_survives_the_migration(path: Path) -> None:
    ledger = Ledger(path)
    assert ledger.of("news", "durov").progress() == (149 - 1, 100)
    assert ledger.of("other", "durov").progress() == (21, None)
    assert ledger.of("news", "durov").gaps() == [(121, 130)]


def test_imported_progress_survives_the_migration_for_the_jobs_there_are(path: Path, tmp_path: Path) -> None:
    ledger = Ledger(path)
    assert ledger.import_log(tmp_path / "Disgram.log", {"new job": ["durov", "older_channel"]}) == 2
    assert ledger.of("new job", "durov").imported() == 140
    assert ledger.of("new job", "older_channel").imported() == 7
    assert ledger.of("later", "durov").imported() is None


def test_sent_posts_and_albums_survive_the_migration(path: Path) -> None:
    rows = Ledger(path).of("news", "durov")
    assert [(row.post_id, row.last_id, row.state) for row in rows.posts_from(141)] == [
        (141, 141, "sent"), (142, 145, "sent"), (146, 146, "failed"), (147, 147, "retry"),
        (148, 148, "deleted"),
    ]  # fmt: skip
    album = rows.post(142)
    assert album is not None
    assert album.fingerprint == "f142"
    assert Shape.decode(album.shape) == Shape(
        Fallback.LINKS, ("PHOTO a.jpg", "VIDEO b.mp4"), {0: MediaFile(12345, "image/jpeg")}
    )
    assert rows.messages(142) == [
        MessageRow(0, "sent", "1002", "77", "d142a", '["a.jpg"]', '{"content": "a"}'),
        MessageRow(1, "sent", "1003", "77", "d142b", '["b.mp4"]', '{"content": "b"}'),
    ]


def test_half_sent_post_survives_the_migration(path: Path) -> None:
    rows = Ledger(path).of("news", "durov")
    assert rows.post(149) is None
    assert rows.messages(149) == [
        MessageRow(0, "sent", "1004", "77", "d149a", "[]"),
        MessageRow(1, "attempting", digest="d149b", files='["c.jpg"]'),
    ]


def test_failed_posts_survive_the_migration_with_their_payload(path: Path) -> None:
    ledger = Ledger(path)
    rows = ledger.of("news", "durov")
    assert [(post["post_id"], post["reason"], post["payload"]) for post in ledger.failed()] == [
        (146, "400 Invalid Form Body", '[{"content": "x"}]'),
        (147, "400 Invalid Form Body", '[{"content": "y"}]'),
    ]
    assert rows.to_retry() == [147]
    assert ledger.retry("news", 146) == 1
    assert [rows.messages(post_id) for post_id in (146, 147, 148)] == [[], [], []]


def test_gone_webhooks_and_guilds_survive_the_migration(path: Path) -> None:
    rows = Ledger(path).of("news", "durov")
    (gone,) = rows.destinations.gone("https://discord.com/api/webhooks/9")
    assert (gone.reason, gone.ask_at) == ("webhook_gone", 0.0)  # asked again at once
    assert rows.guild("1") == "55"


def test_only_the_owner_may_read_a_migrated_database(path: Path) -> None:
    path.chmod(0o600)
    Ledger(path)
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_database_with_some_of_its_first_tables_is_completed(tmp_path: Path) -> None:
    path = tmp_path / "disgram.db"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(schema.LEDGER[0][0])
        connection.execute("INSERT INTO progress (job, channel, last_id) VALUES ('news', 'durov', 9)")
        connection.commit()
    assert Ledger(path).of("news", "durov").progress() == (9, None)
    assert user_version(path) == len(schema.LEDGER)


def test_of_many_that_open_an_old_database_one_migrates(path: Path) -> None:
    together = Barrier(8)

    def migrate(_: int) -> list[int]:
        together.wait()
        return Ledger(path).of("news", "durov").to_retry()

    with ThreadPoolExecutor(8) as threads:
        assert list(threads.map(migrate, range(8))) == [[147]] * 8
    assert user_version(path) == len(schema.LEDGER)


def test_disgram_3_0_0_refuses_a_migrated_database(path: Path) -> None:
    """It would otherwise make empty tables of the old names, and send every post again."""
    Ledger(path).close()
    old_schema = "; ".join(schema.LEDGER[0])
    with closing(sqlite3.connect(path)) as old, pytest.raises(sqlite3.OperationalError, match="post"):
        old.executescript(f"BEGIN IMMEDIATE; {old_schema}; PRAGMA user_version=1058235367; COMMIT;")
    assert Ledger(path).of("news", "durov").to_retry() == [147]


def test_database_of_a_newer_disgram_is_refused_and_left_alone(tmp_path: Path) -> None:
    path = stored(tmp_path, "disgram-3.0.0.db", user_version=len(schema.LEDGER) + 1)
    before = path.read_bytes()
    with pytest.raises(DatabaseTooNew, match=r"/disgram\.db was written by a newer Disgram"):
        Ledger(path)
    assert path.read_bytes() == before


def test_limits_of_a_newer_disgram_are_refused(tmp_path: Path) -> None:
    path = stored(tmp_path, "limits-3.0.0.db", user_version=len(schema.RATE_LIMITS) + 1)
    with pytest.raises(DatabaseTooNew, match=r"/limits\.db was written by a newer Disgram"):
        LimitStore(path)


def test_limits_of_an_earlier_version_are_migrated(tmp_path: Path) -> None:
    path = stored(tmp_path, "limits-3.0.0.db")
    with LimitStore(path, boot="fixture").reading() as rows:
        known = rows.bucket("hash:1")
        assert known is not None
        assert (known.size, known.remaining) == (5, 4)
        assert rows.resolve("POST:1") == "hash:1"
        assert len(rows.done_since("channel:77", 0.0)) == 1
        assert [request.channel_bucket for request in rows.of_owner("news/durov")] == ["channel:77"]
    LimitStore(tmp_path / "new.db", boot="fixture").close()
    assert tables(path) == tables(tmp_path / "new.db")


@pytest.mark.parametrize(("number", "fallback"), [(0, "files"), (1, "links"), (2, "text"), (3, "link_only")])
def test_shape_stored_by_number_is_read_and_stored_by_name(number: int, fallback: str) -> None:
    shape = Shape.decode(f'[{number}, ["PHOTO a.jpg"], {{"0": [5, "image/jpeg"]}}]')
    assert json.loads(shape.encode()) == {
        "fallback": fallback,
        "media": ["PHOTO a.jpg"],
        "fetched": {"0": {"size": 5, "content_type": "image/jpeg"}},
        "link_buttons": False,
        "has_buttons": False,
    }
    assert Shape.decode(shape.encode()) == shape


# --- the machinery, over tables of its own ------------------------------------------------------

ONE = ("CREATE TABLE IF NOT EXISTS word (text TEXT)",)
TWO = ("ALTER TABLE word RENAME TO term", "INSERT INTO term (text) VALUES ('two')")


def words(path: Path, migrations: Sequence[Sequence[str]]) -> list[str]:
    database = Database(path, migrations, durable=False)
    with database.reading() as run:
        found = [str(row[0]) for row in run.execute("SELECT text FROM term")]
    database.close()
    return found


def test_each_migration_runs_once(tmp_path: Path) -> None:
    path = tmp_path / "words.db"
    Database(path, (ONE,), durable=False).close()
    assert user_version(path) == 1
    assert words(path, (ONE, TWO)) == words(path, (ONE, TWO)) == ["two"]
    assert user_version(path) == 2


def test_migration_that_fails_changes_nothing_and_is_tried_again(tmp_path: Path) -> None:
    path = tmp_path / "words.db"
    Database(path, (ONE,), durable=False).close()
    before = tables(path)
    with pytest.raises(StorageUnavailable, match=r"words\.db: no such table: nowhere"):
        Database(path, (ONE, (*TWO, "INSERT INTO nowhere VALUES (1)")), durable=False)
    assert (tables(path), user_version(path)) == (before, 1)
    assert words(path, (ONE, TWO)) == ["two"]
