"""The dashboard in a headless Chromium, over the real service or over fake workers: fixtures and small reads.

Owns how a test waits for the page. Never decides what the page should show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlencode

import requests

from standins.loopback import LoopbackServer, Request, Response
from standins.stage import Service, eventually
from tests.integration.browser import Browser


@contextmanager
def dashboard(
    chromium: Browser, url: str, width: int = 1280, height: int = 1000, *, before: str = ""
) -> Iterator[Browser]:
    """The page in a new tab, gone afterwards. `before`: a script that runs before its own."""
    chromium.begin_anew()
    chromium.resize(width, height)
    if before:
        chromium.run_before_pages(before)
    chromium.open(f"{url}/dashboard")
    try:
        yield chromium
    finally:
        chromium.begin_anew()


def shows(browser: Browser, words: str, css: str = "body", timeout: float = 20.0) -> None:
    """Wait until these words stand there."""
    eventually(lambda: words in browser.text(css), timeout, of=lambda: browser.text("body"))


def press(browser: Browser, words: str, css: str = "body") -> None:
    """Click the first visible button with these words, once it is there."""
    find = (
        "const within = document.querySelector(arguments[1]);"
        "const all = [...(within?.querySelectorAll('button, summary, a') ?? [])];"
        "const one = all.find((one) => one.innerText.trim() === arguments[0] && one.offsetParent);"
        "document.querySelectorAll('[data-pressed]').forEach((old) => delete old.dataset.pressed);"
        "if (one) one.dataset.pressed = ''; return Boolean(one);"
    )
    eventually(lambda: browser.run(find, words, css), of=lambda: browser.text("body"))
    browser.click("[data-pressed]")


def log_in(browser: Browser, service: Service) -> None:
    """Type the password into the dialog that asks for it."""
    browser.type("dialog.password [name=password]", service.password)
    press(browser, "Enter", "dialog.password")


def front(service: Service) -> LoopbackServer:
    """What stands before the service as a proxy does, and can be told to misbehave. Not started."""

    def answer(request: Request) -> Response:
        headers = {name: value for name, value in request.headers.items() if name != "host"}
        query = f"?{urlencode(request.query)}" if request.query else ""
        url = f"{service.url}{request.path}{query}"
        found = requests.request(request.method, url, headers=headers, data=request.body, timeout=60)
        kept = [(name, found.headers[name]) for name in _PASSED_ON if name in found.headers]
        return Response(found.status_code, found.content, found.headers["Content-Type"], tuple(kept))

    return LoopbackServer(answer)


_PASSED_ON = ("Content-Security-Policy", "WWW-Authenticate", "Retry-After")
