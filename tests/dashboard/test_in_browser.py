"""The dashboard as a person uses it: in a browser, over the real service between both stand-ins."""

from __future__ import annotations

from pathlib import Path

import pytest

from standins.discord.errors import Refusal
from standins.discord.faults import refuse
from standins.stage import Stage, eventually, staged
from standins.telegram import media_markup as media
from standins.telegram.text_markup import post, words
from tests.dashboard.in_browser import dashboard, log_in, press, shows
from tests.integration.browser import Browser
from tests.integration.test_docs_in_browser import below_a_prefix

HOSTILE = "<img src=x onerror=\"document.title='owned'\"><b>'\"&amp;"


TAB, ENTER, ESCAPE = "\ue004", "\ue007", "\ue00c"
BAR = "tbody rect:not(.none)"


@pytest.fixture
def stage(running: Stage) -> Stage:
    """With a channel of one post."""
    with_channel(running)
    return running


def with_channel(stage: Stage) -> None:
    stage.telegram.add_channel("news", HOSTILE).add(post(words("first")))


def test_job_is_created_paused_resumed_and_deleted(stage: Stage, chromium: Browser) -> None:
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "There is no job yet.")
        press(browser, "New job")
        browser.type("dialog [name=jobName]", "mine")
        browser.type("dialog [name=telegramChannels]", "news")
        browser.type("dialog [name=webhookUrl]", stage.webhook.url)
        browser.type("dialog [name=embedColor]", "89a7d9")
        press(browser, "Create", "dialog[open]")
        log_in(browser, stage)
        shows(browser, "Job 'mine' created", "#said")
        eventually(lambda: stage.numbers() == [1], of=stage.numbers)
        shows(browser, "running", "#jobs tbody")
        eventually(
            lambda: browser.run("return document.querySelectorAll('tbody rect:not(.none)').length") == 1
        )

        press(browser, "Pause")
        shows(browser, "paused", "#jobs tbody")
        assert stage.call("GET", "/jobs").json()["mine"]["paused"] is True
        press(browser, "Resume")
        shows(browser, "running", "#jobs tbody")

        press(browser, "Delete…")
        browser.type("dialog [name=confirm]", "not it")
        press(browser, "Delete", "dialog[open]")
        shows(browser, "That is not the job's name.", "dialog")
        browser.type("dialog [name=confirm]", "mine")
        press(browser, "Delete", "dialog[open]")
        shows(browser, "There is no job yet.")
        assert stage.call("GET", "/jobs").json() == {}
        assert from_elsewhere(browser, stage) == []


def from_elsewhere(browser: Browser, stage: Stage) -> list[str]:
    asked = browser.requested()
    assert asked
    return [url for url in asked if not url.startswith((f"{stage.url}/", "data:"))]


def test_change_sends_what_differs_and_takes_away_what_was_emptied(stage: Stage, chromium: Browser) -> None:
    stage.add_job("Новости", "news", EMBED_COLOR="89a7d9", INCLUDE="first")
    before = stage.call("GET", "/jobs").json()["Новости"]
    with dashboard(chromium, stage.url) as browser:
        press(browser, "Change…")
        browser.type("dialog [name=embedColor]", "")
        browser.type("dialog [name=include]", "first|second")
        browser.run("document.querySelector('dialog [name=silent]').click()")
        press(browser, "Save", "dialog[open]")
        log_in(browser, stage)
        shows(browser, "first|second", "#jobs .facts")
    after = stage.call("GET", "/jobs").json()["Новости"]
    assert after == before | {"embedColor": None, "include": "first|second", "silent": True}


def test_what_the_service_refuses_is_said_in_the_dialog(stage: Stage, chromium: Browser) -> None:
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "There is no job yet.")
        press(browser, "New job")
        browser.type("dialog [name=jobName]", "mine")
        browser.type("dialog [name=telegramChannels]", "not a channel")
        browser.type("dialog [name=webhookUrl]", stage.webhook.url)
        press(browser, "Create", "dialog[open]")
        log_in(browser, stage)
        shows(browser, "not a channel", "dialog .refusal, dialog [role=alert], dialog")
        assert browser.run("return document.querySelector('dialog [name=jobName]').value") == "mine"


