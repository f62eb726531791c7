"""What SQLite itself says of a file. For tests of crashes."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path


def integrity(path: Path) -> str:
    """SQLite's own verdict on a file: "ok", or what is wrong with it."""
    with closing(sqlite3.connect(path)) as connection:
        return str(connection.execute("PRAGMA quick_check").fetchone()[0])
