"""Files at addresses of the account's process (`account:<channel>/<message id>/<which>`). No Telethon.

Owns what a failure means: a post never waits for the account because of a file.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path

from disgram.errors import (
    AccountUnavailable,
    ChannelHasNoPreview,
    ChannelNotFound,
    MediaUnavailable,
    TelegramUnavailable,
)
from disgram.post import MediaFile
from disgram.telegram.account.client import AccountClient
from disgram.telegram.client import Download, TelegramClient, spooled
from disgram.telegram.media_budget import MediaBudget

SCHEME = "account:"

STARTS_WITHIN = 30
"""Seconds that files wait for the account's process: a picture must not be lost because it was killed."""


class AccountFiles:
    """For one worker. `client` None: there is no account. Large files lie in `spool_folder`."""

    def __init__(
        self, client: AccountClient | None, spool_folder: Path, wait: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._spool_folder = spool_folder
        self._wait = wait
        self._patience = STARTS_WITHIN

    def media(self, url: str, max_bytes: int, budget: MediaBudget) -> Download:
        """Raises MediaUnavailable (for good) and TelegramUnavailable (worth another try)."""
        if self._client is None:
            raise MediaUnavailable("only an account can fetch it, and none is logged in")
        self._await_process(self._client)
        try:
            with self._client.request("/file", address=url, max_bytes=max_bytes) as answer:
                kind = (answer.getheader("content-type") or "").partition(";")[0].strip().lower()
                chunks = _at_most(max_bytes, self._client.chunks(answer))
                file = spooled(chunks, self._spool_folder, budget)
        except (AccountUnavailable, ChannelHasNoPreview, ChannelNotFound) as error:
            raise MediaUnavailable(f"{error}") from None
        size = file.tell()
        if not size:
            file.close()
            raise TelegramUnavailable("the file has no content")
        file.seek(0)
        return Download(file, MediaFile(size, kind))

    def _await_process(self, client: AccountClient) -> None:
        """It may be starting again. If it does not, no later file waits until it has run again."""
        while self._patience and not client.runs():
            self._patience -= 1
            self._wait(1.0)
        if self._patience or client.runs():
            self._patience = STARTS_WITHIN


class Files:
    """The files of a channel's posts, wherever they are."""

    def __init__(self, telegram: TelegramClient, account: AccountFiles) -> None:
        self._telegram = telegram
        self._account = account

    def media(self, url: str, max_bytes: int, budget: MediaBudget, family: str = "") -> Download:
        """See TelegramClient.media; what a message of the account has needs no check of its family."""
        if url.startswith(SCHEME):
            return self._account.media(url, max_bytes, budget)
        return self._telegram.media(url, max_bytes, budget, family)


def _at_most(max_bytes: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > max_bytes:
            raise MediaUnavailable("larger than MAX_UPLOAD_MB")
        yield chunk
