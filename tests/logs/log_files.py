"""A log file with a fixed clock, and the form of its lines."""

from __future__ import annotations

import re
from datetime import datetime
from pathlib import Path

from disgram.logs.log_file import (
    LogFile,
)

NOON = datetime(2026, 3, 1, 12, 0, 0).timestamp()
LINE = re.compile(
    r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d \[(INFO|ERROR|NEW_MESSAGE|STATUS|SYSTEM)\] "
    r"(?:\[([^\[\]]*)\] )?(?:\[([^\[\]]*)\] .*|(?!\[).*)"
)


def make(
    folder: Path, *, max_bytes: int = 1 << 20, backups: int = 2, secrets: tuple[str, ...] = ()
) -> LogFile:
    return LogFile(
        folder / "Disgram.log", max_bytes=max_bytes, backups=backups, clock=lambda: NOON, secrets=secrets
    )


def content(folder: Path) -> str:
    return (folder / "Disgram.log").read_text("utf-8")
