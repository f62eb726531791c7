"""Discord's responses: status, headers and body -> our own errors. Pure.

Knows Discord's status and error codes (docs: Opcodes and Status Codes; Rate Limits), and how a response of
Cloudflare differs from one of Discord. Does not send, wait or react.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import responses as phrases
from typing import Any

from disgram.discord.message import RateLimitHeaders
from disgram.errors import (
    CloudflareBlocked,
    DestinationRefuses,
    DiscordError,
    DiscordUnavailable,
    EditRefused,
    EditWaits,
    InternalError,
    MessageGone,
    MessageRejected,
    PayloadTooLarge,
    RateLimited,
    UnreadableResponse,
    WebhookGone,
)

_TOO_LARGE = frozenset({40005, 50045, 50146, 50110})
_BLOCKED_CONTENT = frozenset({200000, 200001, 240000, 20009, 400001})
_EDITED_TOO_OFTEN = 30046
"""Too many edits of messages older than an hour; a later poll may succeed (Opcodes and Status Codes)."""
_ARCHIVED = 50083
"""Threads archive themselves; a new message opens them again, an edit does not (discord-api-docs #2855)."""
_NOT_THIS_MESSAGE = frozenset({10015, 50001, 50005, 50027})
"""Codes that refuse an edit or a deletion whatever its payload."""
_THREAD_REASONS = {
    10003: "thread_gone",
    50083: "thread_archived",
    160005: "thread_locked",
    220001: "thread_required",
    220003: "not_a_forum",
}
_DESTINATION_CODES = frozenset({20016, 20022, 20028, 20029, 40062, 40067, 50024, 160006})
"""Of the channel, not of the message: slow mode, write limits, tags wanted, wrong type, too many threads."""
_DESTINATION_STATUS = frozenset({405, 409, 415, 422})

LONGEST_TEXT = 300
"""Characters of a description."""

_TAGS = re.compile(r"<(style|script)\b.*?</\1>|<[^>]*>", re.DOTALL)
_SAID_TWICE = re.compile(r"^(.{3,80}?)(?: (?:[0-9]{3} )?\1)+(?!\w)")
"""A page's title, and its heading with the same words."""

UNNAMED_WAIT = 5.0
"""Seconds that a 429 is obeyed whose wait is missing, negative, no number or more than 115 days. Whoever gets
several in a row waits longer each time (Sender)."""


@dataclass(frozen=True, slots=True)
class DiscordResponse:
    """A classified response. `error` None: success; `message` is the message object, {} if unreadable.
    `code`: that of Discord's own error, 0 if it gave none."""

    rate_limit: RateLimitHeaders
    error: DiscordError | None = None
    message: dict[str, Any] = field(default_factory=dict)
    code: int = 0


def classify(status: int, headers: Mapping[str, str], raw: bytes, method: str = "POST") -> DiscordResponse:
    """Classify the response to a request of this method. Names in `headers` are in lower case."""
    body = _json(raw)
    rate_limit = _rate_limit(status, headers, body)
    if 200 <= status < 300:
        return _accepted(rate_limit, body, raw, status, method)
    return DiscordResponse(rate_limit, _error(status, rate_limit, body, raw, method), code=_code(body))


def _accepted(
    rate_limit: RateLimitHeaders, body: dict[str, Any], raw: bytes, status: int, method: str
) -> DiscordResponse:
    """A 2xx. Discord answers with a message (or webhook), whose id may be all that arrived; where the body is
    lost, only its rate-limit headers show that it is Discord's. Relays add `Via` to their own pages, too."""
    if re.fullmatch(r"[0-9]{1,20}", str(body.get("id"))):
        return DiscordResponse(rate_limit, None, body)
    if found := re.match(rb'\s*\{[^{}]*?"id":\s*"([0-9]{1,20})"', raw):
        return DiscordResponse(rate_limit, None, {"id": found[1].decode()})
    from_discord = rate_limit.limit is not None and (not raw.strip() or raw.lstrip()[:1] == b"{")
    if from_discord or (status == 204 and method == "DELETE"):
        return DiscordResponse(rate_limit)
    error = UnreadableResponse(f"Discord: {status} with a response that is not Discord's", ambiguous=True)
    return DiscordResponse(rate_limit, error)


def _error(
    status: int, rate_limit: RateLimitHeaders, body: dict[str, Any], raw: bytes, method: str
) -> DiscordError:
    description = f"Discord: {describe(status, body, raw)}"
    code = _code(body)
    if rate_limit.cloudflare:
        return CloudflareBlocked(description, retry_after=rate_limit.retry_after or 0.0)
    if status == 429:
        return _limited(description, rate_limit)
    if status == 500 and "code" in body:
        return InternalError(description, ambiguous=True)
    if status >= 500 or status < 400 or status == 408:
        return DiscordUnavailable(description, ambiguous=status not in {502, 503})
    if code == 10008:  # a 403 with this code is from Discord's anti-abuse system
        return MessageGone(description) if status == 404 else DiscordUnavailable(description)
    if code == _EDITED_TOO_OFTEN:
        return RateLimited(description, retry_after=0.0)
    if status == 413 or code in _TOO_LARGE:
        return PayloadTooLarge(description)
    if code in _BLOCKED_CONTENT:
        return MessageRejected(description, code=code)
    if method in {"PATCH", "DELETE"}:
        return _refused_edit(status, code, description, body)
    if code in _DESTINATION_CODES or status in _DESTINATION_STATUS or "thread_id" in _errors_tree(body):
        return DestinationRefuses(description)
    if code in _THREAD_REASONS:
        return WebhookGone(description, reason=_THREAD_REASONS[code])
    if status in {401, 403, 404} or code in {10015, 50027}:
        return WebhookGone(description)
    return MessageRejected(description, code=code, fields=_refused_fields(_errors_tree(body)))


def _limited(description: str, rate_limit: RateLimitHeaders) -> RateLimited:
    guessed = rate_limit.is_guessed
    if guessed:
        remark = "; no time to wait is named that can be true"
        description = description[: LONGEST_TEXT - len(remark)] + remark
    return RateLimited(description, retry_after=rate_limit.retry_after or 0.0, is_guessed=guessed)


def _code(body: dict[str, Any]) -> int:
    return body["code"] if isinstance(body.get("code"), int) else 0


def _refused_edit(status: int, code: int, description: str, body: dict[str, Any]) -> DiscordError:
    """Of one message alone: whether the destination takes new ones is not asked here."""
    if code == _ARCHIVED:
        return EditWaits(description)
    if status != 400 or code in _NOT_THIS_MESSAGE | _DESTINATION_CODES or code in _THREAD_REASONS:
        return EditRefused(description, code=code)
    return MessageRejected(description, code=code, fields=_refused_fields(_errors_tree(body)))


def _errors_tree(body: dict[str, Any]) -> dict[str, Any]:
    """Which fields of a request are wrong (Reference, Error Messages)."""
    errors = body.get("errors")
    return errors if isinstance(errors, dict) else {}


MOST_FIELDS, MOST_DEPTH = 100, 8
"""More than any form of ours has; a tree beyond that is not believed."""


def _refused_fields(tree: dict[str, Any]) -> dict[tuple[str, ...], str]:
    """The tree's leaves: path -> code and message of its first error. {} if it is none of Discord's."""
    fields: dict[tuple[str, ...], str] = {}
    nodes: list[tuple[tuple[str, ...], Any]] = [((), tree)]
    for path, node in nodes:
        if not isinstance(node, dict) or len(path) > MOST_DEPTH or len(nodes) + len(node) > 3 * MOST_FIELDS:
            return {}
        if "_errors" in node:
            fields[path] = _first_error(node["_errors"])
        nodes += [((*path, name[:50]), inner) for name, inner in node.items() if name != "_errors"]
    return fields if len(fields) <= MOST_FIELDS else {}


def _rate_limit(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> RateLimitHeaders:
    cloudflare = _is_cloudflare(status, headers, body)
    scope = headers.get("x-ratelimit-scope")
    retry_after = None
    if status == 429 or cloudflare:
        # The longest wait is taken: in a shared 429 the headers and the body differ.
        waits = [_number(headers.get("retry-after")), _number(body.get("retry_after"))]
        retry_after = max((wait for wait in waits if wait is not None), default=None)
    guessed = status == 429 and not cloudflare and retry_after is None
    return RateLimitHeaders(
        answered=not cloudflare,
        bucket=_short(headers.get("x-ratelimit-bucket")),
        limit=_integer(headers.get("x-ratelimit-limit")),
        remaining=_integer(headers.get("x-ratelimit-remaining")),
        reset_after=_number(headers.get("x-ratelimit-reset-after")),
        retry_after=UNNAMED_WAIT if guessed else retry_after,
        is_guessed=guessed,
        scope=scope,
        is_global=bool(body.get("global")) or "x-ratelimit-global" in headers,
        cloudflare=cloudflare,
        invalid=status in {401, 403, 429} and scope != "shared",
        channel_id=_snowflake(body.get("channel_id")) if 200 <= status < 300 else None,
    )


def _is_cloudflare(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> bool:
    """Whether Cloudflare refused it: no JSON of Discord, or Discord's JSON for blocked addresses (#5810)."""
    if status == 429:
        return "retry_after" not in body and "x-ratelimit-limit" not in headers
    if status == 403:
        return not body or body.get("code") == 40333 or "blocked from accessing" in str(body.get("message"))
    return False


# the words of a refusal, as a clause within a sentence of ours -----------------------------------


def describe(status: int, body: dict[str, Any], raw: bytes) -> str:
    """One line: the status, and what the JSON `body` says, or else the beginning of `raw`; if neither says
    anything, what the status means."""
    words = _words_of_json(body) if body else _words_of_page(raw)
    words = re.sub(rf"^(?:HTTP/\S+ )?(?:error )?{status}\b[\s:.,-]*", "", words, flags=re.IGNORECASE)
    words = _SAID_TWICE.sub(r"\1", words)
    return clause(f"{status} {clause(words) or phrases.get(status, '')}")


def _first_error(errors: Any) -> str:
    first = errors[0] if isinstance(errors, list) and errors else None
    if not isinstance(first, dict):
        return ""
    return clause(": ".join(filter(None, (str(first.get(name) or "")[:100] for name in ("code", "message")))))


def clause(text: str) -> str:
    """In one line, without the punctuation that would end a sentence; at most LONGEST_TEXT characters."""
    return " ".join(text.split())[:LONGEST_TEXT].rstrip(" .,;:!")


def _words_of_json(body: dict[str, Any]) -> str:
    message, code = body.get("message"), body.get("code")
    words = clause(message) if isinstance(message, str) else ""
    return f"{words} (code {code}) {_errors_text(body)}" if code else f"{words} {_errors_text(body)}"


def _errors_text(body: dict[str, Any]) -> str:
    try:
        return json.dumps(body["errors"], ensure_ascii=False) if body.get("errors") else ""
    except RecursionError:
        return ""


def _words_of_page(raw: bytes) -> str:
    words = " ".join(_TAGS.sub(" ", raw[:4000].decode("utf-8", "replace")).split())
    return "" if words in {"{}", "[]", "null"} else words[:LONGEST_TEXT]


# values ----------------------------------------------------------------------------------------


def _json(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 <= number < 10_000_000 else None


def _short(value: str | None) -> str | None:
    """A bucket's hash, of which Discord's have 32 characters."""
    return value if value and len(value) <= 100 else None


def _snowflake(value: Any) -> str | None:
    return value if isinstance(value, str) and re.fullmatch(r"[0-9]{1,20}", value) else None


def _integer(value: str | None) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
