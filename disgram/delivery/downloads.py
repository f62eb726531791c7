"""The files of one post on their way from Telegram to Discord: which are at hand, and when they are closed.

Owns open files. Never fetches them.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import ExitStack
from typing import IO

from disgram.discord.message import DiscordMessage
from disgram.post import MediaFile
from disgram.telegram.client import Download


class Downloads:
    """The files of one post, as far as they can be had; closes them in the end."""

    def __init__(self) -> None:
        self._open = ExitStack()
        self._found: dict[int, Download] = {}

    def __enter__(self) -> Downloads:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self._open.close()

    def add(self, index: int, download: Download) -> None:
        self._open.callback(download.file.close)
        self._found[index] = download

    def absorb(self, others: Downloads) -> None:
        """Take further files over, and closing them with it."""
        self._found |= others._found
        self._open.callback(others.close)

    def drop_largest(self, message: DiscordMessage) -> int | None:
        """Give up the largest file of a message that was too large; None if it carries none."""
        carried = [upload.media for upload in message.uploads if upload.media in self._found]
        if not carried:
            return None
        largest = max(carried, key=lambda index: self._found[index].fetched.size)
        del self._found[largest]
        return largest

    @property
    def fetched(self) -> dict[int, MediaFile]:
        return {index: download.fetched for index, download in self._found.items()}

    @property
    def files(self) -> Mapping[int, IO[bytes]]:
        return {index: download.file for index, download in self._found.items()}
