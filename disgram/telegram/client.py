"""Preview pages and media files from Telegram.

Owns size caps, redirects, which requests are paced, the hosts we fetch from, and what a failure means here.
Never parses a page and never decides whether to try again.

A refusal of t.me is a 200 or a 302, never a 404: `/s/<name>` of a group, a missing name or a channel
without preview redirects to `/<name>` (seen 2026-08). Redirects are therefore answers: the one to
the landing page is read, so that the parser can tell what it says; none to elsewhere is followed.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import responses
from pathlib import Path
from typing import IO
from urllib.parse import urljoin

from disgram.errors import (
    ChannelNotFound,
    DisgramError,
    HttpError,
    MediaUnavailable,
    PageNotUnderstood,
    TelegramUnavailable,
)
from disgram.http.client import HttpResponse
from disgram.origin import Origin
from disgram.post import MediaFile
from disgram.report import Count, no_count
from disgram.telegram.egress.direct import Egress
from disgram.telegram.media_budget import MediaBudget
from disgram.telegram.media_bytes import SNIFFED_BYTES, may_be

PAGE_HOSTS = frozenset({"t.me", "telegram.me", "telegram.dog"})
"""Names of the same site; they redirect to each other."""

MEDIA_DOMAINS = ("t.me", "telegram.me", "telegram.org", "telesco.pe", "cdn-telegram.org", "telegram-cdn.org")
"""Telegram's own; media come from these and names below them (README, "Security")."""

PAGE_BYTES = 8 * 1024 * 1024
"""The largest of 58 pages measured had 147 kB (2026-08)."""

PAGE_SECONDS = 60.0
"""How long the body of a page may take, however steadily it drips; for a file: see media_budget.py."""

_NO_LIMIT = float("inf")

REST, REST_MAX = 60.0, 3600.0
"""Seconds all workers stay away after a 429 that names no time, and at most."""

SPOOL_BYTES = 512 * 1024
"""What of a file is kept in memory before it goes to disk: an unnamed file in the data directory, which is
there where no other folder can be written, and is no memory, as /tmp often is."""

_REDIRECTS = 3


@dataclass(frozen=True, slots=True)
class Download:
    """A media file, spooled: small ones in memory, larger ones in an unnamed temporary file."""

    file: IO[bytes]
    fetched: MediaFile


class TelegramClient:
    """One per worker. Large files lie in `spool_folder`."""

    def __init__(
        self,
        base_url: str,
        egress: Egress,
        *,
        spool_folder: Path | None = None,
        count: Count = no_count,
    ) -> None:
        self._base = base_url.rstrip("/")
        self._origin = Origin.of(self._base)
        self._egress = egress
        self._spool_folder = spool_folder
        self._count = count

    def page(self, channel: str, before: int | None = None) -> str:
        """The HTML of a channel's preview, or of what t.me shows in its place.

        `before`: the page of posts older than that number. Raises TelegramUnavailable (worth another
        try), PageNotUnderstood (led to another host) and ChannelNotFound (led to telegram.org).
        """
        return self._page(f"{self._base}/s/{channel}" + (f"?before={before}" if before else ""))

    def post_page(self, channel: str, post_id: int) -> str:
        """The HTML of a post's own page. Raises what `page` raises."""
        return self._page(f"{self._base}/{channel}/{post_id}")

    def _page(self, url: str) -> str:
        for _ in range(_REDIRECTS):
            with self._get(url) as answer:
                if not answer.is_redirect:
                    return self._text(answer)
                url = self._followed(url, answer)
        raise PageNotUnderstood(f"{_host_of(self._origin)} redirects in a circle")

    def media(self, url: str, max_bytes: int, budget: MediaBudget, family: str = "") -> Download:
        """A file of a post. `family`: `image`, `video` or `audio`; another file is not taken for it.

        Raises MediaUnavailable (for good) and TelegramUnavailable (worth another try).
        """
        if budget.used_up:
            raise _too_slow()
        if self._egress.media_rests():
            raise TelegramUnavailable("Telegram's media hosts were asked too often")
        for _ in range(_REDIRECTS):
            self._require_telegram(url)
            with self._get(url, media=True) as answer:
                if not answer.is_redirect:
                    return _checked(self._spool(answer, max_bytes, budget), family)
                url = _target(url, answer)
        raise MediaUnavailable("redirects in a circle")

    def close(self) -> None:
        self._egress.close()

    def _get(self, url: str, *, media: bool = False) -> HttpResponse:
        try:
            answer = self._egress.get(url, paced=self._is_page_host(Origin.of(url)))
        except HttpError as error:
            self._count("telegram_requests", "no_answer")
            raise TelegramUnavailable(f"Telegram: {error}") from error
        self._count("telegram_requests", _outcome(answer.status))
        if answer.status == 429 or answer.status >= 500:
            with answer:
                self._refuse(answer, media)
        return answer

    def _is_page_host(self, origin: Origin | None) -> bool:
        return origin is not None and (
            self._is_mirror(origin) or (origin.scheme == "https" and origin.netloc in PAGE_HOSTS)
        )

    def _is_mirror(self, origin: Origin) -> bool:
        """Whether it is the host of TELEGRAM_BASE_URL, by either scheme."""
        return self._origin is not None and origin.netloc == self._origin.netloc

    def _refuse(self, answer: HttpResponse, media: bool) -> None:
        retry_after = min(_number(answer.headers.get("retry-after")) or 0.0, REST_MAX) or None
        if answer.status == 429:
            retry_after = self._egress.refused(retry_after or REST, media=media)
        raise TelegramUnavailable(_answered(answer.status), retry_after=retry_after)

    def _followed(self, url: str, answer: HttpResponse) -> str:
        target = _target(url, answer)
        origin = Origin.of(target)
        if origin and origin.host.removeprefix("www.") == "telegram.org":
            raise ChannelNotFound("t.me leads to telegram.org, as it does for names that nobody can have")
        if not self._is_page_host(origin):
            raise PageNotUnderstood(f"{_host_of(self._origin)} redirects to another host, {_host_of(origin)}")
        return target

    def _text(self, answer: HttpResponse) -> str:
        if answer.status != 200:
            raise TelegramUnavailable(_answered(answer.status))
        too_large = PageNotUnderstood(f"the page is larger than {PAGE_BYTES} bytes")
        body = b"".join(_content(answer, PAGE_SECONDS, PAGE_BYTES, too_large))
        return body.decode("utf-8", "replace")

    def _spool(self, answer: HttpResponse, max_bytes: int, budget: MediaBudget) -> Download:
        if answer.status != 200:
            raise MediaUnavailable(f"the file's host answered {answer.status}")
        too_large = MediaUnavailable("larger than MAX_UPLOAD_MB")
        if (_number(answer.headers.get("content-length")) or 0) > max_bytes:
            raise too_large
        spool = spooled(_content(answer, _NO_LIMIT, max_bytes, too_large), self._spool_folder, budget)
        size = spool.tell()
        content_type = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Download(spool, MediaFile(size, content_type))

    def _require_telegram(self, url: str) -> None:
        origin = Origin.of(url)
        if not origin or not (self._is_mirror(origin) or _is_media_host(origin)):
            raise MediaUnavailable(f"not on a host of Telegram's: {_host_of(origin)}")


