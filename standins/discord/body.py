"""From a request to the payload and the files in it, as Discord reads them.

Owns content types, multipart/form-data (RFC 7578), `payload_json`, `files[n]` and the size limits of requests
and files. Never looks into the payload beyond its list of attachments.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from standins.discord import errors, rules
from standins.discord.errors import Refuse
from standins.discord.messages import File, clean_name
from standins.loopback import Request

NewId = Callable[[], str]


class BadMultipart(Exception):
    """The body is not what its content type promises."""


@dataclass(frozen=True, slots=True)
class Part:
    """One field of a form: `filename` is None for plain fields."""

    name: str
    body: bytes
    filename: str | None = None
    content_type: str = "text/plain"


def read(request: Request, *, upload_limit: int, new_id: NewId) -> tuple[Any, list[File]]:
    """The payload and the files. `upload_limit` is bytes per file; raises Refuse."""
    kind = request.headers.get("content-type", "")
    if len(request.body) > rules.REQUEST_LIMIT:
        raise Refuse(errors.TOO_LARGE)
    if kind.startswith("multipart/form-data"):
        return _form(kind, request.body, upload_limit, new_id)
    if not kind.startswith("application/json"):
        code = 'Expected "Content-Type" header to be one of application/json, multipart/form-data.'
        raise Refuse(errors.bad_form((("_root",), "CONTENT_TYPE_INVALID", code)))
    return _loads(request.body), []


def _form(kind: str, body: bytes, upload_limit: int, new_id: NewId) -> tuple[Any, list[File]]:
    try:
        parts = parts_of(kind, body)
    except BadMultipart as problem:
        raise Refuse(errors.bad_form((("_root",), "CONTENT_TYPE_INVALID", str(problem)))) from None
    fields = {part.name: part.body for part in parts if part.filename is None}
    payload: Any = {name: value.decode("utf-8", "replace") for name, value in fields.items()}
    if "payload_json" in fields:
        payload = _loads(fields["payload_json"])
    uploads = [part for part in parts if part.filename is not None]
    if any(len(part.body) > upload_limit for part in uploads):
        raise Refuse(errors.TOO_LARGE, payload)
    if len({part.name for part in uploads}) < len(uploads):
        raise Refuse(
            errors.bad_form((("files",), "BASE_TYPE_CHOICES", "File names must be unique.")), payload
        )
    return payload, [_file(part, payload, new_id()) for part in uploads]


def _file(part: Part, payload: Any, number: str) -> File:
    index = part.name.removeprefix("files[").removesuffix("]")
    listed = payload.get("attachments") if isinstance(payload, dict) else None
    entries = [one for one in listed or [] if isinstance(one, dict) and str(one.get("id")) == index]
    entry = entries[0] if entries else {}
    sent_as = str(entry.get("filename") or part.filename)
    name = clean_name(sent_as)
    spoiler = sent_as.startswith("SPOILER_") or bool(entry.get("is_spoiler"))
    about = str(entry.get("description") or "")
    return File(number, name, part.body, part.content_type, sent_as, about, spoiler)


def _loads(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        raise Refuse(errors.BAD_JSON) from None


def parts_of(content_type: str, body: bytes) -> list[Part]:
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
