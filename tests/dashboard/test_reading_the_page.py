"""Whether the dashboard can be read: its contrast, its names for a screen reader, and hostile texts in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.discord.errors import Refusal
from standins.discord.faults import refuse
from standins.stage import Stage, eventually, staged
from standins.telegram.text_markup import post, words
from tests.builders.api_calls import URL
from tests.dashboard.in_browser import dashboard, press, shows
from tests.integration.browser import Browser

TURNED = "T\u202e<b>x</b>"
"""With a mark that has the text behind it read from right to left."""

FAINT = """
    const light = (c) => [0.2126, 0.7152, 0.0722].reduce((sum, share, i) => {
        const v = c[i] / 255; return sum + share * (v <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4);
    }, 0);
    const color = (text) => [...text.match(/[\\d.]+/g).map(Number), 1].slice(0, 4);
    const over = (a, b) => [0, 1, 2].map((i) => a[i] * a[3] + b[i] * (1 - a[3]));
    const found = [], texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const inside = texts.currentNode.parentElement;
        if (!texts.currentNode.textContent.trim() || !inside.getClientRects().length) continue;
        let ground = [255, 255, 255], opacity = 1; const around = [];
        for (let one = inside; one; one = one.parentElement) around.unshift(getComputedStyle(one));
        for (const style of around) {
            ground = over(color(style.backgroundColor), ground); opacity *= style.opacity;
        }
        const ink = color(around.at(-1).color); ink[3] *= opacity;
        const [less, more] = [light(over(ink, ground)), light(ground)].sort((a, b) => a - b);
        const ratio = (more + 0.05) / (less + 0.05), large = parseFloat(around.at(-1).fontSize) >= 24;
        if (ratio < (large ? 3 : 4.5)) found.push(`${ratio.toFixed(2)} ${texts.currentNode.textContent}`);
    }
    return found;
"""
"""Texts with less contrast than WCAG 2 AA asks for."""


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """No test changes anything of it."""
    with staged(tmp_path_factory.mktemp("service")) as one:
        one.telegram.add_channel("news", TURNED + "Y" * 9000).add(post(words("first")))
        one.discord.fail(refuse(Refusal(400, 240000, "harmful link")), times=4)
        one.start()
        one.add_job("mine", "news/1,nobody_has_this", EMBED_COLOR="89a7d9", INCLUDE="f")
        one.add_job("resting", "news")
        one.call("POST", "/job/pause", JOB_NAME="resting")
        eventually(lambda: one.health()["delivery"]["failed"])
        yield one


def in_full(browser: Browser, stage: Stage) -> None:
    """With the password, so that refused posts are listed."""
    browser.run("sessionStorage.setItem('disgram password', arguments[0])", stage.password)
    shows(browser, "harmful link", "#failed .list")
    shows(browser, "nobody_has_this", "#problems")


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_the_contrast_that_is_asked_for(stage: Stage, chromium: Browser, scheme: str) -> None:
    with dashboard(chromium, stage.url) as browser:
        browser.prefer(scheme)
        in_full(browser, stage)
        assert browser.run(FAINT) == []
        press(browser, "New job")
        assert browser.run(FAINT) == []


def test_every_control_is_told_from_the_others_by_its_name(stage: Stage, chromium: Browser) -> None:
    with dashboard(chromium, stage.url) as browser:
        in_full(browser, stage)
        names = browser.accessible(
            "button", "textbox", "searchbox", "combobox", "table", "region", "DisclosureTriangle"
        )
        assert "" not in names
        buttons = browser.accessible("button")
        assert sorted({name for name in buttons if buttons.count(name) > 1}) == []
        assert {
            "Dismiss mine news/1",
            "Try again mine nobody_has_this",
            "Preview news of mine",
            "Preview news of resting",
        } <= set(buttons)
        assert browser.accessible("table") == ["Channels of mine", "Channels of resting"]
        assert "The newest lines, oldest first" in browser.accessible("region")


def test_fields_of_a_form_are_named_by_their_labels_alone(stage: Stage, chromium: Browser) -> None:
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "nobody_has_this", "#problems")
        press(browser, "New job")
        browser.run("document.querySelector('dialog details').open = true")
        assert browser.accessible("textbox")[:4] == ["Name", "Telegram channels", "Discord webhook", "Thread"]
        assert browser.accessible("checkbox") == ["Silent"]


@pytest.mark.parametrize("width", [360, 1280])
def test_hostile_title_neither_widens_a_preview_nor_turns_its_neighbours(
    stage: Stage, chromium: Browser, width: int
) -> None:
    with dashboard(chromium, stage.url, width, 800) as browser:
        in_full(browser, stage)
        press(browser, "Preview", "#jobs article:nth-child(2) tbody")
        shows(browser, "first", ".preview")
        assert (
            browser.run("const v = document.querySelector('.preview'); return v.scrollWidth - v.clientWidth")
            <= 0
        )
        press(browser, "Close", "dialog[open]")
        press(browser, "Test…")
        press(browser, "Test", "dialog[open]")
        shows(browser, "newest post 1", "dialog .result")
        assert TURNED in browser.text("dialog .result bdi")
        assert "newest post" not in browser.text("dialog .result bdi")
        overflow = "const d = document.querySelector('dialog'); return d.scrollWidth - d.clientWidth"
        assert browser.run(overflow) <= 0
        assert browser.complaints() == []


def test_filter_opens_the_jobs_whose_channels_fit(tmp_path: Path, chromium: Browser) -> None:
    """With many channels none is in view at first."""
    with staged(tmp_path, COOLDOWN="300") as stage:
        names = [f"channel_{number:02d}" for number in range(70)]
        job = {"webhookUrl": URL, "telegramChannels": names, "paused": True}
        (stage.data / "jobs.json").write_text(json.dumps({"many": job}), "utf-8")
        stage.start()
        with dashboard(chromium, stage.url) as browser:
            shows(browser, "70 channels", "#jobs")
            assert "channel_42" not in browser.text("#jobs tbody")
            browser.type("#jobs .filter input", "nel_42")
            shows(browser, "channel_42", "#jobs tbody")
            browser.type("#jobs .filter input", "channel")
            eventually(lambda: "channel_42" not in browser.text("#jobs tbody"))
