"""One JSON object on disk: errors name the line, a write replaces the whole file or nothing, and what
a person writes meanwhile is noticed.

Owns the file's bytes: no crash and no full disk leaves half of it. Never knows what the object means.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import re
from pathlib import Path
from typing import Any

from disgram.descriptors import DescriptorReserve
from disgram.errors import StartRefused, StorageUnavailable
from disgram.storage.files.regular_file import refuse_special

_NOT_BY_RENAMING = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})
"""The file is a mount of its own (Docker), or its folder is not ours to write; the file itself may be."""


class JsonFile:
    """A file with secrets (mode 0600), written by this process and, by hand, by people. A symbolic link to it
    stays one."""

    def __init__(self, path: Path) -> None:
        self._path = path.resolve()
        self.name = path.name
        self._reserve = DescriptorReserve(1)
        self._text = ""
        self._raw: bytes | None = None
        self._seen: _Version | None = None
        self.content: dict[str, Any] = {}
        """The object as it was last read or written here."""
        self._obstacle: str | None = None
        """Why the file could not be read the last time."""

    def read(self) -> dict[str, Any] | None:
        """The object; None if there is no file. Raises StartRefused; the file is never changed here."""
        try:
            self._raw, self._seen = self._load()
        except StartRefused as refusal:
            self._obstacle = str(refusal)
            raise
        self._obstacle = None
        if self._raw is None:
            return None
        try:
            self._text = self._raw.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            line = self._raw.count(b"\n", 0, error.start) + 1
            raise self.refusal(line, "this is not UTF-8 text") from None
        self.content = self._parse()
        return self.content

    def changed(self) -> bool:
        """Whether the file is anything else than when it was last read or written here, such as a folder.

        Costs no reading while size and times are the same.
        """
        if _version(self._path) == self._seen and not self._obstacle:
            return False
        try:
            raw, seen = self._load()
        except StartRefused as refusal:
            return str(refusal) != self._obstacle
        if raw != self._raw or self._obstacle:
            return True
        self._seen = seen
        return False

    def exists(self) -> bool:
        return self._path.exists()

    def _load(self) -> tuple[bytes | None, _Version | None]:
        refuse_special(self._path)
        seen = _version(self._path)
        try:
            return self._path.read_bytes(), seen
        except FileNotFoundError:
            return None, None
        except OSError as error:
            raise StartRefused(f"{self._path} cannot be read: {error.strerror}") from None

    def replace(self, content: dict[str, Any]) -> None:
        """Write this object. Raises StorageUnavailable; then the old file is still there, unchanged."""
        raw = _encoded(content)
        try:
            self._reserve.get(lambda: _replace(self._path, raw))
        except OSError as error:
            raise StorageUnavailable(
                f"{self.name} cannot be written ({error.strerror or error}). Nothing was changed; "
                "free some space or correct the permissions of the data directory, and try again."
            ) from None
        self._raw, self._seen, self.content = raw, _version(self._path), content

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


def _encoded(content: dict[str, Any]) -> bytes:
    """For people, in any script; half a surrogate pair stays the escape as which it was written."""
    try:
        return (json.dumps(content, ensure_ascii=False, indent=2) + "\n").encode()
    except UnicodeEncodeError:
        return (json.dumps(content, indent=2) + "\n").encode()


_Version = tuple[int, ...]
"""Changes with every write to a file: device, inode, size, times."""


def _version(path: Path) -> _Version | None:
    """None if there is no file, or none that can be seen."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns


def _replace(path: Path, content: bytes) -> None:
    """The whole new file or the old one, even if the power fails. Raises OSError."""
    fresh = path.with_name(f".{path.name}.tmp")
    try:
        _write_synced(fresh, content)
        fresh.replace(path)
    except OSError as error:
        if error.errno not in _NOT_BY_RENAMING or not path.exists():
            raise
        _overwrite(path, content)
    finally:
        with contextlib.suppress(OSError):
            fresh.unlink()
    with contextlib.suppress(OSError):  # the file is replaced; not every file system syncs a directory
        _sync_directory(path.parent)


def _overwrite(path: Path, content: bytes) -> None:
    """Write into the file as it is. Raises OSError; then the old content is there again.

    In one call, which no kill interrupts half-way, and with spaces up to the old length, which JSON allows.
    """
    fd = os.open(path, os.O_RDWR | os.O_CLOEXEC)
    try:
        before = os.pread(fd, os.fstat(fd).st_size, 0)
        padded = content.ljust(len(before))
        try:
            if os.pwrite(fd, padded, 0) < len(padded):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError:
            os.pwrite(fd, before, 0)
            os.ftruncate(fd, len(before))
            raise
        os.ftruncate(fd, len(content))
        os.fsync(fd)
    finally:
        os.close(fd)


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
