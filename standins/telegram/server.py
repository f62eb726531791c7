"""A stand-in for t.me on loopback: preview pages, landing pages and media files over real HTTP.

    with TelegramStandIn() as telegram:
        channel = telegram.add_channel("demo")
        number = channel.add(post(photo(), words("hello")))
        ... requests.get(f"{telegram.url}/s/demo") ...

Owns the channels in memory and what a request for a page gets. Never knows how a kind of post looks
(text_markup.py, media_markup.py, pages.py) or how a request goes wrong (loopback.py).

As on t.me: a page holds 20 message ids, an album of N uses N of them; view counts, tokens and file
addresses are different at every request; a name's case does not matter and the page uses the channel's own.
"""

from __future__ import annotations

import hashlib
import threading
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from html import escape

from standins.loopback import LoopbackServer, Request, Response
from standins.telegram import media_files
from standins.telegram.pages import Head, feed, frame, landing
from standins.telegram.text_markup import Post, Scene

PAGE_IDS = 20
DESCRIPTION_LENGTH = 300
"""Characters; t.me's own number is not known."""
Shown = list[tuple[int, Post, int]]
"""Number, post and views of what a page holds, ascending."""


@dataclass(slots=True)
class _Stored:
    number: int
    content: Post
    views: int = 1


class Channel:
    """One channel: its posts by number. Thread-safe. Numbers are never used twice."""

    def __init__(self, head: Head, *, next_number: int = 1) -> None:
        self.head = head
        self.words: dict[int, str] = {}
        """What a post's own page says of it, by its number; otherwise the channel's description."""
        self._next = next_number
        self._posts: dict[int, _Stored] = {}
        self._lock = threading.RLock()

    @property
    def name(self) -> str:
        return self.head.name

    @property
    def numbers(self) -> list[int]:
        """The first number of every post that is there, ascending."""
        with self._lock:
            return list(self._posts)

    def add(self, content: Post) -> int:
        """Publish, and return the post's (first) number. A post without a date is dated now."""
        with self._lock:
            number = self._next
            date = content.date or datetime.now(timezone.utc)
            self._posts[number] = _Stored(number, replace(content, date=date))
            self._next += content.span
            return number

    def skip(self, count: int) -> None:
        """Use up numbers that no post has (deleted before anybody looked)."""
        with self._lock:
            self._next += count

    def edit(self, number: int, content: Post) -> None:
        """Replace a post; the new one says `edited` and keeps the date."""
        with self._lock:
            stored = self._posts[number]
            stored.content = replace(content, edited=True, date=stored.content.date)

    def delete(self, number: int) -> None:
        with self._lock:
            del self._posts[number]

    def content(self, number: int) -> Post:
        with self._lock:
            return self._posts[number].content

    def page(self, *, before: int | None, after: int | None) -> Shown:
        """One page: up to 20 message ids below or above the cursor."""
        with self._lock:
            if after is not None:
                chosen = _fill([self._posts[n] for n in self.numbers if n > after])
            else:
                below = [self._posts[n] for n in reversed(self.numbers) if before is None or n < before]
                chosen = _fill(below)[::-1]
            for stored in chosen:
                stored.views += 1
            return [(stored.number, stored.content, stored.views) for stored in chosen]


def _fill(ordered: list[_Stored]) -> list[_Stored]:
    """As many posts as 20 message ids make; an album is not cut in two."""
    chosen, used = [], 0
    for stored in ordered:
        if used >= PAGE_IDS:
            break
        chosen.append(stored)
        used += stored.content.span
    return chosen


