"""Jobs: what their fields accept, what jobs.json holds, and that no fault or race leaves half a change."""

from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config import read
from disgram.errors import BadInput, BadWebhookURL, JobExists, StartRefused, StorageUnavailable, UnknownJob
from disgram.storage.files.hand_edits import Edit
from jobs import Job, JobManager, changes, job_name, new_job, worker_specs

URL = "https://discord.com/api/webhooks/123/aToken"
SETTINGS = read({})


def job(name: str = "news", webhook_hosts: tuple[str, ...] = (), **changes: Any) -> Job:
    fields: dict[str, Any] = {"jobName": name, "webhookUrl": URL, "telegramChannels": ("https://t.me/durov",)}
    return Job.parse(fields | changes, webhook_hosts)


@pytest.fixture
def manager(tmp_path: Path) -> JobManager:
    return JobManager(tmp_path / "jobs.json")


def on_disk(folder: Path) -> Any:
    return json.loads((folder / "jobs.json").read_text("utf-8"))


# --- validation -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name", ["a", "x" * 100, "Новости 日本 أخبار", "👩‍👩‍👧 🏴󠁧󠁢󠁥󠁮󠁧󠁿", 'a/b [c] "d"', "می‌خواهم", "é", "e\u0301"]
)
def test_good_job_names(name: str) -> None:
    assert job_name(f" {name} ") == name


@pytest.mark.parametrize(
    "name",
    ["", "   ", "x" * 101, "a\nb", "a\x00", "a\x7f", "a\u2028b", "a\u202eb", "\u200d", "\ue000", "a\u200bb"],
)
def test_bad_job_names_are_refused(name: str) -> None:
    with pytest.raises(BadInput):
        job_name(name)


def test_channels_are_normalised_and_each_is_kept_once() -> None:
    typed = ["durov", " @Telegram/5", "t.me/s/DUROV/3", "", "https://telegram.me/telegram ", "news_1"]
    expected = ("https://t.me/durov", "https://t.me/Telegram/5", "https://t.me/news_1")
    assert job(telegramChannels=typed).telegramChannels == expected
    assert job(telegramChannels=",".join(typed)).telegramChannels == expected


@pytest.mark.parametrize(
    "typed",
    [
        [],
        [" ", ""],
        "",
        " , ",
        ["t.me/+abc"],
        ["t.me/joinchat/x"],
        ["t.me/c/x/2"],
        ["durov", "no no"],
        {},
        5,
        None,
        [f"channel{n}" for n in range(1001)],
    ],
)
def test_bad_channel_lists_are_refused(typed: object) -> None:
    with pytest.raises(BadInput):
        job(telegramChannels=typed)


@pytest.mark.parametrize(
    ("value", "color"),
    [
        ("", None),
        (" ", None),
        (None, None),
        ("89A7d9", "89a7d9"),
        ("#000000", "000000"),
        ("0xFFFFFF", "ffffff"),
        (0, "000000"),
        (0x89A7D9, "89a7d9"),
    ],
)
def test_colors_are_six_lower_case_digits(value: object, color: str | None) -> None:
    assert job(embedColor=value).embedColor == color


@pytest.mark.parametrize(
    "value", ["red", "#12345", "1234567", "-12345", "٣٣٣٣٣٣", -1, 0x1000000, True, 1.5, []]
)
def test_bad_colors_are_refused(value: object) -> None:
    with pytest.raises(BadInput, match=r"six hex digits|must be a string"):
        job(embedColor=value)


@pytest.mark.parametrize(("value", "thread"), [(" 123 ", "123"), (99, "99"), ("", None), (None, None)])
def test_thread_ids_are_text(value: object, thread: str | None) -> None:
    assert job(threadId=value).threadId == thread


