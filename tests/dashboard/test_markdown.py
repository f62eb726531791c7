"""The page's reader of Discord's Markdown shows what the stand-in's reader does, which was written apart."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import pytest

from demo.viewer import runs
from disgram.dashboard.page_files import STATIC
from standins.loopback import LoopbackServer, Request, Response
from tests.demo.test_viewer import MARKDOWN
from tests.integration.browser import Browser, browsing
from tests.integration.programs import program
from tests.standins.test_discord_markdown import READ

PIECES = [
    "*", "**", "***", "_", "__", "~~", "||", "`", "``", "```", "\n", " ", "a", "b c", "\\", "> ", ">>> ",
    "# ", "-# ", "- ", "1. ", "[a](https://b.c)", "https://e.org/x_y", "<https://e.org>", "<@1>", ":smile:",
    "1", "ü", "👍", "[", "]", "(", ")", "@here",
]  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    program("chromium"), program("chromedriver")

    def answer(request: Request) -> Response:
        script = (STATIC / "markdown.js").read_bytes()
        return Response(200, *((b"", "text/html") if request.path == "/" else (script, "text/javascript")))

    with LoopbackServer(answer) as server, browsing() as one:
        one.open(f"{server.url}/")
        yield one


def shown(browser: Browser, texts: list[str]) -> list[Any]:
    script = (
        "const texts = arguments[0]; return import('/markdown.js').then((m) => texts.map((t) => m.runs(t)))"
    )
    found: list[Any] = browser.run(script, texts)
    return found


def sorted_keys(one: Any) -> str:
    return json.dumps(one, sort_keys=True, ensure_ascii=False)


def test_known_texts_are_read_alike(browser: Browser) -> None:
    texts = [markdown for markdown, _ in [*READ, *MARKDOWN]]
    for text, found in zip(texts, shown(browser, texts), strict=True):
        assert sorted_keys(found) == sorted_keys(runs(text)), text


def test_any_texts_are_read_alike(browser: Browser) -> None:
    chance = random.Random(14)
    texts = ["".join(chance.choices(PIECES, k=chance.randint(1, 14))) for _ in range(3000)]
    for text, found in zip(texts, shown(browser, texts), strict=True):
        assert sorted_keys(found) == sorted_keys(runs(text)), text
