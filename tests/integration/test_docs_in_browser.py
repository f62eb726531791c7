"""/docs and /redoc as a person uses them: in a browser, without internet."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from standins.stage import PASSWORD, Stage, eventually, free_port, staged
from tests.integration.browser import Browser
from tests.integration.test_nginx import running_nginx

NO_PICTURE = ("data:", "blob:")


@pytest.fixture(scope="module")
def service_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("service")) as one:
        one.telegram.add_channel("news", "News")
        one.start()
        yield one


@pytest.fixture
def stage(running: Stage) -> Stage:
    return running


@contextmanager
def below_a_prefix(port_of_service: int, folder: Path) -> Iterator[str]:
    """nginx that shows the service as a part of a site; gives the address of that part."""
    port = free_port()
    place = f"location /disgram/ {{ proxy_pass http://127.0.0.1:{port_of_service}/; }}"
    site = f"underscores_in_headers on; listen 127.0.0.1:{port}; {place}"
    (folder / "disgram.conf").write_text(f"server {{ {site} }}", "utf-8")
    with running_nginx(folder, f"http://127.0.0.1:{port}/disgram") as url:
        yield url


def nothing_from_elsewhere(browser: Browser, stage: Stage) -> None:
    asked = [url for url in browser.requested() if not url.startswith(NO_PICTURE)]
    assert asked
    assert [url for url in asked if not url.startswith(f"http://127.0.0.1:{stage.port}/")] == []


class Swagger:
    """Swagger UI's page."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser

    def authorize(self, password: str) -> None:
        browser = self.browser
        browser.click(".auth-wrapper .authorize")
        browser.type(".auth-container input", password)
        browser.click(".auth-btn-wrapper .authorize")
        browser.click(".auth-btn-wrapper .btn-done")

    def call(self, operation: str, *, empty: str = "", **headers: str) -> tuple[str, str]:
        """Try it out; the status code and the body that the page shows. `operation`: its element's id;
        `empty`: a header that is sent empty."""
        browser, block = self.browser, f"[id='{operation}']"
        browser.click(f"{block} .opblock-summary-control")
        browser.click(f"{block} .try-out__btn")
        for name, value in headers.items():
            browser.type(f"{block} tr[data-param-name='{name}'] input", value)
        if empty:
            browser.click(f"{block} tr[data-param-name='{empty}'] .parameter__empty_value_toggle input")
        browser.click(f"{block} .execute")
        status = eventually(lambda: browser.text(f"{block} .live-responses-table tbody .response-col_status"))
        body = browser.text(f"{block} .live-responses-table tbody .response-col_description .highlight-code")
        return str(status).split()[-1], body


def test_a_job_from_its_creation_to_its_end_in_the_browser(stage: Stage, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{stage.port}/docs")
    page = Swagger(browser)
    page.authorize(PASSWORD)
    created = page.call(
        "operations-Jobs-create_job_job_post",
        JOB_NAME="from the browser",
        DISCORD_WEBHOOK_URL=stage.webhook.url,
        TELEGRAM_CHANNELS="t.me/news",
        EMBED_COLOR="",
        DISCORD_THREAD_ID="",
    )
    assert created[0] == "201", created
    status, listed = page.call("operations-Jobs-list_jobs_jobs_get")
    assert status == "200"
    assert "https://t.me/news" in listed
    deleted = page.call("operations-Jobs-delete_job_job_delete", JOB_NAME="from the browser")
    assert deleted[0] == "200", deleted
    assert stage.call("GET", "/jobs").json() == {}
    nothing_from_elsewhere(browser, stage)


CREATE, CHANGE = "operations-Jobs-create_job_job_post", "operations-Jobs-change_job_job_patch"


def test_names_of_any_script_pass_and_an_optional_value_is_cleared_behind_a_path_prefix(
    stage: Stage, browser: Browser, tmp_path: Path
) -> None:
    with below_a_prefix(stage.port, tmp_path) as url:
        browser.open(f"{url}/docs")
        page = Swagger(browser)
        page.authorize(PASSWORD)
        created = page.call(
            CREATE,
            JOB_NAME="новости 新聞 🎉",
            DISCORD_WEBHOOK_URL=stage.webhook.url,
            TELEGRAM_CHANNELS="https://telegram.me/s/news/12",
            EMBED_COLOR="#89a7d9",
        )
        assert created[0] == "201", created
        assert stage.call("GET", "/jobs").json()["новости 新聞 🎉"]["embedColor"] == "89a7d9"
        changed = page.call(CHANGE, JOB_NAME="новости 新聞 🎉", empty="EMBED_COLOR")
        assert changed[0] == "200", changed
        assert stage.call("GET", "/jobs").json()["новости 新聞 🎉"].get("embedColor") is None


def test_senseless_value_is_answered_by_the_api_and_not_by_the_page(stage: Stage, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{stage.port}/docs")
    page = Swagger(browser)
    page.authorize(PASSWORD)
    status, body = page.call(
        CREATE, JOB_NAME="news", DISCORD_WEBHOOK_URL="https://example.org", TELEGRAM_CHANNELS="no channel"
    )
    assert status == "400"
    assert '"message"' in body


def test_without_authorization_the_page_shows_why_not(stage: Stage, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{stage.port}/docs")
    status, body = Swagger(browser).call("operations-Jobs-delete_job_job_delete", JOB_NAME="any")
    assert status == "401"
    assert "Authorization: Bearer" in body


def test_redoc_is_whole_as_well(stage: Stage, browser: Browser) -> None:
    browser.open(f"http://127.0.0.1:{stage.port}/redoc")
    eventually(lambda: "Create a job" in browser.text("body"), of=lambda: browser.text("body"))
    nothing_from_elsewhere(browser, stage)
