"""The ledger: confirmed messages stay, unconfirmed ones show after a crash, a deleted job leaves nothing."""

from __future__ import annotations

import itertools
import os
import signal
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from disgram.api.failed_posts import shown
from disgram.errors import StorageUnavailable
from disgram.logs.log_file import escaped_name
from disgram.post import PostSlice
from disgram.storage.channel_ledger import ChannelLedger, MessageRow, PostRow
from disgram.storage.destinations import GoneRow
from disgram.storage.ledger import Ledger
from disgram.storage.post_history import KnownChannel, KnownPost
from tests.builders.integrity import integrity


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "disgram.db", clock=lambda: 1_700_000_000.0)


@pytest.fixture
def rows(ledger: Ledger) -> ChannelLedger:
    return ledger.of("job", "Channel")


def sent(number: int, last_id: int | None = None) -> PostRow:
    return PostRow(number, last_id or number, "sent", "print", "shape")


def test_new_worker_has_no_progress(rows: ChannelLedger) -> None:
    assert rows.progress() is None
    assert rows.imported() is None


def test_progress_moves_with_finished_posts_and_never_back(rows: ChannelLedger) -> None:
    rows.begin(10, None)
    rows.finish(sent(12, 14))
    rows.finish(sent(11))
    progress = rows.progress()
    assert progress is not None
    assert progress.last_id == 14


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


def test_channel_names_differing_in_case_are_one_channel(ledger: Ledger, rows: ChannelLedger) -> None:
    rows.begin(5, 3)
    assert ledger.of("job", "cHANNEL").progress() == (5, 3)
    assert ledger.of("other", "channel").progress() is None


def test_message_without_confirmation_is_found_after_a_crash(tmp_path: Path) -> None:
    first = Ledger(tmp_path / "disgram.db").of("job", "c")
    first.put_message(7, MessageRow(0, "sent", "100", "200", "d", "[]"))
    first.put_message(7, MessageRow(1, "attempting"))
    after = Ledger(tmp_path / "disgram.db").of("job", "c")
    assert [message.state for message in after.messages(7)] == ["sent", "attempting"]
    after.drop_message(7, 1)
    assert [message.position for message in after.messages(7)] == [0]


def test_post_that_was_left_out_does_not_end_a_row_of_refused_ones(rows: ChannelLedger) -> None:
    rows.begin(0, None)
    for number in (1, 3):
        rows.fail(sent(number)._replace(state="failed"), "400", "[]")
    rows.leave_out(PostRow(2, 2, "filtered", "print", ""), "FORWARD_SERVICE_MESSAGES")
    assert rows.failed_in_a_row(4, 5) == [1, 3]
    assert rows.post(2) == PostRow(2, 2, "filtered", "print", "", "FORWARD_SERVICE_MESSAGES")
    assert rows.progress() == (3, None)


def test_deleted_job_forgets_when_posts_were_seen(ledger: Ledger, rows: ChannelLedger) -> None:
    rows.begin(0, None)
    rows.history.seen([PostSlice(1, (1, 2), "", "print")], 0)
    assert ledger.known_post("job", "Channel", 2) == KnownPost(
        1, first_seen_at=1_700_000_000.0, attempts=0, edits=0, messages=[]
    )
    ledger.delete_job("job")
    assert ledger.known_post("job", "Channel", 2) is None
    assert ledger.known_channel("job", "Channel", 2) == KnownChannel()


def test_post_seen_on_many_pages_keeps_the_first_time_and_writes_once(tmp_path: Path) -> None:
    times = iter([100.0, 200.0])
    ledger = Ledger(tmp_path / "disgram.db", clock=lambda: next(times))
    seen = [PostSlice(5, (5,), "", "print"), PostSlice(3, (3,), "", "print")]
    rows = ledger.of("job", "c")
    rows.history.seen(seen[:1], 3)
    rows.history.seen(seen[:1], 3)
    ledger.of("job", "c").history.seen(seen, 3)
    post = ledger.known_post("job", "c", 5)
    assert post is not None
    assert post.first_seen_at == 100.0
    assert ledger.known_post("job", "c", 3) is None


