"""JSON bodies instead of headers: what they may hold, and that a bad one is a 400 and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disgram.api.json_body import MOST_BYTES
from tests.builders.api_calls import AUTH, NEWS, URL, Api, serving

JOB = {"jobName": "news", "webhookUrl": URL, "telegramChannels": ["durov", "@telegram/5"]}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        yield api


def test_job_is_created_changed_and_deleted_by_bodies(api: Api) -> None:
    made = api.json("POST", "/job", JOB | {"threadId": 99, "embedColor": "#89A7D9"})
    assert made.status_code == 201
    assert made.json()["job"]["telegramChannels"] == ["https://t.me/durov", "https://t.me/telegram/5"]
    assert (made.json()["job"]["threadId"], made.json()["job"]["embedColor"]) == ("99", "89a7d9")
    changed = api.json("PATCH", "/job", {"jobName": "news", "threadId": None, "embedColor": 0})
    assert (changed.json()["job"]["threadId"], changed.json()["job"]["embedColor"]) == (None, "000000")
    assert api.json("DELETE", "/job", {"jobName": "news"}).status_code == 200
    assert api("GET", "/jobs").json() == {}


def test_channels_of_a_body_may_be_text_with_commas(api: Api) -> None:
    made = api.json("POST", "/job", JOB | {"telegramChannels": "durov, telegram"})
    assert made.json()["job"]["telegramChannels"] == ["https://t.me/durov", "https://t.me/telegram"]


def test_headers_win_over_the_body(api: Api) -> None:
    api.json("POST", "/job", JOB | {"threadId": "1"}, JOB_NAME="other", DISCORD_THREAD_ID="")
    assert list(api("GET", "/jobs").json()) == ["other"]
    assert api.service.jobs.get("other").threadId is None


def test_body_of_another_media_type_is_not_read(api: Api) -> None:
    answer = api("POST", "/job", AUTH | NEWS | {"Content-Type": "text/plain"}, content=b"{")
    assert answer.status_code == 201
    wrong = api("PATCH", "/job", AUTH | {"Content-Type": "x"}, content=json.dumps(JOB).encode())
    assert (wrong.status_code, "application/json" in wrong.json()["detail"]["message"]) == (400, True)


def test_empty_body_leaves_the_headers_alone(api: Api) -> None:
    assert api.json("POST", "/job", b"", **NEWS).status_code == 201
    assert api.json("PATCH", "/job", {}, JOB_NAME="news", EMBED_COLOR="89a7d9").status_code == 200


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (b"{", "Line 1, column 2"),
        (b'{"jobName": "a",\n}', "Line 2, column 1"),
        (b"[]", "one JSON object"),
        (b"null", "one JSON object"),
        (b"\xff", "UTF-8"),
        (b"[" * 100_000, "nested too deep"),
        (b'{"threadId": ' + b"9" * 5000 + b"}", "too long"),
        (b'{"threadId": NaN}', "NaN is no JSON"),
        (b'{"jobName": "a", "jobName": "b"}', "'jobName' occurs twice"),
        (b'{"colour": "89a7d9"}', "The fields are jobName, webhookUrl"),
        (b'{"\\ud800": 1}', "The fields are jobName"),
        (b" " * (MOST_BYTES + 1), f"at most {MOST_BYTES} bytes"),
    ],
)
def test_bad_json_is_refused_with_what_to_do(api: Api, body: bytes, words: str) -> None:
    answer = api.json("POST", "/job", body, **NEWS)
    assert answer.status_code == 400
    assert words in f"{answer.json()['detail']}"
    assert api("GET", "/jobs").json() == {}


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("jobName", 5.5),
        ("jobName", ["news"]),
        ("jobName", False),
        ("jobName", {}),
        ("jobName", "\ud800"),
        ("webhookUrl", 5),
        ("webhookUrl", None),
        ("webhookUrl", {}),
        ("telegramChannels", [True]),
        ("telegramChannels", [None]),
        ("telegramChannels", [["durov"]]),
        ("telegramChannels", ["\ud800"]),
        ("telegramChannels", {"durov": 1}),
        ("telegramChannels", []),
        ("telegramChannels", None),
        ("threadId", True),
        ("threadId", 2**63),
        ("threadId", 1.0),
        ("embedColor", []),
        ("embedColor", -1),
        ("paused", "yes"),
        ("paused", 1),
    ],
)
def test_value_of_a_wrong_type_is_refused_and_changes_nothing(api: Api, field: str, value: Any) -> None:
    assert api.json("POST", "/job", JOB | {field: value}).status_code == 400
    api.post()
    before = api("GET", "/jobs").json()
    assert api.json("PATCH", "/job", {"jobName": "news", field: value}).status_code in (
        {400, 404} if field == "jobName" else {400}
    )
    assert api("GET", "/jobs").json() == before


@pytest.mark.parametrize("value", [True, 1.5, "x", -1, 0, [], {}, 10**20])
def test_post_id_of_a_wrong_type_is_refused(api: Api, value: Any) -> None:
    api.post()
    assert api.json("DELETE", "/job/failed", {"jobName": "news", "postId": value}).status_code == 400


def test_post_id_may_be_a_number_or_text(api: Api) -> None:
    api.post()
    post = {"job": "news", "channel": "durov", "reason": "no", "at": 0.0, "payload": None}
    api.ledger.posts = [post | {"post_id": number} for number in (1, 2, 3)]
    assert api.json("POST", "/job/retry", {"jobName": "news", "postId": 1}).json()["retried"] == 1
    assert api.json("DELETE", "/job/failed", {"jobName": "news", "postId": "2"}).json()["dismissed"] == 1
    assert [one["post_id"] for one in api.json("GET", "/job/failed", {}).json()["failed"]] == [3]


def test_body_of_a_stranger_is_not_looked_at(api: Api) -> None:
    headers = {"Content-Type": "application/json"}
    assert api("POST", "/job", headers, content=b" " * (MOST_BYTES + 1)).status_code == 401
    assert api("PATCH", "/job", headers | {"Authorization": "Bearer x"}, content=b"{").status_code == 403


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
)
FIELDS = st.sampled_from([*JOB, "threadId", "embedColor", "paused", "postId", "else"])


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    st.sampled_from([("POST", "/job"), ("PATCH", "/job"), ("DELETE", "/job"), ("POST", "/job/retry")]),
    st.dictionaries(FIELDS, JSON) | JSON | st.binary(max_size=40),
)
def test_any_body_is_handled(api: Api, call: tuple[str, str], body: Any) -> None:
    assert api.json(*call, body).status_code in {200, 201, 400, 404, 409}
