"""The dashboard while the service answers late, wrongly or not at all: what it says, and that it recovers."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from standins.loopback import Fault, LoopbackServer, Response
from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words
from tests.dashboard.in_browser import dashboard, front, log_in, press, shows
from tests.integration.browser import Browser

STATE = "/dashboard/state"
FASTER = """
    const later = window.setTimeout, end = AbortSignal.timeout;
    window.setTimeout = (run, ms, ...more) => later(run, ms / 10, ...more);
    AbortSignal.timeout = (ms) => end.call(AbortSignal, ms / 30);
"""
"""The page's timers run ten times as fast, and it waits a thirtieth as long for an answer."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """No test changes anything of it: troubles are between it and the page."""
    with staged(tmp_path_factory.mktemp("service")) as one:
        one.telegram.add_channel("news", "News").add(post(words("first")))
        one.start()
        one.add_job("mine", "news")
        yield one


@contextmanager
def looked_at(stage: Stage, chromium: Browser) -> Iterator[tuple[Browser, LoopbackServer]]:
    with front(stage) as proxy, dashboard(chromium, proxy.url, before=FASTER) as browser:
        shows(browser, "running", "#jobs tbody")
        yield browser, proxy


def test_page_says_that_it_is_old_while_the_service_hangs_and_recovers(
    stage: Stage, chromium: Browser
) -> None:
    """Once it waited for ever, looked as if all were well, and asked nothing more after that."""
    with looked_at(stage, chromium) as (browser, proxy):
        proxy.fail(Fault.hang(12.0), path=STATE, times=1)
        shows(browser, "The service has not answered for 10 s. What is shown may be old.", "#trouble")
        shows(browser, "The service has not answered within 90 s", "#trouble")
        eventually(lambda: not browser.text("#trouble"))
        shows(browser, "running", "#jobs tbody")


WRONG = [
    (Response(502, b"<h1>Bad Gateway</h1>"), "The service answered with 502."),
    (Response(200, b"<h1>Log in</h1>"), "The service's answer cannot be read."),
    (Response(500, b"null", "application/json"), "The service answered with 500."),
    (Response(200, b"null", "application/json"), "The service's answer cannot be read."),
    (Response(502, b"<h1>Bad Gateway</h1>"), "The service answered with 502."),
    (Response(200, b"{}", "application/json"), "The service's answer cannot be read."),
    (
        Response.of_json(429, {"detail": {"error": "Too many", "message": "Wait 9 s, then try again."}}),
        "Wait 9 s, then try again.",
    ),
    (Response(200, b'{"a"', "application/json"), "The service's answer cannot be read."),
]


def test_wrong_answer_is_named_and_forgotten_when_it_is_over(stage: Stage, chromium: Browser) -> None:
    with looked_at(stage, chromium) as (browser, proxy):
        for answer, said in WRONG:
            proxy.faults.clear()
            proxy.fail(Fault(answer=answer), path=STATE, times=None)
            shows(browser, f"{said} What is shown may be old.", "#trouble")
        assert "running" in browser.text("#jobs tbody")
        press(browser, "New job")
        press(browser, "Cancel", "dialog[open]")
        proxy.faults.clear()
        eventually(lambda: not browser.text("#trouble"))


def test_service_that_is_down_is_named_and_found_again(stage: Stage, chromium: Browser) -> None:
    with looked_at(stage, chromium) as (browser, proxy):
        proxy.fail(Fault.reset_before(), times=None)
        shows(browser, "The service does not answer. What is shown may be old.", "#trouble")
        press(browser, "Pause")
        log_in(browser, stage)
        shows(browser, "The service does not answer.", "#said")
        proxy.faults.clear()
        eventually(lambda: not browser.text("#trouble"))


def test_password_that_is_wrong_by_now_hides_nothing_that_anybody_may_read(
    stage: Stage, chromium: Browser
) -> None:
    with looked_at(stage, chromium) as (browser, _):
        browser.run("sessionStorage.setItem('disgram password', 'of yesterday')")
        shows(browser, "That was not the password.", "#said")
        assert "Send the header" not in browser.text("#said")
        shows(browser, "running", "#jobs tbody")
        assert browser.text("#trouble") == ""
        shows(browser, "Enter password", "#password")
        assert browser.run("return sessionStorage.length") == 0


def test_password_that_is_wrong_by_now_hides_all_where_reads_are_protected(
    tmp_path: Path, chromium: Browser
) -> None:
    with staged(tmp_path, PROTECT_READS="true") as stage:
        stage.telegram.add_channel("news", "News")
        stage.start()
        stage.add_job("mine", "news")
        with dashboard(chromium, stage.url) as browser:
            press(browser, "Enter password", "#trouble")
            log_in(browser, stage)
            shows(browser, "mine", "#jobs")
            browser.run("sessionStorage.setItem('disgram password', 'of yesterday')")
            shows(browser, "That was not the password.", "#trouble")
            assert "mine" not in json.dumps(browser.text("body"))