def test_failed_post_is_listed_with_its_reason_until_it_is_sent(ledger: Ledger, rows: ChannelLedger) -> None:
    rows.begin(0, None)
    rows.fail(sent(3)._replace(state="failed"), "400 Invalid Form Body", '[{"content": "x"}]')
    (failed,) = ledger.failed()
    assert (failed["job"], failed["channel"], failed["post_id"]) == ("job", "channel", 3)
    assert failed["reason"] == "400 Invalid Form Body"
    assert failed["payload"] == '[{"content": "x"}]'
    assert rows.to_retry() == []
    assert ledger.retry("job", 4) == 0
    assert ledger.retry("job", 3) == 1
    assert rows.to_retry() == [3]
    rows.finish(sent(3))
    assert ledger.failed() == []
    assert rows.to_retry() == []
    assert rows.messages(3) == []


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


def test_failed_posts_of_one_job_are_listed_up_to_a_number_oldest_first(ledger: Ledger) -> None:
    for job, numbers in (("a", (3, 5, 7)), ("b", (4,))):
        rows = ledger.of(job, "x")
        rows.begin(0, None)
        for number in numbers:
            rows.fail(sent(number)._replace(state="failed"), "no", "[]")
    assert [post["post_id"] for post in ledger.failed("a", 2)] == [3, 5]
    assert [post["post_id"] for post in ledger.failed("b")] == [4]
    assert len(ledger.failed(most=3)) == 3
    assert len(ledger.failed()) == 4


def test_retry_without_a_post_marks_all_failed_posts_of_the_job(ledger: Ledger, rows: ChannelLedger) -> None:
    rows.begin(0, None)
    for number in (3, 5):
        rows.fail(sent(number)._replace(state="failed"), "no", "[]")
    assert ledger.retry("nobody") == 0
    assert ledger.retry("job") == 2
    assert rows.to_retry() == [3, 5]


def test_retry_leaves_failed_posts_of_channels_that_are_not_named(ledger: Ledger) -> None:
    for name in ("one", "Two", "gone"):
        rows = ledger.of("job", name)
        rows.begin(0, None)
        rows.fail(sent(3)._replace(state="failed"), "no", "[]")
    assert ledger.retry("job", 3, channels=["one", "two"]) == 2
    assert ledger.retry("job", channels=[]) == 0
    assert [len(ledger.of("job", name).to_retry()) for name in ("one", "two", "gone")] == [1, 1, 0]
    assert ledger.dismiss("job") == 3


def test_dismissed_post_is_neither_listed_nor_sent_again(ledger: Ledger, rows: ChannelLedger) -> None:
    rows.begin(0, None)
    for number in (3, 5, 7):
        rows.fail(sent(number)._replace(state="failed"), "no", "[]")
    ledger.retry("job", 5)
    assert (ledger.dismiss("nobody"), ledger.dismiss("job", 4), ledger.dismiss("job", 5)) == (0, 0, 1)
    assert [post["post_id"] for post in ledger.failed()] == [3, 7]
    assert ledger.dismiss("job") == 2
    assert (ledger.failed(), rows.to_retry(), ledger.retry("job")) == ([], [], 0)


def test_deleting_a_job_deletes_its_rows_and_no_others(ledger: Ledger, rows: ChannelLedger) -> None:
    other = ledger.of("other", "channel")
    for one in (rows, other):
        one.begin(0, None)
        one.finish(sent(1))
        one.put_message(1, MessageRow(0, "sent"))
        one.add_gap(1, 2)
    ledger.delete_job("job")
    assert (rows.progress(), rows.messages(1), rows.gaps(), rows.post(1)) == (None, [], [], None)
    assert other.progress() is not None
    assert other.gaps() == [(1, 2)]


def test_gaps_stay_in_order_until_they_are_closed(rows: ChannelLedger) -> None:
    rows.add_gap(21, 40)
    rows.add_gap(1, 20)
    assert rows.gaps() == [(1, 20), (21, 40)]
    rows.close_gap(1)
    assert rows.gaps() == [(21, 40)]


