"""GET /job/explain and GET /job/preview: what they ask for and what they refuse, over fake parts."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import anyio
import pytest

from disgram.addresses import ChannelRef
from disgram.errors import PreviewUnavailable
from disgram.preview.process import PreviewProcess
from disgram.preview.request import PreviewRequest
from disgram.storage.post_history import KnownChannel, KnownMessage, KnownPost
from disgram.workers.spec import WorkerSettings
from routes.posts import made
from tests.builders.api_calls import AUTH, Api, serving

NEWS = AUTH | {"JOB_NAME": "news"}


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        api.post()
        yield api


def test_explained_post_has_every_field(api: Api) -> None:
    message = KnownMessage("sent", "103", "9", "55", 1_790_000_000.0)
    api.ledger.known = KnownPost(7, "sent", None, None, 1_789_999_990.0, 1, 2, [message])
    api.ledger.channel = KnownChannel(8, 3)
    answer = api("GET", "/job/explain", NEWS | {"POST_URL": "https://t.me/s/DUROV/8?single"})
    assert (answer.status_code, answer.json()) == (
        200,
        {
            "url": "https://t.me/durov/7",
            "state": "sent",
            "reason": None,
            "rule": None,
            "first_seen_at": "2026-09-21T14:13:10+00:00",
            "messages": [
                {
                    "url": "https://discord.com/channels/55/9/103",
                    "sent_at": "2026-09-21T14:13:20+00:00",
                    "state": "sent",
                }
            ],
            "attempts": 1,
            "edits": 2,
            "note": None,
        },
    )


def test_explain_of_another_channel_is_unknown(api: Api) -> None:
    answer = api("GET", "/job/explain", NEWS | {"POST_URL": "t.me/other/8"}).json()
    assert (answer["url"], answer["state"]) == ("https://t.me/other/8", "unknown")
    assert answer["note"] == "The job does not forward this channel."


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({}, 400, "Missing POST_URL"),
        ({"POST_URL": "durov"}, 400, "Invalid POST_URL"),
        ({"POST_URL": "durov/0"}, 400, "Invalid post number"),
        ({"POST_URL": "https://t.me/+AbCdEf"}, 400, "Private channel"),
        ({"POST_URL": "https://example.org/durov/8"}, 400, "Invalid Telegram channel"),
        ({"POST_URL": "durov/8", "JOB_NAME": "none"}, 404, "Job not found"),
        ({"POST_URL": "durov/8", "JOB_NAME": ""}, 400, "Missing JOB_NAME"),
    ],
)
def test_explain_refuses_senseless_headers(
    api: Api, headers: dict[str, str], status: int, error: str
) -> None:
    answer = api("GET", "/job/explain", NEWS | headers)
    assert (answer.status_code, answer.json()["detail"]["error"]) == (status, error)


@pytest.mark.parametrize("url", [None, "", 5, ["durov/8"], True])
def test_explain_takes_its_post_from_a_json_body_too(api: Api, url: object) -> None:
    api.ledger.channel = KnownChannel(8, 3)
    asked = {"jobName": "news", "postUrl": "t.me/durov/9"}
    assert api.json("GET", "/job/explain", asked).json()["url"] == "https://t.me/durov/9"
    header = api.json("GET", "/job/explain", asked, **{"POST-URL": "durov/3"})
    assert header.json()["url"] == "https://t.me/durov/3"
    assert api.json("GET", "/job/explain", asked | {"postUrl": url}).status_code == 400


# --- preview --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("headers", "status", "error"),
    [
        ({}, 400, "Missing TELEGRAM_CHANNELS"),
        ({"TELEGRAM_CHANNELS": "durov,telegram"}, 400, "Invalid TELEGRAM_CHANNELS"),
        ({"TELEGRAM_CHANNELS": "https://t.me/+AbCdEf"}, 400, "Private channel"),
        ({"TELEGRAM_CHANNELS": "https://t.me/c/77"}, 400, "Private channel"),
        ({"TELEGRAM_CHANNELS": "durov", "JOB_NAME": "none"}, 404, "Job not found"),
    ],
)
def test_preview_refuses_senseless_headers(
    api: Api, headers: dict[str, str], status: int, error: str
) -> None:
    answer = api("GET", "/job/preview", AUTH | headers)
    assert (answer.status_code, answer.json()["detail"]["error"]) == (status, error)


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        (None, "Missing TELEGRAM_CHANNELS"),
        ([], "Invalid TELEGRAM_CHANNELS"),
        ("durov,telegram", "Invalid TELEGRAM_CHANNELS"),
        (["durov", "telegram"], "Invalid TELEGRAM_CHANNELS"),
        ([["durov"]], "Invalid TELEGRAM_CHANNELS"),
        ({"durov": 1}, "Invalid TELEGRAM_CHANNELS"),
        (["not a channel"], "Invalid Telegram channel"),
        (["durov"], "Job not found"),
        ("durov, ", "Job not found"),
    ],
)
def test_preview_takes_its_channel_and_job_from_a_json_body_too(
    api: Api, channels: object, said: str
) -> None:
    answer = api.json("GET", "/job/preview", {"jobName": "none", "telegramChannels": channels})
    assert answer.json()["detail"]["error"] == said


def test_strangers_body_is_not_read_before_the_bearer(api: Api) -> None:
    json = {"Content-Type": "application/json"}
    for path in ("/job/preview", "/job/explain"):
        assert api("GET", path, json, content=b"{").status_code == 401


def process(folder: Path) -> PreviewProcess:
    return PreviewProcess(PreviewRequest(ChannelRef("durov"), None, WorkerSettings(folder)))


def test_preview_whose_process_was_ended_is_refused(tmp_path: Path) -> None:
    ended = process(tmp_path)
    ended.end()

    async def make() -> None:
        await made(ended, anyio.CapacityLimiter(1), within=10)

    with pytest.raises(PreviewUnavailable, match="too long or too much memory"):
        anyio.run(make)


def test_preview_that_gets_no_turn_in_time_is_refused(tmp_path: Path) -> None:
    async def make() -> None:
        turns = anyio.CapacityLimiter(1)
        turns.acquire_on_behalf_of_nowait("another preview")
        await made(process(tmp_path), turns, within=0.05)

    with pytest.raises(PreviewUnavailable, match="Too many previews"):
        anyio.run(make)
