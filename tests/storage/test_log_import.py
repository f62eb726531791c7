"""What Disgram.log shows as forwarded becomes progress once."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from disgram.errors import StorageUnavailable
from disgram.logs.log_file import escaped_name
from disgram.storage.ledger import Ledger
from tests.storage.conftest import NOW


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    return Ledger(tmp_path / "disgram.db", clock=lambda: NOW)


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
