"""What the operator was told, kept over restarts: `alerts.json` in the data directory.

Owns the form of that file. A damaged one is as good as none: what lasts is told once more.
"""

from __future__ import annotations

from pathlib import Path

from disgram.alerts.decision import Memory
from disgram.errors import StartRefused
from disgram.health.memory import from_rows, time_of, to_rows
from disgram.storage.files.json_file import JsonFile

FILE = "alerts.json"


class AlertMemory:
    """Of one data directory; for one thread."""

    def __init__(self, data_dir: Path) -> None:
        self._file = JsonFile(data_dir / FILE)

    def load(self) -> Memory:
        """Raises StartRefused if there is a file that cannot be read."""
        content = self._file.read()
        if content is None:
            return Memory()
        try:
            sent_at = content["sent_at"]
            return Memory(from_rows(content["told"]), time_of(sent_at) if sent_at else None)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise StartRefused(f"{self._file.name} holds something else than alerts") from None

    def save(self, memory: Memory) -> None:
        """Raises StorageUnavailable."""
        sent_at = memory.sent_at.isoformat() if memory.sent_at else None
        self._file.replace({"told": to_rows(memory.told), "sent_at": sent_at})
