"""A folder, a FIFO or a damaged file where a file of ours should be: one line, and never a hang."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from config import environment, read
from disgram.errors import BadSetting, StartRefused
from disgram.logs.log_file import LogFile
from disgram.report import Level
from disgram.storage.channel_ledger import PostRow
from disgram.storage.files.regular_file import special_kind
from disgram.storage.ledger import Ledger
from service import running_service

MAKE: dict[str, Callable[[Path], object]] = {"a folder": Path.mkdir, "a FIFO": os.mkfifo}


def start(folder: Path) -> None:
    with running_service(read({"DATA_DIR": str(folder)})):
        pass


@pytest.mark.parametrize("kind", MAKE)
@pytest.mark.parametrize("name", ["Disgram.log", "jobs.json", "disgram.db", "limits.db", "disgram.lock"])
def test_start_is_refused_where_a_file_should_be(tmp_path: Path, name: str, kind: str) -> None:
    MAKE[kind](tmp_path / name)
    with pytest.raises(StartRefused, match=f"{name} is {kind}"):
        start(tmp_path)


@pytest.mark.parametrize("kind", MAKE)
def test_env_file_that_is_no_file_is_named(tmp_path: Path, kind: str) -> None:
    MAKE[kind](tmp_path / ".env")
    with pytest.raises(BadSetting, match=f"is {kind}"):
        environment(tmp_path / ".env", {})


def test_dev_null_is_an_empty_file(tmp_path: Path) -> None:
    (tmp_path / ".env").symlink_to(os.devnull)
    assert environment(tmp_path / ".env", {"A": "1"}) == {"A": "1"}
    assert special_kind(Path("/dev/zero")) == "a device"


@pytest.mark.parametrize("content", [b"no database at all " * 300, b"SQLite format 3\0" + b"\xff" * 8000])
def test_damaged_database_refuses_the_start_and_is_left_alone(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "disgram.db").write_bytes(content)
    with pytest.raises(StartRefused, match=r"disgram\.db is damaged"):
        start(tmp_path)
    assert (tmp_path / "disgram.db").read_bytes() == content


def test_database_with_a_damaged_page_refuses_the_start_too(tmp_path: Path) -> None:
    """Its header is fine, so that opening it finds nothing."""
    path = tmp_path / "disgram.db"
    ledger = Ledger(path)
    rows = ledger.of("job", "news")
    for number in range(1, 500):
        rows.finish(PostRow(number, number, "sent", "f" * 40, "{}"))
    ledger.close()
    with path.open("r+b") as file:
        for page in range(12, path.stat().st_size // 4096):
            file.seek(page * 4096)
            file.write(b"\xff" * 4096)
    damaged = path.read_bytes()
    with pytest.raises(StartRefused, match=r"disgram\.db is damaged"):
        start(tmp_path)
    assert path.read_bytes() == damaged


def test_fifo_that_takes_the_place_of_a_log_file_blocks_neither_writer_nor_reader(tmp_path: Path) -> None:
    path = tmp_path / "Disgram.log"
    log = LogFile(path, max_bytes=10_000, backups=2)
    log.write(Level.INFO, "before")
    path.unlink()
    for name in ("Disgram.log", "Disgram.log.1"):
        os.mkfifo(tmp_path / name)
    log.write(Level.INFO, "dropped")
    assert log.write_error
    assert list(log.tail(10)) == []
