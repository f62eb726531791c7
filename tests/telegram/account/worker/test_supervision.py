"""The account's process from outside: started, started again, ended, and what it is given."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from disgram.report import Level, Report
from disgram.telegram.account.session import AccountLogin
from disgram.telegram.account.supervision import SILENT_FOR, AccountProcess
from standins.stage import Stage, eventually

ECHO = "import sys; print('got', len(sys.stdin.readline()), flush=True)"
LIVES = f"{ECHO}; sys.stdin.read()"
WRITES = "import os, sys; open(sys.argv[1], 'a').write(sys.stdin.readline()); print(os.getpid(), flush=True)"


def login_of(folder: Path, session: str = "secretSession") -> AccountLogin:
    return AccountLogin(7, "secretHash", session, folder / "telegram.session", folder / "account.sock")


class Lines:
    def __init__(self) -> None:
        self.said: list[Report] = []

    def __call__(self, level: Level, text: str) -> None:
        self.said.append(Report(level, text))

    def count(self, text: str) -> int:
        return sum(text in report.text for report in self.said)


@contextmanager
def process(code: str, lines: Lines, *more: str) -> Iterator[AccountProcess]:
    found = AccountProcess({"PATH": os.defpath}, lines, command=(sys.executable, "-c", code, *more))
    try:
        yield found
    finally:
        found.stop()


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "import sys; print" in Stage.title(one)]


def test_nothing_runs_until_it_is_wanted(tmp_path: Path) -> None:
    threads = threading.active_count()
    with process(LIVES, Lines()) as account:
        account.want(None)
        assert (children(), threading.active_count()) == ([], threads)


def test_login_goes_over_standard_input_alone_and_reports_come_back(tmp_path: Path) -> None:
    lines, given = Lines(), tmp_path / "given"
    with process(f"{WRITES}; sys.stdin.read()", lines, str(given)) as account:
        account.want(login_of(tmp_path))
        eventually(lambda: lines.said)
        child = psutil.Process(int(lines.said[0].text))
        assert json.loads(given.read_text()) == {
            "api_id": 7,
            "api_hash": "secretHash",
            "session": "secretSession",
            "session_file": None,
            "socket": str(tmp_path / "account.sock"),
        }
        assert "secret" not in f"{child.cmdline()}{child.environ()}"
    assert not child.is_running()


def test_process_that_dies_is_started_again_with_a_line(tmp_path: Path) -> None:
    lines = Lines()
    with process(LIVES, lines) as account:
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("got ") == 1)
        children()[0].send_signal(signal.SIGKILL)
        eventually(lambda: lines.count("got ") == 2)
    ended = [report for report in lines.said if "ended with code -9; starting it again in 1 s" in report.text]
    assert [report.level for report in ended] == [Level.ERROR]


def test_process_that_hangs_is_killed_and_started_again(tmp_path: Path) -> None:
    lines, now = Lines(), 0.0
    account = AccountProcess(
        {"PATH": os.defpath}, lines, command=(sys.executable, "-c", LIVES), clock=lambda: now
    )
    login = login_of(tmp_path)
    account.want(login)
    eventually(lambda: lines.count("got ") == 1)
    now = SILENT_FOR
    account.want(login)
    assert len(children()) == 1
    now = SILENT_FOR + 1
    account.want(login)
    eventually(lambda: lines.count("got ") == 2)
    assert lines.count("ended with code -9; starting it again") == 1
    account.want(login)
    assert len(children()) == 1
    account.stop()


def test_process_ends_when_it_is_not_wanted_and_starts_with_another_login(tmp_path: Path) -> None:
    lines = Lines()
    with process(LIVES, lines) as account:
        account.want(login_of(tmp_path))
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("got ") == 1)
        account.want(None)
        eventually(lambda: not children())
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("got ") == 2)
        account.want(login_of(tmp_path, "other"))
        eventually(lambda: lines.count("got ") == 3)
        assert len(children()) == 1
    assert not lines.count("starting it again")


def test_process_that_does_not_obey_is_killed_at_the_end(tmp_path: Path) -> None:
    lines = Lines()
    with process(f"import signal; signal.signal(15, signal.SIG_IGN); {LIVES}", lines) as account:
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("got ") == 1)
        account.stop(0.1)
        assert children() == []


def test_program_that_is_not_there_is_said_and_tried_again(tmp_path: Path) -> None:
    lines = Lines()
    account = AccountProcess({}, lines, command=("/nowhere/python",))
    account.want(login_of(tmp_path))
    eventually(lambda: lines.count("cannot be started (No such file or directory); starting it again"))
    account.stop()


def test_process_that_is_wanted_again_before_it_has_ended_is_no_failure(tmp_path: Path) -> None:
    lines = Lines()
    with process(LIVES, lines) as account:
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("got ") == 1)
        account.want(None)
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("got ") == 2)
        assert not lines.count("starting it again")


ASKS = f"{ECHO}; print('told', sys.stdin.readline(), flush=True)"


def test_process_that_speaks_is_told_how_long_the_account_is_this_host_s(tmp_path: Path) -> None:
    lines = Lines()
    account = AccountProcess(
        {"PATH": os.defpath},
        lines,
        command=(sys.executable, "-c", ASKS),
        clock=lambda: 100.0,
        until=lambda: 145.0,
    )
    try:
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count('told {"until": 145.0}'))
    finally:
        account.stop()


def test_process_that_no_longer_listens_is_still_seen_to_end_and_started_again(tmp_path: Path) -> None:
    deaf = f"{ECHO}; import os; os.close(0); print('deaf', flush=True); print('end', flush=True); sys.exit(3)"
    lines = Lines()
    account = AccountProcess(
        {"PATH": os.defpath}, lines, command=(sys.executable, "-c", deaf), until=lambda: 1e9
    )
    try:
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("ended with code 3") == 2)
    finally:
        account.stop()


def test_process_that_is_wanted_waits_until_the_account_is_this_host_s(tmp_path: Path) -> None:
    lines, end, asked = Lines(), [200.0], [0]

    def until() -> float:
        asked[0] += 1
        return end[0]

    account = AccountProcess(
        {"PATH": os.defpath}, lines, command=(sys.executable, "-c", LIVES),
        clock=lambda: 100.0, until=until,
    )  # fmt: skip
    try:
        account.want(login_of(tmp_path))
        eventually(lambda: lines.count("got "))
        end[0] = 50.0  # and nobody has told the service yet
        children()[0].send_signal(signal.SIGKILL)
        eventually(lambda: lines.count("ended with code -9"))
        before = asked[0]
        eventually(lambda: asked[0] >= before + 2)
        assert lines.count("got ") == 1
        end[0] = 200.0
        eventually(lambda: lines.count("got ") == 2)
    finally:
        account.stop()