class TelegramStandIn(LoopbackServer):
    """The server. `token_seconds`: how long a media address works."""

    def __init__(
        self, *, port: int = 0, token_seconds: float = 3600.0, clock: Callable[[], float] = time.time
    ) -> None:
        super().__init__(self._answer, port=port)
        self._channels: dict[str, Channel] = {}
        self._landings: dict[str, tuple[str, Head]] = {}
        self._files: dict[str, tuple[str, bytes]] = {}
        self._clock = clock
        self._token_seconds = token_seconds
        self._serial = 0

    # --- what there is ---

    def add_channel(
        self, name: str, title: str = "", *, description: str = "", photo: bool = True, next_number: int = 1
    ) -> Channel:
        """A public channel with a preview, in place of one that had the name. `photo`: it has a picture."""
        former = self._channels.get(name.lower())
        channel_id = (
            former.head.channel_id - 1 if former else -1_000_000_000 - zlib.crc32(name.lower().encode())
        )
        picture = f"avatar-{name}-160x160.jpg" if photo else ""
        head = Head(name, title or name, description, picture, channel_id)
        channel = Channel(head, next_number=next_number)
        self._channels[name.lower()] = channel
        return channel

    def channel(self, name: str) -> Channel:
        return self._channels[name.lower()]

    def add_landing(self, name: str, kind: str, title: str = "") -> None:
        """A name without a preview: group, user, bot, restricted or channel (one that switched it off).

        An existing channel of that name loses its preview and keeps its posts; `restore` gives it back.
        """
        self._landings[name.lower()] = (kind, Head(name, title or name))

    def restore(self, name: str) -> None:
        """Undo `add_landing`."""
        self._landings.pop(name.lower(), None)

    def add_file(self, name: str, body: bytes, content_type: str = "") -> None:
        """A file of the caller's own; every other name stands for a sample of media_files.py."""
        self._files[name] = (content_type or media_files.content_type(name), body)

    def file_bytes(self, name: str) -> bytes:
        """What the address of this file serves."""
        return self._files[name][1] if name in self._files else media_files.sample(name)

    # --- answers ---

    def _answer(self, request: Request) -> Response:
        parts = [part for part in request.path.split("/") if part]
        if len(parts) == 2 and parts[0] == "s":
            return self._preview(parts[1], request)
        if len(parts) == 3 and parts[0] == "file":
            return self._file(parts[1], parts[2], request)
        if len(parts) == 2 and parts[1].isdigit():
            return self._post_page(parts[0], int(parts[1]))
        if len(parts) == 1:
            return Response(200, self._landing(parts[0]).encode())
        return Response(404, b"<html><body>Not found</body></html>")

    def _preview(self, name: str, request: Request) -> Response:
        channel = self._channels.get(name.lower())
        if channel is None or name.lower() in self._landings:
            return Response(302, headers=(("Location", f"{self._base(request)}/{name}"),))
        before, after = (_cursor(request.query.get(side)) for side in ("before", "after"))
        shown = channel.page(before=before, after=after)
        self._serial += 1
        return Response(200, self._feed(channel, shown, before, self._base(request)).encode())

    def _base(self, request: Request) -> str:
        """The host the client asked for, so that a proxy in between sees the media requests too."""
        host = request.headers.get("host")
        return f"http://{host}" if host else self.url

    def _feed(self, channel: Channel, shown: Shown, before: int | None, base: str) -> str:
        numbers = channel.numbers
        head = replace(channel.head, photo=channel.head.photo and self._address(channel.head.photo, base))
        messages = [self._frame(head, number, content, views, base) for number, content, views in shown]
        first, last = (shown[0][0], shown[-1][0]) if shown else (0, numbers[-1] if numbers else 0)
        older = first if shown and numbers[0] < first else None
        newer = last if shown and numbers[-1] > last else None
        return feed(head, messages, top=before or last + 1, older=older, newer=newer)

    def _frame(self, head: Head, number: int, content: Post, views: int, base: str) -> str:
        def file(name: str) -> str:
            return self._address(name, base)

        scene = Scene(head.name, head.title, number, file, views=views, now=self._clock())
        photo = f'<img src="{head.photo}">' if head.photo else ""
        return frame(content, scene, photo=photo, channel_id=head.channel_id)

    def _post_page(self, name: str, number: int) -> Response:
        """A post's own page: its words stand in the head alone, cut with "…" where they are long."""
        channel = self._channels.get(name.lower())
        if channel is None:
            return Response(200, self._landing(name).encode())
        words = channel.words.get(number, channel.head.description)
        cut = words if len(words) <= DESCRIPTION_LENGTH else f"{words[:DESCRIPTION_LENGTH]}…"
        meta = f'<meta property="og:description" content="{escape(cut)}">'
        title = escape(channel.head.title)
        return Response(200, f"<html><head><title>{title}</title>{meta}</head><body></body></html>".encode())

    def _landing(self, name: str) -> str:
        kind, head = self._landings.get(name.lower(), ("nobody", Head(name, name)))
        channel = self._channels.get(name.lower())
        if channel and name.lower() not in self._landings:
            kind, head = "channel", replace(channel.head, photo="")
        return landing(kind, head)

    # --- media ---

    def _address(self, name: str, base: str) -> str:
        """Where a file is to be had now: photos rotate their path, everything else a token behind it."""
        stamp = f"{int(self._clock()):x}.{self._serial:x}"
        seal = self._seal(name, stamp)
        if name.endswith(".jpg") or "." not in name:
            return f"{base}/file/{stamp}.{seal}/{name}"
        return f"{base}/file/{hashlib.sha256(name.encode()).hexdigest()[:10]}/{name}?token={stamp}.{seal}"

    def _seal(self, name: str, stamp: str) -> str:
        return hashlib.sha256(f"{self.port}/{name}/{stamp}".encode()).hexdigest()[:32]

    def _file(self, place: str, name: str, request: Request) -> Response:
        stamp, _, seal = request.query.get("token", place).rpartition(".")
        issued = int(stamp.partition(".")[0] or "0", 16) if seal == self._seal(name, stamp) else 0.0
        if self._clock() - issued > self._token_seconds:
            return Response(404, b"404 Not Found", "text/plain")
        kind = self._files[name][0] if name in self._files else media_files.content_type(name)
        return Response(200, self.file_bytes(name), kind)


def _cursor(value: str | None) -> int | None:
    return int(value) if value and value.isdigit() else None
