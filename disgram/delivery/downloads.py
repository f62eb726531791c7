"""The files of one post between Telegram and Discord: which are at hand, and when they are closed.

Owns open files. Never downloads them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import IO, Protocol

from disgram.discord.message import DiscordMessage
from disgram.post import MediaFile
from disgram.telegram.client import Download
from disgram.telegram.media_budget import MediaBudget


class MediaSource(Protocol):
    """Where the files of posts come from: see TelegramClient.media."""

    def media(self, url: str, max_bytes: int, budget: MediaBudget, family: str = "") -> Download: ...


class Downloads:
    """Those files of one post that could be downloaded, by their index in `post.media`. Closes them at the
    end of its `with` block."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._by_index: dict[int, Download] = {}

    def __enter__(self) -> Downloads:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def add(self, index: int, download: Download) -> None:
        self._open.callback(download.file.close)
        self._by_index[index] = download

    def merge(self, others: Downloads) -> None:
        """Add the files of `others`, which are closed together with these."""
        self._by_index |= others._by_index
        self._open.callback(others.close)

    def drop_largest(self, message: DiscordMessage) -> int | None:
        """Remove the largest file of a message that was too large. Its index; None if it has no file."""
        uploaded = [upload.media for upload in message.uploads if upload.media in self._by_index]
        if not uploaded:
            return None
        largest = max(uploaded, key=lambda index: self._by_index[index].fetched.size)
        del self._by_index[largest]
        return largest

    @property
    def fetched(self) -> dict[int, MediaFile]:
        """Size and media type of each."""
        return {index: download.fetched for index, download in self._by_index.items()}

    @property
    def files(self) -> Mapping[int, IO[bytes]]:
        """The open file of each, read from its beginning by whoever uploads it."""
        return {index: download.file for index, download in self._by_index.items()}
