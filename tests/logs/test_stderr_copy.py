"""Which lines of the log standard error gets, too (LOG_TO_STDERR)."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import pytest

from config import read
from disgram.logs.log_file import LogFile
from disgram.logs.standard_streams import PatientStream, patient_stderr
from disgram.report import Level
from service import open_log
from tests.logs.log_files import NOON, content

SECRET = "hunter22-hunter22"


def copied_into(copies: list[str], folder: Path) -> LogFile:
    return LogFile(
        folder / "Disgram.log",
        max_bytes=1 << 20,
        backups=1,
        clock=lambda: NOON,
        secrets=(SECRET,),
        copy=copies.append,
    )


def test_errors_status_and_system_lines_are_copied_in_the_same_form(tmp_path: Path) -> None:
    copies: list[str] = []
    log = copied_into(copies, tmp_path)
    for level in Level:
        log.write(level, f"text of {level.value} {SECRET}", "news", "durov")
    wanted = [line for line in content(tmp_path).splitlines(keepends=True) if "INFO" not in line]
    assert copies == [line for line in wanted if "NEW_MESSAGE" not in line]
    assert copies[0] == "2026-03-01 12:00:00 [ERROR] [news] [durov] text of ERROR ***\n"


def test_traceback_is_copied_as_its_first_and_last_line(tmp_path: Path) -> None:
    copies: list[str] = []
    log = copied_into(copies, tmp_path)
    log.write(Level.ERROR, f"The worker crashed\nTraceback (…):\n  at {SECRET}\nValueError: {SECRET}", "news")
    assert copies == ["2026-03-01 12:00:00 [ERROR] [news] The worker crashed: ValueError: ***\n"]
    assert "Traceback" in content(tmp_path)


def test_line_is_copied_although_the_log_cannot_be_written(tmp_path: Path) -> None:
    copies: list[str] = []
    log = copied_into(copies, tmp_path / "missing")
    log.write(Level.ERROR, "disk full")
    assert copies == ["2026-03-01 12:00:00 [ERROR] disk full\n"]


@pytest.mark.parametrize("setting", ["true", "false"])
def test_line_that_has_to_be_on_stderr_is_there_once(
    setting: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with os.fdopen(os.dup(2), "w", encoding="utf-8") as stderr, pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "stderr", stderr)
        log = open_log(read({"DATA_DIR": str(tmp_path), "LOG_TO_STDERR": setting}))
        log.warn(Level.STATUS, "The webhook is a placeholder")
        log.write(Level.STATUS, "Another line")
        log.close()
    printed = capfd.readouterr().err.splitlines()
    own = [line[20:] for line in content(tmp_path).splitlines()]
    if setting == "true":
        assert [line[20:] for line in printed] == own
    else:
        assert printed == ["disgram: The webhook is a placeholder"]


def test_stderr_that_was_closed_at_the_start_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    assert patient_stderr() is None


def test_stderr_without_a_descriptor_gets_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    closed = os.fdopen(os.dup(2), "w", encoding="utf-8")
    closed.close()
    monkeypatch.setattr(sys, "stderr", closed)
    assert patient_stderr() is None


def test_line_after_one_that_was_cut_off_begins_on_its_own_line() -> None:
    reader, writer = os.pipe()
    stream = PatientStream(writer)
    stream.write("x" * 1_000_000)
    assert stream.cut_off
    os.set_blocking(reader, False)
    with contextlib.suppress(BlockingIOError):
        while os.read(reader, 65536):
            pass
    stream.write("next\n")
    assert os.read(reader, 65536).endswith(b"\nnext\n")
    os.close(reader)
    os.close(writer)
