"""Named entries in a JSON file that the service writes and people edit meanwhile: an edit is taken over, or
refused with a reason, and never overwritten.

Owns which of the two is newer. Never knows what an entry means.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, NamedTuple, TypeVar

from disgram.errors import StartRefused, StorageUnavailable
from disgram.storage.files.json_file import JsonFile

Entry = TypeVar("Entry")


class Edit(NamedTuple):
    """What a person has done: names of entries added or changed, and removed; or why it is not taken over."""

    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    refusal: str | None = None


class EditedFile(Generic[Entry]):
    """The entries that count, and their file. `read` gives those in the file, None without a file, and raises
    StartRefused. For one thread at a time."""

    def __init__(self, file: JsonFile, read: Callable[[], dict[str, Entry] | None]) -> None:
        self._file, self._read = file, read
        self._edits: list[Edit] = []
        self.entries: dict[str, Entry] = {}
        self.problem: str | None = None
        """Why the file does not hold the entries that count; None while it does."""

    def load(self) -> None:
        """Raises StartRefused, and leaves the file as it is."""
        self.entries = self._read() or {}
        self._file.hide()

    def look(self) -> None:
        """Take over what a person has written into the file."""
        if not self._file.changed():
            return
        name = self._file.name
        try:
            entries = self._read()
        except StartRefused as refusal:
            self._refuse(f"{name} was changed by hand and is not used: {refusal}".rstrip(".") + ".")
            return
        if entries is None:  # an editor may be about to replace it, and a slip must not end everything
            self._refuse(f"{name} was removed. Everything goes on; the next change of a job writes it anew.")
            return
        changed = tuple(key for key, entry in entries.items() if self.entries.get(key) != entry)
        removed = tuple(key for key in self.entries if key not in entries)
        self.entries, self.problem = entries, None
        self._edits.append(Edit(changed, removed))
        self._file.hide()

    def take_edits(self) -> list[Edit]:
        """What `look` has found since the last call."""
        edits, self._edits = self._edits, []
        return edits

    def store(self, entries: dict[str, Entry], content: dict[str, Any]) -> None:
        """Write them, as `content`. Raises StorageUnavailable, also where that would overwrite an edit."""
        self.refuse_to_overwrite()
        if self._file.changed() and self._file.exists():
            raise StorageUnavailable(f"{self._file.name} was changed by hand just now; try again.")
        self._file.replace(content)
        self.entries, self.problem = entries, None

    def refuse_to_overwrite(self) -> None:
        """Raises StorageUnavailable while the file holds an edit that is not taken over."""
        if self.problem and self._file.exists():
            raise StorageUnavailable(f"{self.problem} Until then no job can be changed in another way.")

    def _refuse(self, problem: str) -> None:
        self.problem = problem
        self._edits.append(Edit(refusal=problem))
