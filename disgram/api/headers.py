"""What a caller sends: the request headers and query values of the API, read and described.

Owns their names, how they are read (UTF-8, `_` or `-`, any case, each once) and how the OpenAPI document
shows them. Never knows what a job is: what a value must look like is for others to check.
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

MOST_LINES = 100_000
USUAL_LINES = 1000

_NAMES = {
    name.lower().encode(): name
    for name in (JOB_NAME, DISCORD_WEBHOOK_URL, TELEGRAM_CHANNELS, EMBED_COLOR, DISCORD_THREAD_ID, POST_ID)
}
_HAS_PORT = re.compile(r"(^[^:]*|\]):[0-9]+$")
_LINES = re.compile(r"[0-9]{1,6}")
_POST_NUMBER = re.compile(r"[0-9]{1,10}")


def headers_of(raw: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """Our headers of a request, by the names above, blanks around them gone. Raises BadInput."""
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


def needed(headers: Mapping[str, str], name: str) -> str:
    """The value of a header that must be there and say something. Raises BadInput."""
    value = headers.get(name, "")
    if not value:
        raise BadInput(f"Missing {name}", f"Send the header {name}.")
    return value


def post_id(headers: Mapping[str, str]) -> int | None:
    """The post named in POST_ID, if any is. Raises BadInput."""
    digits = headers.get(POST_ID, "")
    if digits and not (_POST_NUMBER.fullmatch(digits) and int(digits)):
        raise BadInput("Invalid POST_ID", "POST_ID is the number at the end of a post's link, such as 123.")
    return int(digits) if digits else None


def log_query(query: str) -> tuple[int, Level | None]:
    """`lines` and `level` of GET /logs. Raises BadInput."""
    values = parse_qs(query, keep_blank_values=True, max_num_fields=50) if query.count("&") < 50 else {}
    lines, level = _single(values, "lines", str(USUAL_LINES)), _single(values, "level", "")
    if not _LINES.fullmatch(lines) or not 1 <= int(lines) <= MOST_LINES:
        raise BadInput("Invalid lines", f"lines is a whole number from 1 to {MOST_LINES}.")
    if "level" in values and level not in set(Level):
        raise BadInput("Invalid level", f"level is one of {', '.join(level.value for level in Level)}.")
    return int(lines), Level(level) if level else None


def _single(values: Mapping[str, list[str]], name: str, default: str) -> str:
    given = values.get(name, [default])
    if len(given) > 1:
        raise BadInput(f"Repeated {name}", f"Give {name} once.")
    return given[0]


# --- as the OpenAPI document shows them ---------------------------------------------------------------

_NAME_PATTERN = r"^[!-~]([ -~]{0,98}[!-~])?$"
_NAME_SCHEMA = {"type": "string", "minLength": 1, "maxLength": 100, "pattern": _NAME_PATTERN}
# Swagger UI refuses to send what a pattern does not allow, so each allows every form that is accepted.
_ADDRESS_PATTERN = r"(@|(https?://)?(t|telegram)\.me/(s/)?)?[A-Za-z][A-Za-z0-9_]{2,31}(/[1-9][0-9]{0,8})?"
_CHANNELS_SCHEMA = {
    "type": "string",
    "pattern": f"^{_ADDRESS_PATTERN}( *, *{_ADDRESS_PATTERN}){{0,99}}$",
}
_EXAMPLE_URL = "https://discord.com/api/webhooks/123456789012345678/token"


def _header(
    name: str, what: str, schema: Mapping[str, Any], *, required: bool, example: str = ""
) -> dict[str, Any]:
    described = {
        "name": name,
        "in": "header",
        "required": required,
        "description": what,
        "schema": dict(schema),
    }
    return {**described, "example": example} if example else described


def job_name_parameter(*, required: bool, what: str = "The job's name.") -> dict[str, Any]:
    """JOB_NAME; the document can promise ASCII only, since a browser sends no other header."""
    note = " Any script is accepted in UTF-8; browsers can send ASCII only."
    schema = _NAME_SCHEMA if required else {"type": "string", "pattern": "^$|" + _NAME_PATTERN}
    return _header(JOB_NAME, what + note, schema, required=required, example="news" if required else "")


def webhook_pattern(webhook_hosts: Iterable[str]) -> str:
    """Every webhook URL that is accepted, as browsers read a pattern."""
    hosts = "".join(f"|https?://{_host_pattern(host)}" for host in webhook_hosts)
    path = r"/api(/v[0-9]{1,2})?/webhooks/[0-9]{1,20}/[A-Za-z0-9_-]{1,200}"
    return rf"^(https://((ptb\.|canary\.)?discord|discordapp)\.com{hosts}){path}/?$"


def _host_pattern(host: str) -> str:
    """Of a name in WEBHOOK_HOSTS. re.escape would also write `\\-`, which browsers refuse."""
    if host.count(":") > 1 and not host.startswith("["):
        host = f"[{host}]"
    port = "" if _HAS_PORT.search(host) else "(:[0-9]{1,5})?"
    return re.sub(r"([.\[\]])", r"\\\1", host) + port


def job_parameters(
    *, creating: bool, webhook_required: bool = True, webhook_hosts: Iterable[str] = ()
) -> list[dict[str, Any]]:
    """The headers of POST /job and PATCH /job."""
    clearing = "" if creating else " Sent empty, it is cleared."
    color = {"type": "string", "pattern": "^$|^(#|0[xX])?[0-9a-fA-F]{6}$"}
    thread = {"type": "string", "pattern": "^$|^[1-9][0-9]{0,18}$"}
    return [
        job_name_parameter(required=True),
        _header(
            DISCORD_WEBHOOK_URL,
            "Where posts go: a webhook URL of Discord, or of a host of WEBHOOK_HOSTS.",
            {"type": "string", "pattern": webhook_pattern(webhook_hosts)},
            required=creating and webhook_required,
            example=_EXAMPLE_URL if creating else "",
        ),
        _header(
            TELEGRAM_CHANNELS,
            "Public channels, with commas between them: `name`, `@name`, `https://t.me/name`; "
            "with `/123` behind it a channel is forwarded from post 123 on.",
            _CHANNELS_SCHEMA,
            required=creating,
            example="https://t.me/durov,telegram" if creating else "",
        ),
        _header(EMBED_COLOR, "Six hex digits, such as 89a7d9." + clearing, color, required=False),
        _header(DISCORD_THREAD_ID, "Post into this thread." + clearing, thread, required=False),
    ]


POST_ID_PARAMETER = _header(
    POST_ID,
    "One post; without it all of the job.",
    {"type": "string", "pattern": "^$|^[1-9][0-9]{0,8}$"},
    required=False,
)

LOG_PARAMETERS: list[dict[str, Any]] = [
    {
        "name": "lines",
        "in": "query",
        "required": False,
        "description": "How many of the newest lines.",
        "schema": {"type": "integer", "minimum": 1, "maximum": MOST_LINES, "default": USUAL_LINES},
    },
    {
        "name": "level",
        "in": "query",
        "required": False,
        "description": "Only lines of this level.",
        "schema": {"type": "string", "enum": [level.value for level in Level]},
    },
]
