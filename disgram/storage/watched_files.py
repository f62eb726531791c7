"""What becomes of the databases under a running service, and what it does about it.

Without limits.db nothing can be sent, and it is worth nothing after a minute: whatever is wrong with it, it
is moved aside and made anew, while no worker has it open. Without disgram.db nobody knows what was sent, so
nothing is sent until the file is back: workers see that for themselves, here it is said.

Owns these two reactions. Never stops a worker, and never reads a row.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Protocol

from disgram.errors import DatabaseDamaged, DatabaseTooNew, StorageUnavailable
from disgram.report import Level
from disgram.storage.rate_limits import LimitStore
from disgram.storage.sqlite import remove_side_files

_OF_THE_FILE = re.compile("disk I/O error|no such")
"""What SQLite says if side files were overwritten, or tables are missing."""

_LEDGER_LOST = (
    "disgram.db was {} while Disgram runs. Nothing is sent until the file is back in its place. If it is "
    "lost, put a backup there, if you have one, and restart Disgram; without one it goes on after the posts "
    "that Disgram.log names."
)


class WatchedLedger(Protocol):
    """What is asked of the ledger."""

    def lost(self) -> str | None: ...


class WatchedFiles:
    """For one thread, but for `problems`. `idle`: no worker process is left; `write` is the log's; limits.db,
    whose pages are all read, is looked at every `interval` seconds; `clock` is monotonic."""

    def __init__(
        self,
        ledger: WatchedLedger,
        limits: LimitStore,
        idle: Callable[[], bool],
        write: Callable[[Level, str], None],
        *,
        interval: float = 30.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._ledger, self._limits = ledger, limits
        self._idle, self._write = idle, write
        self._interval, self._clock = interval, clock
        self._next_look_at = clock()
        self._lost_limits: str | None = None
        self._ledger_problem: str | None = None
        self._limits_problem: str | None = None

    def problems(self) -> tuple[str, ...]:
        """Why nothing is sent."""
        return tuple(filter(None, (self._ledger_problem, self._limits_problem)))

    def workers_may_run(self) -> bool:
        """Look at both files. False: all workers have to stop, so that limits.db can be made anew; ask again
        when one has ended."""
        self._look_at_ledger()
        self._look_at_limits()
        if self._lost_limits and self._idle():
            self._make_limits_anew(self._lost_limits)
        return not self._lost_limits

    def _look_at_ledger(self) -> None:
        lost = self._ledger.lost()
        problem = _LEDGER_LOST.format(lost) if lost else None
        if problem == self._ledger_problem:
            return
        self._ledger_problem = problem
        if problem:
            self._write(Level.ERROR, problem)
        else:
            self._write(Level.STATUS, "disgram.db is back in its place")

    def _look_at_limits(self) -> None:
        now = self._clock()
        if self._lost_limits or now < self._next_look_at:
            return
        self._next_look_at = now + self._interval
        self._lost_limits = _lost(self._limits)
        if self._lost_limits:
            name = self._limits.path.name
            self._limits_problem = f"{name} was {self._lost_limits}. All workers stop, and it is made anew"

    def _make_limits_anew(self, lost: str) -> None:
        path, problem = self._limits.path, None
        try:
            aside = self._limits.renew(set_aside)
        except (StorageUnavailable, DatabaseTooNew) as error:
            problem = f"{path.name} was {lost} and cannot be made anew, so nothing is sent: {error}"
            if problem != self._limits_problem:
                self._write(Level.ERROR, problem)
        else:
            self._lost_limits = None
            self._write(Level.ERROR, _made_anew(path, lost, aside))
        self._limits_problem = problem


def open_limits(path: Path, write: Callable[[Level, str], None]) -> LimitStore:
    """For the service, before it has workers: a damaged file is moved aside. Raises StorageUnavailable and
    DatabaseTooNew."""
    try:
        store = LimitStore(path)
        if not store.is_damaged():
            return store
        store.close()
    except DatabaseDamaged:
        pass
    aside = set_aside(path)
    store = LimitStore(path)
    write(Level.ERROR, _made_anew(path, "damaged", aside))
    return store


def set_aside(path: Path) -> Path | None:
    """Rename what is there, and remove SQLite's side files; the new name, or None where there was nothing.
    Nobody may have it open. Raises StorageUnavailable."""
    try:
        aside = _free_name(path)
        existed = path.exists()
        if existed:
            path.replace(aside)
        remove_side_files(path)
    except OSError as error:
        raise StorageUnavailable(f"{path.name} cannot be renamed ({error.strerror})") from error
    return aside if existed else None


def _free_name(path: Path) -> Path:
    """A file that was set aside earlier is overwritten by the next; nothing else is."""
    names = (path.with_name(f"{path.name}.damaged{number or ''}") for number in count())
    return next(name for name in names if not name.exists() or (name.is_file() and path.is_file()))


def _lost(limits: LimitStore) -> str | None:
    """What became of the file, as a worker that starts now would find it."""
    if lost := limits.lost():
        return lost
    try:
        with closing(LimitStore(limits.path, create=False)) as found:
            return "damaged" if found.is_damaged() else None
    except (DatabaseDamaged, DatabaseTooNew):
        return "damaged"
    except StorageUnavailable as error:  # anything else (no memory, no descriptor) passes by itself
        return "damaged" if _OF_THE_FILE.search(str(error)) else None


def _made_anew(path: Path, lost: str, aside: Path | None) -> str:
    renamed = f"It was renamed to {aside.name} and" if aside else "Now"
    return f"{path.name} was {lost}. {renamed} a new one is used."
