"""`python -m demo` as a person starts it: every kind is shown, and nothing is left behind."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from demo.posts import KINDS
from standins.stage import ROOT, eventually
from standins.telegram.server import TelegramStandIn
from tests.integration.browser import browsing
from tests.integration.programs import program

LONGEST = 60
"""Seconds a demo of these tests may last if nobody stops it."""


@contextmanager
def demo(folder: Path, *options: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The demo's process and the address of its page. It leads a session, so all it starts can be found."""
    with subprocess.Popen(
        [sys.executable, "-u", "-m", "demo", "--port", "0", *options],
        cwd=ROOT,
        env=os.environ | {"TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout
        try:
            page = next(found[1] for line in process.stdout if (found := re.search(r"browser: +(\S+)", line)))
            yield process, page
            process.stdout.read()
        finally:
            process.terminate()


def state(page: str) -> dict[str, Any]:
    found = requests.get(f"{page}state", timeout=10).json()
    assert isinstance(found, dict)
    return found


def wanted() -> set[int]:
    """The numbers of the first posts, one of every kind."""
    with TelegramStandIn() as telegram:
        channel = telegram.add_channel("disgram_news")
        return {
            channel.add(kind.make(count, channel.numbers[-1] if count else 1))
            for count, kind in enumerate(KINDS)
        }


def shown(page: str) -> set[int]:
    return {
        int(number) for number in re.findall(r"t\.me/disgram_news/(\d+)", json.dumps(state(page)["messages"]))
    }


def test_the_demo_shows_every_kind_of_post_and_leaves_nothing(tmp_path: Path) -> None:
    program("chromium"), program("chromedriver")
    posts = wanted()
    with demo(tmp_path, "--once-all-kinds", "--seconds", str(LONGEST)) as (process, page):
        eventually(lambda: posts <= shown(page), LONGEST, of=lambda: posts - shown(page))
        with browsing() as browser:
            browser.open(page)
            script = "return document.querySelectorAll('[data-version]').length"
            eventually(
                lambda: browser.run(script) == len(state(page)["messages"]),
                of=lambda: browser.text("#columns"),
            )
            asked, complaints = browser.requested(), browser.complaints()
        started = psutil.Process(process.pid).children(recursive=True)
        figures = state(page)["figures"]
        process.terminate()
    assert (process.returncode, figures["refused by Discord"], figures["too fast (429)"]) == (0, 0, 0)
    assert [url for url in asked if not url.startswith(("http://127.0.0.1:", "data:"))] == []
    assert complaints == []
    assert len(started) >= 4  # the service, its template, a worker for each of two channels
    assert [one for one in started if one.is_running()] == []
    assert list(tmp_path.iterdir()) == []


def test_the_demo_ends_when_its_seconds_are_over(tmp_path: Path) -> None:
    with demo(tmp_path, "--seconds", "1") as (process, _):
        assert process.wait(30) == 0
    assert list(tmp_path.iterdir()) == []


def test_a_port_that_was_asked_for_and_is_taken_is_named() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        command = [sys.executable, "-m", "demo", "--port", port]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 1
    assert f"cannot have port {port}" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("port", ["99999", "-1", "abc", "65536", "٣"])
def test_a_port_that_is_none_is_refused_with_one_line(port: str) -> None:
    command = [sys.executable, "-m", "demo", "--port", port]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=30, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "The port of the page must be a number from 0 to 65535.\n"


def test_ctrl_c_ends_the_demo_in_order(tmp_path: Path) -> None:
    with demo(tmp_path) as (process, _):
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert list(tmp_path.iterdir()) == []
