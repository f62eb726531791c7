"""The newest lines of a log that somebody asks for: read backwards, and where there are none only once.

A file is taken in blocks, and a line belongs to the block it starts in. Which blocks hold no line of a
kind is remembered, and they are not read again: a level that hardly ever occurs would cost a reading of
everything at each question. A file that is not as it was left (truncated, replaced) is taken for new.

Owns the reading and that memory. Never opens or writes a file.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator
from dataclasses import dataclass

BLOCK = 64 * 1024
_OVERLAP = 1024
"""Read behind a block at once: its last line rarely ends later."""

KINDS = 100
"""Kinds of lines remembered for each file: levels, of all jobs and of some."""


@dataclass(frozen=True, slots=True)
class Kind:
    """Lines that have one of `starts` at `column`; no starts: every line. `needle` stands in each of them."""

    needle: bytes
    starts: tuple[bytes, ...]
    column: int

    def matches(self, line: bytes) -> bool:
        """An empty line is of no kind."""
        return bool(line) and (not self.starts or line.startswith(self.starts, self.column))


class KnownFile:
    """What is remembered of one file. `size` is to follow it: whoever writes adds what he wrote."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._bare: dict[Kind, bytearray] = {}

    def bare(self, kind: Kind) -> bytearray:
        """A flag for each block: 1 means that no line of this kind starts in it."""
        if kind not in self._bare and len(self._bare) >= KINDS:
            self._bare.clear()
        flags = self._bare.setdefault(kind, bytearray())
        flags.extend(bytes(max(0, self.size // BLOCK + 1 - len(flags))))
        return flags


class KnownFiles:
    """By device and inode. For one thread at a time."""

    def __init__(self) -> None:
        self._files: dict[tuple[int, int], KnownFile] = {}

    def of(self, fd: int) -> KnownFile:
        """What is known of an open file, as long as its size is as expected."""
        found = os.fstat(fd)
        key = found.st_dev, found.st_ino
        known = self._files.get(key)
        if known is None or known.size != found.st_size:
            known = self._files[key] = KnownFile(found.st_size)
        return known

    def keep(self, files: Collection[KnownFile]) -> None:
        """Forget all others."""
        self._files = {key: known for key, known in self._files.items() if known in files}


def newest(fd: int, known: KnownFile, size: int, kind: Kind) -> Iterator[bytes]:
    """The lines of a kind among the first `size` bytes, last first."""
    bare = known.bare(kind)
    for number in reversed(range(-(-size // BLOCK))):
        if bare[number]:
            continue
        text, first, last, settled = _block(fd, number * BLOCK, size)
        found = False
        for line in _holding(kind.needle, text, first, last):
            if kind.matches(line):
                found = True
                yield line
        bare[number] = settled and not found


def _block(fd: int, start: int, size: int) -> tuple[bytes, int, int, bool]:
    """(text, first, last, settled): the lines that start in a block are text[first:last], the last of them
    without its line break; `settled`: no write to the file's end can change them."""
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


def _holding(needle: bytes, text: bytes, first: int, last: int) -> Iterator[bytes]:
    """The lines of text[first:last] that hold the needle, last first."""
    if not needle:
        yield from reversed(text[first:last].split(b"\n"))
        return
    while last >= first and (found := text.rfind(needle, first, last)) >= 0:
        begin = max(first, text.rfind(b"\n", first, found) + 1)
        end = text.find(b"\n", found, last)
        yield text[begin : end if end >= 0 else last]
        last = begin - 1