def test_wrong_password_says_so_and_the_right_one_is_asked_for_once(stage: Stage, chromium: Browser) -> None:
    stage.add_job("mine", "news")
    with dashboard(chromium, stage.url) as browser:
        press(browser, "Pause")
        browser.type("dialog.password [name=password]", "wrong")
        press(browser, "Enter", "dialog.password")
        shows(browser, "That was not the password.", "dialog.password")
        log_in(browser, stage)
        press(browser, "Resume")
        shows(browser, "Pause", "#jobs")
        assert browser.run("return localStorage.length + document.cookie.length") == 0
        assert not [url for url in browser.requested() if stage.password in url]


def test_problem_of_a_webhook_is_mended_by_its_button(stage: Stage, chromium: Browser) -> None:
    stage.add_job("mine", "news", stage.webhook.url.replace("/webhooks/", "/webhooks/9"))
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "Discord does not know the webhook any more", "#problems")
        press(browser, "Change webhook…")
        assert browser.run("return document.activeElement.name") == "webhookUrl"
        browser.type("dialog [name=webhookUrl]", stage.webhook.url)
        press(browser, "Save", "dialog[open]")
        log_in(browser, stage)
        shows(browser, "Nothing is wrong.", "#problems")
    assert stage.numbers() == [1]


def test_try_again_wakes_the_job_and_undoes_no_change_that_the_page_has_not_seen(
    stage: Stage, chromium: Browser
) -> None:
    stage.add_job("mine", "nobody_has_this")
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "Nobody has this name in Telegram", "#problems")
        browser.run(HIDDEN, True)
        browser.run(PASSES, 2000)  # for what was on its way
        stage.call("PATCH", "/job", JOB_NAME="mine", TELEGRAM_CHANNELS="nor_this")
        press(browser, "Try again", "#problems")
        log_in(browser, stage)
        shows(browser, "Job 'mine': nothing changed", "#said")
    assert stage.call("GET", "/jobs").json()["mine"]["telegramChannels"] == ["https://t.me/nor_this"]
    eventually(lambda: "[SYSTEM] [mine] Job sent again, nothing changed" in stage.log())


def test_refused_post_is_listed_and_sent_again_or_dismissed(stage: Stage, chromium: Browser) -> None:
    stage.telegram.channel("news").add(post(words("second")))
    stage.discord.fail(refuse(Refusal(400, 240000, "harmful link")), times=4)  # once for every form
    stage.add_job("mine", "news/1")
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "Discord refused 1 post in every form", "#problems")
        press(browser, "Show them", "#failed")
        log_in(browser, stage)
        shows(browser, "harmful link", "#failed .list")
        asked = [url.rpartition("/")[2] for url in browser.requested() if "/job/failed" in url]
        assert set(asked) == {"failed?most=50"}
        press(browser, "Send again", "#failed")
        shows(browser, "Nothing is wrong.", "#problems")
        eventually(lambda: stage.numbers() == [2, 1], of=stage.numbers)
        eventually(lambda: not browser.run("return document.querySelector('#failed').offsetParent"))

        stage.discord.fail(refuse(Refusal(400, 240000, "harmful link")), times=4)
        stage.telegram.channel("news").add(post(words("third")))
        shows(browser, "harmful link", "#failed .list")
        press(browser, "Dismiss", "#problems")
        shows(browser, "Nothing is wrong.", "#problems")
        assert stage.numbers() == [2, 1]


def test_refused_post_of_a_paused_job_can_still_be_dismissed(stage: Stage, chromium: Browser) -> None:
    stage.discord.fail(refuse(Refusal(400, 240000, "harmful link")), times=4)
    stage.add_job("mine", "news/1")
    eventually(lambda: stage.health()["delivery"]["failed"] == 1)
    stage.call("POST", "/job/pause", JOB_NAME="mine")
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "Nothing is wrong.", "#problems")
        press(browser, "Show them", "#failed")
        log_in(browser, stage)
        shows(browser, "harmful link", "#failed .list")
        press(browser, "Dismiss", "#failed")
        eventually(lambda: not browser.run("return document.querySelector('#failed').offsetParent"))