def spooled(chunks: Iterator[bytes], folder: Path | None, budget: MediaBudget) -> IO[bytes]:
    """A file with these bytes, at its end. Raises MediaUnavailable, and what `chunks` raise."""
    where = str(folder) if folder else None
    spool = tempfile.SpooledTemporaryFile(SPOOL_BYTES, dir=where)  # noqa: SIM115 - handed to the caller
    try:
        for chunk in chunks:
            spool.write(chunk)
            budget.earn(len(chunk))
            if budget.used_up:
                raise _too_slow()
    except BaseException as error:
        spool.close()
        if isinstance(error, OSError):  # of the spool: foreign ones have been translated
            raise MediaUnavailable(f"no room for it in the data directory: {error.strerror}") from error
        raise
    return spool


def _outcome(status: int) -> str:
    """What /metrics counts a request under; t.me says by a redirect that it has no preview."""
    if status == 429:
        return "rate_limited"
    return {2: "ok", 3: "redirect", 4: "refused"}.get(status // 100, "server_error")


def _too_slow() -> MediaUnavailable:
    return MediaUnavailable("the files of this post come too slowly")


def _checked(download: Download, family: str) -> Download:
    """Raises TelegramUnavailable, and closes the file, if it cannot be what the post shows."""
    download.file.seek(0)
    start = download.file.read(SNIFFED_BYTES)
    download.file.seek(0, os.SEEK_END)
    if not may_be(family, start, download.fetched.content_type):
        download.file.close()
        raise TelegramUnavailable(
            f"not {family or 'a file'}, but {download.fetched.size} bytes of something else"
            if start
            else "the file has no content"
        )
    return download


def _content(
    answer: HttpResponse, seconds: float, max_bytes: int, too_large: DisgramError
) -> Iterator[bytes]:
    """The body in chunks. Raises `too_large` if it is, and TelegramUnavailable if it breaks off."""
    size = 0
    try:
        for chunk in answer.iter_content(seconds):
            size += len(chunk)
            if size > max_bytes:
                raise too_large
            yield chunk
    except HttpError as error:
        raise TelegramUnavailable(f"Telegram: {error}") from error


def _answered(status: int) -> str:
    """`Telegram: 502 Bad Gateway`"""
    return f"Telegram: {status} {responses.get(status, '')}".strip()


def _target(url: str, answer: HttpResponse) -> str:
    """Where a redirect leads; "" if to no address. Its bytes are UTF-8, as browsers take them."""
    try:
        return urljoin(url, answer.headers["location"].encode("latin-1").decode())
    except ValueError:
        return ""


def _is_media_host(origin: Origin) -> bool:
    own = any(f".{origin.host}".endswith(f".{domain}") for domain in MEDIA_DOMAINS)
    return own and (origin.scheme, origin.port) == ("https", 443)


def _host_of(origin: Origin | None) -> str:
    """The host, short enough for a line: somebody else wrote it."""
    return origin.host[:100] if origin else "no usable address"


def _number(value: str | None) -> float | None:
    """A header's number; dates (a Retry-After may be one) and nonsense count as absent."""
    return float(value) if value and re.fullmatch(r"[0-9]{1,15}(\.[0-9]+)?", value.strip()) else None
