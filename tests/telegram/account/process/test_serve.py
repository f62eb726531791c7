"""The account's process as the service starts it: its settings, its title, its end."""

from __future__ import annotations

import json
import os
import re
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlencode

import pytest

pytest.importorskip("telethon")

from disgram.report import Report
from standins.mtproto.server import MtprotoStandIn
from tests.telegram.account.process.running import PATIENCE, Account, eventually, posts

COMMAND = [sys.executable, "-m", "disgram.telegram.account", "serve"]
ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture
def telegram() -> Iterator[MtprotoStandIn]:
    with MtprotoStandIn() as server:
        yield server


@contextmanager
def process(settings: dict[str, object]) -> Iterator[subprocess.Popen[bytes]]:
    started = subprocess.Popen(
        COMMAND, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    try:
        assert started.stdin
        started.stdin.write(json.dumps(settings).encode() + b"\n")
        started.stdin.flush()
        yield started
    finally:
        started.kill()
        started.communicate()


def settings_for(telegram: MtprotoStandIn, folder: Path, **others: object) -> dict[str, object]:
    return {
        "api_id": 1,
        "api_hash": "secret-hash",
        "session": telegram.session_string(),
        "session_file": None,
        "socket": str(folder / "account.sock"),
        **others,
    }


def ended(started: subprocess.Popen[bytes]) -> tuple[int, list[Report], bytes]:
    out, err = started.communicate(timeout=PATIENCE)
    reports = map(Report.decode, out.splitlines())
    return started.returncode, [report for report in reports if report.level], err  # without heartbeats


def test_it_answers_until_its_service_is_gone(telegram: MtprotoStandIn, tmp_path: Path) -> None:
    channel = telegram.channel("News")
    channel.post("hello")
    given = settings_for(telegram, tmp_path)
    account = Account(tmp_path / "account.sock")
    with process(given) as started:
        eventually(account.path.exists)
        assert account.texts(f"c/{channel.id}") == ["hello"]
        assert stat.S_IMODE(account.path.stat().st_mode) == 0o600
        proc = Path(f"/proc/{started.pid}")
        assert proc.joinpath("cmdline").read_bytes().rstrip(b"\0") == b"disgram: account"
        assert re.search(r"Max core file size +0 ", proc.joinpath("limits").read_text())
        assert str(given["session"]).encode() not in proc.joinpath("environ").read_bytes()

        code, reports, err = ended(started)  # closes its standard input

    assert (code, err) == (0, b"")
    assert [report.text for report in reports] == ["The account is connected to Telegram"]
    assert not account.path.exists()


def test_process_that_ends_late_leaves_the_socket_of_the_next_one(
    telegram: MtprotoStandIn, tmp_path: Path
) -> None:
    channel = telegram.channel("News")
    channel.post("hello")
    account = Account(tmp_path / "account.sock")
    with process(settings_for(telegram, tmp_path)) as first:
        eventually(account.path.exists)
        first.send_signal(signal.SIGSTOP)  # as if it were slow to end
        before = account.path.stat().st_ino
        with process(settings_for(telegram, tmp_path)):
            eventually(lambda: account.path.stat().st_ino != before)
            first.send_signal(signal.SIGCONT)
            assert ended(first)[0] == 0
            assert account.texts(f"c/{channel.id}") == ["hello"]


def test_sigterm_ends_it_though_telegram_is_silent(telegram: MtprotoStandIn, tmp_path: Path) -> None:
    telegram.silent = True
    with process(settings_for(telegram, tmp_path)) as started:
        eventually((tmp_path / "account.sock").exists)
        os.kill(started.pid, signal.SIGTERM)
        assert started.wait(PATIENCE) == 0


def test_a_large_file_takes_no_more_memory_than_a_few_of_its_parts(
    telegram: MtprotoStandIn, tmp_path: Path
) -> None:
    size = 64 * 1024 * 1024
    channel = telegram.channel("News")
    channel.post(media=telegram.document(size, name="big.bin"))
    with process(settings_for(telegram, tmp_path)) as started:
        account = Account(tmp_path / "account.sock")
        eventually(account.path.exists)
        (post,) = posts(account.page(f"c/{channel.id}"))
        before = most_memory(started.pid)

        asked = urlencode({"address": post.media[0].url, "max_bytes": size})
        status, _, body = account.raw(f"/file?{asked}")

        assert (status, len(body)) == (200, size)
        assert most_memory(started.pid) - before < 12 * 1024


def most_memory(pid: int) -> int:
    """KiB that a process ever had in memory."""
    found = re.search(r"VmHWM:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert found
    return int(found[1])


def test_a_session_file_does_as_well(telegram: MtprotoStandIn, tmp_path: Path) -> None:
    file = tmp_path / "telegram.session"
    file.write_text(telegram.session_string() + "\n")
    with process(settings_for(telegram, tmp_path, session=None, session_file=str(file))):
        account = Account(tmp_path / "account.sock")
        eventually(account.path.exists)
        channel = telegram.channel("News")
        channel.post("hello")
        assert account.texts(f"c/{channel.id}") == ["hello"]


def test_a_data_folder_with_a_long_path_is_no_obstacle(telegram: MtprotoStandIn, tmp_path: Path) -> None:
    folder = tmp_path / ("long" * 40)
    folder.mkdir()
    with process(settings_for(telegram, folder)):
        eventually((folder / "account.sock").exists)
    assert len(str(folder)) > 108


@pytest.mark.parametrize("session", ["", "not a session", "1" + "A" * 352, "1AgA"])
def test_without_a_usable_session_it_says_so_once_and_answers_so(
    telegram: MtprotoStandIn, tmp_path: Path, session: str
) -> None:
    account = Account(tmp_path / "account.sock")
    with process(settings_for(telegram, tmp_path, session=session)) as started:
        eventually(account.path.exists)
        for _ in range(3):
            status, refusal = account.get("/page", channel="c/1")
            assert (status, refusal["reason"]) == (503, "account_missing")
            assert "make account" in refusal["message"]
        code, reports, err = ended(started)
    assert (code, err, telegram.accepted) == (0, b"", 0)
    assert [report.facts for report in reports] == [{"reason": "account_missing"}]
    assert "make account" in reports[0].text


@pytest.mark.parametrize(("content", "why"), [(b"SQLite\0\xff", "cannot be read"), (b"\n", "is malformed")])
def test_session_file_that_is_none_is_named(
    telegram: MtprotoStandIn, tmp_path: Path, content: bytes, why: str
) -> None:
    file = tmp_path / "telegram.session"
    file.write_bytes(content)
    account = Account(tmp_path / "account.sock")
    with process(settings_for(telegram, tmp_path, session=None, session_file=str(file))):
        eventually(account.path.exists)
        _, refusal = account.get("/page", channel="c/1")
    assert why in refusal["message"]


def test_no_secret_is_in_what_it_says_when_it_fails(telegram: MtprotoStandIn, tmp_path: Path) -> None:
    given = settings_for(telegram, tmp_path / "missing")
    with process(given) as started:
        code, reports, err = ended(started)
    assert (code, err) == (1, b"")
    assert len(reports) == 1
    assert str(given["session"]) not in reports[0].text
    assert "secret-hash" not in reports[0].text
