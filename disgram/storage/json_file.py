"""One JSON object on disk: read with the line of whatever is wrong, and replaced whole.

Owns the file's bytes: no crash and no full disk leaves half of it. Never knows what the object means.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

from disgram.errors import StartRefused, StorageUnavailable


class JsonFile:
    """A file with secrets (mode 0600), whose only writer is this process. A link to it stays a link."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._text = ""

    def read(self) -> dict[str, Any] | None:
        """The object; None if there is no file. Raises StartRefused, and leaves the file as it is."""
        try:
            raw = self._path.read_bytes()
            self._text = raw.decode("utf-8-sig")
        except FileNotFoundError:
            return None
        except UnicodeDecodeError as error:
            raise self.refusal(raw.count(b"\n", 0, error.start) + 1, "this is not UTF-8 text") from None
        except OSError as error:
            raise StartRefused(f"{self._path} cannot be read: {error.strerror}") from None
        return self._parse()

    def replace(self, content: dict[str, Any]) -> None:
        """Put this in place of what is there. Raises StorageUnavailable; then the old file stands."""
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        try:
            _replace(self._path, text.encode())
        except OSError as error:
            raise StorageUnavailable(
                f"{self._path.name} cannot be written ({error.strerror or error}). Nothing was changed; "
                "make room or mend the permissions of the data directory, and try again."
            ) from None

    def hide(self) -> None:
        """Let nobody else read it, where we may decide that."""
        with contextlib.suppress(OSError):  # somebody else's file, a read-only disk, no file yet
            self._path.chmod(0o600)

    def line_of(self, key: str) -> int:
        """Where the key stands (the last time); 1 if it is spelled in a way that is not found."""
        spellings = {json.dumps(key, ensure_ascii=False), json.dumps(key)}
        pattern = "|".join(map(re.escape, spellings))
        positions = [found.start() for found in re.finditer(rf"(?:{pattern})\s*:", self._text)]
        return self._text.count("\n", 0, positions[-1]) + 1 if positions else 1

    def refusal(self, line: int, what: str) -> StartRefused:
        """The reason not to start, with what a person can do."""
        return StartRefused(
            f"{self._path}, line {line}: {what}. "
            "The file is left as it is: mend it, or move it away to start anew."
        )

    def _parse(self) -> dict[str, Any]:
        if not self._text.strip("\x00 \t\r\n"):
            raise self.refusal(1, "the file is empty; for nothing at all write {}")
        try:
            content = json.loads(self._text, object_pairs_hook=self._without_repeats)
        except json.JSONDecodeError as error:
            raise self.refusal(error.lineno, error.msg) from None
        except (ValueError, RecursionError):
            raise self.refusal(1, "a number is too long, or brackets are nested too deep") from None
        if not isinstance(content, dict):
            raise self.refusal(1, "there must be an object in braces")
        return content

    def _without_repeats(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Of two values for one key json keeps the last in silence: that would be a loss."""
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise self.refusal(self.line_of(key), f"{key!r} stands there twice")
            seen.add(key)
        return dict(pairs)


def _replace(path: Path, content: bytes) -> None:
    """The whole new file or the old one, even if the power fails. Raises OSError."""
    fresh = path.with_name(f".{path.name}.tmp")
    try:
        _write_synced(fresh, content)
        fresh.replace(path)
    except OSError:
        with contextlib.suppress(OSError):
            fresh.unlink()
        raise
    with contextlib.suppress(OSError):  # the new file stands; not every file system syncs a directory
        _sync_directory(path.parent)


def _write_synced(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, 0o600)  # the mode above counts only for a new file
        file.write(content)
        file.flush()
        os.fsync(fd)


def _sync_directory(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
