"""Disgram.log: the only writer of the file, and the query behind GET /logs.

Owns the form of a line (time, fields, escaping, masking), rotation, and which lines a query means (how they
are found: tail.py). Never decides what is logged.

A line is `YYYY-MM-DD HH:MM:SS [LEVEL] [job] [channel] text`. Brackets in the names of job and channel are
written as `\\x5b` and `\\x5d`, so that no name can end its field or fake another one; so is the first
bracket of a text that stands where a field could.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import shutil
import stat
import threading
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import datetime, timezone
from pathlib import Path

from disgram.descriptors import DescriptorReserve
from disgram.errors import StorageUnavailable
from disgram.logs.stderr import warn_stderr
from disgram.logs.tail import FoundLines, Kind, KnownFile, KnownFiles, Tail, find_newest
from disgram.report import Level

_TO_APPEND = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NONBLOCK
"""The last is for a FIFO that was put in the file's place: opening it would wait for a reader."""

_NOT_BY_RENAMING = frozenset({errno.EBUSY, errno.EXDEV, errno.EACCES, errno.EPERM, errno.EROFS})
"""The file is a mount of its own (Docker), or its folder is not ours to write; the file itself may be."""

_LONGEST_TEXT = 16_384
_STAMP = len("2026-01-31 12:00:00 ")

# C0, DEL and C1; line and paragraph separators; marks that reorder or hide text; halves of surrogates.
_UNSAFE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ud800-\udfff]"
)
_SHORT_ESCAPES = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_TOKEN = re.compile(r"(webhooks(?:\\?/|%2f)[0-9]+(?:\\?/|%2f))[\w.~-]+", re.IGNORECASE)
_MASK = "***"


def cut(text: str, limit: int = 300) -> str:
    """The beginning of a foreign text, such as an error body: at most `limit` characters."""
    return text if len(text) <= limit else text[: limit - 1] + "…"


def cut_middle(text: str, limit: int) -> str:
    """Beginning and end of a text, such as a traceback, whose last line says most."""
    if len(text) <= limit:
        return text
    end = (limit - 1) * 2 // 3
    return f"{text[: limit - 1 - end]}…{text[-end:]}"


def short(text: str) -> str:
    """Of several lines, such as a traceback, the first and the last."""
    first, *rest = text.splitlines() or [""]
    return f"{first}: {rest[-1]}" if rest else first


def one_line(text: str) -> str:
    """The text with all characters escaped that could break, fake or reorder a line."""
    return text if text.isprintable() else _UNSAFE.sub(_escaped, text)  # no unsafe character is printable


