"""For a program that knows only the real t.me and Discord: on its PYTHONPATH this leads it to a stand-in.

Its requests go to BENCH_STAND_IN instead, and no sleep lasts longer than BENCH_LONGEST_SLEEP seconds.
"""

from __future__ import annotations

import os
import re
import time
from typing import Any

import requests

_STAND_IN = os.environ["BENCH_STAND_IN"]
_LONGEST = float(os.environ["BENCH_LONGEST_SLEEP"])
_send, _sleep = requests.Session.send, time.sleep


def _led(self: requests.Session, request: requests.PreparedRequest, **options: Any) -> requests.Response:
    request.url = re.sub(r"^https://(t\.me|discord(app)?\.com)(?=/)", _STAND_IN, request.url or "")
    return _send(self, request, **options)


def _shorter(seconds: float) -> None:
    _sleep(min(seconds, _LONGEST))


requests.Session.send = _led  # type: ignore[method-assign]
time.sleep = _shorter  # type: ignore[assignment]