def test_log_shows_one_level_or_one_job(stage: Stage, chromium: Browser) -> None:
    stage.add_job("журнал", "news")
    stage.add_job("other", "nobody_has_this")
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "[NEW_MESSAGE] [журнал]", "#log .lines")
        shows(browser, "nobody_has_this", "#problems")
        press(browser, "Show its log", "#problems")
        eventually(lambda: "журнал" not in browser.text("#log .lines"))
        shows(browser, "[other]", "#log .lines")
        choose(browser, "#log-job", "журнал")
        choose(browser, "#log-level", "NEW_MESSAGE")
        eventually(lambda: len(browser.text("#log .lines").strip().splitlines()) == 1)
        shows(browser, "Forwarded https://t.me/news/1", "#log .lines")


def choose(browser: Browser, css: str, value: str) -> None:
    script = "const one = document.querySelector(arguments[0]); one.value = arguments[1];"
    browser.run(f"{script} one.dispatchEvent(new Event('change'))", css, value)


def test_protected_reads_ask_for_the_password_first(tmp_path: Path, chromium: Browser) -> None:
    with staged(tmp_path, PROTECT_READS="true") as stage:
        with_channel(stage)
        stage.start()
        stage.add_job("mine", "news")
        with dashboard(chromium, stage.url) as browser:
            shows(browser, "shows nothing without its password", "#trouble")
            assert "mine" not in browser.text("body")
            press(browser, "Enter password", "#trouble")
            log_in(browser, stage)
            shows(browser, "mine", "#jobs")
            assert browser.text("#trouble") == ""
            press(browser, "Forget password")
            shows(browser, "shows nothing without its password", "#trouble")
            assert "mine" not in browser.text("body")


@pytest.mark.parametrize("width", [360, 800, 1280])
def test_no_width_scrolls_sideways_whatever_names_there_are(
    stage: Stage, chromium: Browser, width: int
) -> None:
    stage.add_job(HOSTILE, "news", INCLUDE="x" * 200)
    stage.add_job("W" * 100, "nobody_has_this_name_at_all_here")
    with dashboard(chromium, stage.url, width, 800) as browser:
        shows(browser, "W" * 100, "#problems")
        shows(browser, HOSTILE, "#jobs")
        assert browser.run("return document.documentElement.scrollWidth") <= width
        assert browser.run("return document.title") == "(1) Disgram"
        assert browser.run("return document.querySelectorAll('main img, main b img').length") == 0
        press(browser, "New job")
        overflow = "const d = document.querySelector('dialog'); return d.scrollWidth - d.clientWidth"
        assert browser.run(overflow) <= 0
        assert browser.complaints() == []


def test_page_works_behind_a_path_prefix_from_the_root_on(
    stage: Stage, chromium: Browser, tmp_path: Path
) -> None:
    stage.add_job("новости 新聞", "news")
    with below_a_prefix(stage.port, tmp_path) as url, dashboard(chromium, url) as browser:
        browser.open(f"{url}/")
        shows(browser, "новости 新聞", "#jobs")
        assert browser.run("return location.pathname") == "/disgram/dashboard"
        press(browser, "Preview", "#jobs tbody")
        log_in(browser, stage)
        shows(browser, "first", ".preview")
        press(browser, "Close", "dialog[open]")
        press(browser, "Pause")
        shows(browser, "paused", "#jobs tbody")
    assert stage.call("GET", "/jobs").json()["новости 新聞"]["paused"] is True


HIDDEN = (
    "Object.defineProperty(document, 'hidden', {value: arguments[0], configurable: true});"
    "document.dispatchEvent(new Event('visibilitychange'))"
)
PASSES = "return new Promise((done) => setTimeout(done, arguments[0]))"


def test_tab_out_of_view_asks_for_nothing(stage: Stage, chromium: Browser) -> None:
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "There is no job yet.")
        browser.run(HIDDEN, True)
        browser.run(PASSES, 2000)  # for what was on its way
        browser.requested()
        browser.run(PASSES, 5000)  # two looks and more
        assert browser.requested() == []
        browser.run(HIDDEN, False)
        eventually(lambda: f"{stage.url}/dashboard/state" in browser.requested())