@pytest.mark.parametrize(
    "value", ["9223372036854775808", "x", "1.5", "-1", "0", "1" * 21, "٣", 0, -1, True, 1.5, ["1"]]
)
def test_bad_thread_ids_are_refused(value: object) -> None:
    with pytest.raises(BadInput, match=r"is a number|must be a string"):
        job(threadId=value)


def test_webhooks_are_discords_or_of_an_allowed_host() -> None:
    assert job(webhookUrl=f" {URL} ").webhookUrl == URL
    own = "http://127.0.0.1:9/api/webhooks/1/t"
    assert job(webhookUrl=own, webhook_hosts=("127.0.0.1:9",)).webhookUrl == own
    for text in (
        own,
        URL + "?wait=true&x=1",
        URL + "?thread_id=x",
        URL + "?thread_id=1&thread_id=2",
        "http://discord.com/api/webhooks/1/t",
        "x",
        "",
        None,
    ):
        with pytest.raises(BadWebhookURL) as refusal:
            job(webhookUrl=text)
        assert "aToken" not in str(refusal.value)


def test_thread_in_a_webhook_url_becomes_the_thread_of_the_job() -> None:
    own = job(webhookUrl=f"{URL}?wait=true&thread_id=77")
    assert (own.webhookUrl, own.threadId) == (URL, "77")
    assert job(webhookUrl=f"{URL}?wait=true") == job(webhookUrl=f"{URL}?") == job()
    assert job(webhookUrl=f"{URL}?thread_id=77", threadId="5").threadId == "5"
    assert job(threadId="5").changed({"webhookUrl": f"{URL}?thread_id=77"}).threadId == "77"
    with pytest.raises(BadInput):
        job(webhookUrl=f"{URL}?thread_id=9223372036854775808")


def test_unknown_and_missing_fields_are_refused_by_name_without_a_value() -> None:
    with pytest.raises(BadInput) as unknown:
        job(colour="aToken")
    with pytest.raises(BadInput) as missing:
        Job.parse({"jobName": "news", "webhookUrl": URL})
    with pytest.raises(BadInput) as no_object:
        Job.parse(["aToken"])  # type: ignore[arg-type]
    assert [refusal.value.error for refusal in (unknown, missing, no_object)] == [
        "Invalid colour",
        "Invalid telegramChannels",
        "Invalid job",
    ]
    assert "aToken" not in f"{unknown.value}{missing.value}{no_object.value}"


def test_changed_job_keeps_its_other_fields_and_refuses_bad_values() -> None:
    own = job(webhookUrl="http://127.0.0.1:9/api/webhooks/1/t", webhook_hosts=("127.0.0.1:9",), threadId="5")
    changed = own.changed({"threadId": "", "telegramChannels": "@other"}, ("127.0.0.1:9",))
    assert changed == own.model_copy(update={"threadId": None, "telegramChannels": ("https://t.me/other",)})
    assert own.changed({"jobName": "other"}, ("127.0.0.1:9",)) == own
    with pytest.raises(BadInput):
        own.changed({"embedColor": "red"}, ("127.0.0.1:9",))


POST_HEADERS = {"JOB_NAME": "news", "DISCORD_WEBHOOK_URL": URL, "TELEGRAM_CHANNELS": "durov"}


def test_new_job_from_headers() -> None:
    assert new_job(POST_HEADERS | {"EMBED_COLOR": "", "POST_ID": "7"}, SETTINGS) == job()
    default = read({"DISCORD_WEBHOOK_URL": URL})
    assert new_job(POST_HEADERS | {"DISCORD_WEBHOOK_URL": ""}, default) == job()


@pytest.mark.parametrize("name", list(POST_HEADERS))
def test_new_job_names_the_header_that_is_missing(name: str) -> None:
    with pytest.raises(BadInput) as refusal:
        new_job(POST_HEADERS | {name: ""}, SETTINGS)
    assert refusal.value.error == f"Missing {name}"