def test_gone_webhook_is_known_to_all_workers_until_it_is_cleared(
    ledger: Ledger, rows: ChannelLedger
) -> None:
    found = [GoneRow("destination", "webhook_gone", 1, 5.0), GoneRow("destination/channel", "x", 1, 5.0)]
    for row in found:
        rows.destinations.mark_gone(row)
    assert ledger.of("other", "else").destinations.gone("destination", "destination/channel") == found
    ledger.destinations.clear_gone("destination")
    assert rows.destinations.gone("destination", "destination/channel") == []


OLD_LOG = """\
2025-10-04 11:00:00  New message found: https://t.me/legacy/30
2025-10-04 11:59:59 [job] Initializing bot with channel: https://t.me/durov/90, job: job
2025-10-04 12:00:00 [job] New message found: https://t.me/Durov/12
2025-10-04 12:00:00 [job] New message found: https://t.me/durov/40
2025-10-04 12:00:01 [job] Sent https://t.me/s/durov/15 \x00 garbage \xff
2025-10-04 12:00:02 [second job] New message found: https://t.me/durov/7
https://t.me/durov/20
https://t.me/other/7?single
2025-10-04 12:00:02 Checked https://t.me/quiet and https://t.me/c/123/456
"""


@pytest.fixture
def log(tmp_path: Path) -> Path:
    path = tmp_path / "Disgram.log"
    path.write_bytes(OLD_LOG.encode("latin-1"))
    return path


def test_log_of_an_older_disgram_is_imported_for_each_job_by_its_own_lines(ledger: Ledger, log: Path) -> None:
    jobs = {"job": ["durov", "other", "legacy", "quiet"], "second job": ["durov"], "third": ["durov"]}
    assert ledger.import_log(log, jobs) == 5
    taken = {(job, name): ledger.of(job, name).imported() for job, names in jobs.items() for name in names}
    assert taken == {
        ("job", "durov"): 40,
        ("job", "other"): 7,
        ("job", "legacy"): 30,
        ("job", "quiet"): None,
        ("second job", "durov"): 7,
        ("third", "durov"): 20,
    }


def test_a_job_created_after_the_import_has_no_imported_progress(ledger: Ledger, log: Path) -> None:
    ledger.import_log(log, {"job": ["durov"]})
    ledger.import_log(log, {"job": ["durov"], "later": ["durov"]})
    assert ledger.of("later", "durov").imported() is None


