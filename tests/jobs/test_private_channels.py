"""POST and PATCH with channels that only an account can read, without an account and with one."""

from __future__ import annotations

import base64
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from config import Settings
from disgram.errors import BadChannelAddress, ChannelHasNoPreview, ChannelNotFound
from disgram.jobs.private_channels import named_by_account
from disgram.telegram.account.supervision import AccountProcess
from service import Service
from tests.builders.account_server import AccountServer, refusal
from tests.builders.api_calls import AUTH, URL, Api, serving
from tests.builders.api_fakes import fake_service

PRIVATE = "https://t.me/c/77/5"
INVITE = "https://t.me/+AbC"


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        yield api


@pytest.mark.parametrize("channel", [PRIVATE, "-10077", INVITE, "t.me/joinchat/AbC", f"durov,{PRIVATE}"])
def test_without_an_account_a_private_channel_is_refused_with_the_way_to_get_one(
    api: Api, channel: str
) -> None:
    fields = {"jobName": "x", "webhookUrl": URL, "telegramChannels": channel.split(",")}
    for answer in (api.post(TELEGRAM_CHANNELS=channel), api.json("POST", "/job", fields)):
        assert answer.status_code == 400
        assert answer.json()["detail"]["error"] == "Private channel"
        assert "`make account`" in answer.json()["detail"]["message"]
    imported = api.json("POST", "/jobs", {"x": fields})
    assert (imported.status_code, imported.json()["detail"]["error"]) == (400, "Private channel")
    assert imported.json()["detail"]["message"].startswith("Job 'x': ")
    assert imported.json()["detail"]["message"].endswith(" Nothing was changed.")
    api.post()
    patch = api("PATCH", "/job", AUTH | {"JOB_NAME": "news", "TELEGRAM_CHANNELS": channel})
    assert patch.status_code == 400


def test_patch_may_keep_a_private_channel_that_the_job_has(tmp_path: Path) -> None:
    job = {"jobName": "old", "webhookUrl": URL, "telegramChannels": [PRIVATE]}
    (tmp_path / "jobs.json").write_text(json.dumps({"old": job}), "utf-8")
    with serving(tmp_path) as api:
        same = {"JOB_NAME": "old", "TELEGRAM_CHANNELS": f"durov,{PRIVATE}"}
        assert api("PATCH", "/job", AUTH | same).status_code == 200
        other = {"JOB_NAME": "old", "TELEGRAM_CHANNELS": "t.me/c/78"}
        assert api("PATCH", "/job", AUTH | other).status_code == 400


def resolve(invite: str) -> str:
    if invite == "gone":
        raise ChannelNotFound("no channel is behind this invite link")
    if invite != "AbC":
        raise ChannelHasNoPreview(
            "the account is in no channel behind this invite link", reason="not_a_member"
        )
    return "c/77"


def test_with_an_account_invite_links_become_the_channels_they_lead_to() -> None:
    assert named_by_account(f"durov, {INVITE},{PRIVATE}", (), resolve) == [
        "durov",
        "https://t.me/c/77",
        PRIVATE,
    ]
    assert named_by_account(["t.me/joinchat/AbC"], (), resolve) == ["https://t.me/c/77"]
    assert named_by_account(5, (), None) == 5
    assert named_by_account(["durov", 5], (), None) == ["durov", 5]


@pytest.mark.parametrize(
    ("invite", "why"),
    [
        ("t.me/+gone", r"'t.me/\+gone': no channel is behind this invite link\."),
        ("t.me/+other", r"'t.me/\+other': the account is in no channel .* join with it, then try again\."),
        ("t.me/joinchat/", r"'t.me/joinchat/' leads to no channel\."),
    ],
)
def test_invite_link_of_a_channel_the_account_is_not_in_is_refused(invite: str, why: str) -> None:
    with pytest.raises(BadChannelAddress) as refusal:
        named_by_account(invite, (), resolve)
    assert re.fullmatch(why, f"{refusal.value}")


# --- through the API, with an account whose process is another program ---------------------------


def test_answer_names_the_channel_of_an_invite_link(tmp_path: Path) -> None:
    pytest.importorskip("telethon")
    session = "1" + base64.urlsafe_b64encode(b"k" * 263).decode()
    environ = {"TG_API_ID": "7", "TG_API_HASH": "a" * 32, "TG_SESSION_STRING": session}
    waits = (sys.executable, "-c", "import sys; sys.stdin.readline(); sys.stdin.read()")
    account = AccountProcess({}, lambda *_: None, command=waits)

    @contextmanager
    def run(settings: Settings) -> Iterator[Service]:
        with fake_service(settings) as service:
            yield replace(service, account=account)

    with AccountServer(tmp_path).running() as server, serving(tmp_path, run=run, **environ) as api:
        server.invites["AbC"] = "c/77"
        answer = api.post(TELEGRAM_CHANNELS=f"{INVITE},durov")
        assert answer.status_code == 201
        assert answer.json()["job"]["telegramChannels"] == ["https://t.me/c/77", "https://t.me/durov"]
        news = AUTH | {"JOB_NAME": "news"}
        refused = api("PATCH", "/job", news | {"TELEGRAM_CHANNELS": "t.me/+other"})
        assert (refused.status_code, refused.json()["detail"]["error"]) == (400, "Invite link")
        server.refusals["/resolve"] = (503, refusal("account_logged_out", "log in again"))
        ended = api("PATCH", "/job", news | {"TELEGRAM_CHANNELS": INVITE})
        assert (ended.status_code, ended.json()["detail"]["message"]) == (503, "log in again")
    account.stop()
