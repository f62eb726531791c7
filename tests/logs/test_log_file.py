"""The file: rotation by us and by others, a full disk, and reading it back."""

from __future__ import annotations

import errno
import io
import os
import subprocess
import sys
import threading
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.errors import StorageUnavailable
from disgram.logs.log_file import (
    LogFile,
)
from disgram.report import Level
from tests.logs.log_files import LINE, content, make


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return make(tmp_path)


def test_log_rotates_by_size_and_keeps_the_newest_lines(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=400, backups=2)
    for number in range(40):
        log.write(Level.INFO, f"line {number:02}")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["Disgram.log", "Disgram.log.1", "Disgram.log.2"]
    assert all(path.stat().st_size <= 400 for path in tmp_path.iterdir())
    kept = [line[-2:] for line in log.tail(100)]
    assert kept == [f"{number:02}" for number in range(40 - len(kept), 40)]
    assert len(kept) > 20


def test_log_without_backups_starts_over_at_its_size_limit(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=400, backups=0)
    for number in range(40):
        log.write(Level.INFO, f"line {number:02}")
    assert [path.name for path in tmp_path.iterdir()] == ["Disgram.log"]
    (last,) = log.tail(1)
    assert last.endswith("line 39")


def test_file_renamed_by_logrotate_is_followed_by_a_new_one(log: LogFile, tmp_path: Path) -> None:
    log.write(Level.INFO, "before")
    (tmp_path / "Disgram.log").rename(tmp_path / "Disgram.log.1")
    log.write(Level.INFO, "after")
    assert content(tmp_path).endswith("after\n")
    assert [line.split()[-1] for line in log.tail(5)] == ["before", "after"]


def test_file_truncated_by_logrotate_is_written_on(log: LogFile, tmp_path: Path) -> None:
    log.write(Level.INFO, "before")
    os.truncate(tmp_path / "Disgram.log", 0)
    log.write(Level.INFO, "after")
    assert content(tmp_path) == "2026-03-01 12:00:00 [INFO] after\n"


@pytest.mark.parametrize("backups", [0, 2])
def test_log_that_cannot_be_renamed_is_rotated_into_a_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, backups: int
) -> None:
    """Disgram.log is a mount of its own, as Docker makes it for a single file."""
    rename = Path.replace

    def busy(path: Path, *target: Path, missing_ok: bool = False) -> Path:
        if path.name == "Disgram.log":
            raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path))
        return rename(path, *target)

    monkeypatch.setattr(Path, "replace", busy)
    monkeypatch.setattr(Path, "unlink", busy)
    log = make(tmp_path, max_bytes=200, backups=backups)
    log.write(Level.INFO, "0")
    inode = (tmp_path / "Disgram.log").stat().st_ino
    for number in range(1, 30):
        log.write(Level.INFO, f"{number}")
    assert log.write_error is None
    assert (tmp_path / "Disgram.log").stat().st_ino == inode
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert len(sizes) == backups + 1
    assert max(sizes) <= 200
    newest = [line.rsplit(" ", 1)[-1] for line in log.tail(100)]
    assert newest == [str(number) for number in range(30 - len(newest), 30)]


def test_folder_in_place_of_a_rotated_file_drops_no_line(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=200, backups=2)
    (tmp_path / "Disgram.log.2").mkdir()
    for number in range(30):
        log.write(Level.INFO, f"{number}")
    assert log.write_error is None
    assert next(iter(log.tail(1))).endswith(" 29")


