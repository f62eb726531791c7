"""When problems and waits began, kept over restarts: `problems.json` in the data directory.

Owns the form of that file, and of rows with a beginning in other files. A damaged file is as good as none:
what lasts then begins with the restart.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from disgram.errors import StartRefused, StorageUnavailable
from disgram.health.problems import Key
from disgram.storage.files.json_file import JsonFile

FILE = "problems.json"
MOST_ROWS = 500
"""Of each kind; an outage of a thousand channels needs no file of its own size."""

_WAITING = "posts"


@dataclass(frozen=True, slots=True)
class Began:
    """`waiting`: by job and channel, the latter in lower case, when the oldest post that waits was seen."""

    problems: Mapping[Key, datetime] = field(default_factory=dict)
    waiting: Mapping[tuple[str, str], datetime] = field(default_factory=dict)


class HealthMemory:
    """Of one data directory; for one thread."""

    def __init__(self, data_dir: Path) -> None:
        self._file = JsonFile(data_dir / FILE)
        self._saved: Began | None = None

    def load(self) -> Began:
        with contextlib.suppress(StartRefused, KeyError, TypeError, ValueError, OverflowError):
            content = self._file.read() or {"problems": [], "waiting": []}
            waiting = from_rows(content["waiting"])
            self._saved = Began(
                from_rows(content["problems"]),
                {(key.job or "", key.channel or ""): since for key, since in waiting.items()},
            )
        return self._saved or Began()

    def save(self, began: Began) -> None:
        """Writes only what changed; what cannot be written now is written at a later call."""
        if began == (self._saved or Began()):
            return
        waiting = {Key(*channel, _WAITING): since for channel, since in began.waiting.items()}
        with contextlib.suppress(StorageUnavailable):
            self._file.replace({"problems": to_rows(began.problems), "waiting": to_rows(waiting)})
            self._saved = began


def to_rows(began: Mapping[Key, datetime]) -> list[dict[str, str | None]]:
    """As JSON, the oldest first."""
    oldest = sorted(began.items(), key=lambda item: item[1])[:MOST_ROWS]
    return [{**key._asdict(), "since": since.isoformat()} for key, since in oldest]


def from_rows(rows: Iterable[dict[str, Any]]) -> dict[Key, datetime]:
    """Raises KeyError, TypeError, ValueError or OverflowError for what `to_rows` did not write."""
    return {_key(row): time_of(row["since"]) for row in rows}


def _key(row: dict[str, Any]) -> Key:
    job, channel, reason = row["job"], row["channel"], row["reason"]
    if not all(part is None or isinstance(part, str) for part in (job, channel)) or not reason:
        raise ValueError
    return Key(job, channel, str(reason))


def time_of(text: str) -> datetime:
    """Raises ValueError, also for a time without its zone, which cannot be compared."""
    at = datetime.fromisoformat(text)
    if at.tzinfo is None:
        raise ValueError
    return at
