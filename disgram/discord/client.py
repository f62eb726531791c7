"""Webhook requests to Discord: one message out, one answer back, in our own terms.

Owns the HTTP of it: URLs, time-outs, and multipart bodies streamed from files, built anew for each attempt.
Never judges an answer (discord_answer.py), waits, tries again or decides what to send.
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
from disgram.errors import DiscordUnavailable, HttpError
from disgram.http_client import HttpClient, HttpResponse
from disgram.http_patience import Patience

TIMEOUT = (10.0, 30.0)
"""Seconds to connect, and without a byte of the answer."""

USER_AGENT = f"DiscordBot (https://github.com/SimpNick6703/Disgram, {__version__})"
"""The form Discord asks for; others may be stopped by Cloudflare (Reference, "User Agent")."""

ANSWER_SECONDS = 60.0
"""However steadily bytes trickle, an answer is given up after so long."""
ANSWER_BYTES = 256 * 1024
_CHUNK = 64 * 1024


class DiscordClient:
    """One per worker. `patience` in seconds is how long Discord may be silent, within TIMEOUT; `beat` is
    called while bytes go out or are awaited, and raises nothing: a message in flight is finished."""

    def __init__(
        self,
        patience: float = TIMEOUT[1],
        beat: Callable[[], None] = lambda: None,
        http: type[HttpClient] = HttpClient,
    ) -> None:
        self._beat = beat
        timeout = (min(TIMEOUT[0], patience), min(TIMEOUT[1], patience))
        self._http = http({"User-Agent": USER_AGENT}, timeout, Patience(ANSWER_SECONDS, beat))

    def execute(
        self, destination: Destination, message: DiscordMessage, files: Mapping[int, IO[bytes]]
    ) -> DiscordResponse:
        """Post a message and wait for Discord to confirm it."""
        return self._send("POST", destination.execute_url, destination, message, files, {"wait": "true"})

    def edit(
        self,
        destination: Destination,
        message_id: str,
        message: DiscordMessage,
        files: Mapping[int, IO[bytes]],
    ) -> DiscordResponse:
        """Replace what the payload names; what it leaves out stays (Edit Webhook Message)."""
        return self._send("PATCH", destination.message_url(message_id), destination, message, files, {})

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
        body, headers = _body(message, files, self._beat)
        try:
            with self._http.request(method, asked, headers=headers, body=body) as answer:
                # An error may quote what it was asked; its words go into the log and into the ledger.
                said = _read(answer).replace(destination.token.encode(), b"***")
                return classify(answer.status, answer.headers, said)
        except HttpError as error:
            return DiscordResponse(RateLimitHeaders(), DiscordUnavailable(f"{error}", ambiguous=error.sent))


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


def _read(answer: HttpResponse) -> bytes:
    """The body as far as it came: the status alone already says most."""
    body = b""
    with contextlib.suppress(HttpError):
        for piece in answer.pieces():
            body += piece
            if len(body) > ANSWER_BYTES:
                break
    return body