def mask(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without the token of any webhook address, and without the given secrets."""
    if "webhooks" in text.casefold():
        text = _TOKEN.sub(rf"\1{_MASK}", text)
    for secret in secrets:
        text = text.replace(secret, _MASK)
    return text


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    code = ord(character)
    return _SHORT_ESCAPES.get(character) or (f"\\x{code:02x}" if code < 256 else f"\\u{code:04x}")


def escaped_name(name: str) -> str:
    """A name as it stands in its field; two different names never give the same."""
    return one_line(name.replace("\\", "\\\\")).replace("[", "\\x5b").replace("]", "\\x5d")


def _field(name: str) -> str:
    return f"[{escaped_name(name)}] "


def body(
    level: Level, text: str, job: str | None = None, channel: str | None = None, secrets: Iterable[str] = ()
) -> str:
    """A line without its time: escaped, masked, cut, with the fields that are given."""
    text = one_line(cut(mask(text, secrets), _LONGEST_TEXT))  # a secret that is cut is not recognised
    if channel is None and text.startswith("["):
        text = "\\x5b" + text[1:]
    fields = "".join(_field(mask(name, secrets)) for name in (job, channel) if name is not None)
    return f"[{level.value}] {fields}{text}"


def stamp(at: float) -> str:
    """The beginning of a line, from seconds since the epoch: local time, to the second, and a blank."""
    return time.strftime("%Y-%m-%d %H:%M:%S ", time.localtime(at))


MAX_READERS = 20
"""Tails that are open at the same time: each has a few file descriptors."""

COPIED = frozenset({Level.ERROR, Level.SYSTEM, Level.STATUS})
"""Levels of the lines that standard error gets, too: what an operator should see without asking for it."""


class LogFile:
    """Appends lines, rotates, and reads the newest lines. Thread-safe; the service has exactly one.

    `clock` gives seconds since the epoch; lines have local time. `secrets` of four characters or more are
    masked wherever they occur. Lines that cannot be written are dropped and counted: stderr says so once,
    and the log says how many are missing as soon as it can be written again.

    `copy` (None: there is none) gets each line of the levels COPIED as it is written, in the same form and
    with its line break; it must not wait and not raise. Of a traceback it gets the first and the last line.
    """

    def __init__(
        self,
        path: Path,
        *,
        max_bytes: int,
        backups: int,
        clock: Callable[[], float] = time.time,
        secrets: Iterable[str] = (),
        copy: Callable[[str], object] | None = None,
    ) -> None:
        self._copy = copy
        self._path, self._max_bytes, self._backups, self._clock = path, max_bytes, backups, clock
        self._secrets = tuple(secret for secret in secrets if len(secret) >= 4)
        self._lock = threading.Lock()
        self._fd: int | None = None
        self._known = KnownFiles()
        self._reserve = DescriptorReserve(1)
        self._readers = threading.BoundedSemaphore(MAX_READERS)
        self._unfinished = False
        self._dropped = 0
        self.write_error: str | None = None
        """Why lines are being dropped; None while the file can be written."""

    def write(self, level: Level, text: str, job: str | None = None, channel: str | None = None) -> None:
        """Append one line. Never raises for a full or read-only disk."""
        now = stamp(self._clock())
        line = body(level, text, job, channel, self._secrets)
        with self._lock:
            self._append(now + line)
            if self._copy and level in COPIED:
                shorter = line if "\n" not in text else body(level, short(text), job, channel, self._secrets)
                self._copy(f"{now}{shorter}\n")

    def warn(self, level: Level, text: str) -> None:
        """A line that has to be on standard error, too, whether or not there is a copy."""
        self.write(level, text)
        if not self._copy:
            warn_stderr(cut(one_line(self.mask(short(text)))))

    def mask(self, text: str) -> str:
        """The text without tokens of webhooks and without this log's secrets."""
        return mask(text, self._secrets)

    @property
    def last_write_at(self) -> datetime | None:
        """When the file was last written (UTC), by this or an earlier service; None if there is no file."""
        try:
            return datetime.fromtimestamp(self._path.stat().st_mtime, timezone.utc)
        except OSError:
            return None

    def tail(self, lines: int, job: str | None = None, levels: Collection[Level] = ()) -> Tail:
        """The newest `lines` lines of the job and of these levels (none: of all), rotated files included.

        Lines of an older Disgram are masked here. Raises StorageUnavailable if an existing file cannot be
        opened, or if MAX_READERS others are reading.
        """
        kind = _kind(job, levels)
        with contextlib.ExitStack() as files:
            self._take_turn(files)
            found: list[FoundLines] = []
            for fd, known, size in self._open_files(files):
                found.append(find_newest(fd, known, size, kind, lines))
                lines -= found[-1].count
                if not lines:
                    break
            return Tail(found, self._readable, files.pop_all())

    def _take_turn(self, files: contextlib.ExitStack) -> None:
        if not self._readers.acquire(blocking=False):
            raise StorageUnavailable("Too many are reading the log just now; try again in a moment.")
        files.callback(self._readers.release)

    def _open_files(self, files: contextlib.ExitStack) -> list[tuple[int, KnownFile, int]]:
        """(descriptor, index, size), newest first."""
        with self._lock:
            opened = [fd for path in self._files() if (fd := _open_to_read(path, files)) is not None]
            known = [self._known.of(fd) for fd in opened]
            self._known.keep(known)
            return [(fd, one, one.size) for fd, one in zip(opened, known, strict=True)]

    def _readable(self, line: bytes) -> str:
        return mask(one_line(line.decode("utf-8", "replace")), self._secrets)

    def close(self) -> None:
        """Close the file; a later `write` opens it again."""
        with self._lock:
            self._close()
        self._reserve.close()

    def _files(self) -> Iterator[Path]:
        yield self._path
        for number in range(1, self._backups + 1):
            yield self._backup(number)

    def _backup(self, number: int) -> Path:
        return self._path.with_name(f"{self._path.name}.{number}")

    def _append(self, line: str) -> None:
        dropped = self._dropped
        missing = f"{dropped} lines are missing: {self.write_error}"
        notice = f"{line[:_STAMP]}{body(Level.SYSTEM, missing)}\n" if dropped else ""
        written = f"{notice}{line}\n".encode("utf-8", "backslashreplace")
        try:
            self._put(b"\n" + written if self._unfinished else written)
        except OSError as error:
            self._drop(error)
        else:
            self._dropped, self._unfinished, self.write_error = 0, False, None

    def _put(self, line: bytes) -> None:
        fd = self._ready()
        known = self._known.of(fd)
        if known.size and known.size + len(line) > self._max_bytes:
            self._rotate()
            fd = self._ready()
            known = self._known.of(fd)
        written = os.write(fd, line)
        known.size += written
        if written < len(line):
            self._unfinished = True
            raise OSError(f"only {written} of {len(line)} bytes were written")

    def _ready(self) -> int:
        """The open file; opened again if logrotate has moved it away."""
        if self._fd is not None and not self._is_current():
            self._close()
        if self._fd is None:
            self._fd = self._reserve.get(lambda: os.open(self._path, _TO_APPEND, 0o640))
        return self._fd

    def _is_current(self) -> bool:
        assert self._fd is not None  # noqa: S101 - called only then
        try:
            return os.path.samestat(os.fstat(self._fd), self._path.stat())
        except FileNotFoundError:
            return False

    def _rotate(self) -> None:
        self._close()
        for number in range(self._backups, 1, -1):
            with contextlib.suppress(
                OSError
            ):  # of one that is missing, or no file, the next one takes the place
                self._backup(number - 1).replace(self._backup(number))
        try:
            if self._backups:
                self._path.replace(self._backup(1))
            else:
                self._path.unlink(missing_ok=True)
        except OSError as error:
            if error.errno not in _NOT_BY_RENAMING:
                raise
            self._empty()

    def _empty(self) -> None:
        """Make room without renaming: what was written moves into a copy, if there can be one."""
        if self._backups:
            with contextlib.suppress(OSError):
                shutil.copyfile(self._path, self._backup(1))
        os.truncate(self._path, 0)

    def _drop(self, error: OSError) -> None:
        """Warns on stderr once until lines can be written again: stderr may be a file on the same disk."""
        if not self._dropped:
            warn_stderr(f"{self._path} cannot be written ({error}); lines are dropped")
        self._dropped += 1
        self.write_error = str(error)
        self._close()

    def _close(self) -> None:
        if self._fd is not None:
            fd, self._fd = self._fd, None
            with contextlib.suppress(OSError):
                os.close(fd)


def _kind(job: str | None, levels: Collection[Level]) -> Kind:
    field = b"" if job is None else _field(job).encode()
    meant = [level for level in Level if level in levels] or (list(Level) if field else [])
    starts = tuple(f"[{level.value}] ".encode() + field for level in meant)
    shared = field or (b"] " if starts else b"")
    return Kind(starts[0] if len(starts) == 1 else shared, starts, _STAMP)


def _open_to_read(path: Path, files: contextlib.ExitStack) -> int | None:
    try:
        fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StorageUnavailable(f"{path.name} cannot be read: {error.strerror}") from None
    files.callback(os.close, fd)
    return fd if stat.S_ISREG(os.fstat(fd).st_mode) else None
