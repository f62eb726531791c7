"""The account's process from outside: started while it is wanted, started again when it dies, ended.

Owns its command line, environment and backoff, and reads what it reports. No Telethon: only that process
loads it. It ends by itself when its standard input is closed, so that it outlives no service.
"""

from __future__ import annotations

import json
import math
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import IO

from disgram.backoff import RESTART_BACKOFF_MAX, STABLE_AFTER, backoff
from disgram.errors import TelegramUnavailable
from disgram.pipes import tell
from disgram.report import Level, Report
from disgram.telegram.account.client import AccountClient
from disgram.telegram.account.session import AccountLogin

COMMAND = (sys.executable, "-X", "utf8", "-m", "disgram.telegram.account", "serve")
RESOLVE_WITHIN = 20.0
"""Seconds an invite link may take, with the start of the process."""

KEPT = 120.0
"""Seconds the process stays for whoever has asked it, though no job needs it yet."""

SILENT_FOR = 90.0
"""Seconds without a line, not even a heartbeat, after which the process hangs and is killed."""

LOOK_EVERY = 1.0
"""Seconds between two looks whether a process that is wanted may begin."""

_ROOT = Path(__file__).resolve().parents[3]
_LONGEST_LINE = 64 * 1024


class AccountProcess:
    """One process at a time; everything public may be called from any thread. `report` gets its lines,
    in a thread that begins with the first process. `environment`: of the process, without secrets. `until`:
    the moment of `clock` until which the account is this host's: see process_end.py."""

    def __init__(
        self,
        environment: Mapping[str, str],
        report: Callable[[Level, str], object],
        *,
        command: Sequence[str] = COMMAND,
        clock: Callable[[], float] = time.monotonic,
        until: Callable[[], float] = lambda: math.inf,
    ) -> None:
        self._until = until
        self._environment = environment
        self._report = report
        self._command = command
        self._clock = clock
        self._changed = threading.Condition()
        self._wanted: AccountLogin | None = None
        self._kept_until = float("-inf")
        self._stopping = False
        self._process: subprocess.Popen[bytes] | None = None
        self._heard = clock()
        self._told_to_end = False
        """The process that runs, or ran last; it may be wanted again before its end is seen."""
        self._thread: threading.Thread | None = None

    def want(self, login: AccountLogin | None) -> None:
        """Have it run with this login; None: no job needs it. Does not wait. Ends a process that hangs."""
        mine = self._may_run()
        with self._changed:
            if self._process and self._clock() - self._heard > SILENT_FOR:
                self._process.kill()
            kept = mine and login is None and self._clock() < self._kept_until
            login = login if mine else None
            if kept or login == self._wanted or self._stopping:
                return
            self._wanted = login
            self._terminate()
            if login and not self._thread:
                self._thread = threading.Thread(target=self._run, name="account", daemon=True)
                self._thread.start()
            self._changed.notify_all()

    def _may_run(self) -> bool:
        return self._until() > self._clock()

    def keep(self, login: AccountLogin | None) -> None:
        """Have it run for KEPT seconds at least, for somebody who is about to ask it."""
        with self._changed:
            self._kept_until = self._clock() + KEPT
        self.want(login)

    def resolve(self, login: AccountLogin, invite: str) -> str:
        """The name of the channel of an invite link, as the account has it; starts the process if need be.
        Raises TelegramError."""
        if not self._may_run():
            raise TelegramUnavailable("another host has the account now: ask there, or try again in a minute")
        self.keep(login)
        client, until = AccountClient(login.socket, RESOLVE_WITHIN), self._clock() + RESOLVE_WITHIN
        while True:
            try:
                return client.resolve(invite)
            except TelegramUnavailable:
                if self._clock() > until:
                    raise
                time.sleep(0.3)

    def stop(self, timeout: float = 1.0) -> None:
        """SIGTERM, and SIGKILL after `timeout` seconds; none is left on return. Idempotent."""
        with self._changed:
            self._stopping, self._wanted = True, None
            self._terminate()
            self._changed.notify_all()
        if self._thread:
            self._thread.join(timeout)
            if self._process:
                self._process.kill()
            self._thread.join(timeout)

    def _terminate(self) -> None:
        if self._process:
            self._told_to_end = True
            self._process.terminate()

    # --- its own thread ---

    def _run(self) -> None:
        failures = 0
        while login := self._next():
            started = self._clock()
            ended = self._live(login)
            if self._told_to_end or not self._is_wanted(login):
                failures = 0
                continue
            failures = 1 if self._clock() - started >= STABLE_AFTER else failures + 1
            delay = backoff(failures, RESTART_BACKOFF_MAX)
            text = f"The account's process {ended}; starting it again in {delay:.0f} s"
            self._report(Level.ERROR, text)
            with self._changed:
                self._changed.wait_for(lambda: not self._is_wanted(login), delay)

    def _next(self) -> AccountLogin | None:
        """What to run next; None at the end."""

        def may_begin() -> bool:
            return self._stopping or (self._wanted is not None and self._may_run())

        with self._changed:
            while not self._changed.wait_for(may_begin, LOOK_EVERY if self._wanted else None):
                pass
            return self._wanted

    def _is_wanted(self, login: AccountLogin) -> bool:
        return self._wanted == login

    def _live(self, login: AccountLogin) -> str:
        """One process, from its start to its end; says how it ended."""
        try:
            process = self._spawn()
        except OSError as error:
            return f"cannot be started ({error.strerror})"
        with process:
            assert process.stdin and process.stdout  # noqa: S101 - both are pipes
            with self._changed:
                self._process, self._told_to_end, self._heard = process, False, self._clock()
                if not self._is_wanted(login):
                    process.terminate()
            tell(process.stdin, json.dumps(login.to_wire()).encode() + b"\n")
            while line := process.stdout.readline(_LONGEST_LINE):
                self._pass_on(line)
                self._permit(process.stdin)
            code = process.wait()
            with self._changed:
                self._process = None
        return f"ended with code {code}"

    def _spawn(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            cwd=_ROOT,
            env=self._environment,
            start_new_session=True,  # Ctrl+C reaches the service alone, and it decides
        )

    def _permit(self, stdin: IO[bytes]) -> None:
        """It speaks every few seconds, and is answered how long it may go on."""
        if (until := self._until()) < math.inf:
            tell(stdin, json.dumps({"until": until}).encode() + b"\n")

    def _pass_on(self, line: bytes) -> None:
        self._heard = self._clock()
        report = Report.decode(line)
        if report.level and not self._stopping:
            self._report(report.level, report.text)
