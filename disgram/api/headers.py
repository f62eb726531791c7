"""The request headers and query values of the API: their names, and how they are read.

Owns UTF-8, `_` or `-`, any case, and that each may be sent once. Never knows what a job's value must look
like: jobs.py checks that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import parse_qs

from disgram.errors import BadInput
from disgram.report import Level

JOB_NAME = "JOB_NAME"
DISCORD_WEBHOOK_URL = "DISCORD_WEBHOOK_URL"
TELEGRAM_CHANNELS = "TELEGRAM_CHANNELS"
EMBED_COLOR = "EMBED_COLOR"
DISCORD_THREAD_ID = "DISCORD_THREAD_ID"
POST_ID = "POST_ID"
POST_URL = "POST_URL"
SEND = "SEND"

JOB_FIELDS = {
    JOB_NAME: "jobName",
    DISCORD_WEBHOOK_URL: "webhookUrl",
    TELEGRAM_CHANNELS: "telegramChannels",
    EMBED_COLOR: "embedColor",
    DISCORD_THREAD_ID: "threadId",
    "COOLDOWN": "cooldown",
    "INITIAL_POSTS": "initialPosts",
    "INCLUDE": "include",
    "EXCLUDE": "exclude",
    "KINDS": "kinds",
    "MENTION": "mention",
    "MENTION_IF": "mentionIf",
    "SILENT": "silent",
    "THREAD_NAME": "threadName",
    "TAGS": "tags",
}
"""Header of POST and PATCH -> field of jobs.Job."""

PAUSED = "PAUSED"
"""No header of its own: only a JSON body names it; there are calls to pause and to resume."""

BODY_FIELDS = {field: name for name, field in JOB_FIELDS.items()} | {
    "paused": PAUSED,
    "postId": POST_ID,
    "postUrl": POST_URL,
    "send": SEND,
}
"""Field of a JSON body -> the name of its value, which is that of its header."""

MAX_LINES = 100_000
DEFAULT_LINES = 1000

_NAMES = {name.lower().encode(): name for name in (*JOB_FIELDS, POST_ID, POST_URL, SEND)}
_LINES = re.compile(r"[0-9]{1,6}")
_POST_NUMBER = re.compile(r"[0-9]{1,10}")


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Our headers of a request, by the names above, without blanks around values. Raises BadInput."""
    found: dict[str, str] = {}
    for sent_name, sent_value in raw:
        name = _NAMES.get(sent_name.lower().replace(b"-", b"_"))
        if name is None:
            continue
        if name in found:
            raise BadInput(f"Repeated {name}", f"Send the header {name} once.")
        try:
            found[name] = sent_value.decode("utf-8").strip()
        except UnicodeDecodeError:
            raise BadInput(f"Invalid {name}", f"The header {name} must be UTF-8.") from None
    return found


def needed(headers: Mapping[str, Any], name: str) -> Any:
    """The value of a header that must be there and not be empty. Raises BadInput."""
    value = headers.get(name, "")
    if value == "":
        raise BadInput(f"Missing {name}", _how_to_send(name))
    return value


def _how_to_send(name: str) -> str:
    field = next((field for field, known in BODY_FIELDS.items() if known == name), None)
    body = f", or {field} in a JSON body (Content-Type: application/json)" if field else ""
    hyphens = name.replace("_", "-")
    dropped = f" A proxy may have dropped it, as nginx does with an underscore: {hyphens} passes."
    return f"Send the header {name}{body}." + (dropped if hyphens != name else "")


def post_id(headers: Mapping[str, Any]) -> int | None:
    """The post named in POST_ID, if any is. Raises BadInput."""
    value = headers.get(POST_ID, "")
    digits = "no number" if isinstance(value, bool) else str(value)
    if digits and not (_POST_NUMBER.fullmatch(digits) and int(digits)):
        raise BadInput("Invalid POST_ID", "POST_ID is the number at the end of a post's link, such as 123.")
    return int(digits) if digits else None


def switch(headers: Mapping[str, Any], name: str) -> bool:
    """`true` or `false`; false without the header. Raises BadInput."""
    value = headers.get(name, "")
    word = str(value).lower() if isinstance(value, bool | str) else "neither"
    if word not in {"", "true", "false"}:
        raise BadInput(f"Invalid {name}", f"{name} is true or false.")
    return word == "true"


def log_query(query: str) -> tuple[int, tuple[Level, ...]]:
    """`lines` and `level` of GET /logs: levels in any case, with commas between them; () for all. Raises
    BadInput."""
    values = _query_values(query)
    lines, level = _single(values, "lines", str(DEFAULT_LINES)), _single(values, "level", "")
    if not _LINES.fullmatch(lines) or not 1 <= int(lines) <= MAX_LINES:
        raise BadInput("Invalid lines", f"lines is a whole number from 1 to {MAX_LINES}.")
    names = [name.strip().upper() for name in level.split(",")] if "level" in values else []
    if not set(names) <= {level.value for level in Level}:
        known = ", ".join(level.value for level in Level)
        raise BadInput("Invalid level", f"level is one of {known}, or several with commas between them.")
    return int(lines), tuple(level for level in Level if level.value in names)


def most(query: str) -> int | None:
    """`most` of GET /job/failed: how many posts are listed; None for all. Raises BadInput."""
    number = _single(_query_values(query), "most", "")
    if number and not (_LINES.fullmatch(number) and int(number)):
        raise BadInput("Invalid most", "most is a whole number from 1 to 999999.")
    return int(number) if number else None


def _query_values(query: str) -> dict[str, list[str]]:
    return parse_qs(query, keep_blank_values=True, max_num_fields=50) if query.count("&") < 50 else {}


def _single(values: Mapping[str, list[str]], name: str, default: str) -> str:
    given = values.get(name, [default])
    if len(given) > 1:
        raise BadInput(f"Repeated {name}", f"Give {name} once.")
    return given[0]
