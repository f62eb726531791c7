"""Pieces of pages that no reader understood, kept under DATA_DIR/layout for a bug report.

Owns those files: how many, how large. Never judges a page; never stops delivery for want of space.
"""

from __future__ import annotations

import re
from pathlib import Path

KEEP = 20
"""Files per channel; the first ones tell, further ones only fill the disk."""

LARGEST = 256 * 1024

PAGE = "page"
"""The name of a whole page that was none: more often cut off or a block page than a changed layout."""

_SECRET = re.compile(
    # Media addresses carry a token, posts a signed note of who looked when; a bug report needs neither.
    r"""((?:[?&]|&amp;)(?:token|hash)=|\bdata-(?:view|peer-hash)=["']?)[^"'&\s<>)]+"""
)


class UnknownMarkup:
    """For one channel. What lies there from earlier workers counts; who deletes a file has dealt with it."""

    def __init__(self, data_dir: Path, channel: str) -> None:
        self._folder = data_dir / "layout"
        self._prefix = re.sub(r"[^A-Za-z0-9_]", "", channel).lower() + "-"
        self._names = {path.name for path in self._files()}

    @property
    def count(self) -> int:
        """How many different pieces of posts were not understood."""
        return len(self._names - {self._name(PAGE)})

    def keep(self, name: str, html: str) -> Path | None:
        """Save a piece; where it lies, or None if it was not saved (enough of them, known, no space)."""
        path = self._folder / self._name(name)
        self._names.add(path.name)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if path.exists() or len(self._files()) >= KEEP:
                return None
            path.write_text(_SECRET.sub(r"\1…", html)[:LARGEST], encoding="utf-8", errors="replace")
        except OSError:
            return None
        return path

    def _name(self, name: str) -> str:
        return f"{self._prefix}{re.sub(r'[^A-Za-z0-9_-]', '-', name)[:60]}.html"

    def _files(self) -> list[Path]:
        """Not by a pattern: compiling one for each channel costs half a megabyte of every worker."""
        try:
            return [path for path in self._folder.iterdir() if path.name.startswith(self._prefix)]
        except OSError:
            return []