def test_changes_are_the_fields_of_the_headers_sent() -> None:
    assert changes(POST_HEADERS | {"EMBED_COLOR": ""}) == {
        "webhookUrl": URL,
        "telegramChannels": "durov",
        "embedColor": "",
    }
    with pytest.raises(BadInput, match="at least one header"):
        changes({"JOB_NAME": "news", "POST_ID": "7"})


def test_masked_job_and_repr_hide_the_token() -> None:
    own = job(webhookUrl="http://127.0.0.1:9/api/webhooks/1/aToken", webhook_hosts=("127.0.0.1:9",))
    assert own.masked().webhookUrl == "http://127.0.0.1:9/api/webhooks/1/***"
    for one in (job(), own):
        assert "aToken" not in one.masked().model_dump_json()
        assert "aToken" not in repr(one)


# --- the store ------------------------------------------------------------------------------------------


def test_without_a_file_there_are_no_jobs(manager: JobManager, tmp_path: Path) -> None:
    manager.load()
    assert manager.jobs() == {}
    assert list(tmp_path.iterdir()) == []


def test_stored_jobs_are_loaded_again(manager: JobManager, tmp_path: Path) -> None:
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


def test_create_change_and_remove_a_job(manager: JobManager, tmp_path: Path) -> None:
    manager.create(job())
    with pytest.raises(JobExists):
        manager.create(job(threadId="5"))
    manager.change(job(threadId="7"))
    assert manager.get("news") == job(threadId="7")
    assert on_disk(tmp_path)["news"]["threadId"] == "7"
    manager.remove("news")
    assert on_disk(tmp_path) == {}
    for call in (manager.get, manager.remove, lambda name: manager.change(job(name))):
        with pytest.raises(UnknownJob):
            call("news")


def test_file_of_an_older_version_is_loaded(tmp_path: Path) -> None:
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
            "fieldOfANewerVersion": 1,
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
        (b'{\n"a": {"webhookUrl": "https://discord.com/api/webhooks/1/t", "telegramChannels": {}}}', 2),
        (b'{\n"a": {"webhookUrl": ["x"], "telegramChannels": ["durov"]}}', 2),
        (f'{{\n"a": {GOOD}}},\n" a ": {GOOD}}}\n}}'.encode(), 3),
        (f'{{\n" a ": {GOOD}}},\n"a": {GOOD}}}\n}}'.encode(), 3),
    ],
)
def test_damaged_file_refuses_the_start_and_is_left_alone(tmp_path: Path, content: bytes, line: int) -> None:
    path = tmp_path / "jobs.json"
    path.write_bytes(content)
    path.chmod(0o644)
    manager = JobManager(path)
    with pytest.raises(StartRefused) as refusal:
        manager.load()
    assert f"{path}, line {line}: " in str(refusal.value)
    assert "\n" not in str(refusal.value)
    assert "secretToken" not in str(refusal.value)
    assert ".. The" not in str(refusal.value)
    assert path.read_bytes() == content
    assert manager.jobs() == {}


@pytest.mark.parametrize("field", ["webhookUrl", "telegramChannels"])
def test_job_in_the_file_without_a_field_is_refused_by_its_name(tmp_path: Path, field: str) -> None:
    fields = {"webhookUrl": URL, "telegramChannels": ["durov"]}
    del fields[field]
    (tmp_path / "jobs.json").write_text(json.dumps({"a": fields}), "utf-8")
    said = f"line 1: job 'a': Invalid {field}: It is missing, and each job needs it[.] The file"
    with pytest.raises(StartRefused, match=said):
        JobManager(tmp_path / "jobs.json").load()


def old_file(tmp_path: Path) -> dict[str, Any]:
    """One job that runs between two that cannot."""
    good = {"jobName": "good", "webhookUrl": URL, "telegramChannels": ["durov"]}
    private = good | {"jobName": "private", "telegramChannels": ["https://t.me/+AbC", "@Telegram"], "new": 1}
    foreign = good | {"jobName": "foreign", "webhookUrl": "http://evil.example/api/webhooks/1/secretToken"}
    jobs = {"private": private, "good": good, "foreign": foreign}
    edit(tmp_path, jobs)
    return jobs


