"""Reading a log backwards finds the same lines as reading all of it, and reads less."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.logs import tail
from disgram.logs.log_file import LogFile
from disgram.logs.tail import (
    KINDS,
    Kind,
    KnownFile,
    newest,
)
from disgram.report import Level

STAMP = "2026-03-01 12:00:00 "
JOBS = (None, "a", "b", "c")
LEVELS: tuple[tuple[Level, ...], ...] = ((), (Level.INFO,), (Level.ERROR,), (Level.STATUS, Level.ERROR))


@pytest.fixture(scope="module", autouse=True)
def small_blocks() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tail, "BLOCK", 256)
        patch.setattr(tail, "_OVERLAP", 16)
        yield


def make(folder: Path, *, max_bytes: int = 1 << 20) -> LogFile:
    return LogFile(folder / "Disgram.log", max_bytes=max_bytes, backups=1)


def all_of(folder: Path) -> list[str]:
    """Every line of both files, oldest first."""
    paths = [folder / "Disgram.log.1", folder / "Disgram.log"]
    return [line for path in paths if path.exists() for line in path.read_text("utf-8").split("\n") if line]


def matches(line: str, job: str | None, levels: Sequence[Level]) -> bool:
    fields = f"[{job}] " if job else ""
    starts = tuple(f"[{one.value}] {fields}" for one in levels or Level)
    return not (job or levels) or line[20:].startswith(starts)


def written(level: Level, job: str, text: str) -> Callable[[LogFile, Path], None]:
    return lambda log, _: log.write(level, text, job, "c")


def cut_off(share: float) -> Callable[[LogFile, Path], None]:
    """As logrotate's copytruncate, or an editor."""

    def act(_: LogFile, folder: Path) -> None:
        path = folder / "Disgram.log"
        if path.exists():
            os.truncate(path, int(path.stat().st_size * share))

    return act


def appended(text: str) -> Callable[[LogFile, Path], None]:
    """By another program."""

    def act(_: LogFile, folder: Path) -> None:
        with (folder / "Disgram.log").open("a") as file:
            file.write(text)

    return act


def renamed(_: LogFile, folder: Path) -> None:
    if (folder / "Disgram.log").exists():
        (folder / "Disgram.log").replace(folder / "Disgram.log.1")


TEXTS = st.sampled_from(["", "n", "[ERROR] [a] ", "x" * 90, "y" * 700])
ACTS = st.one_of(
    st.builds(written, st.sampled_from(list(Level)), st.sampled_from("ab"), TEXTS),
    st.builds(written, st.just(Level.INFO), st.just("a"), TEXTS),
    st.builds(cut_off, st.sampled_from([0.0, 0.3, 0.9])),
    st.builds(
        appended, st.sampled_from(["\n", "\n\n", f"{STAMP}[ERROR] [b] torn", "z" * 600, "z" * 600 + "\n"])
    ),
    st.just(renamed),
)


@settings(max_examples=200, deadline=None)
@given(st.lists(ACTS, max_size=40), st.sampled_from([1, 3, 1000]), st.sampled_from([900, 1 << 20]))
def test_tail_equals_reading_the_whole_log_after_any_changes(
    tmp_path_factory: pytest.TempPathFactory,
    acts: list[Callable[[LogFile, Path], None]],
    count: int,
    max_bytes: int,
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = make(folder, max_bytes=max_bytes)
    for act in acts:
        act(log, folder)
        lines = all_of(folder)
        for job, levels in zip(JOBS, LEVELS, strict=True):
            expected = [line for line in lines if matches(line, job, levels)]
            assert list(log.tail(count, job, levels)) == expected[-count:]
            expected = [line for line in lines if matches(line, None, levels)]
            assert list(log.tail(count, None, levels)) == expected[-count:]
    log.close()


@pytest.mark.parametrize("length", range(60, 70))
def test_lines_that_begin_with_a_block_are_found(tmp_path: Path, length: int) -> None:
    lines = [f"{number:0{length - 1}}" for number in range(100)]
    (tmp_path / "Disgram.log").write_text("".join(f"{line}\n" for line in lines))
    assert list(make(tmp_path).tail(1000)) == lines


def test_lines_after_an_unfinished_line_are_found(tmp_path: Path) -> None:
    log = make(tmp_path)
    (tmp_path / "Disgram.log").write_text("z" * 600)
    assert list(log.tail(1000, levels=[Level.ERROR])) == []
    for _ in range(3):
        log.write(Level.ERROR, "x")
    assert len(list(log.tail(1000, levels=[Level.ERROR]))) == 2


def test_line_still_being_written_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "Disgram.log"
    path.write_bytes(b"whole\nhal")
    with path.open("rb") as file:
        assert list(newest(file.fileno(), KnownFile(6), 6, Kind(b"", (), 0))) == [(0, b"whole")]


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many bytes were read, each time."""
    lengths: list[int] = []
    pread = os.pread

    def counted(fd: int, length: int, at: int) -> bytes:
        lengths.append(length)
        return pread(fd, length, at)

    monkeypatch.setattr(os, "pread", counted)
    return lengths


def test_blocks_without_a_match_are_not_read_again(tmp_path: Path, read: list[int]) -> None:
    """Otherwise GET /logs?level=ERROR would read the whole log each time."""
    log = make(tmp_path)
    for number in range(400):
        log.write(Level.ERROR if number == 200 else Level.INFO, f"n{number}", "job", "channel")
    assert len(list(log.tail(1000, levels=[Level.ERROR]))) == 1
    assert sum(read) > (tmp_path / "Disgram.log").stat().st_size
    read.clear()
    log.write(Level.ERROR, "new", "job", "channel")
    assert [line.rpartition(" ")[2] for line in log.tail(1000, levels=[Level.ERROR])] == ["n200", "new"]
    assert len(read) <= 6  # twice: to find it, and to give it


def test_new_file_with_the_inode_of_an_old_one_is_read(tmp_path: Path) -> None:
    """File systems reuse the inode number of a deleted file."""
    log = make(tmp_path)
    for _ in range(30):
        log.write(Level.INFO, "x")
    assert list(log.tail(5, levels=[Level.ERROR])) == []
    os.truncate(tmp_path / "Disgram.log", 0)  # looks the same to a log that goes on in it
    for _ in range(40):
        log.write(Level.ERROR, "x")
    assert len(list(log.tail(100, levels=[Level.ERROR]))) == 40


def test_number_of_remembered_kinds_is_bounded() -> None:
    known = KnownFile(10_000)
    for number in range(3 * KINDS):
        known.empty(Kind(b"x", (b"%d" % number,), 0))
    assert len(known._empty) <= KINDS
