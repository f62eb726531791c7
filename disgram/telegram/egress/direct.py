"""The usual way to Telegram: from the address the system takes, at one pace for all workers.

Proxies come from the environment (disgram/http/client.py). Owns the headers and time limits of all requests
to Telegram, which `open_egress` gives to whichever way it opens.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Protocol

from disgram import __version__
from disgram.http.client import HttpClient, HttpResponse
from disgram.report import Level, Reporter
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress.throttle import TelegramThrottle, report_rest

TIMEOUT = (10.0, 20.0)
"""Seconds to connect, and between two bytes."""

HEADERS = {
    "User-Agent": f"Mozilla/5.0 (compatible; Disgram/{__version__}; +https://github.com/SimpNick6703/Disgram)",
    "Accept-Language": "en",
}


class Egress(Protocol):
    """A way to Telegram. For one thread."""

    def get(self, url: str, *, paced: bool) -> HttpResponse:
        """The head of the response. `paced`: wait for a turn first, as every request to t.me itself does.
        Raises HttpError, StorageUnavailable and Stopping."""
        ...

    def refused(self, seconds: float, *, media: bool) -> float | None:
        """The last response was a 429: send nothing more that way for so long, an hour at most. `media`: it
        came from a host of files, which rests alone. Returns what the caller has to wait; None if the next
        request goes another way."""
        ...

    def media_rests(self) -> bool:
        """Whether files must not be asked for now."""
        ...

    def close(self) -> None: ...


def not_reported(level: Level | None, text: str, **facts: Any) -> None:
    """For requests that no worker makes: their answer says what happened."""


def open_egress(
    limits: LimitStore,
    rate: float,
    wait: Callable[[float], None],
    *,
    channel: str = "",
    addresses: Sequence[str] = (),
    timeout: float = TIMEOUT[1],
    check: Callable[[], None] = lambda: None,
    report: Reporter = not_reported,
    clock: Callable[[], float] = time.monotonic,
) -> Egress:
    """`rate` in requests per second. `check` is called between the chunks of a response, and raises Stopping
    when the worker must end; `timeout` in seconds is how long Telegram may be silent, at most TIMEOUT.
    `addresses`: those of TELEGRAM_EGRESS, of which `channel` uses one."""
    timeouts = (min(TIMEOUT[0], timeout), min(TIMEOUT[1], timeout))
    if addresses:
        from disgram.telegram.egress.several import SeveralAddresses, clients  # only here: few have several

        connect = clients(addresses, HEADERS, timeouts, check)
        return SeveralAddresses(
            limits, channel, connect, rate, wait, patience=sum(timeouts), report=report, clock=clock
        )
    throttle = TelegramThrottle(limits, rate, wait, clock, partial(report_rest, report))
    return DirectEgress(HttpClient(HEADERS, timeouts, check), throttle)


class DirectEgress:
    """See Egress."""

    def __init__(self, http: HttpClient, throttle: TelegramThrottle) -> None:
        self._http, self._throttle = http, throttle

    def get(self, url: str, *, paced: bool) -> HttpResponse:
        if paced:
            self._throttle.turn()
        return self._http.request("GET", url)

    def refused(self, seconds: float, *, media: bool) -> float | None:
        self._throttle.rest(seconds, media=media)
        return seconds

    def media_rests(self) -> bool:
        return self._throttle.media_rests()

    def close(self) -> None:
        self._http.close()
