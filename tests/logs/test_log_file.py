"""Disgram.log: one event one line whatever it holds, rotation by us and by others, and reading it back."""

from __future__ import annotations

import errno
import io
import os
import re
import subprocess
import sys
import threading
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from disgram.errors import StorageUnavailable
from disgram.logs.log_file import (
    _UNSAFE,
    LogFile,
    cut,
    mask,
    one_line,
)
from disgram.report import Level

NOON = datetime(2026, 3, 1, 12, 0, 0).timestamp()
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[(INFO|ERROR|NEW_MESSAGE|STATUS|SYSTEM)\] "
    r"(?:\[([^\[\]]*)\] )?(?:\[([^\[\]]*)\] .*|(?!\[).*)"
)


def make(
    folder: Path, *, max_bytes: int = 1 << 20, backups: int = 2, secrets: tuple[str, ...] = ()
) -> LogFile:
    return LogFile(
        folder / "Disgram.log", max_bytes=max_bytes, backups=backups, clock=lambda: NOON, secrets=secrets
    )


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return make(tmp_path)


def content(folder: Path) -> str:
    return (folder / "Disgram.log").read_text("utf-8")


def test_the_form_of_a_line(log: LogFile, tmp_path: Path) -> None:
    log.write(Level.NEW_MESSAGE, "https://t.me/durov/5", job="news", channel="durov")
    log.write(Level.SYSTEM, "Job created", job="news")
    log.write(Level.STATUS, "Started")
    assert content(tmp_path).splitlines() == [
        "2026-03-01 12:00:00 [NEW_MESSAGE] [news] [durov] https://t.me/durov/5",
        "2026-03-01 12:00:00 [SYSTEM] [news] Job created",
        "2026-03-01 12:00:00 [STATUS] Started",
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\x00\x1b[31m\x7f", r"a\x00\x1b[31m\x7f"),
        ("a\u2028b\u2029c\u0085d", r"a\u2028b\u2029c\x85d"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("\ud800", r"\ud800"),
        ("naïve 日本 👩‍👩‍👧", "naïve 日本 👩‍👩‍👧"),
    ],
)
def test_what_breaks_a_line_is_escaped(text: str, written: str) -> None:
    assert one_line(text) == written


@pytest.mark.parametrize("name", ["x] [ERROR", "x] [durov", "[", "]", "\\x5d", "News [EN]", "a\nb"])
def test_a_name_cannot_fake_a_field(log: LogFile, tmp_path: Path, name: str) -> None:
    log.write(Level.INFO, "text", job=name, channel="durov")
    log.write(Level.INFO, "text", job="durov", channel="x")
    log.write(Level.INFO, "[durov] [x] text", job=name)
    lines = content(tmp_path).splitlines()
    for line, expected in zip(lines, ["durov", "x", None], strict=True):
        found = LINE.fullmatch(line)
        assert found
        assert (found[1], found[3]) == ("INFO", expected)
    assert len(log.tail(10, job=name)) == 2
    assert len(log.tail(10, job="durov")) == 1


@pytest.mark.parametrize(
    "text",
    [
        "POST https://discord.com/api/v10/webhooks/123/aTo-k_en.1?wait=true failed",
        "HTTPSConnectionPool(host='discord.com'): url: /api/webhooks/123/aTo-k_en.1 (Caused by",
        '{"url":"https:\\/\\/discord.com\\/api\\/webhooks\\/123\\/aTo-k_en.1"}',
        "webhooks%2F123%2FaTo-k_en.1&x",
        "WEBHOOKS/123/aTo-k_en.1/messages/5",
        "the password is hunter22!",
    ],
)
def test_tokens_and_secrets_are_masked(tmp_path: Path, text: str) -> None:
    log = make(tmp_path, secrets=("hunter22", ""))
    log.write(Level.ERROR, text, job=text, channel=text)
    written = content(tmp_path)
    assert "aTo-k" not in written
    assert "hunter22" not in written
    assert "***" in written


def test_secret_that_lies_across_the_longest_text_is_masked(tmp_path: Path) -> None:
    log = make(tmp_path, secrets=("hunter22",))
    for position in range(1, 8):
        log.write(Level.ERROR, "x" * (16_384 - position) + "hunter22")
    assert "h" not in content(tmp_path)


def test_a_line_of_an_older_disgram_is_masked_when_it_is_read(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "Disgram.log").write_text(
        "sent to https://discord.com/api/webhooks/1/secretToken\x1b[2J\n", "utf-8"
    )
    assert log.tail(5) == [r"sent to https://discord.com/api/webhooks/1/***\x1b[2J"]


@example("[", "", "")  # behind both fields a bracket is text, and fakes nothing
@given(st.text(max_size=80), st.none() | st.text(max_size=20), st.none() | st.text(max_size=20))
def test_one_event_is_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str, job: str | None, channel: str | None
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = make(folder)
    log.write(Level.INFO, text, job=job, channel=channel if job is not None else None)
    written = content(folder)
    assert written.splitlines() == [written[:-1]]
    found = LINE.fullmatch(written[:-1])
    assert found
    assert (found[2] is not None) == (job is not None)
    log.close()


def test_somebody_elses_words_are_cut() -> None:
    assert cut("x" * 300) == "x" * 300
    assert cut("x" * 301) == "x" * 299 + "…"
    assert mask("no secret") == "no secret"


def test_rotation_by_size(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=400, backups=2)
    for number in range(40):
        log.write(Level.INFO, f"line {number:02}")
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["Disgram.log", "Disgram.log.1", "Disgram.log.2"]
    assert all(path.stat().st_size <= 400 for path in tmp_path.iterdir())
    kept = [line[-2:] for line in log.tail(100)]
    assert kept == [f"{number:02}" for number in range(40 - len(kept), 40)]
    assert len(kept) > 20


def test_no_backups_means_starting_over(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=400, backups=0)
    for number in range(40):
        log.write(Level.INFO, f"line {number:02}")
    assert [path.name for path in tmp_path.iterdir()] == ["Disgram.log"]
    assert log.tail(1)[0].endswith("line 39")


def test_logrotate_that_renames(log: LogFile, tmp_path: Path) -> None:
    log.write(Level.INFO, "before")
    (tmp_path / "Disgram.log").rename(tmp_path / "Disgram.log.1")
    log.write(Level.INFO, "after")
    assert content(tmp_path).endswith("after\n")
    assert [line.split()[-1] for line in log.tail(5)] == ["before", "after"]


def test_logrotate_that_truncates(log: LogFile, tmp_path: Path) -> None:
    log.write(Level.INFO, "before")
    os.truncate(tmp_path / "Disgram.log", 0)
    log.write(Level.INFO, "after")
    assert content(tmp_path) == "2026-03-01 12:00:00 [INFO] after\n"


def test_a_full_disk_is_said_once_and_recovered_from(
    log: LogFile, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A directory in the file's place fails as a disk does: at once, and until somebody acts."""
    path = tmp_path / "Disgram.log"
    path.mkdir()
    log.write(Level.INFO, "one")
    log.write(Level.INFO, "two")
    assert log.trouble
    assert capsys.readouterr().err.count("\n") == 1
    path.rmdir()
    log.write(Level.INFO, "three")
    assert log.trouble is None
    first, second = content(tmp_path).splitlines()
    assert "[SYSTEM] 2 lines are missing" in first
    assert second.endswith("[INFO] three")


def test_standard_error_on_the_same_full_disk(
    log: LogFile, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(errno.ENOSPC, "No space left on device")

    (tmp_path / "Disgram.log").mkdir()
    monkeypatch.setattr(sys, "stderr", Full())
    log.write(Level.INFO, "one")
    assert log.trouble


SHORT_OF_SPACE = """
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


def test_a_line_that_fits_in_part_spoils_no_other(tmp_path: Path) -> None:
    """A limit on the size of files cuts a write short exactly as a full disk does."""
    command = [sys.executable, "-c", SHORT_OF_SPACE, str(tmp_path / "Disgram.log")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=30, check=True)
    assert done.stderr.count("\n") == 1
    lines = content(tmp_path).splitlines()
    assert len(lines) == 4
    assert lines[0].endswith("whole")
    assert "2 lines are missing" in lines[2]
    assert lines[3].endswith("[INFO] back")


def test_tail_by_job_and_level(log: LogFile) -> None:
    for number in range(10):
        log.write(
            Level.ERROR if number % 2 else Level.INFO,
            f"n{number}",
            job="a" if number % 3 else "b",
            channel="c",
        )
    log.write(Level.SYSTEM, "about no job: [a] [ERROR]")
    assert [line[-2:] for line in log.tail(3, job="a", level=Level.ERROR)] == ["n1", "n5", "n7"]
    assert [line[-2:] for line in log.tail(2, job="b")] == ["n6", "n9"]
    assert [line[-2:] for line in log.tail(1, level=Level.INFO)] == ["n8"]
    assert log.tail(5, job="c") == []


def test_lines_longer_than_a_block_and_without_an_end(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "Disgram.log").write_bytes(b"first\n" + b"x" * 200_000 + b"\n\xff\nlast without an end")
    assert [line[:6] for line in log.tail(10)] == ["first", "xxxxxx", "\ufffd", "last w"]
    assert log.tail(10)[1] == "x" * 200_000


@given(st.lists(st.integers(0, 3000), max_size=60), st.integers(1, 80))
def test_tail_is_the_end_of_the_file(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], wanted: int
) -> None:
    folder = tmp_path_factory.mktemp("log")
    lines = [f"{number}" + "y" * size for number, size in enumerate(sizes)]
    (folder / "Disgram.log").write_text("".join(f"{line}\n" for line in lines), "utf-8")
    assert make(folder).tail(wanted) == lines[-wanted:]


def test_no_file_is_no_line(log: LogFile) -> None:
    assert log.tail(5) == []
    assert log.last_write_at is None
    log.write(Level.INFO, "x")
    assert log.last_write_at is not None


def test_a_file_that_cannot_be_opened(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "Disgram.log").symlink_to("Disgram.log")
    with pytest.raises(StorageUnavailable):
        log.tail(5)


def test_threads_do_not_mix_their_lines(tmp_path: Path) -> None:
    log = make(tmp_path, max_bytes=20_000, backups=50)
    speakers = [threading.Thread(target=_speak, args=(log, n)) for n in range(4)]
    for speaker in speakers:
        speaker.start()
    seen = [log.tail(50) for _ in range(20)]
    for speaker in speakers:
        speaker.join()
    assert all(LINE.fullmatch(line) for lines in seen for line in lines)
    for n in range(4):
        assert [line.rsplit(" ", 1)[-1] for line in log.tail(1000, job=f"job{n}")] == [
            f"{n}:{i}" for i in range(300)
        ]


def _speak(log: LogFile, n: int) -> None:
    for i in range(300):
        log.write(Level.INFO, f"{n}:{i}", job=f"job{n}")


def test_every_character_that_must_be_escaped_is_found_however_the_line_is_looked_at() -> None:
    unsafe = [chr(code) for code in range(0x110000) if _UNSAFE.match(chr(code))]
    assert not any(one_line(f"a{character}b") == f"a{character}b" for character in unsafe)


@pytest.mark.parametrize("word", ["webhooks", "WEBHOOKS", "webhook\u017f", "web\u017fwebhoo\u212as"])
def test_a_token_is_masked_however_the_word_before_it_is_written(word: str) -> None:
    assert "secret" not in mask(f"https://discord.com/api/{word}/123/secret")
