"""Many jobs at once: all or none, and what GET /jobs exports goes in again. Over fake workers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.builders.api_calls import AUTH, MASKED, URL, Api, log_of, serving

JOB = {"webhookUrl": URL, "telegramChannels": ["durov"]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        yield api


def names(answer: Any) -> tuple[list[str], list[str], list[str]]:
    return answer.json()["created"], answer.json()["changed"], answer.json()["unchanged"]


def test_jobs_are_created_changed_and_left_alone(api: Api) -> None:
    first = api.json("POST", "/jobs", {"a": JOB, "b": JOB | {"jobName": "b", "threadId": "5"}})
    assert (first.status_code, names(first)) == (200, (["a", "b"], [], []))
    assert first.json()["message"] == "2 jobs created, 0 jobs changed"
    assert len(api.supervisor.snapshot().workers) == 2
    second = api.json("POST", "/jobs", {"a": JOB, "b": JOB, "c": JOB | {"paused": True}})
    assert names(second) == (["c"], ["b"], ["a"])
    assert api.service.jobs.get("b").threadId is None
    assert api.service.jobs.get("c").paused is True
    assert api.supervisor.revived == ["b"]
    assert "[SYSTEM] [c] Job created by an import of jobs" in log_of(api)


def test_export_goes_in_again_and_changes_nothing(api: Api, tmp_path: Path) -> None:
    api.post(EMBED_COLOR="89a7d9", DISCORD_THREAD_ID="7")
    api.json("POST", "/job", JOB | {"jobName": "Новости"})
    api("POST", "/job/pause", AUTH | {"JOB_NAME": "news"})
    before = (tmp_path / "jobs.json").read_bytes()
    export = api("GET", "/jobs", AUTH, secret=True)
    again = api.json("POST", "/jobs", export.content)
    assert (again.json()["message"], names(again)) == ("Nothing changed", ([], [], ["news", "Новости"]))
    assert (tmp_path / "jobs.json").read_bytes() == before
    for name in ("news", "Новости"):
        api.json("DELETE", "/job", {"jobName": name})
    assert names(api.json("POST", "/jobs", export.content))[0] == ["news", "Новости"]
    assert (tmp_path / "jobs.json").read_bytes() == before


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"x": JOB | {"webhookUrl": MASKED}}, "Invalid DISCORD_WEBHOOK_URL"),
        ({"x": JOB | {"telegramChannels": ["t.me/+x"]}}, "Private channel"),
        ({"x": {"webhookUrl": URL}}, "Invalid telegramChannels"),
        ({"x": JOB | {"colour": 1}}, "Unknown field 'colour'"),
        ({"x": JOB | {"\ud800": 1}}, "Unknown field"),
        ({"x": JOB | {"jobName": "y"}}, "Invalid jobName"),
        ({"x": JOB | {"jobName": None}}, "Invalid JOB_NAME"),
        ({"x": JOB | {"threadId": 2**63}}, "Invalid DISCORD_THREAD_ID"),
        ({"x": []}, "Not a job"),
        ({"x": None}, "Not a job"),
        ({"": JOB}, "Invalid JOB_NAME"),
        ({"\ud800": JOB}, "Invalid JOB_NAME"),
        ({"x ": JOB, "x": JOB}, "Repeated job"),
        ([], "Invalid JSON"),
        (b'{"x": {}, "x": {}}', "Invalid JSON"),
        (b"", "Missing jobs"),
    ],
)
def test_one_bad_job_leaves_all_as_they_were(api: Api, tmp_path: Path, bad: Any, words: str) -> None:
    api.json("POST", "/job", JOB | {"jobName": "old"})
    before = (tmp_path / "jobs.json").read_bytes()
    content = {"new": JOB, "old": JOB | {"threadId": "5"}} | bad if isinstance(bad, dict) else bad
    refused = api.json("POST", "/jobs", content)
    assert (refused.status_code, refused.json()["detail"]["error"][: len(words)]) == (400, words)
    assert (tmp_path / "jobs.json").read_bytes() == before
    assert len(api.supervisor.snapshot().workers) == 1


@pytest.mark.parametrize("fault", ["file", "ledger"])
def test_import_that_cannot_be_written_changes_nothing(api: Api, tmp_path: Path, fault: str) -> None:
    api.json("POST", "/job", JOB | {"jobName": "old"})
    before = (tmp_path / "jobs.json").read_bytes()
    if fault == "file":
        (tmp_path / ".jobs.json.tmp").mkdir()
    api.ledger.full = fault == "ledger"
    assert api.json("POST", "/jobs", {"new": JOB, "old": JOB | {"threadId": "5"}}).status_code == 503
    assert (tmp_path / "jobs.json").read_bytes() == before
    assert list(api("GET", "/jobs").json()) == ["old"]


def test_imports_of_the_same_jobs_do_not_wait_for_each_other_for_ever(api: Api) -> None:
    some = [f"job{number}" for number in range(10)]
    start = threading.Barrier(4)

    def put(order: list[str]) -> int:
        start.wait()
        return api.json("POST", "/jobs", dict.fromkeys(order, JOB)).status_code

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(put, [some, some[::-1]] * 2)) == [200] * 4
    assert set(api("GET", "/jobs").json()) == set(some)


def test_thousand_jobs_are_taken_with_one_write(api: Api, tmp_path: Path) -> None:
    many = {f"job{number}": JOB for number in range(1000)}
    assert len(names(api.json("POST", "/jobs", many))[0]) == 1000
    assert len(json.loads((tmp_path / "jobs.json").read_text("utf-8"))) == 1000


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.dictionaries(st.text(), st.dictionaries(st.sampled_from([*JOB, "jobName"]), JSON) | JSON) | JSON)
def test_any_import_is_handled(api: Api, content: Any) -> None:
    assert api.json("POST", "/jobs", content).status_code in {200, 400}
