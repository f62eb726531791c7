"""Channels through an account, from Telegram's servers to Discord, by `python main.py` as users start it."""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from pathlib import Path

import psutil
import pytest

pytest.importorskip("telethon")

from standins.mtproto.channels import Channel
from standins.mtproto.server import MtprotoStandIn
from standins.stage import Stage, eventually, staged
from standins.telegram import media_markup
from standins.telegram.text_markup import post, words

API_HASH = "0123456789abcdef" * 2


@pytest.fixture
def account() -> Iterator[MtprotoStandIn]:
    with MtprotoStandIn() as server:
        yield server


@pytest.fixture(scope="module")
def lasting_account() -> Iterator[MtprotoStandIn]:
    with MtprotoStandIn() as server:
        yield server


@pytest.fixture
def channel(account: MtprotoStandIn) -> Channel:
    return account.channel("Harbour")


@contextmanager
def logged_in(folder: Path, account: MtprotoStandIn) -> Iterator[Stage]:
    login = {"TG_API_ID": "7", "TG_API_HASH": API_HASH, "TG_SESSION_STRING": account.session_string()}
    with staged(folder, per_webhook=(50, 1.0), FOLLOW_DELETIONS="delete", **login) as one:
        yield one


@pytest.fixture
def stage(tmp_path: Path, account: MtprotoStandIn) -> Iterator[Stage]:
    with logged_in(tmp_path, account) as one:
        yield one


@pytest.fixture(scope="module")
def service_of_all(
    tmp_path_factory: pytest.TempPathFactory, lasting_account: MtprotoStandIn
) -> Iterator[Stage]:
    with logged_in(tmp_path_factory.mktemp("lasting"), lasting_account) as one:
        one.start()
        yield one


def texts(stage: Stage) -> list[str]:
    return [embed.get("description", "") for one in stage.arrived() for embed in one.embeds[:1]]


def account_processes(stage: Stage) -> list[psutil.Process]:
    return [one for one in stage.processes() if stage.title(one) == "disgram: account"]


def test_private_channel_arrives_with_album_edit_and_deletion(
    stage: Stage, account: MtprotoStandIn, channel: Channel
) -> None:
    for number in range(1, 4):
        channel.post(f"words {number}")
    album = channel.album([account.photo(b"\xff\xd8 one"), account.photo(b"\xff\xd8 two")], "two pictures")
    stage.start()
    assert account_processes(stage) == []
    stage.add_job("private", f"t.me/c/{channel.id}/1")
    eventually(lambda: stage.numbers() == [1, 2, 3, album[0]], of=stage.log)
    assert stage.links()[0] == f"https://t.me/c/{channel.id}/1"
    assert len(stage.arrived()[3].attachments) == 2
    channel.edit(3, "other words")
    channel.delete(2)
    channel.post("the end")
    eventually(lambda: texts(stage)[:2] == ["words 1", "other words"], of=stage.log)
    eventually(lambda: stage.numbers()[-1] == album[-1] + 1, of=stage.log)
    assert len(account_processes(stage)) == 1
    health = stage.health("private")
    assert (health["status"], health["problems"]) == ("healthy", [])


def test_session_is_in_no_output_and_no_environment_of_a_child(
    stage: Stage, account: MtprotoStandIn, channel: Channel
) -> None:
    channel.post("words")
    stage.start()
    stage.add_job("private", f"t.me/c/{channel.id}/1")
    eventually(lambda: stage.numbers() == [1], of=stage.log)
    account.revoke()
    account.drop_connections()
    channel.post("never seen")
    eventually(
        lambda: stage.workers("private")[f"c/{channel.id}"]["reason"] == "account_logged_out", of=stage.log
    )
    children = stage.processes()
    assert any("disgram: account" in stage.title(one) for one in children)
    shown = [stage.log(), str(stage.health()), str(stage.health("private")), stage.output.read_text()]
    shown += [f"{stage.title(one)}{one.environ()}" for one in children]
    shown += [file.read_bytes().decode("latin-1") for file in stage.data.rglob("*") if file.is_file()]
    secrets = (account.session_string()[:40], API_HASH)
    assert not [text for text in shown if any(secret in text for secret in secrets)]
    assert stage.stop() == 0
    assert not [one for one in children if one.is_running()]


@pytest.mark.parametrize("kind", ["channel", "group", "restricted"])
def test_public_channel_without_preview_comes_through_the_account(
    running: Stage, lasting_account: MtprotoStandIn, kind: str
) -> None:
    running.telegram.add_landing(f"closed_{kind}", kind)
    closed = lasting_account.channel("Closed", username=f"closed_{kind}", megagroup=kind == "group")
    closed.post("for members")
    running.add_job("public", f"closed_{kind}/1")
    eventually(lambda: texts(running) == ["for members"], of=running.log)
    assert running.links() == [f"https://t.me/closed_{kind}/1"]


