"""What a service says and does when a database is lost while it runs."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from disgram.errors import StorageUnavailable
from disgram.report import Level
from disgram.storage.channel_ledger import MessageRow
from disgram.storage.ledger import Ledger
from disgram.storage.rate_limits import LimitStore
from disgram.storage.watched_files import WatchedFiles, open_limits

SENDING = MessageRow(0, "attempting")


class Bench:
    """A service's two databases and what it logs; `working` is whether a worker process is left."""

    def __init__(self, folder: Path) -> None:
        self.lines: list[tuple[Level, str]] = []
        self.working, self.now = False, 0.0
        self.ledger_path, self.limits_path = folder / "disgram.db", folder / "limits.db"
        self.ledger = Ledger(self.ledger_path)
        self.limits = open_limits(self.limits_path, self.write)
        self.files = WatchedFiles(
            self.ledger, self.limits, lambda: not self.working, self.write, clock=lambda: self.now
        )

    def write(self, level: Level, text: str) -> None:
        self.lines.append((level, text))

    def look(self) -> bool:
        """After an interval."""
        self.now += 30
        return self.files.workers_may_run()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_files_in_their_place_are_not_mentioned(bench: Bench) -> None:
    assert [bench.look() for _ in range(3)] == [True, True, True]
    assert (bench.lines, bench.files.problems()) == ([], ())


# --- disgram.db ---


def another_file(path: Path) -> None:
    path.rename(path.with_name("old.db"))
    Ledger(path).close()


def a_folder(path: Path) -> None:
    path.rename(path.with_name("old.db"))
    path.mkdir()


LOSSES = pytest.mark.parametrize(
    ("lose", "how"),
    [
        pytest.param(lambda path: path.unlink(), "removed", id="removed"),
        pytest.param(lambda path: path.write_bytes(b""), "emptied", id="emptied"),
        pytest.param(another_file, "replaced by another file", id="replaced"),
        pytest.param(a_folder, "replaced by a folder", id="folder"),
    ],
)


@LOSSES
def test_lost_ledger_is_said_once_and_is_a_problem(
    bench: Bench, lose: Callable[[Path], None], how: str
) -> None:
    lose(bench.ledger_path)
    assert bench.look()
    assert bench.look()
    ((level, text),) = bench.lines
    assert level is Level.ERROR
    assert text.startswith(f"disgram.db was {how} while Disgram runs. Nothing is sent until")
    assert bench.files.problems() == (text,)


@LOSSES
def test_worker_neither_starts_nor_sends_on_another_ledger_than_its_services(
    bench: Bench, lose: Callable[[Path], None], how: str
) -> None:
    running = Ledger(bench.ledger_path, file=bench.ledger.file).of("job", "channel")
    running.put_message(1, SENDING)
    lose(bench.ledger_path)
    before = sorted(bench.ledger_path.parent.iterdir())
    with pytest.raises(StorageUnavailable, match=f"disgram.db: the file was {how}"):
        Ledger(bench.ledger_path, file=bench.ledger.file)
    with pytest.raises(StorageUnavailable, match=f"disgram.db: the file was {how}"):
        running.put_message(2, SENDING)
    with pytest.raises(StorageUnavailable, match=f"disgram.db: the file was {how}"):
        running.raise_if_lost()
    assert sorted(bench.ledger_path.parent.iterdir()) == before


def test_confirmed_message_is_written_down_though_the_ledger_was_moved(bench: Bench) -> None:
    running = Ledger(bench.ledger_path, file=bench.ledger.file).of("job", "channel")
    running.put_message(1, SENDING)
    away = bench.ledger_path.rename(bench.ledger_path.with_name("away.db"))
    running.put_message(1, SENDING._replace(state="sent", message_id="7"))
    away.rename(bench.ledger_path)
    assert running.messages(1)[0].message_id == "7"


def test_ledger_that_is_put_back_is_used_again(bench: Bench) -> None:
    away = bench.ledger_path.rename(bench.ledger_path.with_name("away.db"))
    bench.look()
    away.rename(bench.ledger_path)
    assert bench.look()
    assert bench.lines[-1] == (Level.STATUS, "disgram.db is back in its place")
    assert bench.files.problems() == ()
    Ledger(bench.ledger_path, file=bench.ledger.file).of("job", "channel").put_message(1, SENDING)


