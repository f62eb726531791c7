"""Files of messages, streamed from Telegram as fast as the worker takes them; never whole in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from telethon import errors

from disgram.telegram.account.message.files import FileAddress, FoundFile, find_file, parse_address
from disgram.telegram.account.process.calls import FILES, Calls
from disgram.telegram.account.process.directory import Directory
from disgram.telegram.account.process.messages import Messages
from disgram.telegram.account.process.refusals import TOO_LARGE, Refused, content_protected, file_gone

CHUNK = 512 * 1024
"""Bytes of one request to Telegram, and all that is in memory of a file."""

AT_ONCE = 4

CHUNK_SECONDS = 60.0
"""How long one chunk may take, with the connection to another data centre."""

_EXPIRED = (
    errors.FileReferenceExpiredError, errors.FileReferenceEmptyError, errors.FileReferenceInvalidError,
    errors.FilerefUpgradeNeededError,
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class OpenFile:
    """`size`: in bytes, 0 if unknown. `chunks` must be closed, read to the end or not."""

    content_type: str
    size: int
    chunks: AsyncGenerator[bytes, None]


class Downloads:
    def __init__(self, calls: Calls, directory: Directory, messages: Messages) -> None:
        self._calls = calls
        self._directory = directory
        self._messages = messages
        self._slots = asyncio.Semaphore(AT_ONCE)

    async def open(self, url: str, max_bytes: int) -> OpenFile:
        """The file of an address `account:…`, its first chunk there. Raises Refused and RPCError."""
        address = parse_address(url)
        if address is None:
            raise file_gone("not the address of a file of the account")
        found = await self._find(address)
        if found.size > max_bytes:
            raise _too_large()
        chunks = self._chunks(address, found, max_bytes)
        try:
            first = await anext(chunks, b"")
        except BaseException:
            await chunks.aclose()
            raise
        return OpenFile(found.content_type, found.size, _prepended(first, chunks))

    async def _find(self, address: FileAddress) -> FoundFile:
        channel = await self._directory.find(address.channel)
        try:
            message = await self._messages.one(channel, address.message_id)
        except errors.RPCError as error:
            raise self._directory.refusal(channel, address.channel, error) from None
        if message is not None and (channel.noforwards or getattr(message, "noforwards", False)):
            raise content_protected(address.channel)
        found = find_file(message, address.which) if message is not None else None
        if found is None:
            raise file_gone()
        return found

    async def _chunks(
        self, address: FileAddress, found: FoundFile, max_bytes: int
    ) -> AsyncGenerator[bytes, None]:
        """From the beginning; a file reference that expires is read anew, once without a byte between."""
        done, fresh_at = 0, -1
        async with self._slots:
            while True:
                try:
                    async for chunk in self._from(found, done):
                        done += len(chunk)
                        if done > max_bytes:
                            raise _too_large()
                        yield chunk
                    return
                except _EXPIRED:
                    if done == fresh_at:
                        raise file_gone("Telegram's reference to the file expires at once") from None
                    fresh_at, found = done, await self._same(address, found)
                except errors.BadRequestError as error:
                    raise file_gone(f"Telegram refuses the file ({type(error).__name__})") from None

    async def _same(self, address: FileAddress, found: FoundFile) -> FoundFile:
        """The same file with a new reference."""
        again = await self._find(address)
        if again.media.id != found.media.id:
            raise file_gone("the message has another file now")
        return again

    async def _from(self, found: FoundFile, offset: int) -> AsyncGenerator[bytes, None]:
        reading: Any = None
        try:
            while True:

                async def ask(client: Any) -> bytes | None:
                    nonlocal reading
                    if reading is None:
                        reading = client.iter_download(
                            found.location, offset=offset, request_size=CHUNK, dc_id=found.media.dc_id
                        )
                    return await anext(reading, None)

                chunk = await self._calls.run(FILES, ask, CHUNK_SECONDS)
                if chunk is None:
                    return
                yield bytes(chunk)
        finally:
            if reading is not None:
                with suppress(Exception):
                    await reading.close()


async def _prepended(first: bytes, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
    try:
        if first:
            yield first
        async for chunk in chunks:
            yield chunk
    finally:
        await chunks.aclose()


def _too_large() -> Refused:
    return Refused("file_too_large", "larger than MAX_UPLOAD_MB", status=TOO_LARGE)
