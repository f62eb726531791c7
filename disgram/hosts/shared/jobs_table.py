"""The jobs of all hosts: the table `job`, a row for each.

A JobStore (disgram/jobs/store.py). A change replaces the row only if it still is what this host had read, so
that of two hosts that change a job at once one is told. Owns the table's SQL; never decides when it is read
again.
"""

from __future__ import annotations

import json
import re
import threading
import time
from collections import deque
from collections.abc import Callable, Collection, Mapping

from disgram.errors import BadInput, StartRefused, StorageUnavailable
from disgram.jobs.file import fields_of, read_job
from disgram.jobs.store import Entry, name_taken
from disgram.storage.engine import Engine, Statements
from disgram.storage.files.hand_edits import Edit

_NUL = re.compile(r"(?<!\\)(?:\\\\)*\\u0000")
"""As JSON writes it; not behind an odd number of backslashes more."""


class JobsTable:
    """`refresh` and `store` wait for the database, the rest for nobody.

    In the transaction of each change `tell` is called, to notify other hosts, and `begin_anew` with the name
    of a job that is made in it: the host that deletes one of that name may not have come to its rows yet.
    """

    def __init__(
        self,
        database: Engine,
        webhook_hosts: Collection[str] = (),
        *,
        tell: Callable[[Statements], object] = lambda run: None,
        begin_anew: Callable[[Statements, str], object] = lambda run, name: None,
    ) -> None:
        self._database, self._webhook_hosts = database, webhook_hosts
        self._tell, self._begin_anew = tell, begin_anew
        self._lock = threading.Lock()
        self._rows: dict[str, str] = {}
        """Fields as they were last read or written here, as JSON."""
        self._bases: dict[str, str | None] = {}
        """The same, when a change of them began; None: there was no such job."""
        self._edits: deque[Edit] = deque()
        self.read_at = float("-inf")
        """When the last reading was begun that ended well, on the monotonic clock."""
        self.entries: Mapping[str, Entry] = {}
        self.problem: str | None = None

    def load(self) -> None:
        """The jobs as they are stored. Raises StartRefused and StorageUnavailable."""
        self.refresh()
        if self.problem:
            raise StartRefused(self.problem)
        self._edits.clear()

    def look(self) -> None:
        """Nothing is known without waiting but what `refresh` has read, which is taken over already."""

    def take_edits(self) -> list[Edit]:
        return [self._edits.popleft() for _ in range(len(self._edits))]

    def refresh(self) -> bool:
        """Read the table; whether jobs are others than before. Raises StorageUnavailable."""
        with self._lock:
            began = time.monotonic()
            with self._database.reading() as run:
                rows = dict(run.execute("SELECT name, CAST(fields AS text) FROM job ORDER BY position, id"))
            changed = (rows != self._rows or bool(self.problem)) and self._take_over(rows)
            self.read_at = began
            return changed

    def prepare_change(self, names: Collection[str]) -> None:
        self.refresh()
        if self.problem:
            raise StorageUnavailable(f"{self.problem} Until then no job can be changed.")
        self._bases |= {name: self._rows.get(name) for name in names}

    def store(self, changed: Mapping[str, Entry], removed: Collection[str] = ()) -> None:
        with self._lock:
            texts = {name: _text(name, entry, self._rows.get(name, "{}")) for name, entry in changed.items()}
            with self._database.transaction() as run:
                for name, text in texts.items():
                    self._put(run, name, text)
                for name in removed:
                    self._remove(run, name)
                self._tell(run)
            entries, rows = {**self.entries, **changed}, {**self._rows, **texts}
            self.entries = {name: entry for name, entry in entries.items() if name not in removed}
            self._rows = {name: row for name, row in rows.items() if name not in removed}
            for name in (*changed, *removed):
                self._bases.pop(name, None)

    def _take_over(self, rows: dict[str, str]) -> bool:
        before = self.entries
        try:
            entries = {name: self._entry(name, row) for name, row in rows.items()}
        except BadInput as error:
            self.problem = (
                f"The table job of the database cannot be used: {error.error}: {error}".rstrip(".") + "."
            )
            return False
        self._rows, self.entries, self.problem = rows, entries, None
        changed = tuple(name for name, entry in entries.items() if before.get(name) != entry)
        removed = tuple(name for name in before if name not in entries)
        if changed or removed:
            self._edits.append(Edit(changed, removed))
        return bool(changed or removed)

    def _entry(self, name: str, row: str) -> Entry:
        """Parsed only if it is another row than before. Raises BadInput, which names the job."""
        if row == self._rows.get(name):
            return self.entries[name]
        try:
            return read_job(name, json.loads(row), self._webhook_hosts)
        except BadInput as error:
            raise BadInput(f"job {name!r}: {error.error}", str(error)) from None

    def _put(self, run: Statements, name: str, text: str) -> None:
        base = self._bases.get(name, self._rows.get(name))
        if base is None:
            done = run.execute(
                "INSERT INTO job (name, fields, position) SELECT :name, CAST(:fields AS jsonb), "
                "COALESCE(MAX(position), -1) + 1 FROM job ON CONFLICT (name) DO NOTHING",
                {"name": name, "fields": text},
            )
            if done.rowcount != 1:
                raise name_taken(name)
            self._begin_anew(run, name)
            return
        done = run.execute(
            "UPDATE job SET fields = CAST(:fields AS jsonb) "
            "WHERE name = :name AND fields = CAST(:base AS jsonb)",
            {"name": name, "fields": text, "base": base},
        )
        _refuse_second(done.rowcount, name)

    def _remove(self, run: Statements, name: str) -> None:
        base = self._bases.get(name, self._rows.get(name))
        done = run.execute(
            "DELETE FROM job WHERE name = :name AND fields = CAST(:base AS jsonb)",
            {"name": name, "base": base},
        )
        _refuse_second(done.rowcount, name)


def _text(name: str, entry: Entry, before: str) -> str:
    """`before`: what is stored now. Raises BadInput for characters that JSON in PostgreSQL cannot hold."""
    text = json.dumps(fields_of(entry, json.loads(before)), ensure_ascii=False)
    if _NUL.search(text) or any("\ud800" <= character <= "\udfff" for character in text):
        raise BadInput("Unusable character", f"Job {name!r} holds NUL or half of a surrogate pair.")
    return text


def _refuse_second(rows: int, name: str) -> None:
    if rows != 1:
        raise StorageUnavailable(
            f"Job {name!r} was changed through another host just now. Nothing was changed; try again."
        )
