"""Pieces of pages that no reader understood, kept under DATA_DIR/layout for a bug report.

Owns those files: how many, how large. Never judges a page; never stops delivery for want of space.
"""

from __future__ import annotations

import re
from pathlib import Path

KEEP = 20
"""Files per channel; the first ones tell, further ones only fill the disk."""

LARGEST = 256 * 1024


class LayoutWatch:
    """For one channel. `count` is how many pieces were not understood since the worker began."""

    def __init__(self, data_dir: Path, channel: str) -> None:
        self._folder = data_dir / "layout"
        self._channel = re.sub(r"[^A-Za-z0-9_]", "", channel).lower()
        self.count = 0

    def keep(self, name: str, html: str) -> Path | None:
        """Save a piece; where it lies, or None if it was not saved (enough of them, known, no space)."""
        self.count += 1
        path = self._folder / f"{self._channel}-{re.sub(r'[^A-Za-z0-9_-]', '-', name)[:60]}.html"
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if path.exists() or len(list(self._folder.glob(f"{self._channel}-*.html"))) >= KEEP:
                return None
            path.write_text(html[:LARGEST], encoding="utf-8")
        except OSError:
            return None
        return path
