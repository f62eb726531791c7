"""The demo's page shows what Discord's client would, as text, and follows changes."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
from bs4 import BeautifulSoup

from demo.viewer import Viewer
from standins.discord.rate_limits import Rates
from standins.discord.server import DiscordStandIn
from standins.loopback import Fault
from standins.stage import eventually
from standins.telegram import media_files
from tests.integration.browser import Browser

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
HOSTILE = "<script>document.title='owned'</script><img src=x onerror=alert(1)>"


class Stage:
    """A viewer over a stand-in, and a webhook to fill it with."""

    def __init__(self, discord: DiscordStandIn, viewer: Viewer, channel: str, thread: str) -> None:
        self.discord, self.viewer, self.channel, self.thread = discord, viewer, channel, thread
        self.url = discord.add_webhook(channel).url.replace("/api/", "/api/v10/")

    def send(self, payload: dict[str, Any], *names: str, **query: str) -> str:
        sent = [
            (f"files[{n}]", (name, media_files.sample(name), "image/jpeg")) for n, name in enumerate(names)
        ]
        form = {"payload_json": json.dumps(payload)} if sent else None
        body = None if sent else payload
        where = {"wait": "true", **query}
        answer = requests.post(self.url, params=where, data=form, json=body, files=sent or None, timeout=5)
        assert answer.status_code == 200, answer.text
        return str(answer.json()["id"])


@pytest.fixture
def stage() -> Iterator[Stage]:
    with DiscordStandIn(rates=Rates(webhook=(1000, 1.0), everything=None)) as discord:
        channel = discord.add_channel("news")
        thread = discord.add_thread(channel, "side")
        with Viewer(discord, [channel, thread]) as viewer:
            yield Stage(discord, viewer, channel, thread)


def test_the_page_and_its_parts_are_served_under_a_strict_policy(stage: Stage) -> None:
    for path in ("", "page.css", "page.js"):
        answer = requests.get(f"{stage.viewer.url}/{path}", timeout=5)
        assert answer.status_code == 200 and "default-src 'self'" in answer.headers["Content-Security-Policy"]
    assert requests.get(stage.viewer.url + "/../loopback.py", timeout=5).status_code == 404


def test_the_page_takes_the_next_port_when_its_usual_one_is_taken(stage: Stage) -> None:
    taken = int(stage.viewer.url.rpartition(":")[2])
    with Viewer.on_first_free(stage.discord, [], range(taken, taken + 50)) as second:
        assert int(second.url.rpartition(":")[2]) in range(taken + 1, taken + 50)
    with pytest.raises(OSError, match="in use"):
        Viewer.on_first_free(stage.discord, [], [taken])


def test_the_scripts_never_make_markup_of_content() -> None:
    for script in Path("demo").glob("*.js"):
        code = [line for line in script.read_text().splitlines() if not line.lstrip().startswith("//")]
        assert not {"innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval("} & set(
            " ".join(code).split()
        )
        assert "innerHTML" not in "\n".join(code)


def test_the_state_of_the_page_holds_places_messages_and_figures(stage: Stage) -> None:
    stage.send({"content": "x"})
    stage.send({"content": "y"}, thread_id=stage.thread)
    state = requests.get(stage.viewer.url + "/state", timeout=5).json()
    assert [place["name"] for place in state["places"]] == ["news", "side"]
    assert [message["content"] for message in state["messages"]] == ["x", "y"]
    assert state["figures"]["messages"] == 2 and state["figures"]["refused by Discord"] == 0


def test_changes_of_messages_reach_the_page_as_they_happen(stage: Stage) -> None:
    first = stage.send({"content": "before"})
    with requests.get(stage.viewer.url + "/events", stream=True, timeout=10) as events:
        news = (
            json.loads(line[6:]) for line in events.iter_lines(chunk_size=1) if line.startswith(b"data: ")
        )
        assert [message["id"] for message in next(news)["messages"]] == [first]
        requests.patch(f"{stage.url}/messages/{first}", json={"content": "after"}, timeout=5)
        (edited,) = next(news)["messages"]
        assert edited["content"] == "after" and edited["edited_timestamp"]
        requests.delete(f"{stage.url}/messages/{first}", timeout=5)
        assert [message["deleted"] for message in next(news)["messages"]] == [True]


# --- in a browser -------------------------------------------------------------------------------


def rendered(url: str, profile: Path) -> BeautifulSoup:
    """The page's DOM once its scripts have run."""
    flags = [
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-sync",
    ]
    flags += ["--disable-background-networking", "--disable-component-update", f"--user-data-dir={profile}"]
    command = [str(CHROMIUM), *flags, "--virtual-time-budget=5000", "--dump-dom", url + "/?still"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    return BeautifulSoup(done.stdout, "html.parser")


MARKDOWN: list[tuple[str, str]] = [
    (
        "**b** *i* _j_ __u__ ~~s~~ ***x***",
        "<strong>b</strong> <em>i</em> <em>j</em> <u>u</u> <s>s</s> <strong><em>x</em></strong>",
    ),
    (r"\*no\* \_no\_ \# \\", r"*no* _no_ # \ ".strip()),
    ("a_b_c 2 * 3 * 4", "a_b_c 2 * 3 * 4"),
    ("`a*b*` ``c`d``", "<code>a*b*</code> <code>c`d</code>"),
    ("```py\nx = '*'\n```", "<pre><code>x = '*'</code></pre>"),
    ("# One\n### Three\n#tag", "<h2>One</h2><h4>Three</h4>#tag"),
    (
        "- a\n  - b\n5.",
        '<span class="bullet">• </span>a\n<span class="bullet">  • </span>b\n5.',
    ),
    ("> a\n> b\nc", "<blockquote>a\nb</blockquote>c"),
    (">>> a\nb", "<blockquote>a\nb</blockquote>"),
    ("-# small", "<small>small</small>"),
    ("||s||", '<span class="spoiler">s</span>'),
    ("[t](https://e.org/a_b)", '<a href="https://e.org/a_b">t</a>'),
    (r"[a\_b](https://e.org)", r'<a href="https://e.org">a\_b</a>'),
    ("[https://x.org](https://e.org)", "[https://x.org](https://e.org)"),
    ("<javascript:/alert(1)>", "javascript:/alert(1)"),
    ("# a\n# b", "<h2>a</h2><h2>b</h2>"),
    ("||a **b** c||", '<span class="spoiler">a <strong>b</strong> c</span>'),
    ("[t](javascript:alert(1))", "[t](javascript:alert(1))"),
    ("see https://e.org/a_b_c).", 'see <a href="https://e.org/a_b_c">https://e.org/a_b_c</a>).'),
    ("<https://e.org>", '<a href="https://e.org">https://e.org</a>'),
    ("<@1> @here @name", '<span class="mention">&lt;@1&gt;</span> <span class="mention">@here</span> @name'),
    (HOSTILE, HOSTILE.replace("<", "&lt;").replace(">", "&gt;")),
]


@pytest.mark.skipif(CHROMIUM is None, reason="needs chromium")
def test_the_browser_shows_it_as_discord_would(stage: Stage, tmp_path: Path) -> None:
    for source, _ in MARKDOWN:
        stage.send({"content": source, "username": HOSTILE})
    link = "https://t.me/x/1"
    embeds = [
        {"url": link, "title": "[a](b) **c**", "color": 255, "image": {"url": f"attachment://{n}.jpg"}}
        for n in range(4)
    ]
    stage.send({"embeds": embeds}, *(f"{n}.jpg" for n in range(4)), thread_id=stage.thread)
    stage.send({"content": "7"}, *(f"p{n}.jpg" for n in range(7)), thread_id=stage.thread)
    edited = stage.send({"content": "before"}, thread_id=stage.thread)
    requests.patch(
        f"{stage.url}/messages/{edited}",
        params={"thread_id": stage.thread},
        json={"content": "new"},
        timeout=5,
    )
    gone = stage.send({"content": "gone"}, thread_id=stage.thread)
    requests.delete(f"{stage.url}/messages/{gone}", params={"thread_id": stage.thread}, timeout=5)

    soup = rendered(stage.viewer.url, tmp_path)

    news, side = soup.select("section .log")
    shown = [markup.decode_contents() for markup in news.select(".markup")]
    assert [bare(one) for one in shown] == [bare(expected) for _, expected in MARKDOWN]
    assert soup.title is not None and "owned" not in soup.title.get_text()
    assert len(news.select("header")) == 1 and not news.select("script, img[onerror]")
    (embed,) = side.select(".embed")
    title = embed.select_one(".title")
    assert len(embed.select("img")) == 4 and title is not None and title.get_text() == "[a](b) c"
    assert [len(row.select(".cell")) for row in side.select(".gallery.n7 .row")] == [1, 3, 3]
    assert "new (edited)" in side.get_text() and "gone" not in side.get_text()


LEFT = "(log) => Math.round(log.scrollHeight - log.scrollTop - log.clientHeight)"
"""Pixels of a column below what is seen."""


def left(browser: Browser) -> list[int]:
    found: list[int] = browser.run(f"return [...document.querySelectorAll('.log')].map({LEFT})")
    return found


def test_both_columns_follow_their_newest_message_also_while_pictures_load(
    stage: Stage, browser: Browser
) -> None:
    stage.discord.fail(Fault.hang(0.5), path="/attachments/", times=None)
    for where in ({}, {"thread_id": stage.thread}):
        stage.send({"content": "line\n" * 200}, **where)
        stage.send({"content": "a picture"}, "p.jpg", **where)
    browser.open(stage.viewer.url)
    loaded = "return [...document.images].filter((one) => one.naturalWidth === 640).length"
    eventually(lambda: browser.run(loaded) == 2)
    eventually(lambda: left(browser) == [0, 0], 5, of=lambda: left(browser))
    assert browser.run("return document.querySelector('.log').scrollTop") > 0


def test_a_column_that_was_scrolled_up_stays_there(stage: Stage, browser: Browser) -> None:
    stage.send({"content": "line\n" * 200})
    browser.open(stage.viewer.url)
    top = "return document.querySelector('.log')?.scrollTop"
    eventually(lambda: browser.run(top))
    log = "document.querySelector('.log')"
    browser.run(f"{log}.scrollTop = 7; {log}.dispatchEvent(new Event('scroll'))")
    stage.send({"content": "more"})
    eventually(lambda: "more" in browser.text(".log"))
    assert browser.run(top) == 7


def test_a_phone_shows_one_column_and_nothing_beside_it(stage: Stage, browser: Browser) -> None:
    stage.send({"content": "https://example.org/" + "x" * 300, "username": "n" * 80}, "p.jpg")
    stage.send({"content": "in the thread"}, thread_id=stage.thread)
    browser.resize(360, 740)
    browser.open(stage.viewer.url)
    shown = "return [...document.querySelectorAll('section')].map((one) => one.offsetWidth)"
    eventually(lambda: browser.run(shown) == [360, 0], of=lambda: browser.run(shown))
    browser.click("li.thread a")
    eventually(lambda: browser.run(shown) == [0, 360], of=lambda: browser.run(shown))
    assert browser.run("return document.documentElement.scrollWidth") == 360


def bare(markup: str) -> str:
    """Without the attributes every link has."""
    return markup.replace(' target="_blank"', "").replace(' rel="noopener noreferrer"', "").strip()
