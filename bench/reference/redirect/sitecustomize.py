"""For a program that knows only the real t.me and Discord: on its PYTHONPATH this leads it to a stand-in.

Its requests go to BENCH_STAND_IN instead, no sleep lasts longer than BENCH_LONGEST_SLEEP seconds, and what it
would offer to every network it offers on loopback.
"""

from __future__ import annotations

import os
import re
import socket
import time
from typing import Any

import requests

_STAND_IN = os.environ["BENCH_STAND_IN"]
_LONGEST = float(os.environ["BENCH_LONGEST_SLEEP"])
_send, _sleep, _bind = requests.Session.send, time.sleep, socket.socket.bind


def _led(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
    request.url = re.sub(r"^https://(t\.me|discord(app)?\.com)(?=/)", _STAND_IN, request.url or "")
    return _send(self, request, **options)


def _shorter(seconds: float) -> None:
    _sleep(min(seconds, _LONGEST))


def _bound(opened: socket.socket, address: Any) -> None:
    _bind(opened, ("127.0.0.1", *address[1:]) if address[0] == "0.0.0.0" else address)  # noqa: S104


requests.Session.send = _led  # type: ignore[method-assign]
time.sleep = _shorter  # type: ignore[assignment]
socket.socket.bind = _bound  # type: ignore[method-assign,assignment]
