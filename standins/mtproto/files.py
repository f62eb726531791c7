"""Photos and documents: their bytes, the references that must be fresh, and upload.getFile's limits."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from telethon.tl import types
from telethon.tl.types.upload import File

from standins.mtproto import tl
from standins.mtproto.refusals import Refusal

Content = bytes | int
"""What a file holds; a number: that many bytes of a pattern, which are made when they are asked for."""
_PART = 1024 * 1024
_PATTERN = bytes(range(251))
"""251 is prime: a part that is missing or sent twice shows."""


def size_of(content: Content) -> int:
    return content if isinstance(content, int) else len(content)


def slice_of(content: Content, offset: int, limit: int) -> bytes:
    if isinstance(content, bytes):
        return content[offset : offset + limit]
    length = max(0, min(limit, content - offset))
    start = offset % len(_PATTERN)
    return (_PATTERN * (length // len(_PATTERN) + 2))[start : start + length]


@dataclass(frozen=True, slots=True)
class _Stored:
    access_hash: int
    content: Content
    dc: int


class Files:
    """Not thread-safe: whoever serves a request holds the lock."""

    def __init__(self) -> None:
        self._last_id = 5_000_000_000
        self._age = 1
        self._stored: dict[tuple[int, str], _Stored] = {}

    def photo(self, content: Content, width: int, height: int, thumbnail: Content | None, dc: int) -> Any:
        """A Photo of size `x`, and `m` for the thumbnail."""
        number = self._next_id()
        sizes = [] if thumbnail is None else [self._size("m", number, thumbnail, 320, 240, dc)]
        sizes.append(self._size("x", number, content, width, height, dc))
        return types.Photo(number, self._hash(number), self._reference(number), _now(), sizes, dc)

    def document(
        self, content: Content, mime_type: str, attributes: Iterable[Any], thumbnail: Content | None, dc: int
    ) -> Any:
        number = self._next_id()
        self._stored[number, ""] = _Stored(self._hash(number), content, dc)
        thumbs = None if thumbnail is None else [self._size("m", number, thumbnail, 320, 240, dc)]
        return types.Document(
            number, self._hash(number), self._reference(number), _now(), mime_type, size_of(content),
            dc, list(attributes), thumbs,
        )  # fmt: skip

    def expire(self) -> None:
        """Make every reference that was handed out useless."""
        self._age += 1

    def refresh(self, thing: Any) -> None:
        """Put today's references into what is about to be sent."""
        for each in tl.parts(thing):
            if isinstance(each, (types.Photo, types.Document)):
                each.file_reference = self._reference(each.id)

    def read(self, request: Any, dc: int) -> Any:
        """The answer of a data centre to upload.getFile."""
        _check_range(request)
        location = request.location
        stored = self._stored.get((getattr(location, "id", 0), getattr(location, "thumb_size", "")))
        if stored is None or location.access_hash != stored.access_hash:
            raise Refusal("LOCATION_INVALID")
        if stored.dc != dc:
            raise Refusal(f"FILE_MIGRATE_{stored.dc}")
        if not location.file_reference:
            raise Refusal("FILE_REFERENCE_EMPTY")
        if location.file_reference != self._reference(location.id):
            raise Refusal("FILE_REFERENCE_EXPIRED")
        data = slice_of(stored.content, request.offset, request.limit)
        return File(types.storage.FileUnknown(), int(_now().timestamp()), data)

    def _size(self, kind: str, number: int, content: Content, width: int, height: int, dc: int) -> Any:
        self._stored[number, kind] = _Stored(self._hash(number), content, dc)
        return types.PhotoSize(kind, width, height, size_of(content))

    def _next_id(self) -> int:
        self._last_id += 1
        return self._last_id

    @staticmethod
    def _hash(number: int) -> int:
        return number * 2_654_435_761 % 2**62

    def _reference(self, number: int) -> bytes:
        return struct.pack("<iq", self._age, number)


def _check_range(request: Any) -> None:
    """core.telegram.org/api/files: whole KiB (4 KiB without `precise`), and inside one part of 1 MiB."""
    unit = 1024 if request.precise else 4096
    if request.offset < 0 or request.offset % unit:
        raise Refusal("OFFSET_INVALID")
    whole = 0 < request.limit <= _PART and request.limit % unit == 0
    if not whole or (not request.precise and _PART % request.limit):
        raise Refusal("LIMIT_INVALID")
    if request.offset // _PART != (request.offset + request.limit - 1) // _PART:
        raise Refusal("LIMIT_INVALID")


def _now() -> datetime:
    return datetime.now(timezone.utc)
