"""A cheap stand-in for t.me and Discord in one process: `python -m bench.stand_in`, its port on stdout.

Those of standins/ enforce; a thousand workers would measure them and not us. This one answers every
channel's page from prepared pieces in well under a millisecond. As on t.me, view counts and file addresses
differ at every request. Posts are published for all channels at once:

    POST /publish?count=3&kind=media      three more posts in every channel

Owns the pages and the answers. Never checks what arrives; the tests do that with standins/.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from functools import lru_cache, partial
from urllib.parse import parse_qsl, urlsplit

from standins.telegram import media_files
from standins.telegram.media_markup import Item, album, photo, video, voice
from standins.telegram.pages import Head, feed, frame
from standins.telegram.text_markup import Post, Scene, bare_link, bold, esc, italic, link, mention, post, text

FIRST = 1000
"""The number of the first post of every channel."""

PAGE_POSTS = 20
_PAGES = 3
NEWEST = FIRST + _PAGES * PAGE_POSTS - 1
"""The number of the newest post, until more are published."""

_CHANNEL, _VIEWS = "channelname", 7654321
_SENTENCE = "The river rose by four centimetres overnight, the ferry runs on time. "
_BYTES = {"hill": 71_000, "shore": 20_000, "film": 279_000}
_RATES = "X-RateLimit-Bucket: bench\r\nX-RateLimit-Limit: 1000\r\nX-RateLimit-Remaining: 999\r\n"
_RATES += "X-RateLimit-Reset-After: 1\r\nVia: 1.1 google\r\n"


def content(number: int, kind: str, turn: int) -> Post:
    """A post of the kind: `text`, or `media` (photo, album, video or voice message, as its turn is)."""
    said = text(
        f"{bold(f'News {number}')}<br/><br/>{esc(_SENTENCE * (2 + number % 5))}<br/>"
        f"{italic('As told by')} {mention('somebody')}, {link('more', f'https://example.org/{number}')}, "
        f"{bare_link(f'https://example.org/a/b?n={number}')}"
    )
    reactions = ("👍", "🔥", "❤", "🎉")
    if kind == "text":
        return post(said, reactions=reactions)
    pictures = [Item(f"shore-{number}-{i}-640x400.jpg") for i in range(4)]
    media = (
        photo(f"hill-{number}-1280x800.jpg"),
        album(*pictures),
        video(f"film-{number}.mp4"),
        voice(f"{number}.ogg"),
    )
    return post(media[turn % 4], said, reactions=reactions)


@dataclass(frozen=True)
class Published:
    number: int
    content: Post


class Feed:
    """What every channel shows; one list for all, since nobody compares them."""

    def __init__(self) -> None:
        self._posts: list[Published] = []
        self._next = FIRST
        self._views = itertools.count(_VIEWS)
        self.publish(_PAGES * PAGE_POSTS, "text")

    def publish(self, count: int, kind: str) -> None:
        for turn in range(count):
            made = content(self._next, kind, turn)
            self._posts.append(Published(self._next, made))
            self._next += made.span
        self._posts = self._posts[-400:]
        self._page.cache_clear()

    def page(self, channel: str, before: int | None, base: str) -> bytes:
        views = str(next(self._views)).encode()
        return (
            self._page(before, base)
            .replace(_CHANNEL.encode(), channel.encode())
            .replace(str(_VIEWS).encode(), views)
        )

    @lru_cache(maxsize=64)  # noqa: B019 - there is one feed, for the life of the process
    def _page(self, before: int | None, base: str) -> bytes:
        shown = [one for one in self._posts if before is None or one.number < before][-PAGE_POSTS:]
        photo_url = f"{base}/file/{_VIEWS}/avatar-160x160.jpg"
        older = shown[0].number if shown and shown[0] is not self._posts[0] else None
        top = shown[-1].number + 1 if shown else 1
        messages = [self._frame(one, photo_url, base) for one in shown]
        head = Head(_CHANNEL, "A channel of the benchmark", "Made up.", photo_url)
        return feed(head, messages, top=top, older=older).encode()

    def _frame(self, one: Published, photo_url: str, base: str) -> str:
        scene = Scene(
            _CHANNEL, "A channel of the benchmark", one.number,
            lambda name: f"{base}/file/{_VIEWS}/{name}", views=_VIEWS, now=_VIEWS,
        )  # fmt: skip
        dated = Post(one.content.pieces, reactions=one.content.reactions, date=_WHEN)
        return frame(dated, scene, photo=f'<img src="{photo_url}">')


_WHEN = datetime(2026, 9, 1, 12, tzinfo=timezone.utc)


def _length(head: str) -> int:
    place = head.lower().find("\r\ncontent-length:")
    return int(head[place + 17 :].split("\r\n", 1)[0]) if place >= 0 else 0


class Site:
    """Routes; `base` is its own address."""

    def __init__(self) -> None:
        self.base = ""
        self._feed = Feed()
        self._ids = itertools.count(1_400_000_000_000_000_000)
        self._pages = self._messages = 0

    def answer(self, method: str, target: str) -> bytes:
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query))
        if parts.path.startswith("/s/"):
            self._pages += 1
            before = int(query["before"]) if "before" in query else None
            return _response(self._feed.page(parts.path[3:], before, self.base), "text/html; charset=utf-8")
        if parts.path.startswith("/file/"):
            name = parts.path.rpartition("/")[2]
            return _response(_heavy(name), media_files.content_type(name))
        if parts.path.startswith("/api/"):
            return self._confirmed(method)
        if parts.path == "/publish":
            self._feed.publish(int(query["count"]), query["kind"])
        counts = {"pages": self._pages, "messages": self._messages, "cpu": time.process_time()}
        return _response(json.dumps(counts).encode(), "application/json")

    def _confirmed(self, method: str) -> bytes:
        self._messages += method == "POST"
        message = {"id": str(next(self._ids)), "channel_id": "1", "guild_id": "2", "type": 0}
        return _response(json.dumps(message).encode(), "application/json", _RATES)


def _heavy(name: str) -> bytes:
    """A sample, as long as a file of t.me's: nobody looks at what follows the picture."""
    return media_files.sample(name).ljust(_BYTES.get(name.partition("-")[0], 0), b"\0")


def _response(body: bytes, content_type: str, more: str = "") -> bytes:
    head = f"HTTP/1.1 200 OK\r\nContent-Type: {content_type}\r\nContent-Length: {len(body)}\r\n{more}\r\n"
    return head.encode() + body


async def _exchange(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One connection, kept alive until the other side leaves."""
    with suppress(asyncio.IncompleteReadError, ConnectionError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
            await reader.readexactly(_length(head))
            method, target, _ = head.split("\r\n", 1)[0].split(" ")
            writer.write(site.answer(method, target))
    writer.close()


async def _serve() -> None:
    site = Site()
    server = await asyncio.start_server(partial(_exchange, site), "127.0.0.1", backlog=2048)
    port = server.sockets[0].getsockname()[1]
    site.base = f"http://127.0.0.1:{port}"
    print(port, flush=True)
    # The end of stdin is the end of who started this: nothing is left behind, however that ended.
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)


if __name__ == "__main__":
    asyncio.run(_serve())
