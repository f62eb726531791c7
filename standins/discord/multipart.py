"""Reading a multipart/form-data body (RFC 7578).

Owns the splitting into parts. Never decides what a field means.
"""

from __future__ import annotations

import re
from dataclasses import dataclass


class BadMultipart(Exception):
    """The body is not what its content type promises."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field: `filename` is None for plain fields."""

    name: str
    body: bytes
    filename: str | None = None
    content_type: str = "text/plain"


def parse(content_type: str, body: bytes) -> list[Part]:
    """All parts in order. Raises BadMultipart."""
    boundary = re.search(r'boundary="?([^";,]+)"?', content_type)
    if not boundary:
        raise BadMultipart("no boundary")
    mark = b"--" + boundary[1].encode()
    if body.rfind(mark + b"--") < 0:
        raise BadMultipart("no closing boundary")
    # What stands before the first boundary is a preamble, which says nothing (RFC 2046, 5.1.1).
    pieces = (b"\r\n" + body).split(b"\r\n" + mark)[1:]
    return [_part(piece) for piece in pieces if not piece.startswith(b"--")]


def _part(piece: bytes) -> Part:
    head, separator, body = piece.removeprefix(b"\r\n").partition(b"\r\n\r\n")
    lines = head.decode("utf-8", "replace").split("\r\n")
    fields = {
        name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)
    }
    disposition = fields.get("content-disposition", "")
    name = _parameter(disposition, "name")
    if not separator or name is None:
        raise BadMultipart("a part without a name")
    filename = _parameter(disposition, "filename")
    return Part(name, body, filename, fields.get("content-type", "text/plain"))


def _parameter(disposition: str, key: str) -> str | None:
    found = re.search(rf'[; ]{key}="((?:[^"\\]|\\.)*)"', disposition)
    return re.sub(r"\\(.)", r"\1", found[1]) if found else None
