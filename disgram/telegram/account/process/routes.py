"""The paths of the wire between workers and the account's process.

    GET /page?channel=<name or c/ID>[&before=N]
    GET /file?address=<account:…>&max_bytes=N
    GET /resolve?invite=<hash>
    GET /channels

A refusal is JSON: reason, message, until (ISO or null), retry_after (seconds or null).
"""

from __future__ import annotations

import json
from collections.abc import AsyncGenerator, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

from telethon import errors

from disgram.telegram.account.process.directory import Directory
from disgram.telegram.account.process.downloads import Downloads
from disgram.telegram.account.process.pages import Pages
from disgram.telegram.account.process.refusals import Refused, described, unavailable
from disgram.telegram.account.process.server import Answer

BAD_REQUEST = Refused("bad_request", "no such path, or a parameter is missing", status=400)


class Routes:
    """`now` returns the time with its zone; `report` gets what nobody foresaw, as one sentence."""

    def __init__(
        self,
        pages: Pages,
        downloads: Downloads,
        directory: Directory,
        *,
        now: Callable[[], datetime],
        report: Callable[[str], None],
    ) -> None:
        self._pages = pages
        self._downloads = downloads
        self._directory = directory
        self._now = now
        self._report = report

    async def answer(self, target: str) -> Answer:
        """Never raises but for cancellation."""
        url = urlsplit(target)
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        try:
            return await self._route(url.path, asked)
        except Refused as refusal:
            return self._refusal(refusal)
        except errors.RPCError as error:
            return self._refusal(unavailable(f"Telegram answered the account with {type(error).__name__}"))
        except Exception as error:  # noqa: BLE001  # one odd message must not end it for all channels
            self._report(f"The account's process could not answer {url.path}: {described(error)}")
            return self._refusal(unavailable(f"the account's process failed ({type(error).__name__})"))

    async def _route(self, path: str, asked: Mapping[str, str]) -> Answer:
        match path, asked:
            case "/page", {"channel": name}:
                before = asked.get("before")
                return _json(200, await self._pages.page(name, _number(before) if before else None))
            case "/file", {"address": address, "max_bytes": most}:
                return await self._file(address, _number(most))
            case "/resolve", {"invite": invite}:
                channel = await self._directory.joined_by(invite)
                return _json(200, {"channel": f"c/{channel.id}", "title": channel.title})
            case "/channels", _:
                return _json(200, [_listed(each) for each in self._directory.listed()])
        raise BAD_REQUEST

    async def _file(self, address: str, max_bytes: int) -> Answer:
        file = await self._downloads.open(address, max_bytes)
        kind = file.content_type if file.content_type.isascii() and file.content_type.isprintable() else ""
        headers = [("Content-Type", kind or "application/octet-stream")]
        if file.size:
            headers.append(("Content-Length", str(file.size)))
        else:
            headers.append(("Transfer-Encoding", "chunked"))
        return Answer(200, tuple(headers), self._reported(file.chunks))

    async def _reported(self, chunks: AsyncGenerator[bytes, None]) -> AsyncGenerator[bytes, None]:
        """A file that breaks off ends its connection; the worker tries again."""
        try:
            async for chunk in chunks:
                yield chunk
        except (Refused, errors.RPCError) as error:
            raise EOFError(type(error).__name__) from None
        finally:
            await chunks.aclose()

    def _refusal(self, refusal: Refused) -> Answer:
        seconds = refusal.retry_after
        until = None if seconds is None else (self._now() + timedelta(seconds=seconds)).isoformat()
        body = {"reason": refusal.reason, "message": str(refusal), "until": until, "retry_after": seconds}
        return _json(refusal.status, body)


def _listed(each: Any) -> dict[str, str]:
    return {"address": each.address, "title": each.title, "kind": each.kind}


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 16):
        raise BAD_REQUEST
    return int(text)


def _json(status: int, body: object) -> Answer:
    data = json.dumps(body, separators=(",", ":")).encode()
    headers = (("Content-Type", "application/json"), ("Content-Length", str(len(data))))
    return Answer(status, headers, _once(data))


async def _once(data: bytes) -> AsyncGenerator[bytes, None]:
    yield data