def test_fields_of_another_version_stay_in_the_file_when_jobs_change(tmp_path: Path) -> None:
    fields = {"webhookUrl": URL, "telegramChannels": ["durov"], "newer": {"x": [1]}, "note": None}
    edit(tmp_path, {"a": fields, " b ": fields, "c": fields})
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    manager.change(job("a", threadId="7"))
    manager.remove("c")
    manager.create(job("c"))
    written = on_disk(tmp_path)
    assert list(written) == ["a", "b", "c"]
    assert written["a"]["threadId"] == "7"
    kept = {"newer": {"x": [1]}, "note": None}
    assert written["a"] == manager.get("a").model_dump(mode="json") | kept
    assert written["b"] == manager.get("b").model_dump(mode="json") | kept
    assert written["c"] == manager.get("c").model_dump(mode="json")


def test_fields_of_another_version_written_by_hand_while_the_service_runs_stay_too(tmp_path: Path) -> None:
    manager = JobManager(tmp_path / "jobs.json")
    manager.create(job("a"))
    edit(tmp_path, {"a": on_disk(tmp_path)["a"] | {"newer": 1}})
    assert manager.take_over_edits() == [Edit()]
    manager.change(job("a", threadId="7"))
    assert on_disk(tmp_path)["a"]["newer"] == 1


def test_old_job_that_cannot_run_stops_no_other(tmp_path: Path) -> None:
    jobs = old_file(tmp_path)
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    assert (list(manager.jobs()), list(manager.unusable())) == (["good"], ["private", "foreign"])
    assert set(manager.specs(SETTINGS)) == {("good", "durov")}
    said = [str(one.error) for one in manager.unusable().values()]
    assert "Private channel: 'https://t.me/+AbC' is an invite link" in said[0]
    assert "Other hosts must be named in WEBHOOK_HOSTS. PATCH or DELETE it" in said[1]
    assert "secretToken" not in f"{said}{manager.unusable()}"
    with pytest.raises(BadInput, match="'private' cannot run"):
        manager.get("private")
    with pytest.raises(JobExists):
        manager.refuse_taken("foreign")
    manager.create(job("new"))
    written = on_disk(tmp_path)
    assert list(written) == ["private", "good", "foreign", "new"]
    assert (written["private"], written["foreign"]) == (jobs["private"], jobs["foreign"])


def test_job_that_cannot_run_is_mended_and_removed(tmp_path: Path) -> None:
    old_file(tmp_path)
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    broken = manager.entry("private")
    with pytest.raises(BadInput):
        broken.changed({"embedColor": "89a7d9"})
    mended = broken.changed({"telegramChannels": "telegram"})
    manager.change(mended)
    manager.remove("foreign")
    assert (manager.get("private"), manager.unusable()) == (mended, {})
    assert list(on_disk(tmp_path)) == ["private", "good"]


