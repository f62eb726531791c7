"""HTML that no reader understood, saved under DATA_DIR/layout for a bug report.

Limits the number and size of those files. Does not decide what is not understood; a full disk does not stop
delivery.
"""

from __future__ import annotations

import re
from pathlib import Path

MAX_FILES = 20
"""Files per channel; the first ones are enough for a bug report."""

MAX_FILE_SIZE = 256 * 1024
"""Characters."""

WHOLE_PAGE = "page"
"""The name for a response that is not a preview page: mostly cut off or a block page, not a new layout."""

_SECRET = re.compile(
    # Media URLs contain a token, posts a signed record of the view; a bug report needs neither.
    r"""((?:[?&]|&amp;)(?:token|hash)=|\bdata-(?:view|peer-hash)=["']?)[^"'&\s<>)]+"""
)


class UnknownMarkup:
    """For one channel. Files of earlier workers count, too; a file that the operator deletes does not."""

    def __init__(self, data_dir: Path, channel: str) -> None:
        self._folder = data_dir / "layout"
        self._prefix = re.sub(r"[^A-Za-z0-9_]", "", channel).lower() + "-"
        self._names = {path.name for path in self._files()}

    @property
    def count(self) -> int:
        """How many different elements and posts were not understood; whole pages do not count."""
        return len(self._names - {self._name(WHOLE_PAGE)})

    def save(self, name: str, html: str) -> Path | None:
        """Save some HTML; its path, or None if not saved (too many files, saved before, disk full)."""
        path = self._folder / self._name(name)
        self._names.add(path.name)
        try:
            self._folder.mkdir(mode=0o700, exist_ok=True)
            if path.exists() or len(self._files()) >= MAX_FILES:
                return None
            path.write_text(_SECRET.sub(r"\1…", html)[:MAX_FILE_SIZE], encoding="utf-8", errors="replace")
        except OSError:
            return None
        return path

    def _name(self, name: str) -> str:
        return f"{self._prefix}{re.sub(r'[^A-Za-z0-9_-]', '-', name)[:60]}.html"

    def _files(self) -> list[Path]:
        """Without glob: compiling a pattern for each channel takes half a megabyte in every worker."""
        try:
            return [path for path in self._folder.iterdir() if path.name.startswith(self._prefix)]
        except OSError:
            return []
