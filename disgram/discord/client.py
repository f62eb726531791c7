"""Webhook requests to Discord: one message out, one answer back, in our own terms.

Owns the HTTP of it: URLs, timeouts, and multipart bodies streamed from files, built anew for each attempt.
Never judges an answer (responses.py), waits, tries again or decides what to send.
"""

from __future__ import annotations

import contextlib
import json
import secrets
from collections.abc import Callable, Iterator, Mapping
from typing import IO
from urllib.parse import urlencode

from disgram import __version__
from disgram.addresses import Destination
from disgram.discord.message import DiscordMessage, RateLimitHeaders, Upload
from disgram.discord.responses import DiscordResponse, classify
from disgram.errors import (
    DiscordError,
    DiscordUnavailable,
    HttpError,
    PayloadTooLarge,
    RequestCutOff,
    UnreadableResponse,
)
from disgram.http.client import CHUNK_SIZE, HttpClient, HttpResponse
from disgram.report import Count, no_count

TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and without a byte of the answer."""

USER_AGENT = f"DiscordBot (https://github.com/SimpNick6703/Disgram, {__version__})"
"""The form Discord asks for; others may be stopped by Cloudflare (Reference, "User Agent")."""

ANSWER_SECONDS = 60.0
"""How long the body of an answer may take, however steadily it drips."""
ANSWER_BYTES = 256 * 1024

SCOPES = frozenset({"user", "global", "shared"})
"""What a 429 may be about (Rate Limits, "X-RateLimit-Scope"); a proxy's word is not passed on."""


class DiscordClient:
    """One per worker. `timeout` in seconds is how long Discord may be silent, at most TIMEOUT; `beat` is
    called between chunks in either direction, and raises nothing: a message in flight is finished. `permit`
    is called right before a request that changes something, which is not made if it raises."""

    def __init__(
        self,
        timeout: float = TIMEOUT[1],
        beat: Callable[[], None] = lambda: None,
        count: Count = no_count,
        permit: Callable[[], None] = lambda: None,
    ) -> None:
        timeouts = (min(TIMEOUT[0], timeout), min(TIMEOUT[1], timeout))
        self._count = count
        self._permit = permit
        self._http = HttpClient({"User-Agent": USER_AGENT}, timeouts, beat)
        self._cut_off: DiscordMessage | None = None
        """The message with files whose sending broke off last."""

    def execute(
        self, destination: Destination, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> DiscordResponse:
        """Post a message and wait for Discord to confirm it."""
        params = {"wait": "true"} | _with_components(message)
        return self._send("POST", destination.execute_url, destination, message, files, params)

    def edit(
        self,
        destination: Destination,
        message_id: str,
        message: DiscordMessage,
        files: Mapping[int, IO[bytes]],
    ) -> DiscordResponse:
        """Replace what the payload names; what it leaves out stays (Edit Webhook Message)."""
        url, params = destination.message_url(message_id), _with_components(message)
        return self._send("PATCH", url, destination, message, files, params)

    def delete(self, destination: Destination, message_id: str) -> DiscordResponse:
        """Remove a message."""
        return self._send("DELETE", destination.message_url(message_id), destination, None, {}, {})

    def look(self, destination: Destination) -> DiscordResponse:
        """The webhook itself (Get Webhook with Token): sends nothing, tells its guild."""
        bare = Destination(destination.origin, destination.webhook_id, destination.token)
        return self._send("GET", bare.execute_url, bare, None, {}, {})

    def close(self) -> None:
        self._http.close()

    def _send(
        self,
        method: str,
        url: str,
        destination: Destination,
        message: DiscordMessage | None,
        files: Mapping[int, IO[bytes]],
        params: dict[str, str],
    ) -> DiscordResponse:
        if destination.thread_id:
            params["thread_id"] = destination.thread_id
        asked = f"{url}?{urlencode(params)}" if params else url
        body, headers = _body(message, files)
        if method != "GET":
            self._permit()
        try:
            with self._http.request(method, asked, headers=headers, body=body) as answer:
                self._cut_off = None
                # An error may quote what it was asked; its words go into the log and into the ledger.
                said = _read(answer).replace(destination.token.encode(), b"***")
                response = classify(answer.status, answer.headers, said, method)
                self._count_answer(answer.status, response.rate_limit.scope, body)
                return response
        except RequestCutOff as error:
            self._count_answer(None, None)
            return DiscordResponse(RateLimitHeaders(), self._judge_cut_off(message, error))
        except HttpError as error:
            self._count_answer(None, None)
            named = DiscordUnavailable if error.is_http else UnreadableResponse
            return DiscordResponse(RateLimitHeaders(), named(f"Discord: {error}", ambiguous=error.sent))

    def _count_answer(
        self, status: int | None, scope: str | None, body: bytes | MultipartBody | None = None
    ) -> None:
        self._count("discord_requests", str(status or "none"), scope if scope in SCOPES else "none")
        if isinstance(body, MultipartBody):
            self._count("upload_bytes", by=len(body))

    def _judge_cut_off(self, message: DiscordMessage | None, error: RequestCutOff) -> DiscordError:
        """Over TLS or through a proxy, a 413 sent before the whole body was read is lost with the connection.
        So a second break of the same message with files is taken for one: no post is tried for ever."""
        if message and message.uploads and message == self._cut_off:
            self._cut_off = None
            return PayloadTooLarge(f"Discord: {error}, twice")
        self._cut_off = message
        return DiscordUnavailable(f"Discord: {error}")


def _with_components(message: DiscordMessage) -> dict[str, str]:
    """Discord ignores the buttons of a webhook of no application without this (PR #7368)."""
    return {"with_components": "true"} if "components" in message.payload else {}


def _body(
    message: DiscordMessage | None, files: Mapping[int, IO[bytes]]
) -> tuple[bytes | MultipartBody | None, dict[str, str]]:
    if message is None:
        return None, {}
    payload = json.dumps(message.payload, ensure_ascii=False).encode()
    if not message.uploads:
        return payload, {"Content-Type": "application/json"}
    body = MultipartBody(payload, message.uploads, files)
    return body, {"Content-Type": f"multipart/form-data; boundary={body.boundary}"}


class MultipartBody:
    """A request body that reads its files while it is sent, and knows its length before."""

    def __init__(self, payload: bytes, uploads: tuple[Upload, ...], files: Mapping[int, IO[bytes]]) -> None:
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
            while chunk := part.read(CHUNK_SIZE):
                yield chunk


def _read(answer: HttpResponse) -> bytes:
    """The body as far as it came: the status alone already says most."""
    body = b""
    with contextlib.suppress(HttpError):
        for chunk in answer.iter_content(ANSWER_SECONDS):
            body += chunk
            if len(body) > ANSWER_BYTES:
                break
    return body