def test_full_disk_is_warned_of_once_and_the_missing_lines_are_counted(
    log: LogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory in the file's place stands for the disk: each write fails until it is removed."""
    path = tmp_path / "Disgram.log"
    path.mkdir()
    log.write(Level.INFO, "one")
    log.write(Level.INFO, "two")
    assert log.write_error
    assert capsys.readouterr().err.count("\n") == 1
    path.rmdir()
    log.write(Level.INFO, "three")
    assert log.write_error is None
    first, second = content(tmp_path).splitlines()
    assert "[SYSTEM] 2 lines are missing" in first
    assert second.endswith("[INFO] three")


def test_full_disk_under_log_and_stderr_raises_nothing(
    log: LogFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "Disgram.log").mkdir()
    monkeypatch.setattr(sys, "stderr", Full())
    log.write(Level.INFO, "one")
    assert log.write_error


LIMITED_FILE_SIZE = """
import resource, signal, sys
from pathlib import Path
from disgram.report import Level
from disgram.logs.log_file import LogFile
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
log = LogFile(Path(sys.argv[1]), max_bytes=10**6, backups=0)
log.write(Level.INFO, "whole")
resource.setrlimit(resource.RLIMIT_FSIZE, (60, resource.RLIM_INFINITY))
log.write(Level.INFO, "torn " * 20)
log.write(Level.INFO, "dropped")
resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
log.write(Level.INFO, "back")
"""


def test_line_written_in_part_spoils_no_other_line(tmp_path: Path) -> None:
    """A limit on file sizes cuts a write short as a full disk does."""
    command = [sys.executable, "-c", LIMITED_FILE_SIZE, str(tmp_path / "Disgram.log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr.count("\n") == 1
    lines = content(tmp_path).splitlines()
    assert len(lines) == 4
    assert lines[0].endswith("whole")
    assert "2 lines are missing" in lines[2]
    assert lines[3].endswith("[INFO] back")


def test_tail_selects_by_job_and_level(log: LogFile) -> None:
    for number in range(10):
        log.write(
            Level.ERROR if number % 2 else Level.INFO,
            f"n{number}",
            job="a" if number % 3 else "b",
            channel="c",
        )
    log.write(Level.SYSTEM, "about no job: [a] [ERROR]")
    assert [line[-2:] for line in log.tail(3, job="a", levels=[Level.ERROR])] == ["n1", "n5", "n7"]
    assert [line[-2:] for line in log.tail(2, job="b")] == ["n6", "n9"]
    assert [line[-2:] for line in log.tail(1, levels=[Level.INFO])] == ["n8"]
    assert list(log.tail(5, job="c")) == []


def test_tail_reads_lines_longer_than_a_block_and_an_unfinished_one(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "Disgram.log").write_bytes(b"first\n" + b"x" * 200_000 + b"\n\xff\nlast without an end")
    assert [line[:6] for line in log.tail(10)] == ["first", "xxxxxx", "\ufffd", "last w"]
    assert list(log.tail(10))[1] == "x" * 200_000


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 80))
def test_tail_returns_the_last_lines_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], count: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    lines = [f"{number}" + "y" * size for number, size in enumerate(sizes)]
    (folder / "Disgram.log").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    assert list(make(folder).tail(count)) == lines[-count:]


def test_missing_file_has_no_lines_and_no_time_of_writing(log: LogFile) -> None:
    assert list(log.tail(5)) == []
    assert log.last_write_at is None
    log.write(Level.INFO, "x")
    assert log.last_write_at is not None


def test_file_that_cannot_be_opened_raises_storage_unavailable(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "Disgram.log").symlink_to("Disgram.log")
    with pytest.raises(StorageUnavailable):
        list(log.tail(5))


def test_threads_writing_at_once_do_not_mix_their_lines(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=20_000, backups=50)
    threads = [threading.Thread(target=_write_300, args=(log, n)) for n in range(4)]
    for thread in threads:
        thread.start()
    seen = [list(log.tail(50)) for _ in range(20)]
    for thread in threads:
        thread.join()
    assert all(LINE.fullmatch(line) for lines in seen for line in lines)
    for n in range(4):
        assert [line.rsplit(" ", 1)[-1] for line in log.tail(1000, job=f"job{n}")] == [
            f"{n}:{i}" for i in range(300)
        ]


def _write_300(log: LogFile, n: int) -> None:
    for i in range(300):
        log.write(Level.INFO, f"{n}:{i}", job=f"job{n}")


def test_a_long_tail_takes_no_more_memory_than_a_short_one(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "Disgram.log").write_text("2026-03-01 12:00:00 [INFO] a line of the usual length\n" * 50_000)
    tracemalloc.start()
    try:
        with log.tail(50_000) as tail:
            assert sum(1 for _ in tail) == len(tail) == 50_000
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 1_000_000


def test_a_tail_shows_what_was_there_when_it_was_asked_for(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=400, backups=1)
    log.write(Level.INFO, "before")
    with log.tail(100) as tail:
        for number in range(40):
            log.write(Level.INFO, f"line {number:02}")
        assert [line[-6:] for line in tail] == ["before"]
