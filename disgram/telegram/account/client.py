"""Asks the account's process: HTTP/1.1 over a Unix socket, one connection for each request. No Telethon.

    GET /page?channel=<name or c/ID>[&before=N]
    GET /file?address=<account:...>&max_bytes=N
    GET /resolve?invite=<hash>

Owns that wire as its client sees it, time limits and size caps, and which error a refusal is.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import select
import socket
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from disgram.errors import (
    AccountUnavailable,
    ChannelHasNoPreview,
    ChannelNotFound,
    MediaUnavailable,
    TelegramError,
    TelegramUnavailable,
)
from disgram.storage.files.unix_socket import connected

CHUNK_SIZE = 64 * 1024
ANSWER_BYTES = 8 * 1024 * 1024
"""The largest page; one of 20 long posts has about 200 kB."""

LOOK_EVERY = 0.5
"""Seconds between two calls of `check` while the process asks Telegram."""

_LONGEST_MESSAGE = 300
_NOT_READABLE = {"not_a_member", "channel_private", "content_protected"}
_NOT_NOW = {"account_waits", "account_logged_out"}
_NO_FILE = {"file_gone", "file_too_large"}


class AccountClient:
    """For one thread. `timeout`: seconds until the head of a response, and between two bytes of it. `check`
    is called meanwhile, and raises Stopping when the worker must end."""

    def __init__(
        self,
        path: Path,
        timeout: float,
        check: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._path = path
        self._timeout = timeout
        self._check = check
        self._clock = clock

    def page(self, channel: str, before: int | None = None) -> dict[str, Any]:
        """As the process has it. Raises TelegramError."""
        return self._json("/page", channel=channel, **({"before": before} if before else {}))

    def resolve(self, invite: str) -> str:
        """The name (c/ID) of the channel of an invite link, if the account is in it. Raises TelegramError."""
        return str(self._json("/resolve", invite=invite).get("channel", ""))

    def _json(self, path: str, **query: object) -> dict[str, Any]:
        with self.request(path, **query) as answer, _as_telegram_unavailable():
            body = answer.read(ANSWER_BYTES + 1)
            found = json.loads(body) if len(body) <= ANSWER_BYTES else None
            if not isinstance(found, dict):
                raise ValueError
            return found

    def chunks(self, answer: http.client.HTTPResponse) -> Iterator[bytes]:
        """The body. Raises TelegramUnavailable if it breaks off."""
        with _as_telegram_unavailable():
            while chunk := answer.read(CHUNK_SIZE):
                self._check()
                yield chunk
            if answer.length:
                raise http.client.IncompleteRead(b"")

    @contextlib.contextmanager
    def request(self, path: str, **query: object) -> Iterator[http.client.HTTPResponse]:
        """A 200, whose body the caller reads. Raises TelegramError for every other."""
        connection = _UnixConnection(self._path, self._timeout)
        with contextlib.closing(connection):
            with _as_telegram_unavailable():
                connection.request("GET", f"{path}?{urlencode(query)}")
                self._await(connection.sock)
                answer = connection.getresponse()
                refusal = None if answer.status == 200 else answer.read(ANSWER_BYTES)
            if refusal is not None:
                raise refused(refusal)
            yield answer

    def _await(self, connected: socket.socket) -> None:
        """Until something can be read. Raises OSError and Stopping."""
        poll, until = select.poll(), self._clock() + self._timeout
        poll.register(connected, select.POLLIN)
        while not poll.poll(LOOK_EVERY * 1000):
            self._check()
            if self._clock() > until:
                raise TimeoutError


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path, timeout: float) -> None:
        super().__init__("account", timeout=timeout)
        self._path, self._timeout = path, timeout

    def connect(self) -> None:
        self.sock = connected(self._path, self._timeout)


@contextlib.contextmanager
def _as_telegram_unavailable() -> Iterator[None]:
    try:
        yield
    except (FileNotFoundError, ConnectionRefusedError):
        raise TelegramUnavailable("the account's process does not run yet") from None
    except TimeoutError:
        raise TelegramUnavailable("the account's process has not answered in time") from None
    except (OSError, http.client.HTTPException, ValueError):
        raise TelegramUnavailable("the account's process broke off its answer") from None


def refused(body: bytes) -> TelegramError:
    """What a refusal means to a worker: {reason, message, until, retry_after}."""
    try:
        told = json.loads(body)
    except ValueError:
        told = None
    found = told if isinstance(told, dict) else {}
    reason, seconds = found.get("reason"), found.get("retry_after")
    message = str(found.get("message") or "the account's process gave no reason")[:_LONGEST_MESSAGE]
    lasts = float(seconds) if isinstance(seconds, (int, float)) else None
    if reason in _NOT_READABLE:
        return ChannelHasNoPreview(message, reason=reason)
    if reason == "channel_not_found":
        return ChannelNotFound(message)
    if reason in _NO_FILE:
        return MediaUnavailable(message)
    if reason in _NOT_NOW:
        return AccountUnavailable(message, reason=reason, lasts=lasts)
    return TelegramUnavailable(message, retry_after=lasts)
