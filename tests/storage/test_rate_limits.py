"""limits.db is worth nothing after a minute: a damaged one is replaced, and one of another boot emptied."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.errors import DatabaseDamaged, StorageUnavailable
from disgram.storage.rate_limits import LimitStore
from disgram.storage.watched_files import open_limits


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A limits.db with rows enough for an index of several pages, all of it in the file itself."""
    path = tmp_path / "limits.db"
    store = LimitStore(path)
    with store.transaction() as rows:
        for at in range(500):
            rows.record_done(f"hash:{at}", at / 100, 0.0)
    store.close()
    return path


def damage_the_pages(path: Path) -> None:
    """As a disk does that lost some writes: the header, the schema and the freelist are whole."""
    content = bytearray(path.read_bytes())
    half = len(content) // 8192 * 4096
    content[half:] = b"\xa5" * (len(content) - half)
    path.write_bytes(content)


def open_limiter(path: Path) -> list[str]:
    reports = list[str]()
    open_limits(path, lambda level, text: reports.append(text)).close()
    return reports


def test_sound_limits_are_kept(path: Path) -> None:
    assert open_limiter(path) == []
    with LimitStore(path).reading() as rows:
        assert rows.done_since("hash:7", 0.0) == [0.07]


def test_new_data_directory_reports_no_damage(tmp_path: Path) -> None:
    assert open_limiter(tmp_path / "limits.db") == []


@pytest.mark.parametrize("text", [b"not a database, but long enough to be looked at" * 100, bytes(8192)])
def test_limits_that_are_no_database_are_renamed_and_made_anew(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    with pytest.raises(DatabaseDamaged, match=r"limits\.db"):
        LimitStore(path)
    assert open_limiter(path) == [
        "limits.db was damaged. It was renamed to limits.db.damaged and a new one is used."
    ]
    assert path.with_name("limits.db.damaged").read_bytes() == text
    with LimitStore(path).reading() as rows:
        assert rows.buckets() == []


def test_limits_with_damaged_pages_are_renamed_and_made_anew(path: Path) -> None:
    damage_the_pages(path)
    assert len(open_limiter(path)) == 1
    assert open_limiter(path) == []


def test_log_of_a_damaged_database_is_not_read_into_the_new_one(path: Path) -> None:
    store = LimitStore(path)
    with store.transaction() as rows:
        rows.put_next_turn("telegram", 1e9)
    log = path.with_name("limits.db-wal").read_bytes()
    store.close()
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    path.with_name("limits.db-wal").write_bytes(log)
    assert len(open_limiter(path)) == 1
    with LimitStore(path).reading() as rows:
        assert rows.next_turn("telegram") < 0


def test_damaged_limits_that_cannot_be_renamed_are_named(tmp_path: Path) -> None:
    path = tmp_path / ("l" * 248)  # longer names are no names
    path.write_bytes(b"not a database, but long enough to be looked at" * 100)
    with pytest.raises(StorageUnavailable, match=r"cannot be renamed \(File name too long\)"):
        open_limiter(path)


def test_damaged_limits_are_renamed_to_a_name_that_is_no_folder(path: Path) -> None:
    path.with_name("limits.db.damaged").mkdir()
    for _ in range(2):
        path.write_bytes(b"not a database, but long enough to be looked at" * 100)
        (said,) = open_limiter(path)
        assert "renamed to limits.db.damaged1" in said


def test_limits_of_an_earlier_boot_are_deleted(path: Path) -> None:
    with LimitStore(path, boot="another").reading() as rows:
        assert rows.done_since("hash:7", 0.0) == []
