"""The newest lines of a log that match a query, read backwards, with an index of blocks without a match.

A file is read in blocks, and a line belongs to the block it starts in. Blocks without a line of a kind are
remembered and not read again, since otherwise each query for a rare level would read the whole log. A file
that was changed from outside (truncated, replaced) is treated as new.

Owns the reading and the index. Never opens or writes a file.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import islice

BLOCK = 64 * 1024
_OVERLAP = 1024
"""Bytes read beyond the end of a block: its last line rarely ends later."""

KINDS = 100
"""Kinds of lines remembered for each file: levels of all jobs, and of single ones."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Lines with one of `starts` at `column` (none: every line). Each of them contains `needle`."""

    needle: bytes
    starts: tuple[bytes, ...]
    column: int

    def matches(self, line: bytes) -> bool:
        """An empty line never matches."""
        return bool(line) and (not self.starts or line.startswith(self.starts, self.column))


class KnownFile:
    """The index of one file. Whoever writes to the file adds the number of bytes to `size`."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._empty: dict[Kind, bytearray] = {}

    def empty(self, kind: Kind) -> bytearray:
        """A flag for each block: 1 means that no line of this kind starts in it."""
        if kind not in self._empty and len(self._empty) >= KINDS:
            self._empty.clear()
        flags = self._empty.setdefault(kind, bytearray())
        flags.extend(bytes(max(0, self.size // BLOCK + 1 - len(flags))))
        return flags


class KnownFiles:
    """By device and inode. For one thread at a time."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, int], KnownFile] = {}

    def of(self, fd: int) -> KnownFile:
        """The index of an open file; a new one if the file's size is not as expected."""
        found = os.fstat(fd)
        key = found.st_dev, found.st_ino
        known = self._files.get(key)
        if known is None or known.size != found.st_size:
            known = self._files[key] = KnownFile(found.st_size)
        return known

    def keep(self, files: Collection[KnownFile]) -> None:
        """Drop all others."""
        self._files = {key: known for key, known in self._files.items() if known in files}


def newest(fd: int, known: KnownFile, size: int, kind: Kind) -> Iterator[tuple[int, bytes]]:
    """(offset, line) for the lines of a kind in the first `size` bytes, last first."""
    empty = known.empty(kind)
    for number in reversed(range(-(-size // BLOCK))):
        if empty[number]:
            continue
        complete, lines = _lines_in_block(fd, number * BLOCK, size, kind)
        found = False
        for line in lines:
            found = True
            yield line
        empty[number] = complete and not found


@dataclass(frozen=True)
class FoundLines:
    """Lines of one open file: `count` lines of a kind, the first of which starts at `start`."""

    fd: int
    known: KnownFile
    size: int
    kind: Kind
    start: int
    count: int

    def __iter__(self) -> Iterator[bytes]:
        """First line first; one block of the file is in memory at a time."""
        empty = self.known.empty(self.kind)
        for number in range(self.start // BLOCK, -(-self.size // BLOCK)):
            if not empty[number]:
                _, lines = _lines_in_block(self.fd, number * BLOCK, self.size, self.kind)
                yield from [line for offset, line in lines if offset >= self.start][::-1]


def find_newest(fd: int, known: KnownFile, size: int, kind: Kind, most: int) -> FoundLines:
    """Where the newest lines of a kind are, `most` at most."""
    start, count = size, 0
    for start, _ in islice(newest(fd, known, size, kind), most):  # noqa: B007 - the last one counts
        count += 1
    return FoundLines(fd, known, size, kind, start, count)


class Tail:
    """Lines of the log, oldest first, read from its files while they are iterated over: a hundred thousand
    lines take no more memory than one. Later lines and rotations do not change them. Close it."""

    def __init__(
        self, newest_first: list[FoundLines], readable: Callable[[bytes], str], files: contextlib.ExitStack
    ) -> None:
        self._found, self._readable, self._files = newest_first[::-1], readable, files

    def __len__(self) -> int:
        return sum(found.count for found in self._found)

    def __iter__(self) -> Iterator[str]:
        """Once."""
        with self:
            for found in self._found:
                yield from map(self._readable, found)

    def close(self) -> None:
        """Idempotent. Not during an iteration in another thread."""
        self._files.close()

    def __enter__(self) -> Tail:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _lines_in_block(fd: int, at: int, size: int, kind: Kind) -> tuple[bool, Iterator[tuple[int, bytes]]]:
    """(complete, lines): the lines of a kind that start in a block with their offsets, last first."""
    text, first, last, complete = _block(fd, at, size)
    begin = max(0, at - 1)
    lines = _containing(kind.needle, text, first, last)
    return complete, ((begin + offset, line) for offset, line in lines if kind.matches(line))


def _block(fd: int, start: int, size: int) -> tuple[bytes, int, int, bool]:
    """(text, first, last, complete): the lines that start in a block are text[first:last], the last of them
    without its line break; `complete`: no later write can change them."""
    begin = max(0, start - 1)  # the byte before tells whether a line starts with the block
    edge = start + BLOCK - begin - 1
    text = _read(fd, begin, edge + 1 + _OVERLAP, size)
    first = text.find(b"\n") + 1 if start else 0
    if start and not first:
        return text, 1, 0, len(text) > edge
    while (last := text.find(b"\n", edge)) < 0 and (more := _read(fd, begin + len(text), len(text), size)):
        text += more
    return (text, first, last, True) if last >= 0 else (text, first, len(text), False)


def _read(fd: int, at: int, length: int, size: int) -> bytes:
    return os.pread(fd, max(0, min(length, size - at)), at)


def _containing(needle: bytes, text: bytes, first: int, last: int) -> Iterator[tuple[int, bytes]]:
    """(offset, line) for the lines of text[first:last] that contain the needle, last first."""
    while last >= first and (found := text.rfind(needle, first, last)) >= 0:
        begin = max(first, text.rfind(b"\n", first, found) + 1)
        end = text.find(b"\n", found, last)
        yield begin, text[begin : end if end >= 0 else last]
        last = begin - 1
