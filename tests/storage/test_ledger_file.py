"""The ledger as a SQLite file: what a poll costs, odd columns, file modes, a kill of its writer."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from disgram.api.failed_posts import shown
from disgram.errors import StorageUnavailable
from disgram.storage.channel_ledger import ChannelLedger
from disgram.storage.ledger import Ledger
from tests.builders.integrity import integrity
from tests.storage.conftest import NOW, sent


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "disgram.db", clock=lambda: NOW)


def test_queries_of_a_poll_cost_the_same_with_many_old_posts(ledger: Ledger, rows: ChannelLedger) -> None:
    """Counted in steps of SQLite's virtual machine: one query once read every post of the channel."""
    rows.begin(0, None)
    for number in (4990, 4995):
        rows.finish(sent(number))
    few = steps_of_a_poll(ledger, rows)
    for number in range(1, 500):
        rows.finish(sent(number))
    assert steps_of_a_poll(ledger, rows) == few


def steps_of_a_poll(ledger: Ledger, rows: ChannelLedger) -> list[int]:
    return [
        steps(ledger, ask)
        for ask in (
            rows.progress,
            rows.gaps,
            rows.to_retry,
            lambda: rows.destinations.gone("destination"),
            lambda: rows.post(4995),
            lambda: rows.posts_from(4980),
            lambda: ledger.retry("job"),
            lambda: ledger.retry("job", 4995),
            lambda: ledger.dismiss("job", 4995),
            ledger.failed,
        )
    ]


def steps(ledger: Ledger, ask: Callable[[], object]) -> int:
    ticks = itertools.count()
    connection = ledger._database._connection
    connection.set_progress_handler(lambda: next(ticks) < 0, 1)
    ask()
    connection.set_progress_handler(None, 0)
    return next(ticks)


@pytest.mark.parametrize(
    ("change", "column", "expected"),
    [
        ("at = 'yesterday'", "at", None),
        ("at = 9e999", "at", None),
        ("at = 1e200", "at", None),
        ("at = -1e15", "at", None),
        ("at = x'00ff'", "at", None),
        ("reason = x'61ff'", "reason", "a\ufffd"),
        ("reason = CAST(x'61ff' AS TEXT)", "reason", "a\ufffd"),
        ("reason = 7", "reason", "7"),
        ("refused_payload = x'ff'", "payload", "\ufffd"),
        ("refused_payload = NULL", "payload", None),
        ("refused_payload = '[NaN]'", "payload", "[NaN]"),
        ("refused_payload = '\"\\ud800\"'", "payload", '"\\ud800"'),
        ("refused_payload = '{\"a\": [1, null]}'", "payload", {"a": [1, None]}),
        ("channel = x'63'", "channel", "c"),
    ],
)
def test_failed_post_with_an_odd_column_is_listed_with_the_others(
    ledger: Ledger, rows: ChannelLedger, tmp_path: Path, change: str, column: str, expected: object
) -> None:
    rows.begin(0, None)
    for number in (3, 5):
        rows.fail(sent(number)._replace(state="failed"), "no", "[]")
    with sqlite3.connect(tmp_path / "disgram.db") as other:
        other.execute(f"UPDATE post SET {change} WHERE post_id = 3")  # noqa: S608 - of the list above
    other.close()
    failed = {row["post_id"]: shown(row).model_dump(mode="json") for row in ledger.failed()}
    assert failed[3][column] == expected
    assert failed[5]["at"] == "2023-11-14T22:13:20+00:00"


def test_failed_post_without_a_number_is_left_out_of_the_list(
    ledger: Ledger, rows: ChannelLedger, tmp_path: Path
) -> None:
    rows.begin(0, None)
    for number in (3, 5):
        rows.fail(sent(number)._replace(state="failed"), "no", "[]")
    with sqlite3.connect(tmp_path / "disgram.db") as other:
        other.execute("UPDATE post SET post_id = 'three' WHERE post_id = 3")
    other.close()
    assert [post["post_id"] for post in ledger.failed()] == [5]


def test_only_the_owner_may_read_the_database_files(rows: ChannelLedger, tmp_path: Path) -> None:
    rows.begin(1, None)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()}
    assert modes == dict.fromkeys(("disgram.db", "disgram.db-wal", "disgram.db-shm"), 0o600)


def test_ledger_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "disgram.db").write_text("not a database, but long enough to be looked at" * 100)
    with pytest.raises(StorageUnavailable, match=r"disgram\.db"):
        Ledger(tmp_path / "disgram.db")


def test_failed_write_of_a_post_moves_no_progress(
    ledger: Ledger, rows: ChannelLedger, tmp_path: Path
) -> None:
    rows.begin(5, None)
    with sqlite3.connect(tmp_path / "disgram.db") as other:
        other.execute("CREATE TRIGGER no BEFORE INSERT ON post BEGIN SELECT RAISE(ABORT, 'no space'); END")
    other.close()
    with pytest.raises(StorageUnavailable, match="no space"):
        rows.finish(sent(9))
    progress = rows.progress()
    assert progress is not None
    assert progress.last_id == 5


WRITER = """
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from disgram.storage.channel_ledger import MessageRow, PostRow
from disgram.storage.ledger import Ledger
rows = Ledger(Path(sys.argv[1])).of("job", "c")
rows.begin(0, None)
number = 0
while True:
    number += 1
    rows.put_message(number, MessageRow(0, "attempting"))
    rows.put_message(number, MessageRow(0, "sent", str(number)))
    rows.finish(PostRow(number, number, "sent", "f", "s"))
    print(number, flush=True)
"""


def test_confirmed_posts_survive_a_kill_of_the_writer(tmp_path: Path) -> None:
    path = tmp_path / "disgram.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout is not None
        confirmed = [int(writer.stdout.readline()) for _ in range(25)]
        os.kill(writer.pid, signal.SIGKILL)
    progress = Ledger(path).of("job", "c").progress()
    assert progress is not None
    assert progress.last_id >= confirmed[-1]
    assert integrity(path) == "ok"
