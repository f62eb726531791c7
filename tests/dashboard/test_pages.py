"""GET /dashboard and the page's files: that they load without the bearer, and from here alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from disgram.dashboard.page_files import FILES, STATIC
from disgram.health.sentences import SENTENCES, Urgency
from disgram.jobs.job import Job
from disgram.workers.spec import WorkerState
from tests.builders.api_calls import Api, serving

BROWSER = {"Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path, PROTECT_READS="true") as api:
        yield api


def test_the_page_loads_also_where_reads_are_protected(api: Api) -> None:
    page = api("GET", "/dashboard")
    assert page.status_code == 200
    assert page.headers["Content-Type"].startswith("text/html")


@pytest.mark.parametrize("name", sorted(set(FILES) - {"page.html"}))
def test_every_file_of_the_page_is_served_as_what_it_is(api: Api, name: str) -> None:
    file = api.raw("GET", f"/dashboard/{name}")
    assert (file.status_code, file.headers["Content-Type"]) == (200, FILES[name])
    assert file.headers["X-Content-Type-Options"] == "nosniff"


def test_head_of_the_page_has_its_length(api: Api) -> None:
    answer = api.raw("HEAD", "/dashboard")
    assert (answer.status_code, answer.content) == (200, b"")
    assert int(answer.headers["Content-Length"]) > 1000


def test_the_page_allows_nothing_but_itself(api: Api) -> None:
    policy = api("GET", "/dashboard").headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "unsafe" not in policy and "http" not in policy and "*" not in policy


def test_what_the_page_links_to_is_there_and_relative(api: Api) -> None:
    links = re.findall(r'(?:href|src)="([^"]+)"', api("GET", "/dashboard").text)
    assert len(links) > 4
    for link in links:
        assert not link.startswith(("/", "http"))
        assert api.raw("GET", f"/{link}").status_code in {200, 401}, link


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_every_import_of_a_script_is_there(path: Path) -> None:
    for name in re.findall(r'from "\./([^"]+)"', path.read_text("utf-8")):
        assert name in FILES


@pytest.mark.parametrize("path", sorted(STATIC.iterdir()), ids=lambda path: path.name)
def test_no_file_makes_markup_or_code_of_text_or_names_another_host(path: Path) -> None:
    text = path.read_text("utf-8")
    assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|new Function", text)
    assert not re.search(r"<script(?! type=\"module\" src)|<style| style=| on[a-z]+=\"", text)
    assert set(re.findall(r"https?://([a-z.0-9]+)", text)) <= {"t.me", "www.w3.org", "discord.com"}


@pytest.mark.parametrize("name", ["nothing.js", "..%2fschemas.py", "page.html", "state/"])
def test_nothing_else_is_served_beside_the_page(api: Api, name: str) -> None:
    assert api("GET", f"/dashboard/{name}").status_code == 404


def test_a_browser_is_sent_from_the_root_to_the_page_also_behind_a_prefix(api: Api) -> None:
    answer = api("GET", "/", BROWSER)
    assert (answer.status_code, answer.headers["Location"]) == (307, "dashboard")
    assert api("GET", "/dashboard/", BROWSER).headers["Location"] == "../dashboard"


@pytest.mark.parametrize("accept", [{}, {"Accept": "*/*"}, {"Accept": "application/json"}])
def test_programs_get_json_at_the_root_as_before(api: Api, accept: dict[str, str]) -> None:
    answer = api("GET", "/", accept)
    assert (answer.status_code, answer.json()["name"]) == (200, "Disgram")
    assert answer.headers["Vary"] == "Accept"


# --- tables of the scripts ------------------------------------------------------------------------------


def test_every_field_of_a_job_has_its_row_in_the_form() -> None:
    rows = re.findall(r'\bname: "(\w+)"', (STATIC / "job_fields.js").read_text("utf-8"))
    assert sorted(rows) == sorted(set(Job.model_fields) - {"jobName", "paused"})


def test_every_remedy_is_for_a_reason_there_is() -> None:
    table = (STATIC / "problems.js").read_text("utf-8").partition("REMEDIES = {")[2].partition("};")[0]
    reasons = re.findall(r"^  (\w+): \[", table, re.MULTILINE)
    assert "webhook_gone" in reasons
    assert set(reasons) <= set(SENTENCES)
    persons = {word for word, known in SENTENCES.items() if known.urgency in {Urgency.PERSON, Urgency.POSTS}}
    assert persons <= set(reasons)


def test_every_state_of_a_worker_has_its_words() -> None:
    table = (STATIC / "words.js").read_text("utf-8").partition("STATES = {")[2].partition("};")[0]
    assert set(re.findall(r"(\w+):", table)) == {state.value for state in WorkerState}
