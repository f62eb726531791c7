"""What the account's process weighs with many channels, and how often it asks Telegram for them."""

from __future__ import annotations

import http.client
import json
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, cast

from bench.figures import Figure
from bench.processes import pss

if TYPE_CHECKING:
    from standins.mtproto.server import MtprotoStandIn

TEXT = "A post of some length, with a word in bold, as news channels have them. " * 5
_POSTS = 45
_UPDATES = 20
_COMMAND = [sys.executable, "-m", "disgram.telegram.account", "serve"]
_PROJECT = Path(__file__).resolve().parents[1]


def weight(channels: int) -> Iterator[Figure]:
    """After reading every channel, and after as many posts again have come by updates. Nothing without the
    account's packages."""
    if find_spec("telethon") is None:
        return
    from standins.mtproto.server import MtprotoStandIn

    with MtprotoStandIn() as telegram, tempfile.TemporaryDirectory() as folder:
        names = [_channel(telegram, number) for number in range(channels)]
        with _process(telegram, Path(folder, "account.sock")) as (pid, read):
            _read_all(read, names, _POSTS)
            yield _figure(f"account's process, {channels} channels read, PSS", pss(pid))
            asked = telegram.count("messages.getHistory")
            for _ in range(_UPDATES):
                for channel in list(telegram.channels.values()):
                    channel.post(TEXT)
                time.sleep(channels / 100)  # one a channel and second would be a busy day
            _read_all(read, names, _POSTS + _UPDATES)
            yield _figure(f"after {channels * _UPDATES:,} more posts, PSS", pss(pid))
            again = telegram.count("messages.getHistory") - asked
            yield Figure("requests to Telegram for these", f"{again}", "0")


def _figure(name: str, amount: float) -> Figure:
    return Figure(name, f"{amount:.1f} MB", "60 MB", amount=amount)


def _channel(telegram: MtprotoStandIn, number: int) -> str:
    channel = telegram.channel(f"Channel {number}")
    for _ in range(_POSTS):
        channel.post(TEXT, media=telegram.photo(b"x"))
    return f"c/{channel.id}"


def _read_all(read: Callable[[str], int], names: list[str], newest: int) -> None:
    """Until the newest post of each is there."""
    for name in names:
        while read(name) != newest:
            time.sleep(0.1)


@contextmanager
def _process(telegram: MtprotoStandIn, path: Path) -> Iterator[tuple[int, Callable[[str], int]]]:
    """Its process id, and what reads the newest page of a channel: its last post."""
    settings = {
        "api_id": 1, "api_hash": "hash", "session": telegram.session_string(), "socket": str(path),
    }  # fmt: skip
    with subprocess.Popen(
        _COMMAND, cwd=_PROJECT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
    ) as started:
        pipe = cast("IO[bytes]", started.stdin)
        pipe.write(json.dumps(settings).encode() + b"\n")
        pipe.flush()
        try:
            yield started.pid, lambda name: _page(path, name)
        finally:
            started.terminate()


def _page(path: Path, name: str) -> int:
    connection = _UnixConnection(path)
    try:
        with suppress(OSError):
            connection.request("GET", f"/page?channel={name}")
            answer = connection.getresponse()
            body = json.loads(answer.read())
            return int(body["posts"][-1]["id"]) if answer.status == 200 else 0
        return 0
    finally:
        connection.close()


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: Path) -> None:
        super().__init__("account", timeout=30)
        self._path = path

    def connect(self) -> None:
        made: Any = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        made.settimeout(30)
        made.connect(str(self._path))
        self.sock = made