def test_hand_edit_may_leave_a_broken_job_as_it_is_but_not_add_one(tmp_path: Path) -> None:
    jobs = old_file(tmp_path)
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    edit(tmp_path, jobs | {"good": jobs["good"] | {"threadId": "7"}})
    assert manager.take_over_edits() == [Edit(("good",))]
    assert list(manager.unusable()) == ["private", "foreign"]
    edit(tmp_path, jobs | {"good": jobs["good"] | {"telegramChannels": ["t.me/+x"]}})
    (refused,) = manager.take_over_edits()
    assert "job 'good': Private channel" in str(refused.refusal)
    assert manager.get("good").threadId == "7"
    edit(tmp_path, jobs | {"private": jobs["private"] | {"telegramChannels": ["telegram"]}})
    assert manager.take_over_edits() == [Edit(("private", "good"))]
    assert list(manager.unusable()) == ["foreign"]


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"include": "(unclosed"}, "INCLUDE"),
        ({"exclude": ["a"]}, "EXCLUDE"),
        ({"kinds": "photo,-video"}, "KINDS"),
        ({"mention": "@someone"}, "MENTION"),
        ({"mentionIf": "x"}, "MENTION_IF"),
        ({"silent": "perhaps"}, "SILENT"),
        ({"cooldown": "300-60"}, "COOLDOWN"),
        ({"initialPosts": -1}, "INITIAL_POSTS"),
        ({"threadName": "{nothing}"}, "THREAD_NAME"),
        ({"threadName": "a", "threadId": "5"}, "THREAD_NAME"),
        ({"tags": "7"}, "TAGS"),
    ],
)
def test_bad_rule_written_by_hand_stops_its_job_alone(
    tmp_path: Path, rule: dict[str, object], said: str
) -> None:
    good = {"webhookUrl": URL, "telegramChannels": ["durov"]}
    edit(tmp_path, {"bad": good | rule, "good": good})
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    assert (list(manager.jobs()), list(manager.unusable())) == (["good"], ["bad"])
    assert f"Job 'bad' cannot run. Invalid {said}: " in str(manager.unusable()["bad"].error)
    bad = manager.entry("bad")
    mended = bad.changed(dict.fromkeys(rule, ""))
    assert mended == job("bad")
    assert set(rule) <= set(bad.differences(mended))


def test_bad_rule_written_by_hand_while_the_service_runs_is_refused(tmp_path: Path) -> None:
    good = {"webhookUrl": URL, "telegramChannels": ["durov"]}
    edit(tmp_path, {"a": good})
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    edit(tmp_path, {"a": good | {"include": "("}})
    (refused,) = manager.take_over_edits()
    assert "job 'a': Invalid INCLUDE" in str(refused.refusal)
    assert manager.get("a").include is None


def test_job_whose_key_has_spaces_around_it_is_known_by_its_name(tmp_path: Path) -> None:
    fields = {"webhookUrl": URL, "telegramChannels": ["durov"]}
    (tmp_path / "jobs.json").write_text(json.dumps({" a ": fields}), "utf-8")
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    assert {name: one.jobName for name, one in manager.jobs().items()} == {"a": "a"}


@given(st.binary(max_size=60))
def test_any_bytes_load_or_refuse_the_start(tmp_path_factory: pytest.TempPathFactory, content: bytes) -> None:
    path = tmp_path_factory.mktemp("jobs") / "jobs.json"
    path.write_bytes(content)
    manager = JobManager(path)
    try:
        manager.load()
    except StartRefused:
        assert path.read_bytes() == content


def test_folder_in_place_of_the_file_refuses_the_start(tmp_path: Path) -> None:
    (tmp_path / "jobs.json").mkdir()
    with pytest.raises(StartRefused):
        JobManager(tmp_path / "jobs.json").load()


def test_failed_write_changes_nothing(tmp_path: Path) -> None:
    """A folder where the fresh file would be written fails as a full or read-only disk does."""
    manager = JobManager(tmp_path / "jobs.json")
    manager.create(job())
    before = (tmp_path / "jobs.json").read_bytes()
    obstacle = tmp_path / ".jobs.json.tmp"
    obstacle.mkdir()
    with pytest.raises(StorageUnavailable):
        manager.create(job("other"))
    with pytest.raises(StorageUnavailable):
        manager.change(job(threadId="7"))
    with pytest.raises(StorageUnavailable):
        manager.remove("news")
    assert manager.jobs() == {"news": job()}
    assert (tmp_path / "jobs.json").read_bytes() == before
    obstacle.rmdir()
    manager.create(job("other"))
    assert list(on_disk(tmp_path)) == ["news", "other"]