def test_file_that_the_preview_does_not_offer_comes_through_the_account(
    running: Stage, lasting_account: MtprotoStandIn
) -> None:
    document = lasting_account.document(b"%PDF of the account", "application/pdf", name="report.pdf")
    assert lasting_account.channel("Open", username="open_news").post("a report", media=document) == 1
    shown = running.telegram.add_channel("open_news")
    shown.add(post(media_markup.document("report.pdf", "2 KB"), words("a report")))
    running.add_job("public", "open_news/1")
    eventually(running.arrived, of=running.log)
    (file,) = running.arrived()[0].attachments
    assert (file.filename, file.body) == ("report.pdf", b"%PDF of the account")


def test_killed_process_comes_back_and_no_post_is_missing(stage: Stage, channel: Channel) -> None:
    channel.post("one")
    stage.start()
    stage.add_job("private", f"-100{channel.id}/1")
    eventually(lambda: stage.numbers() == [1], of=stage.log)
    account_processes(stage)[0].kill()
    channel.post("two")
    eventually(lambda: stage.numbers() == [1, 2], of=stage.log)
    assert "The account's process ended with code -9; starting it again" in stage.log()


def test_without_a_login_the_job_is_a_problem_and_the_others_run(tmp_path: Path) -> None:
    with staged(tmp_path) as stage:
        open_channel = stage.telegram.add_channel("open_news")
        open_channel.add(post(words("hello")))
        jobs = {
            name: {"webhookUrl": stage.webhook.url, "telegramChannels": [channel]}
            for name, channel in (("private", "https://t.me/c/5"), ("open", "open_news/1"))
        }
        (stage.data / "jobs.json").write_text(json.dumps(jobs), "utf-8")
        stage.start()
        eventually(lambda: stage.numbers() == [1], of=stage.log)
        eventually(lambda: [one["reason"] for one in stage.health()["problems"]] == ["account_missing"])
        assert account_processes(stage) == []


def test_killed_service_leaves_no_process_of_the_account(stage: Stage, channel: Channel) -> None:
    channel.post("one")
    stage.start()
    stage.add_job("private", f"t.me/c/{channel.id}/1")
    eventually(lambda: stage.numbers() == [1], of=stage.log)
    (process,) = account_processes(stage)
    stage.stop(signal.SIGKILL)
    eventually(lambda: not process.is_running() or process.status() == psutil.STATUS_ZOMBIE, 10)


def test_flood_wait_is_shown_with_its_end(stage: Stage, account: MtprotoStandIn, channel: Channel) -> None:
    account.fail("messages.getHistory", "FLOOD_WAIT_300")
    channel.post("one")
    stage.start()
    stage.add_job("private", f"t.me/c/{channel.id}/1")
    (problem,) = eventually(lambda: stage.health()["problems"], of=stage.log)
    assert (problem["reason"], problem["channel"]) == ("account_waits", f"c/{channel.id}")
    left = datetime.fromisoformat(problem["until"]) - datetime.now(timezone.utc)
    assert 200 < left.total_seconds() < 301
    assert stage.health()["external_services"]["telegram_reachable"] is True


def test_invite_link_of_the_first_job_is_resolved_by_the_account(
    stage: Stage, account: MtprotoStandIn, channel: Channel
) -> None:
    channel.post("one")
    stage.start()
    stage.add_job("private", f"https://t.me/+{channel.invite}")
    eventually(lambda: stage.numbers() == [1], of=stage.log)
    jobs = stage.call("GET", "/jobs").json()
    assert jobs["private"]["telegramChannels"] == [f"https://t.me/c/{channel.id}"]


def test_preview_and_test_of_a_job_ask_the_account(stage: Stage, channel: Channel) -> None:
    channel.post("one")
    stage.start()
    address = f"https://t.me/c/{channel.id}"
    preview = stage.call("GET", "/job/preview", TELEGRAM_CHANNELS=address).json()
    assert [(one["url"], one["verdict"]) for one in preview["posts"]] == [(f"{address}/1", "forward")]
    stage.add_job("private", address)
    eventually(lambda: stage.numbers() == [1], of=stage.log)
    (found,) = stage.call("POST", "/job/test", JOB_NAME="private").json()["channels"]
    assert (found["ok"], found["title"], found["newest_post_id"]) == (True, "Harbour", 1)
    explained = stage.call("GET", "/job/explain", JOB_NAME="private", POST_URL=f"{address}/1").json()
    assert (explained["url"], explained["state"]) == (f"{address}/1", "sent")
