"""Telegram's schema at run time: objects to bytes and back, a request's name, what an object holds."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Any

from telethon.extensions import BinaryReader
from telethon.tl import TLObject
from telethon.tl.core import GzipPacked

_VECTOR, _TRUE, _FALSE, _RPC_RESULT, _CONTAINER = 0x1CB5C415, 0x997275B5, 0xBC799737, 0xF35C6D01, 0x73F1F8DC
_WORTH_PACKING = 512
"""Bytes from which a result is sent gzipped."""


def read(body: bytes) -> Any:
    """One object, unpacked if it was gzipped."""
    return unpacked(BinaryReader(body).tgread_object())


def unpacked(thing: Any) -> Any:
    return BinaryReader(thing.data).tgread_object() if isinstance(thing, GzipPacked) else thing


def as_bytes(thing: Any) -> bytes:
    if isinstance(thing, bool):
        return struct.pack("<I", _TRUE if thing else _FALSE)
    if isinstance(thing, list):
        return struct.pack("<Ii", _VECTOR, len(thing)) + b"".join(map(as_bytes, thing))
    return bytes(thing)


def result(request_id: int, body: bytes) -> bytes:
    """The answer to a request, gzipped where that makes it shorter."""
    packed = bytes(GzipPacked(body)) if len(body) > _WORTH_PACKING else body
    return struct.pack("<Iq", _RPC_RESULT, request_id) + min(body, packed, key=len)


def container(messages: list[tuple[int, int, bytes]]) -> bytes:
    """Several messages in one: (message id, sequence number, body) of each."""
    parts = (struct.pack("<qii", number, seq_no, len(body)) + body for number, seq_no, body in messages)
    return struct.pack("<Ii", _CONTAINER, len(messages)) + b"".join(parts)


def method_name(request: Any) -> str:
    """As the schema has it: `messages.getHistory`."""
    name = type(request).__name__.removesuffix("Request")
    space = type(request).__module__.rpartition(".")[2]
    method = name[:1].lower() + name[1:]
    return method if space == "functions" else f"{space}.{method}"


def parts(thing: Any) -> Iterator[Any]:
    """An object and every object in it."""
    if isinstance(thing, list):
        for each in thing:
            yield from parts(each)
    elif isinstance(thing, TLObject):
        yield thing
        for value in vars(thing).values():
            yield from parts(value)
