"""Jobs: what is accepted, what jobs.json holds, and that neither a fault nor a race leaves half a truth."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import read
from disgram.errors import BadInput, BadWebhookURL, JobExists, StartRefused, StorageUnavailable, UnknownJob
from jobs import (
    Job,
    JobManager,
    channel_addresses,
    embed_color,
    job_name,
    thread_id,
    webhook_url,
    worker_specs,
)

URL = "https://discord.com/api/webhooks/123/aToken"
SETTINGS = read({})


def job(name: str = "news", **changes: Any) -> Job:
    fields: dict[str, Any] = {"jobName": name, "webhookUrl": URL, "telegramChannels": ("https://t.me/durov",)}
    return Job(**(fields | changes))


@pytest.fixture
def manager(tmp_path: Path) -> JobManager:
    return JobManager(tmp_path / "jobs.json")


def on_disk(folder: Path) -> Any:
    return json.loads((folder / "jobs.json").read_text("utf-8"))


# --- validation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a", "x" * 100, "Новости 日本 أخبار", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿", 'a/b [c] "d"', "می‌خواهم", "é", "e\u0301"]
)
def test_job_names(name: str) -> None:
    assert job_name(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 101, "a\nb", "a\x00", "a\x7f", "a\u2028b", "a\u202eb", "\u200d", "\ue000", "a\u200bb"],
)
def test_bad_job_names(name: str) -> None:
    with pytest.raises(BadInput):
        job_name(name)


def test_channels_are_normalised_and_each_is_there_once() -> None:
    typed = ["durov", " @Telegram/5", "t.me/s/DUROV/3", "", "https://telegram.me/telegram ", "news_1"]
    assert channel_addresses(typed) == (
        "https://t.me/durov",
        "https://t.me/Telegram/5",
        "https://t.me/news_1",
    )


@pytest.mark.parametrize(
    "typed", [[], [" ", ""], ["t.me/+abc"], ["t.me/joinchat/x"], ["t.me/c/1/2"], ["durov", "no no"]]
)
def test_bad_channels(typed: list[str]) -> None:
    with pytest.raises(BadInput):
        channel_addresses(typed)


@pytest.mark.parametrize(
    ("text", "color"),
    [("", None), (" ", None), ("89A7d9", "89a7d9"), ("#000000", "000000"), ("0xFFFFFF", "ffffff")],
)
def test_colors(text: str, color: str | None) -> None:
    assert embed_color(text) == color


@pytest.mark.parametrize("text", ["red", "#12345", "1234567", "-12345", "٣٣٣٣٣٣"])
def test_bad_colors(text: str) -> None:
    with pytest.raises(BadInput):
        embed_color(text)


def test_thread_ids() -> None:
    assert thread_id(" 123 ") == "123"
    assert thread_id("") is None
    for text in ("x", "1.5", "-1", "0", "1" * 21, "٣"):
        with pytest.raises(BadInput):
            thread_id(text)


def test_webhooks() -> None:
    assert webhook_url(f" {URL} ", ()) == URL
    own = "http://127.0.0.1:9/api/webhooks/1/t"
    assert webhook_url(own, ("127.0.0.1:9",)) == own
    for text in (own, URL + "?wait=true", "http://discord.com/api/webhooks/1/t", "x", ""):
        with pytest.raises(BadWebhookURL) as refusal:
            webhook_url(text, ())
        assert "aToken" not in str(refusal.value)


def test_a_masked_job_has_no_token() -> None:
    assert "aToken" not in job().masked().model_dump_json()
    assert (
        "secret" not in job(webhookUrl="http://127.0.0.1:9/api/webhooks/1/secret").masked().model_dump_json()
    )


# --- the store ------------------------------------------------------------------------------------------


def test_no_file_is_no_job(manager: JobManager, tmp_path: Path) -> None:
    manager.load()
    assert manager.jobs() == {}
    assert list(tmp_path.iterdir()) == []


def test_what_is_stored_comes_back(manager: JobManager, tmp_path: Path) -> None:
    second = job(
        '日本 "x"',
        threadId="5",
        embedColor="89a7d9",
        telegramChannels=("https://t.me/a_b_c/3", "https://t.me/durov"),
    )
    manager.create(job())
    manager.create(second)
    assert on_disk(tmp_path)["news"] == {
        "jobName": "news",
        "webhookUrl": URL,
        "telegramChannels": ["https://t.me/durov"],
        "threadId": None,
        "embedColor": None,
    }
    again = JobManager(tmp_path / "jobs.json")
    again.load()
    assert again.jobs() == {"news": job(), second.jobName: second}
    assert list(again.jobs()) == ["news", second.jobName]
    assert (tmp_path / "jobs.json").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in tmp_path.iterdir()] == ["jobs.json"]


def test_names_are_taken_changed_and_gone(manager: JobManager, tmp_path: Path) -> None:
    manager.create(job())
    with pytest.raises(JobExists):
        manager.create(job(threadId="5"))
    changed = manager.change("news", lambda old: old.model_copy(update={"threadId": "7"}))
    assert manager.get("news") == changed
    assert on_disk(tmp_path)["news"]["threadId"] == "7"
    manager.remove("news")
    assert on_disk(tmp_path) == {}
    for act in (manager.get, manager.remove, lambda name: manager.change(name, lambda old: old)):
        with pytest.raises(UnknownJob):
            act("news")


def test_an_older_disgrams_file_is_taken_over(tmp_path: Path) -> None:
    old = {
        "a": {
            "jobName": "a",
            "webhookUrl": URL + " ",
            "telegramChannels": ["durov", "https://t.me/s/Telegram/7", "@DUROV"],
        },
        "b": {
            "webhookUrl": URL,
            "telegramChannels": "durov,telegram",
            "threadId": 99,
            "embedColor": 0x0089A7,
        },
        "c": {
            "jobName": "c",
            "webhookUrl": URL,
            "telegramChannels": ["durov"],
            "threadId": "",
            "embedColor": "0x89A7D9",
        },
    }
    (tmp_path / "jobs.json").write_text("\ufeff" + json.dumps(old), "utf-8")
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    jobs = manager.jobs()
    assert jobs["a"].telegramChannels == ("https://t.me/durov", "https://t.me/Telegram/7")
    assert (jobs["a"].webhookUrl, jobs["a"].threadId, jobs["a"].embedColor) == (URL, None, None)
    assert (jobs["b"].threadId, jobs["b"].embedColor, len(jobs["b"].telegramChannels)) == ("99", "0089a7", 2)
    assert (jobs["c"].threadId, jobs["c"].embedColor) == (None, "89a7d9")
    assert (tmp_path / "jobs.json").stat().st_mode & 0o777 == 0o600


GOOD = '{"webhookUrl": "https://discord.com/api/webhooks/1/secretToken", "telegramChannels": ["durov"]'


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"", 1),
        (b" \n\t", 1),
        (b"\x00" * 64, 1),
        (b'{\n"a": {\n', 3),
        (b"{\n\n  nonsense", 3),
        (b"[]", 1),
        (b"null", 1),
        (b"{}\n{}", 2),
        (b'{\n"a":\n"\xff"}', 3),
        (b"[" * 100_000, 1),
        (b'{"a": ' + b"9" * 5000 + b"}", 1),
        (f'{{\n"a": {GOOD}}},\n"a": {GOOD}}}\n}}'.encode(), 3),
        (b'{\n"a": 5}', 2),
        (b'{\n\n"a\\u0062": {"telegramChannels": ["durov"]}}', 1),
        (f'{{\n"ok": {GOOD}}},\n"bad": {GOOD}, "threadId": true}}}}'.encode(), 3),
        (f'{{\n"ok": {GOOD}}},\n"bad": {GOOD}, "threadId": 1.5}}}}'.encode(), 3),
        (f'{{\n"ok": {GOOD}}},\n"bad": {GOOD}, "embedColor": -1}}}}'.encode(), 3),
        (
            GOOD.replace("discord.com", "evil.example").join(['{\n"a": ', "}}"]).encode(),
            2,
        ),
        (
            GOOD.replace("durov", "t.me/+x").join(['{\n"a": ', "}}"]).encode(),
            2,
        ),
        (b'{\n"a": {"webhookUrl": "https://discord.com/api/webhooks/1/t", "telegramChannels": {}}}', 2),
        (b'{\n"a": {"webhookUrl": ["x"], "telegramChannels": ["durov"]}}', 2),
    ],
)
def test_a_damaged_file_refuses_the_start_and_stays_as_it_is(
    tmp_path: Path, content: bytes, line: int
) -> None:
    path = tmp_path / "jobs.json"
    path.write_bytes(content)
    path.chmod(0o644)
    manager = JobManager(path)
    with pytest.raises(StartRefused) as refusal:
        manager.load()
    assert f"{path}, line {line}: " in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "secretToken" not in str(refusal.value)
    assert path.read_bytes() == content
    assert manager.jobs() == {}


@given(st.binary(max_size=60))
def test_no_bytes_raise_anything_else(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("jobs") / "jobs.json"
    path.write_bytes(content)
    manager = JobManager(path)
    try:
        manager.load()
    except StartRefused:
        assert path.read_bytes() == content


def test_a_folder_in_its_place_refuses_the_start(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").mkdir()
    with pytest.raises(StartRefused):
        JobManager(tmp_path / "jobs.json").load()


def test_a_failed_write_changes_nothing(tmp_path: Path) -> None:
    """A folder where the fresh file would be written fails as a full or read-only disk does."""
    manager = JobManager(tmp_path / "jobs.json")
    manager.create(job())
    before = (tmp_path / "jobs.json").read_bytes()
    obstacle = tmp_path / ".jobs.json.tmp"
    obstacle.mkdir()
    with pytest.raises(StorageUnavailable):
        manager.create(job("other"))
    with pytest.raises(StorageUnavailable):
        manager.change("news", lambda old: old.model_copy(update={"threadId": "7"}))
    with pytest.raises(StorageUnavailable):
        manager.remove("news")
    assert manager.jobs() == {"news": job()}
    assert (tmp_path / "jobs.json").read_bytes() == before
    obstacle.rmdir()
    manager.create(job("other"))
    assert list(on_disk(tmp_path)) == ["news", "other"]


def test_a_linked_file_stays_linked(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}", "utf-8")
    (tmp_path / "jobs.json").symlink_to(tmp_path / "real.json")
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    manager.create(job())
    assert (tmp_path / "jobs.json").is_symlink()
    assert list(json.loads((tmp_path / "real.json").read_text("utf-8"))) == ["news"]


def test_parallel_changes_lose_nothing(manager: JobManager, tmp_path: Path) -> None:
    def create_and_remove(n: int) -> None:
        for i in range(5):
            manager.create(job(f"{n}-{i}"))
        manager.remove(f"{n}-0")

    threads = [threading.Thread(target=create_and_remove, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = {f"{n}-{i}" for n in range(8) for i in range(1, 5)}
    assert set(manager.jobs()) == set(on_disk(tmp_path)) == expected


def test_one_name_at_a_time_and_others_do_not_wait(manager: JobManager) -> None:
    order: list[str] = []

    def later() -> None:
        with manager.alone("a"):
            order.append("second")

    with manager.alone("a"):
        waiting = threading.Thread(target=later)
        waiting.start()
        with manager.alone("b"):
            order.append("other")
        order.append("first")
    waiting.join(10)
    assert order == ["other", "first", "second"]


# --- what should run ------------------------------------------------------------------------------------


def test_a_worker_for_each_job_and_channel(manager: JobManager) -> None:
    manager.create(job("a", telegramChannels=("https://t.me/Durov/9", "https://t.me/telegram"), threadId="5"))
    manager.create(job("b", embedColor="000000"))
    settings = read({"EMBED_COLOR": "89a7d9"})
    specs = manager.specs(settings)
    assert set(specs) == {("a", "durov"), ("a", "telegram"), ("b", "durov")}
    threaded = specs["a", "durov"]
    assert (threaded.script, threaded.channel.start, threaded.embed_color) == ("threadhook.py", 9, 0x89A7D9)
    assert (specs["b", "durov"].script, specs["b", "durov"].embed_color) == ("webhook.py", 0)
    assert specs == manager.specs(settings)


def test_no_colour_is_no_colour() -> None:
    assert [spec.embed_color for spec in worker_specs(job(), SETTINGS)] == [None]
