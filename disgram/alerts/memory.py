"""What the operator was told, kept over restarts: `alerts.json` in the data directory.

Owns the form of that file. A damaged one is as good as none: what lasts is told once more.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Any

from disgram.alerts.decision import Memory
from disgram.errors import StartRefused
from disgram.health.problems import Key
from disgram.storage.json_file import JsonFile

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
            told = {_key(row): _time(row["since"]) for row in content["told"]}
            sent_at = content["sent_at"]
            return Memory(told, _time(sent_at) if sent_at else None)
        except (KeyError, TypeError, ValueError, OverflowError):
            raise StartRefused(f"{self._file.name} holds something else than alerts") from None

    def save(self, memory: Memory) -> None:
        """Raises StorageUnavailable."""
        told = [key._asdict() | {"since": since.isoformat()} for key, since in memory.told.items()]
        sent_at = memory.sent_at.isoformat() if memory.sent_at else None
        self._file.replace({"told": told, "sent_at": sent_at})


def _key(row: dict[str, Any]) -> Key:
    job, channel, reason = row["job"], row["channel"], row["reason"]
    if not all(part is None or isinstance(part, str) for part in (job, channel)) or not reason:
        raise ValueError
    return Key(job, channel, str(reason))


def _time(text: str) -> datetime:
    """Raises ValueError for a time without its zone, which cannot be compared."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at
