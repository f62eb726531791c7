"""Webhook requests to Discord: one message out, one answer back, in our own terms.

Owns the HTTP of it: URLs, multipart bodies streamed from files (built anew for each attempt), time-outs,
and `classify`, the pure table from an answer to what it means (facts: discord.md §5, §6). Never
waits, tries again or decides what to send.
"""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import requests

from disgram import __version__
from disgram.errors import (
    CloudflareBlocked,
    DiscordError,
    DiscordUnavailable,
    MessageGone,
    MessageRejected,
    PayloadTooLarge,
    RateLimited,
    WebhookGone,
)
from disgram.http_patience import Patience
from disgram.http_session import Session
from disgram.models import Destination, DiscordMessage, RateFacts, Upload

TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and without a byte of the answer."""

USER_AGENT = f"DiscordBot (https://github.com/SimpNick6703/Disgram, {__version__})"
"""The form Discord asks for; others may be stopped by Cloudflare (Reference, "User Agent")."""

ANSWER_SECONDS = 60.0
"""However steadily bytes trickle, an answer is given up after so long."""
ANSWER_BYTES = 256 * 1024
_CHUNK = 64 * 1024

_TOO_LARGE = frozenset({40005, 50045, 50146, 50110})
_BLOCKED_CONTENT = frozenset({200000, 200001, 240000, 20009, 400001})
_EDITED_TOO_OFTEN = 30046
"""Of messages older than an hour; another poll may edit them (facts: discord.md §5)."""
_THREAD_REASONS = {
    10003: "thread_gone",
    50083: "thread_archived",
    160005: "thread_locked",
    220001: "thread_required",
    220003: "thread_gone",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What Discord said. `error` None: done, and `message` is the message object ({} if unreadable)."""

    facts: RateFacts
    error: DiscordError | None = None
    message: dict[str, Any] = field(default_factory=dict)