def test_an_import_that_failed_is_done_again(ledger: Ledger, log: Path, tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "disgram.db") as other:
        other.execute(
            "CREATE TRIGGER no BEFORE INSERT ON log_position BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(StorageUnavailable, match="full"):
        ledger.import_log(log, {"job": ["durov"]})
    assert ledger.of("job", "durov").imported() is None
    with sqlite3.connect(tmp_path / "disgram.db") as other:
        other.execute("DROP TRIGGER no")
    other.close()
    ledger.import_log(log, {"job": ["durov"]})
    assert ledger.of("job", "durov").imported() == 40


def test_posts_an_older_disgram_forwarded_meanwhile_are_not_repeated(ledger: Ledger, log: Path) -> None:
    """The older program appends to the log and knows nothing of the database."""
    jobs = {"job": ["durov", "new"], "[odd] job": ["durov"]}
    ledger.import_log(log, jobs, escaped_name)
    rows = ledger.of("job", "durov")
    rows.begin(45, None)
    with log.open("a") as lines:
        lines.write("2026-11-01 12:00:00 [NEW_MESSAGE] [job] [durov] Forwarded https://t.me/durov/99\n")
        lines.write("2026-11-01 12:00:00 [job] New message found: https://t.me/durov/47\n")
        lines.write("2026-11-01 12:00:00 [job] New message found: https://t.me/new/3\n")
    ledger.import_log(log, jobs, escaped_name)
    assert rows.progress() == (47, None)
    assert ledger.of("job", "new").imported() == 3


def test_a_line_of_the_log_counts_at_one_start_only(ledger: Ledger, log: Path) -> None:
    """Otherwise a job that is made anew, or told to begin further back, would be lifted at the next start."""
    jobs = {"job": ["durov"]}
    ledger.import_log(log, jobs)
    ledger.of("job", "durov").begin(9, 10)
    ledger.import_log(log, jobs)
    assert ledger.of("job", "durov").progress() == (9, 10)


def test_log_that_was_rotated_meanwhile_is_read_from_its_beginning(ledger: Ledger, log: Path) -> None:
    jobs = {"job": ["durov"]}
    ledger.import_log(log, jobs)
    line = "2026-11-01 12:00:00 [job] New message found: https://t.me/durov/{}\n"
    log.write_text("".join(line.format(number) for number in range(50, 70)))
    ledger.import_log(log, jobs)
    assert ledger.of("job", "durov").imported() == 69


def test_a_lost_database_is_replaced_by_what_its_own_log_shows(ledger: Ledger, tmp_path: Path) -> None:
    """A post named in an error may not have arrived, and what a stranger can write counts for nothing."""
    log = tmp_path / "Disgram.log"
    log.write_text(
        "2026-11-01 12:00:00 [NEW_MESSAGE] [\\x5bodd\\x5d job] [durov] Forwarded https://t.me/durov/40\n"
        "2026-11-01 12:00:01 [ERROR] [\\x5bodd\\x5d job] [durov] Post 41: Discord did not take it (503); "
        "sending it again: https://t.me/durov/41\n"
        "2026-11-01 12:00:02 [STATUS] [\\x5bodd\\x5d job] [durov] Post 42: Discord's rate limit (429 You are "
        "being rate limited); sending again: https://t.me/durov/42\n"
        "2026-11-01 12:00:02 [SYSTEM] Login refused: GET https://t.me/durov/99\n"
    )
    ledger.import_log(log, {"[odd] job": ["durov"]}, escaped_name)
    assert ledger.of("[odd] job", "durov").imported() == 40


def test_deleting_a_job_deletes_what_was_imported_for_it(ledger: Ledger, log: Path) -> None:
    ledger.import_log(log, {"job": ["durov"]})
    ledger.delete_job("job")
    assert ledger.of("job", "durov").imported() is None


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


def test_concurrent_writers_lose_no_rows(tmp_path: Path) -> None:
    path = tmp_path / "disgram.db"

    def write(channel: str) -> None:
        rows = Ledger(path).of("job", channel)
        rows.begin(0, None)
        for number in range(1, 26):
            rows.finish(sent(number))

    threads = [threading.Thread(target=write, args=(f"c{number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ledger = Ledger(path)
    assert [len(ledger.of("job", f"c{number}").posts_from(0)) for number in range(4)] == [25] * 4


def test_threads_that_share_a_ledger_take_turns(ledger: Ledger) -> None:
    """Without a lock, transactions on one connection would begin inside one another."""

    def delete(number: int) -> None:
        for _ in range(20):
            ledger.of(f"job {number}", "channel").begin(1, None)
            ledger.delete_job(f"job {number}")

    with ThreadPoolExecutor(10) as threads:
        list(threads.map(delete, range(10)))


# --- counts for the service -----------------------------------------------------------------------------


def test_failed_posts_are_counted_by_channel_until_they_are_retried(ledger: Ledger) -> None:
    for job, channel, numbers in (("a", "X", (1, 2)), ("b", "y", (7,))):
        rows = ledger.of(job, channel)
        rows.begin(0, None)
        for number in numbers:
            rows.fail(PostRow(number, number, "failed", "", ""), "400", "[]")
    counts = ledger.failed_counts()
    assert {key: failed.number for key, failed in counts.items()} == {("a", "x"): 2, ("b", "y"): 1}
    assert counts["a", "x"].since > 0
    ledger.retry("a", 1)
    ledger.retry("b")
    assert {key: failed.number for key, failed in ledger.failed_counts().items()} == {("a", "x"): 1}


def test_last_confirmed_post_is_the_newest_that_was_sent(ledger: Ledger) -> None:
    rows = ledger.of("a", "x")
    rows.begin(0, None)
    ledger.of("a", "empty").begin(0, None)
    rows.finish(PostRow(1, 1, "sent", "", ""))
    rows.fail(PostRow(2, 2, "failed", "", ""), "400", "[]")
    assert list(ledger.last_confirmed()) == [("a", "x")]