def test_symbolic_link_to_the_file_is_kept(tmp_path: Path) -> None:
    (tmp_path / "real.json").write_text("{}", "utf-8")
    (tmp_path / "jobs.json").symlink_to(tmp_path / "real.json")
    manager = JobManager(tmp_path / "jobs.json")
    manager.load()
    manager.create(job())
    assert (tmp_path / "jobs.json").is_symlink()
    assert list(json.loads((tmp_path / "real.json").read_text("utf-8"))) == ["news"]


# --- a person's editor ----------------------------------------------------------------------------------


def edit(tmp_path: Path, jobs: dict[str, Any]) -> None:
    (tmp_path / "jobs.json").write_text(json.dumps(jobs), "utf-8")


def test_a_file_edited_by_hand_is_taken_over_with_what_changed(manager: JobManager, tmp_path: Path) -> None:
    for name in ("kept", "edited", "removed"):
        manager.create(job(name))
    assert manager.take_over_edits() == []
    jobs = on_disk(tmp_path)
    del jobs["removed"]
    jobs["edited"]["threadId"] = "7"
    edit(tmp_path, {**jobs, "added": job("added").model_dump(mode="json")})
    assert manager.take_over_edits() == [Edit(("edited", "added"), ("removed",))]
    assert list(manager.jobs()) == ["kept", "edited", "added"]
    assert manager.get("edited") == job("edited", threadId="7")
    assert manager.take_over_edits() == []


def test_a_change_keeps_what_was_edited_by_hand_before(manager: JobManager, tmp_path: Path) -> None:
    manager.create(job())
    edit(tmp_path, {"news": on_disk(tmp_path)["news"] | {"threadId": "7"}})
    with manager.exclusive("news"):
        manager.change(manager.get("news").changed({"embedColor": "89a7d9"}))
    assert on_disk(tmp_path)["news"]["threadId"] == "7"
    assert on_disk(tmp_path)["news"]["embedColor"] == "89a7d9"
    assert manager.take_over_edits() == [Edit(("news",))]


def test_an_edit_during_a_change_is_not_overwritten(manager: JobManager, tmp_path: Path) -> None:
    manager.create(job())
    with manager.exclusive("other"):
        edit(tmp_path, {"edited": on_disk(tmp_path)["news"]})
        with pytest.raises(StorageUnavailable, match="changed by hand"):
            manager.create(job("other"))
    manager.take_over_edits()
    assert list(manager.jobs()) == list(on_disk(tmp_path)) == ["edited"]


@pytest.mark.parametrize("content", ["{", "", "[]", '{"news": {}}'])
def test_an_unusable_edit_is_refused_and_left_alone(
    manager: JobManager, tmp_path: Path, content: str
) -> None:
    manager.create(job())
    good = (tmp_path / "jobs.json").read_text("utf-8")
    (tmp_path / "jobs.json").write_text(content, "utf-8")
    (found,) = manager.take_over_edits()
    assert found.refusal == manager.problem
    assert "line 1" in str(manager.problem)
    with pytest.raises(StorageUnavailable, match="changed by hand"), manager.exclusive("other"):
        pass
    with pytest.raises(StorageUnavailable, match="changed by hand"):
        manager.create(job("other"))
    assert manager.jobs() == {"news": job()}
    assert (tmp_path / "jobs.json").read_text("utf-8") == content
    (tmp_path / "jobs.json").write_text(good, "utf-8")
    assert manager.take_over_edits() == [Edit()]
    assert manager.problem is None