class DiscordClient:
    """One per worker. `patience` in seconds is how long Discord may be silent, within TIMEOUT; `beat` is
    called while bytes go out or are awaited, and raises nothing: a message in flight is finished."""

    def __init__(self, patience: float = TIMEOUT[1], beat: Callable[[], None] = lambda: None) -> None:
        self._timeout = (min(TIMEOUT[0], patience), min(TIMEOUT[1], patience))
        self._beat = beat
        self._session = Session(Patience(ANSWER_SECONDS, beat))
        self._session.headers["User-Agent"] = USER_AGENT

    def execute(
        self, destination: Destination, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> Answer:
        """Post a message and wait for Discord to confirm it."""
        return self._send("POST", destination.execute_url, destination, message, files, {"wait": "true"})

    def edit(
        self,
        destination: Destination,
        message_id: str,
        message: DiscordMessage,
        files: Mapping[int, IO[bytes]],
    ) -> Answer:
        """Replace what the payload names; what it leaves out stays (Edit Webhook Message)."""
        return self._send("PATCH", destination.message_url(message_id), destination, message, files, {})

    def delete(self, destination: Destination, message_id: str) -> Answer:
        """Remove a message."""
        return self._send("DELETE", destination.message_url(message_id), destination, None, {}, {})

    def look(self, destination: Destination) -> Answer:
        """The webhook itself (Get Webhook with Token): sends nothing, tells its guild."""
        bare = Destination(destination.origin, destination.webhook_id, destination.token)
        return self._send("GET", bare.execute_url, bare, None, {}, {})

    def close(self) -> None:
        self._session.close()

    def _send(
        self,
        method: str,
        url: str,
        destination: Destination,
        message: DiscordMessage | None,
        files: Mapping[int, IO[bytes]],
        params: dict[str, str],
    ) -> Answer:
        if destination.thread_id:
            params["thread_id"] = destination.thread_id
        body, headers = _body(message, files, self._beat)
        try:
            with self._session.request(
                method, url, params=params, data=body, headers=headers,
                timeout=self._timeout, stream=True, allow_redirects=False,
            ) as response:  # fmt: skip
                # An error may quote what it was asked; its words go into the log and into the ledger.
                said = _read(response).replace(destination.token.encode(), b"***")
                return classify(response.status_code, response.headers, said)
        except requests.RequestException as error:
            # The error's text quotes the URL, which holds the token: only its kind is told.
            never_sent = isinstance(error, requests.ConnectTimeout | requests.exceptions.SSLError) or (
                isinstance(error, requests.ConnectionError) and "NewConnectionError" in repr(error)
            )
            kind = "no connection" if never_sent else f"no answer ({type(error).__name__})"
            return Answer(RateFacts(), DiscordUnavailable(kind, ambiguous=not never_sent))


def _body(
    message: DiscordMessage | None, files: Mapping[int, IO[bytes]], beat: Callable[[], None]
) -> tuple[bytes | MultipartBody | None, dict[str, str]]:
    if message is None:
        return None, {}
    payload = json.dumps(message.payload, ensure_ascii=False).encode()
    if not message.uploads:
        return payload, {"Content-Type": "application/json"}
    body = MultipartBody(payload, message.uploads, files, beat)
    return body, {"Content-Type": f"multipart/form-data; boundary={body.boundary}"}


class MultipartBody:
    """A request body that reads its files while it is sent. Knows its length, so nothing is chunked.

    `beat` is called before each piece: over a thin line an album takes longer than LOG_STALE_AFTER.
    """

    def __init__(
        self,
        payload: bytes,
        uploads: tuple[Upload, ...],
        files: Mapping[int, IO[bytes]],
        beat: Callable[[], None] = lambda: None,
    ) -> None:
        self._beat = beat
        self.boundary = secrets.token_hex(16)
        # No line break stands before the first boundary: strict readers refuse one.
        first = self._head('name="payload_json"', "application/json").lstrip()
        self._parts: list[bytes | IO[bytes]] = [first, payload]
        for number, upload in enumerate(uploads):
            disposition = f'name="files[{number}]"; filename="{upload.filename}"'
            self._parts += [self._head(disposition, upload.content_type), files[upload.media]]
        self._parts.append(f"\r\n--{self.boundary}--\r\n".encode())

    def _head(self, disposition: str, content_type: str) -> bytes:
        return (
            f"\r\n--{self.boundary}\r\nContent-Disposition: form-data; {disposition}\r\n"
            f"Content-Type: {content_type}\r\n\r\n"
        ).encode()

    def __len__(self) -> int:
        return sum(len(part) if isinstance(part, bytes) else part.seek(0, 2) for part in self._parts)

    def __iter__(self) -> Iterator[bytes]:
        for part in self._parts:
            if isinstance(part, bytes):
                yield part
                continue
            part.seek(0)
            while chunk := part.read(_CHUNK):
                self._beat()
                yield chunk


def _read(response: requests.Response) -> bytes:
    """The body as far as it came: the status alone already says most."""
    body = b""
    try:
        for chunk in response.iter_content(_CHUNK):
            body += chunk
            if len(body) > ANSWER_BYTES:
                break
    except requests.RequestException:
        pass
    return body


def classify(status: int, headers: Mapping[str, str], raw: bytes) -> Answer:
    """What an answer means. Pure; header names in any case that the mapping takes."""
    body = _json(raw)
    facts = _facts(status, headers, body)
    if 200 <= status < 300:
        return _accepted(facts, headers, body, raw, status)
    return Answer(facts, _error(status, facts, body, raw))


def _accepted(
    facts: RateFacts, headers: Mapping[str, str], body: dict[str, Any], raw: bytes, status: int
) -> Answer:
    """A 2xx. One whose body cannot be read still counts as accepted if it bears Discord's own headers."""
    if "id" in body or status == 204:
        return Answer(facts, None, body)
    if facts.limit is not None or "Via" in headers:
        found = re.match(rb'\s*\{[^{}]*?"id":\s*"([0-9]{1,20})"', raw)
        return Answer(facts, None, {"id": found[1].decode()} if found else {})
    return Answer(facts, DiscordUnavailable("an answer that is not Discord's", ambiguous=True))


def _error(status: int, facts: RateFacts, body: dict[str, Any], raw: bytes) -> DiscordError:
    told = _told(status, body, raw)
    code = body["code"] if isinstance(body.get("code"), int) else 0
    if facts.cloudflare:
        return CloudflareBlocked(told, retry_after=facts.retry_after or 0.0)
    if status == 429:
        return RateLimited(told, retry_after=facts.retry_after or 0.0)
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


def _facts(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> RateFacts:
    cloudflare = _is_cloudflare(status, headers, body)
    scope = headers.get("X-RateLimit-Scope")
    retry_after = None
    if status == 429 or cloudflare:
        # Of several waits the longest is the truth: a shared 429's headers contradict its body.
        waits = [_number(headers.get("Retry-After")), _number(body.get("retry_after"))]
        known = [wait for wait in waits if wait is not None]
        retry_after = max(known) if known else (None if cloudflare else 5.0)
    return RateFacts(
        answered=not cloudflare,
        bucket=headers.get("X-RateLimit-Bucket"),
        limit=_integer(headers.get("X-RateLimit-Limit")),
        remaining=_integer(headers.get("X-RateLimit-Remaining")),
        reset_after=_number(headers.get("X-RateLimit-Reset-After")),
        retry_after=retry_after,
        scope=scope,
        is_global=bool(body.get("global")) or "X-RateLimit-Global" in headers,
        cloudflare=cloudflare,
        invalid=status in {401, 403, 429} and scope != "shared",
        channel_id=str(body["channel_id"]) if 200 <= status < 300 and "channel_id" in body else None,
    )


def _is_cloudflare(status: int, headers: Mapping[str, str], body: dict[str, Any]) -> bool:
    """A refusal of the edge's: no JSON of Discord's, or its JSON for blocked addresses (facts §5)."""
    if status == 429:
        return "retry_after" not in body and "X-RateLimit-Limit" not in headers
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
