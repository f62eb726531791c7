"""The account's process in a thread of the test, and a client of its socket."""

from __future__ import annotations

import asyncio
import http.client
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

pytest.importorskip("telethon")

from disgram.post import TelegramPost, Text, plain
from disgram.report import Level
from disgram.telegram.account.post_json import read_post
from disgram.telegram.account.process.serve import run
from disgram.telegram.account.process.settings import AccountSettings
from disgram.telegram.account.process_end import End
from standins.mtproto.server import MtprotoStandIn

PATIENCE = 20.0
"""Seconds after which something that should happen at once has not."""


class UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("account", timeout=PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(PATIENCE)
        self.sock.connect(str(self._path))


class Account:
    """The process, seen from a worker: `get` asks, `reports` are its lines."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.reports: list[tuple[Level | None, str, dict[str, Any]]] = []

    def report(self, level: Level | None, text: str, **facts: Any) -> None:
        self.reports.append((level, text, facts))

    def raw(self, target: str) -> tuple[int, dict[str, str], bytes]:
        connection = UnixConnection(self.path)
        try:
            connection.request("GET", target)
            answer = connection.getresponse()
            return answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read()
        finally:
            connection.close()

    def get(self, path: str, **asked: Any) -> tuple[int, Any]:
        status, _, body = self.raw(f"{path}?{urlencode(asked)}")
        return status, json.loads(body)

    def page(self, channel: str, **asked: Any) -> Any:
        """Once it can be had: the account connects first."""
        return eventually(lambda: self._page(channel, asked))

    def _page(self, channel: str, asked: dict[str, Any]) -> Any:
        status, page = self.get("/page", channel=channel, **asked)
        return page if status == 200 else None

    def refusal(self, path: str, **asked: Any) -> tuple[int, str]:
        status, body = self.get(path, **asked)
        return status, body.get("reason", "")

    def texts(self, channel: str, **asked: Any) -> list[str]:
        return [words(post) for post in posts(self.page(channel, **asked))]


def posts(page: Any) -> list[TelegramPost]:
    return [read_post(each["post"]) for each in page["posts"]]


def words(post: TelegramPost) -> str:
    return "".join(plain(block.runs) for block in post.blocks if isinstance(block, Text))


def eventually(ask: Callable[[], Any]) -> Any:
    """What `ask` returns once that is true."""
    end = time.monotonic() + PATIENCE
    while not (found := ask()):
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.02)
    return found


@contextmanager
def account_of(telegram: MtprotoStandIn, folder: Path, session: str = "") -> Iterator[Account]:
    settings = AccountSettings(1, "hash", session or telegram.session_string(), folder / "account.sock")
    account = Account(settings.socket)
    ends: list[Callable[[], object]] = []
    begun = threading.Event()

    def ended() -> End:
        end, loop = End(), asyncio.get_running_loop()
        loop.set_exception_handler(lambda *_: None)
        ends.append(lambda: loop.call_soon_threadsafe(end.come))
        begun.set()
        return end

    thread = threading.Thread(target=lambda: asyncio.run(run(settings, account.report, ended)))
    thread.start()
    try:
        assert begun.wait(PATIENCE)
        eventually(settings.socket.exists)
        yield account
    finally:
        ends[0]()
        thread.join(PATIENCE)
        assert not thread.is_alive()
