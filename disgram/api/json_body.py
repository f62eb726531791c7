"""JSON bodies of requests: read up to a bound, and turned into the values that headers would hold.

Owns the form of a body. Never knows what a job's value must look like: disgram/jobs/fields.py checks that.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, NoReturn

from fastapi import Request
from starlette.requests import ClientDisconnect

from disgram.api.headers import BODY_FIELDS
from disgram.errors import BadInput

MOST_BYTES = 4 * 1024 * 1024
"""A thousand jobs of forty channels each."""


async def json_body(request: Request) -> bytes:
    """A dependency of routes: the body if it is declared as JSON, else b"". Raises BadInput."""
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type != "application/json":
        return b""
    body = bytearray()
    try:
        async for chunk in request.stream():
            body += chunk
            if len(body) > MOST_BYTES:
                raise BadInput("Body too large", f"A JSON body has at most {MOST_BYTES} bytes; send several.")
    except ClientDisconnect:
        raise BadInput("Body cut off", "The connection ended before the body did.") from None
    return bytes(body)


def parsed(raw: bytes) -> dict[str, Any]:
    """The object that a body holds; {} for an empty one. Raises BadInput, which says where it is wrong."""
    try:
        content = json.loads(
            raw.decode("utf-8-sig") or "{}", object_pairs_hook=_without_repeats, parse_constant=_refuse
        )
    except UnicodeDecodeError:
        _bad("The body must be UTF-8.")
    except json.JSONDecodeError as error:
        _bad(f"Line {error.lineno}, column {error.colno} of the body: {error.msg}.")
    except (ValueError, RecursionError):
        _bad("A number in the body is too long, or its brackets are nested too deep.")
    if not isinstance(content, dict):
        _bad('The body must be one JSON object, such as {"jobName": "news"}.')
    return content


def values_of(content: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of a body by the names of their headers, `null` as "", which clears. Raises BadInput."""
    for field in content:
        if field not in BODY_FIELDS:
            raise BadInput(f"Unknown field {field[:100]!r}", f"The fields are {', '.join(BODY_FIELDS)}.")
    return {BODY_FIELDS[field]: "" if value is None else value for field, value in content.items()}


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        _bad(f"The field {twice[:100]!r} occurs twice in one object.")
    return found


def _refuse(constant: str) -> NoReturn:
    _bad(f"{constant} is no JSON.")


def _bad(message: str) -> NoReturn:
    raise BadInput("Invalid JSON", message)
