"""The dashboard in a headless Chromium, over the real service or over fake workers: fixtures and small reads.

Owns how a test waits for the page. Never decides what the page should show.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from standins.stage import Service, eventually
from tests.integration.browser import Browser, browsing
from tests.integration.programs import program


@contextmanager
def dashboard(url: str, width: int = 1280, height: int = 1000) -> Iterator[Browser]:
    """The page, opened."""
    program("chromium"), program("chromedriver")
    with browsing() as browser:
        browser.resize(width, height)
        browser.open(f"{url}/dashboard")
        yield browser


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