@pytest.mark.parametrize(("make", "kind"), [(Path.mkdir, "a folder"), (os.mkfifo, "a FIFO")])
def test_a_folder_or_fifo_in_place_of_the_file_is_named_once_and_no_job_ends(
    manager: JobManager, tmp_path: Path, make: Callable[[Path], None], kind: str
) -> None:
    manager.create(job())
    path = tmp_path / "jobs.json"
    away = path.rename(tmp_path / "away.json")
    make(path)
    (found,) = manager.take_over_edits()
    assert found.refusal == manager.problem
    assert f"{kind}, and must be a file" in str(found.refusal)
    assert manager.take_over_edits() == []
    with pytest.raises(StorageUnavailable, match=f"{kind}, and must be a file.*Until then"):
        manager.create(job("other"))
    assert manager.jobs() == {"news": job()}
    path.rename(tmp_path / "obstacle")
    away.rename(path)
    assert manager.take_over_edits() == [Edit()]
    assert manager.problem is None
    manager.create(job("other"))
    assert list(on_disk(tmp_path)) == ["news", "other"]


def test_a_file_that_disappears_ends_no_job_and_is_written_anew(manager: JobManager, tmp_path: Path) -> None:
    manager.create(job())
    (tmp_path / "jobs.json").unlink()
    assert [found.refusal for found in manager.take_over_edits()] == [manager.problem]
    assert "removed" in str(manager.problem)
    manager.create(job("other"))
    assert list(on_disk(tmp_path)) == ["news", "other"]
    assert manager.problem is None


# --- a file that cannot be renamed over -----------------------------------------------------------------


@pytest.fixture
def mounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """jobs.json is a mount of its own, as Docker makes it for a single file."""

    def busy(self: Path, target: Path) -> Path:
        raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(target))

    monkeypatch.setattr(Path, "replace", busy)


def test_a_mounted_file_is_written_in_place(mounted: None, tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    path.write_text("{}", "utf-8")
    inode = path.stat().st_ino
    manager = JobManager(path)
    manager.load()
    manager.create(job())
    manager.create(job("a much longer name"))
    manager.remove("a much longer name")
    assert list(on_disk(tmp_path)) == ["news"]
    assert not path.read_text("utf-8").endswith(" ")
    assert path.stat().st_ino == inode
    assert list(tmp_path.iterdir()) == [path]
    assert manager.take_over_edits() == []


def test_a_mounted_file_keeps_its_content_when_the_disk_is_full(
    mounted: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "jobs.json"
    path.write_text("{}", "utf-8")
    manager = JobManager(path)
    manager.load()
    write = os.pwrite
    monkeypatch.setattr(os, "pwrite", lambda fd, content, at: write(fd, content[:50], at))
    with pytest.raises(StorageUnavailable, match="No space left"):
        manager.create(job())
    assert path.read_text("utf-8") == "{}"
    assert manager.jobs() == {}


def test_parallel_changes_are_all_kept(manager: JobManager, tmp_path: Path) -> None:
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


def test_exclusive_blocks_the_same_name_only(manager: JobManager) -> None:
    order: list[str] = []

    def later() -> None:
        with manager.exclusive("a"):
            order.append("second")

    with manager.exclusive("a"):
        waiting = threading.Thread(target=later)
        waiting.start()
        with manager.exclusive("b"):
            order.append("other")
        order.append("first")
    waiting.join(10)
    assert order == ["other", "first", "second"]


# --- what should run ------------------------------------------------------------------------------------


def test_specs_has_a_worker_for_each_job_and_channel(manager: JobManager) -> None:
    manager.create(job("a", telegramChannels=("https://t.me/Durov/9", "https://t.me/telegram"), threadId="5"))
    manager.create(job("b", embedColor="000000"))
    settings = read({"EMBED_COLOR": "89a7d9"})
    specs = manager.specs(settings)
    assert set(specs) == {("a", "durov"), ("a", "telegram"), ("b", "durov")}
    threaded = specs["a", "durov"]
    assert (threaded.script, threaded.channel.start, threaded.embed_color) == ("threadhook.py", 9, 0x89A7D9)
    assert (specs["b", "durov"].script, specs["b", "durov"].embed_color) == ("webhook.py", 0)
    assert specs == manager.specs(settings)


def test_worker_without_any_colour_setting_has_none() -> None:
    assert [spec.embed_color for spec in worker_specs(job(), SETTINGS)] == [None]
