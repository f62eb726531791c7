"""One JSON object on disk: errors name the line, and a write replaces the whole file or nothing.

Owns the file's bytes: no crash and no full disk leaves half of it. Never knows what the object means.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
from pathlib import Path
from typing import Any

from disgram.descriptors import DescriptorReserve
from disgram.errors import StartRefused, StorageUnavailable


class JsonFile:
    """A file with secrets (mode 0600), whose only writer is this process. A symbolic link to it stays one."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self._reserve = DescriptorReserve(1)
        self._text = ""

    def read(self) -> dict[str, Any] | None:
        """The object; None if there is no file. Raises StartRefused; the file is never changed here."""
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
        """Write this object. Raises StorageUnavailable; then the old file is still there, unchanged."""
        text = json.dumps(content, ensure_ascii=False, indent=2) + "\n"
        try:
            self._reserve.get(lambda: _replace(self._path, text.encode()))
        except OSError as error:
            raise StorageUnavailable(
                f"{self._path.name} cannot be written ({error.strerror or error}). Nothing was changed; "
                "free some space or correct the permissions of the data directory, and try again."
            ) from None

    def hide(self) -> None:
        """Set mode 0600, where the file is ours."""
        with contextlib.suppress(OSError):  # somebody else's file, a read-only disk, no file yet
            self._path.chmod(0o600)

    def line_of(self, key: str) -> int:
        """The line of the key's last occurrence; 1 if its spelling in the file is not found."""
        spellings = {json.dumps(key, ensure_ascii=False), json.dumps(key)}
        pattern = "|".join(map(re.escape, spellings))
        positions = [found.start() for found in re.finditer(rf"(?:{pattern})\s*:", self._text)]
        return self._text.count("\n", 0, positions[-1]) + 1 if positions else 1

    def refusal(self, line: int, what: str) -> StartRefused:
        """The error to raise, with what a person can do."""
        return StartRefused(
            f"{self._path}, line {line}: {what}. "
            "The file was left as it is: correct it, or move it away to start without jobs."
        )

    def _parse(self) -> dict[str, Any]:
        if not self._text.strip("\x00 \t\r\n"):
            raise self.refusal(1, "the file is empty; write {} if there is to be nothing in it")
        try:
            content = json.loads(self._text, object_pairs_hook=self._without_repeats)
        except json.JSONDecodeError as error:
            raise self.refusal(error.lineno, error.msg) from None
        except (ValueError, RecursionError):
            raise self.refusal(1, "a number is too long, or brackets are nested too deep") from None
        if not isinstance(content, dict):
            raise self.refusal(1, "the file must hold one JSON object: { ... }")
        return content

    def _without_repeats(self, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        """Of two values for one key, json would drop the first without an error."""
        seen: set[str] = set()
        for key, _ in pairs:
            if key in seen:
                raise self.refusal(self.line_of(key), f"the key {key!r} occurs twice")
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
    with contextlib.suppress(OSError):  # the file is replaced; not every file system syncs a directory
        _sync_directory(path.parent)


def _write_synced(path: Path, content: bytes) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        os.fchmod(fd, 0o600)  # the mode above is used only for a new file
        file.write(content)
        file.flush()
        os.fsync(fd)


def _sync_directory(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
