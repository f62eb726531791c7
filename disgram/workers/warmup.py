"""The warm-up of the fork server: it polls once as a worker would, before any worker is forked.

What a worker would import, compile, specialise or cache at its first poll, and then hold for itself, it
shares with all others if it was there before the fork. A child process plays t.me and Discord on loopback,
so that the real code runs from page to message, with a file, an edit and polls that find nothing new.

Owns the page, the answers, the temporary folder, and their end. A warm-up that fails (no space for a folder,
no loopback) does not stop the fork server: its workers only need more memory.
"""

from __future__ import annotations

import contextlib
import gzip
import os
import re
import signal
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NoReturn, Protocol

from disgram.addresses import ChannelRef, Destination
from disgram.errors import HttpError
from disgram.http.client import ssl_context
from disgram.report import Level, Reporter
from disgram.workers.heartbeat import Heartbeat
from disgram.workers.spec import WorkerSettings, WorkerSpec

POLLS = 12
"""Python 3.11 specialises code that has run eight times; the polls after the second find nothing new."""

STAND_IN_LIFETIME = 5
"""Seconds after which the stand-in ends, whatever happens."""

MAX_WAIT = 0.5
"""Seconds; a longer wait means that something failed (a loaded machine, no loopback)."""

REQUEST_TIMEOUT = 2.0

_POST = (
    '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
    '<div class="tgme_widget_message text_not_supported_wrap js-widget_message" data-post="warmup/{0}" '
    'data-view="{1}"><div class="tgme_widget_message_user"><a href="https://t.me/warmup">'
    '<i class="tgme_widget_message_user_photo"><img src="{2}/file/{1}.jpg"></i></a></div>'
    '<div class="tgme_widget_message_bubble"><div class="tgme_widget_message_author accent_color">'
    '<a class="tgme_widget_message_owner_name" href="https://t.me/warmup"><span>R</span></a></div>'
    '<a class="tgme_widget_message_photo_wrap 5_6 5_7" href="https://t.me/warmup/{0}" '
    "style=\"width:640px;background-image:url('{2}/file/{1}.jpg')\">"
    '<div class="tgme_widget_message_photo" style="padding-top:62.5%"></div></a>'
    '<div class="tgme_widget_message_text js-message_text" dir="auto"><b>bold <i>both</i></b><br/>'
    '<a href="https://example.org/">link</a> <code>code</code> {3}</div>'
    '<div class="tgme_widget_message_footer compact js-message_footer">'
    '<div class="tgme_widget_message_info short js-message_info">'
    '<span class="tgme_widget_message_views">{1}</span>'
    '<span class="tgme_widget_message_meta"><a class="tgme_widget_message_date" '
    'href="https://t.me/warmup/{0}"><time datetime="2026-01-01T00:00:00+00:00" class="time">00:00</time>'
    "</a></span></div></div></div></div></div>"
)
_PAGE = (
    '<!DOCTYPE html><html><head><title>R – Telegram</title><meta property="og:title" content="R">'
    '<meta property="og:image" content="{1}/file/a.jpg"><link rel="prev" href="/s/warmup?before=1"></head>'
    '<body><section class="tgme_channel_history js-message_history">{0}</section></body></html>'
)
_HEAD = (
    b"HTTP/1.1 200 OK\r\nConnection: close\r\nSet-Cookie: a=b; path=/\r\nContent-Encoding: gzip\r\n"
    b"Content-Length: %d\r\n\r\n"
)
_PICTURE = b"\xff\xd8\xff\xe0 a JPEG as far as a worker looks"
_CONFIRMED = b'{"id": "1", "channel_id": "1", "guild_id": "1"}'


class Serve(Protocol):
    """webhook.serve."""

    def __call__(self, spec: WorkerSpec, report: Reporter, heartbeat: Heartbeat) -> int: ...


def warm_up(serve: Serve, on_line: Callable[[Level | None, str], object] = lambda level, text: None) -> None:
    """Poll a made-up channel a few times. `on_line` gets what the worker reports."""
    with contextlib.suppress(HttpError):  # each worker will report why
        ssl_context()
    with contextlib.suppress(Exception), contextlib.ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="disgram-"))
        url = stack.enter_context(_stand_in())
        stack.enter_context(_no_proxy())
        heartbeat = _ImpatientHeartbeat()
        stack.callback(heartbeat.close)
        polls = iter(range(POLLS))

        def report(level: Level | None, text: str, **facts: Any) -> None:
            on_line(level, text)
            if "polled" in facts and next(polls) == POLLS - 1:
                heartbeat.request_stop()

        settings = WorkerSettings(
            Path(folder), cooldown=0.001, initial_posts=1,
            telegram_base_url=url, telegram_requests_per_second=10_000.0, request_timeout=REQUEST_TIMEOUT,
        )  # fmt: skip
        spec = WorkerSpec("warmup", ChannelRef("warmup"), Destination(url, "1", "none"), 0, settings)
        serve(spec, report, heartbeat)


class _ImpatientHeartbeat(Heartbeat):
    """Ends the warm-up at its first long wait, since all workers wait for its end."""

    def wait(self, seconds: float) -> None:
        if seconds > MAX_WAIT:
            self.request_stop()
        super().wait(seconds)


@contextlib.contextmanager
def _no_proxy() -> Iterator[None]:
    """Requests to the stand-in must not go through a proxy."""
    before = os.environ.get("no_proxy")
    os.environ["no_proxy"] = "127.0.0.1"
    try:
        yield
    finally:
        del os.environ["no_proxy"]
        if before is not None:
            os.environ["no_proxy"] = before


@contextlib.contextmanager
def _stand_in() -> Iterator[str]:
    """The address of a child process that answers; it ends with the block."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        pid = os.fork()
        if pid == 0:
            _serve(listener, url)
    try:
        yield url
    finally:
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)


def _serve(listener: socket.socket, url: str) -> NoReturn:
    """One request for each connection, until the process is killed or its time is over."""
    signal.alarm(STAND_IN_LIFETIME)
    polls = 0
    try:
        while True:
            connection, _ = listener.accept()
            with connection:
                head = _read(connection)
                polls += head.startswith(b"GET /s/")
                # As t.me does: compressed, and with a cookie that the client has to ignore.
                body = gzip.compress(_page(polls, url) if head.startswith(b"GET /s/") else _other(head))
                connection.sendall(_HEAD % len(body) + body)
    finally:
        os._exit(0)


def _read(connection: socket.socket) -> bytes:
    """The whole request: closing on unread bytes would reset the connection. Returns its head."""
    request = b""
    while b"\r\n\r\n" not in request and (chunk := connection.recv(65536)):
        request += chunk
    head, _, body = request.partition(b"\r\n\r\n")
    announced = re.search(rb"(?i)content-length: *([0-9]+)", head)
    missing = int(announced[1]) - len(body) if announced else 0
    while missing > 0 and (chunk := connection.recv(65536)):
        missing -= len(chunk)
    return head


def _other(head: bytes) -> bytes:
    """A picture, or Discord's answer."""
    return _PICTURE if head.startswith(b"GET /file/") else _CONFIRMED


def _page(polls: int, url: str) -> bytes:
    """The first poll shows one post; later ones show a new post too, and the first post edited."""
    later = polls > 1
    posts = [_POST.format(number, polls, url, f"{later}") for number in range(1, 3 if later else 2)]
    return _PAGE.format("".join(posts), url).encode()