def test_worker_does_not_bring_a_ledger_to_the_newest_version(tmp_path: Path) -> None:
    """An empty database under the service's own file: what a copy over it leaves."""
    path = tmp_path / "disgram.db"
    Ledger(tmp_path / "other.db").close()
    path.write_bytes((tmp_path / "other.db").read_bytes()[:96].ljust(100, b"\0"))
    found = path.stat()
    with pytest.raises(StorageUnavailable, match=r"disgram\.db"):
        Ledger(path, file=f"{found.st_dev}:{found.st_ino}")


# --- limits.db ---


def damaged(path: Path) -> None:
    """As whoever opens it finds it, even if others have it open: nothing of it is in the WAL."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)


def with_another_wal(path: Path) -> None:
    path.with_name("limits.db-wal").write_bytes(b"\xa5" * 8192)


def without_tables(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("DROP TABLE boot")


LIMIT_LOSSES = pytest.mark.parametrize(
    ("lose", "how", "renamed"),
    [
        pytest.param(damaged, "damaged", True, id="damaged"),
        pytest.param(with_another_wal, "damaged", True, id="WAL"),
        pytest.param(without_tables, "damaged", True, id="tables"),
        pytest.param(lambda path: path.unlink(), "removed", False, id="removed"),
        pytest.param(lambda path: path.write_bytes(b""), "emptied", True, id="emptied"),
        pytest.param(a_folder, "replaced by a folder", True, id="folder"),
        pytest.param(another_file, "replaced by another file", True, id="replaced"),
    ],
)


@LIMIT_LOSSES
def test_lost_limits_are_made_anew_once_all_workers_have_stopped(
    bench: Bench, lose: Callable[[Path], None], how: str, renamed: bool
) -> None:
    bench.working = True
    lose(bench.limits_path)
    assert not bench.look()
    assert bench.files.problems() == (f"limits.db was {how}. All workers stop, and it is made anew",)
    assert bench.lines == []
    bench.working = False
    assert bench.look()
    assert bench.files.problems() == ()
    where = "It was renamed to limits.db.damaged and" if renamed else "Now"
    assert bench.lines == [(Level.ERROR, f"limits.db was {how}. {where} a new one is used.")]
    worker = LimitStore(bench.limits_path, create=False)
    with worker.transaction() as rows:
        rows.put_next_turn("telegram", 5.0)
    with bench.limits.reading() as rows:
        assert rows.next_turn("telegram") == 5.0
    assert bench.look()
    assert len(bench.lines) == 1


@pytest.mark.parametrize(
    "lose", [Path.unlink, lambda path: path.write_bytes(b"")], ids=["removed", "emptied"]
)
def test_worker_makes_no_limits_of_its_own(bench: Bench, lose: Callable[[Path], None]) -> None:
    lose(bench.limits_path)
    with pytest.raises(StorageUnavailable, match=r"limits\.db: the file was (removed|emptied)"):
        LimitStore(bench.limits_path, create=False)
    assert not bench.limits_path.exists() or not bench.limits_path.stat().st_size


def test_limits_that_cannot_be_made_anew_are_said_once_and_tried_again(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir()
    bench = Bench(folder)
    folder.rename(tmp_path / "away")
    folder.write_text("in the way")
    bench.files = WatchedFiles(
        Ledger(tmp_path / "disgram.db"), bench.limits, lambda: True, bench.write, clock=lambda: bench.now
    )
    assert [bench.look(), bench.look()] == [False, False]
    ((_, text),) = bench.lines
    assert text.startswith("limits.db was removed and cannot be made anew, so nothing is sent: limits.db")
    assert bench.files.problems() == (text,)
    folder.unlink()
    (tmp_path / "away").rename(folder)
    assert bench.look()
    assert bench.files.problems() == ()


def test_limits_are_looked_at_once_an_interval(bench: Bench) -> None:
    bench.look()
    damaged(bench.limits_path)
    bench.now += 29
    assert bench.files.workers_may_run()
    assert bench.lines == []
    bench.now += 1
    assert bench.files.workers_may_run()
    assert len(bench.lines) == 1
