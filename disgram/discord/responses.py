"""What an answer of Discord means: a pure table from status, headers and body to our own errors.

Owns Discord's status and error codes (Opcodes and Status Codes; Rate Limits), and how its edge, Cloudflare,
is told from Discord itself. Never sends, waits or reacts.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from disgram.discord.message import RateLimitHeaders
from disgram.errors import (
    CloudflareBlocked,
    DiscordError,
    DiscordUnavailable,
    InternalError,
    MessageGone,
    MessageRejected,
    PayloadTooLarge,
    RateLimited,
    WebhookGone,
)

_TOO_LARGE = frozenset({40005, 50045, 50146, 50110})
_BLOCKED_CONTENT = frozenset({200000, 200001, 240000, 20009, 400001})
_EDITED_TOO_OFTEN = 30046
"""Of messages older than an hour; another poll may edit them (Opcodes and Status Codes)."""
_THREAD_REASONS = {
    10003: "thread_gone",
    50083: "thread_archived",
    160005: "thread_locked",
    220001: "thread_required",
    220003: "thread_gone",
}


@dataclass(frozen=True, slots=True)
class DiscordResponse:
    """What Discord said. `error` None: done, and `message` is the message object ({} if unreadable)."""

    facts: RateLimitHeaders
    error: DiscordError | None = None
    message: dict[str, Any] = field(default_factory=dict)


def classify(status: int, headers: Mapping[str, str], raw: bytes) -> DiscordResponse:
    """What an answer means. Pure; header names in lower case."""
    body = _json(raw)
    facts = _facts(status, headers, body)
    if 200 <= status < 300:
        return _accepted(facts, headers, body, raw, status)
    return DiscordResponse(facts, _error(status, facts, body, raw))


def _accepted(
    facts: RateLimitHeaders, headers: Mapping[str, str], body: dict[str, Any], raw: bytes, status: int
) -> DiscordResponse:
    """A 2xx. One whose body cannot be read still counts as accepted if it bears Discord's own headers."""
    if "id" in body or status == 204:
        return DiscordResponse(facts, None, body)
    if facts.limit is not None or "via" in headers:
        found = re.match(rb'\s*\{[^{}]*?"id":\s*"([0-9]{1,20})"', raw)
        return DiscordResponse(facts, None, {"id": found[1].decode()} if found else {})
    return DiscordResponse(facts, DiscordUnavailable("an answer that is not Discord's", ambiguous=True))


def _error(status: int, facts: RateLimitHeaders, body: dict[str, Any], raw: bytes) -> DiscordError:
    told = _told(status, body, raw)
    code = body["code"] if isinstance(body.get("code"), int) else 0
    if facts.cloudflare:
        return CloudflareBlocked(told, retry_after=facts.retry_after or 0.0)
    if status == 429:
        return RateLimited(told, retry_after=facts.retry_after or 0.0)
    if status == 500 and "code" in body:
        return InternalError(told, ambiguous=True)
    if status >= 500 or status < 400 or status == 408:
        return DiscordUnavailable(told, ambiguous=status not in {502, 503})
    if code == 10008:  # with a 403 it is the anti-abuse system speaking
        return MessageGone(told) if status == 404 else DiscordUnavailable(told)
    if code == _EDITED_TOO_OFTEN:
        return RateLimited(told, retry_after=0.0)
    if status == 413 or code in _TOO_LARGE:
        return PayloadTooLarge(told)
    if code in _THREAD_REASONS:
        return WebhookGone(told, reason=_THREAD_REASONS[code])
    if code not in _BLOCKED_CONTENT and (status in {401, 403, 404} or code in {10015, 50027}):
        return WebhookGone(told)
    return MessageRejected(told, code=code)


def _facts(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> RateLimitHeaders:
    cloudflare = _is_cloudflare(status, headers, body)
    scope = headers.get("x-ratelimit-scope")
    retry_after = None
    if status == 429 or cloudflare:
        # Of several waits the longest is the truth: a shared 429's headers contradict its body.
        waits = [_number(headers.get("retry-after")), _number(body.get("retry_after"))]
        known = [wait for wait in waits if wait is not None]
        retry_after = max(known) if known else (None if cloudflare else 5.0)
    return RateLimitHeaders(
        answered=not cloudflare,
        bucket=headers.get("x-ratelimit-bucket"),
        limit=_integer(headers.get("x-ratelimit-limit")),
        remaining=_integer(headers.get("x-ratelimit-remaining")),
        reset_after=_number(headers.get("x-ratelimit-reset-after")),
        retry_after=retry_after,
        scope=scope,
        is_global=bool(body.get("global")) or "x-ratelimit-global" in headers,
        cloudflare=cloudflare,
        invalid=status in {401, 403, 429} and scope != "shared",
        channel_id=str(body["channel_id"]) if 200 <= status < 300 and "channel_id" in body else None,
    )


def _is_cloudflare(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> bool:
    """A refusal of the edge's: no JSON of Discord's, or its JSON for blocked addresses (#5810)."""
    if status == 429:
        return "retry_after" not in body and "x-ratelimit-limit" not in headers
    if status == 403:
        return not body or body.get("code") == 40333 or "blocked from accessing" in str(body.get("message"))
    return False


def _told(status: int, body: dict[str, Any], raw: bytes) -> str:
    """One line for people: the status and Discord's own words, or the beginning of whatever came."""
    if body:
        errors = json.dumps(body["errors"], ensure_ascii=False) if body.get("errors") else ""
        return f"{status} {body.get('message', '')} (code {body.get('code', 0)}) {errors}".strip()[:300]
    text = re.sub(
        r"<(style|script)\b.*?</\1>|<[^>]*>", " ", raw[:4000].decode("utf-8", "replace"), flags=re.S
    )
    return f"{status} {' '.join(text.split())}".strip()[:300]


def _json(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        return {}
    return body if isinstance(body, dict) else {}


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if 0 <= number < 10_000_000 else None


def _integer(value: str | None) -> int | None:
    number = _number(value)
    return None if number is None else int(number)