def test_light_and_dark_follow_the_system(stage: Stage, chromium: Browser) -> None:
    with dashboard(chromium, stage.url) as browser:
        grounds = []
        for scheme in ("light", "dark"):
            browser.prefer(scheme)
            grounds.append(browser.run("return getComputedStyle(document.body).backgroundColor"))
    assert grounds == ["rgb(244, 245, 247)", "rgb(23, 24, 27)"]


def test_keyboard_alone_opens_a_dialog_and_escape_closes_it(stage: Stage, chromium: Browser) -> None:
    with dashboard(chromium, stage.url) as browser:
        shows(browser, "There is no job yet.")
        browser.keys(TAB, ENTER)
        eventually(lambda: browser.run("return document.activeElement.name") == "jobName")
        browser.keys(ESCAPE)
        eventually(lambda: browser.run("return document.activeElement.id") == "create")
        assert browser.run("return getComputedStyle(document.activeElement).outlineStyle") == "solid"


# --- what the service knows of posts --------------------------------------------------------------------


def test_preview_shows_a_channel_as_discord_would_before_its_job_is_made(
    stage: Stage, chromium: Browser
) -> None:
    channel = stage.telegram.channel("news")
    channel.add(post(words(f"**no bold** {HOSTILE}")))
    channel.add(post(media.photo("p-640x400.jpg"), words("with a picture")))
    with dashboard(chromium, stage.url, 360, 740) as browser:
        shows(browser, "There is no job yet.")
        press(browser, "New job")
        browser.type("dialog [name=telegramChannels]", "@news, other")
        press(browser, "Preview the first channel")
        log_in(browser, stage)
        shows(browser, "with a picture", ".preview")
        assert f"**no bold** {HOSTILE}" in browser.text(".preview")
        assert browser.run("return document.querySelectorAll('.preview article').length") == 3
        assert browser.run("return document.querySelectorAll('.preview .placeholder').length") == 1
        assert browser.run("return document.querySelectorAll('.preview img, .preview b').length") == 0
        assert browser.run("const v = document.querySelector('.preview'); return v.scrollWidth") <= 360
        assert from_elsewhere(browser, stage) == []
    assert stage.arrived() == []


def test_preview_of_a_channel_nobody_has_says_so(stage: Stage, chromium: Browser) -> None:
    stage.add_job("mine", "nobody_has_this")
    with dashboard(chromium, stage.url) as browser:
        press(browser, "Preview", "#jobs tbody")
        log_in(browser, stage)
        eventually(lambda: "Reading" not in browser.text(".preview"))
        assert "Telegram" in browser.text(".preview")


def test_job_is_tested_with_a_message_and_a_post_is_explained(stage: Stage, chromium: Browser) -> None:
    stage.add_job("mine", "news")
    eventually(lambda: stage.numbers() == [1], of=stage.numbers)
    with dashboard(chromium, stage.url) as browser:
        press(browser, "Test…")
        browser.run("document.querySelector('dialog [name=send]').click()")
        press(browser, "Test", "dialog[open]")
        log_in(browser, stage)
        shows(browser, "newest post 1", "dialog .result")
        eventually(lambda: len(stage.arrived()) == 2, of=stage.arrived)
        press(browser, "Close", "dialog[open]")

        press(browser, "What became of a post…")
        browser.type("dialog [name=post]", "t.me/news/1")
        press(browser, "Look", "dialog[open]")
        shows(browser, "t.me/news/1 is sent", "dialog .result")


def test_exported_jobs_are_imported_again(stage: Stage, chromium: Browser, tmp_path: Path) -> None:
    stage.add_job("mine", "news")
    saved = stage.call("GET", "/jobs")
    (tmp_path / "jobs.json").write_bytes(saved.content)
    stage.call("DELETE", "/job", JOB_NAME="mine")
    with dashboard(chromium, stage.url) as browser:
        press(browser, "Import…")
        browser.choose_file("dialog [name=file]", tmp_path / "jobs.json")
        press(browser, "Import", "dialog[open]")
        log_in(browser, stage)
        shows(browser, "1 job created", "#said")
        press(browser, "Export")
        shows(browser, "keep it to yourself", "#said")
    assert stage.call("GET", "/jobs").json() == saved.json()
