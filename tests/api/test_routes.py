"""Every route, header rule and status code of the API, in process over fake workers."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from disgram.api.headers import JOB_FIELDS
from disgram.logs.log_file import MAX_READERS
from disgram.workers.spec import WorkerState
from main import check_process_health
from tests.builders.api_calls import AUTH, MASKED, NEWS, URL, Api, log_of, serving


@pytest.fixture
def api(tmp_path: Path) -> Iterator[Api]:
    with serving(tmp_path) as api:
        yield api


# --- jobs -----------------------------------------------------------------------------------------------


def test_job_is_created_changed_and_deleted(api: Api, tmp_path: Path) -> None:
    made = api.post(EMBED_COLOR="#89A7D9", DISCORD_THREAD_ID="99")
    assert made.status_code == 201
    shown = {
        "jobName": "news",
        "webhookUrl": MASKED,
        "telegramChannels": ["https://t.me/durov", "https://t.me/telegram/5"],
        "threadId": "99",
        "embedColor": "89a7d9",
    }
    assert made.json() == {
        "message": "Job 'news' created; posts go to the thread 99 of the channel 77 (webhook 'Captain')",
        "job": shown,
        "webhook": {"name": "Captain", "channel_id": "77", "guild_id": "99", "thread_id": "99"},
    }
    assert json.loads((tmp_path / "jobs.json").read_text("utf-8")) == {"news": shown | {"webhookUrl": URL}}
    assert api("GET", "/jobs").json() == {"news": shown}
    assert api("GET", "/jobs", AUTH, secret=True).json() == {"news": shown | {"webhookUrl": URL}}

    changed = api(
        "PATCH", "/job", AUTH | {"JOB_NAME": "news", "EMBED_COLOR": "", "TELEGRAM_CHANNELS": "durov"}
    )
    assert changed.status_code == 200
    assert changed.json()["job"] == shown | {"embedColor": None, "telegramChannels": ["https://t.me/durov"]}
    assert api.supervisor.revived == ["news"]
    assert len(check_process_health(api.service, "news")) == 1

    gone = api("DELETE", "/job", AUTH | {"JOB_NAME": "news"})
    assert (gone.status_code, gone.json()) == (200, {"message": "Job 'news' deleted"})
    assert api.ledger.forgotten == ["news"]
    assert check_process_health(api.service, "news") == ()
    assert api("GET", "/jobs").json() == {}
    log = log_of(api)
    for text in (
        "[SYSTEM] [news] Job created",
        "[news] Job changed: telegramChannels, embedColor",
        "Job deleted",
    ):
        assert text in log
    assert "secretToken" not in log


@pytest.mark.parametrize(
    "names",
    [
        ["JOB_NAME", "DISCORD_WEBHOOK_URL", "TELEGRAM_CHANNELS"],
        ["Job-Name", "Discord-Webhook-Url", "telegram-channels"],
        ["job_name", "DISCORD-WEBHOOK_URL", "tElEgRaM_cHaNnElS"],
    ],
)
def test_header_names_with_dashes_underscores_and_any_case(api: Api, names: list[str]) -> None:
    assert api("POST", "/job", AUTH | dict(zip(names, NEWS.values(), strict=True))).status_code == 201


@pytest.mark.parametrize("name", ["Новости", '日本 [x] "y"', "👩‍👩‍👧", "a/b?c&d#e%41"])
def test_header_values_are_utf8(api: Api, name: str) -> None:
    headers = {key.encode(): value.encode() for key, value in (AUTH | NEWS | {"JOB_NAME": name}).items()}
    assert api("POST", "/job", headers).json()["job"]["jobName"] == name
    assert list(api("GET", "/jobs").json()) == [name]
    assert api("GET", "/health", {b"Job-Name": name.encode()}).json()["job_name"] == name
    assert api("GET", "/logs", {b"Job-Name": name.encode()}).status_code == 200
    assert (
        api("DELETE", "/job", {b"JOB_NAME": name.encode(), b"Authorization": b"Bearer hunter22"}).status_code
        == 200
    )


def test_header_value_that_is_not_utf8_is_refused(api: Api) -> None:
    assert api("GET", "/health", {b"JOB_NAME": b"caf\xe9"}).status_code == 400


@pytest.mark.parametrize(
    "changes",
    [
        {"JOB_NAME": ""},
        {"JOB_NAME": "x" * 101},
        {"DISCORD_WEBHOOK_URL": ""},
        {"DISCORD_WEBHOOK_URL": "https://evil.example/api/webhooks/1/secretToken"},
        {"DISCORD_WEBHOOK_URL": "http://discord.com/api/webhooks/1/secretToken"},
        {"DISCORD_WEBHOOK_URL": "https://discord.com@evil.example/api/webhooks/1/secretToken"},
        {"TELEGRAM_CHANNELS": ""},
        {"TELEGRAM_CHANNELS": " , ,"},
        {"TELEGRAM_CHANNELS": "durov,https://t.me/+secret"},
        {"TELEGRAM_CHANNELS": "t.me/joinchat/x"},
        {"TELEGRAM_CHANNELS": "https://t.me/c/12/3"},
        {"TELEGRAM_CHANNELS": "durov/0"},
        {"EMBED_COLOR": "red"},
        {"DISCORD_THREAD_ID": "a"},
    ],
)
def test_bad_header_values_are_refused_and_change_nothing(
    api: Api, changes: dict[str, str], tmp_path: Path
) -> None:
    assert api.post(**changes).status_code == 400
    assert not (tmp_path / "jobs.json").exists()
    api.post()
    if list(changes) != ["JOB_NAME"] and any(changes.values()):
        assert api("PATCH", "/job", AUTH | {"JOB_NAME": "news"} | changes).status_code == 400


@pytest.mark.parametrize("missing", list(NEWS))
def test_missing_header_is_named(api: Api, missing: str) -> None:
    answer = api("POST", "/job", AUTH | {name: value for name, value in NEWS.items() if name != missing})
    assert answer.status_code == 400
    assert missing in answer.json()["detail"]["error"]


def test_repeated_header_is_refused(api: Api) -> None:
    headers = [*(AUTH | NEWS).items(), ("Job-Name", "news")]
    assert api("POST", "/job", headers).status_code == 400


def test_webhook_of_the_environment_is_the_default(tmp_path: Path) -> None:
    own = "http://127.0.0.1:9/api/webhooks/123/secretToken"
    with serving(tmp_path, DISCORD_WEBHOOK_URL=own, WEBHOOK_HOSTS="127.0.0.1:9") as api:
        answer = api(
            "POST", "/job", AUTH | {"JOB_NAME": "a", "TELEGRAM_CHANNELS": "durov", "DISCORD_WEBHOOK_URL": ""}
        )
        assert answer.json()["job"]["webhookUrl"] == "http://127.0.0.1:9/api/webhooks/123/***"
        assert api.service.jobs.get("a").webhookUrl == own


def test_default_webhook_that_is_none_is_warned_of_and_refused_where_it_is_needed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    job = {"JOB_NAME": "a", "TELEGRAM_CHANNELS": "durov"}
    with serving(tmp_path, DISCORD_WEBHOOK_URL="https://discord.com/api/webhooks/YOUR_ID/aSecretOne") as api:
        refused = api("POST", "/job", AUTH | job)
        accepted = api("POST", "/job", AUTH | NEWS | job)
        log = api("GET", "/logs", AUTH).text
    (warning,) = [line for line in capsys.readouterr().err.splitlines() if "DISCORD_WEBHOOK_URL" in line]
    assert (refused.status_code, accepted.status_code) == (400, 201)
    assert refused.json()["detail"]["error"] == "Invalid DISCORD_WEBHOOK_URL"
    assert log.count("Invalid DISCORD_WEBHOOK_URL: ") == 1
    assert not any("aSecretOne" in text for text in (warning, refused.text, log))


def test_taken_and_unknown_job_names(api: Api) -> None:
    assert api.post().status_code == 201
    assert api.post().status_code == 409
    other = {"JOB_NAME": "other", "EMBED_COLOR": "89a7d9"}
    assert api("PATCH", "/job", AUTH | other).status_code == 404
    assert api("DELETE", "/job", AUTH | other).status_code == 404
    assert api("GET", "/health", other).status_code == 404
    assert api("GET", "/logs", other).status_code == 404
    assert api("PATCH", "/job", AUTH | {"JOB_NAME": "news"}).status_code == 400


def test_new_job_of_a_name_waits_for_the_deletion_of_the_old_one(api: Api) -> None:
    """A job created anew while the old one is still ending must not lose its progress to the deletion."""
    api.post()
    api.supervisor.may_end.clear()
    with ThreadPoolExecutor() as pool:
        deletion = pool.submit(api, "DELETE", "/job", AUTH | {"JOB_NAME": "news"})
        while "news" in api.service.jobs.jobs():
            pass
        creation = pool.submit(api.post)
        assert api("GET", "/jobs").json() == {}
        assert not deletion.done()
        api.supervisor.may_end.set()
        assert deletion.result(10).status_code == 200
        assert creation.result(10).status_code == 201
    assert api.ledger.forgotten == ["news"]
    assert list(api("GET", "/jobs").json()) == ["news"]


def test_deletion_answers_503_when_processes_do_not_end(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("routes.jobs._GONE_WITHIN", 0.01)
    api.post()
    api.supervisor.may_end.clear()
    assert api("DELETE", "/job", AUTH | {"JOB_NAME": "news"}).status_code == 503
    assert api("GET", "/jobs").json() == {}
    assert api.ledger.forgotten == ["news"]


def test_unwritable_jobs_file_answers_503_and_changes_nothing(api: Api, tmp_path: Path) -> None:
    api.post()
    before = (tmp_path / "jobs.json").read_bytes()
    (tmp_path / ".jobs.json.tmp").mkdir()
    answers = [
        api.post(JOB_NAME="other"),
        api("PATCH", "/job", AUTH | {"JOB_NAME": "news", "EMBED_COLOR": "89a7d9"}),
        api("DELETE", "/job", AUTH | {"JOB_NAME": "news"}),
    ]
    assert [answer.status_code for answer in answers] == [503] * 3
    assert (tmp_path / "jobs.json").read_bytes() == before
    assert list(api("GET", "/jobs").json()) == ["news"]
    assert len(check_process_health(api.service, "news")) == 2


def test_unwritable_ledger_answers_503_and_changes_nothing(api: Api, tmp_path: Path) -> None:
    """The disk filled up after jobs.json was last written."""
    api.post()
    before = (tmp_path / "jobs.json").read_bytes()
    api.ledger.full = True
    assert api.post(JOB_NAME="other").status_code == 503
    patched = api("PATCH", "/job", AUTH | {"JOB_NAME": "news", "EMBED_COLOR": "89a7d9"})
    assert patched.status_code == 503
    assert (tmp_path / "jobs.json").read_bytes() == before
    assert list(api("GET", "/jobs").json()) == ["news"]
    assert api.post().status_code == 409
    deleted = api("DELETE", "/job", AUTH | {"JOB_NAME": "news"})
    assert deleted.status_code == 503
    assert "is deleted, but its progress is not" in deleted.json()["detail"]["message"]
    assert api("GET", "/jobs").json() == {}


def test_parallel_requests_for_many_jobs(api: Api, tmp_path: Path) -> None:
    def live(n: int) -> list[int]:
        name = {"JOB_NAME": f"job{n}"}
        calls = [
            api("POST", "/job", AUTH | NEWS | name),
            api("PATCH", "/job", AUTH | name | {"EMBED_COLOR": "89a7d9"}),
            api("GET", "/health", name),
        ]
        if n % 2:
            calls.append(api("DELETE", "/job", AUTH | name))
        return [call.status_code for call in calls]

    with ThreadPoolExecutor(20) as pool:
        codes = list(pool.map(live, range(20)))
    assert codes == [[201, 200, 200] + [200] * (n % 2) for n in range(20)]
    left = {f"job{n}" for n in range(0, 20, 2)}
    assert set(json.loads((tmp_path / "jobs.json").read_text("utf-8"))) == left
    assert {worker.job for worker in api.supervisor.snapshot().workers} == left


# --- access ---------------------------------------------------------------------------------------------

GUARDED = [
    ("POST", "/job"),
    ("PATCH", "/job"),
    ("DELETE", "/job"),
    ("POST", "/jobs"),
    ("POST", "/job/pause"),
    ("POST", "/job/resume"),
    ("POST", "/job/test"),
    ("GET", "/job/failed"),
    ("DELETE", "/job/failed"),
    ("POST", "/job/retry"),
    ("GET", "/job/preview"),
    ("GET", "/job/explain"),
]


@pytest.mark.parametrize(("method", "path"), GUARDED)
def test_guarded_routes_refuse_missing_and_wrong_tokens(api: Api, method: str, path: str) -> None:
    for headers in ({}, {"Authorization": "Basic x"}, {"Authorization": "Bearer"}):
        answer = api(method, path, headers)
        assert (answer.status_code, answer.headers["WWW-Authenticate"]) == (401, "Bearer")
    assert api(method, path, {"Authorization": "Bearer wrong"}).status_code == 403
    assert "[SYSTEM] Login refused for 127.0.0.1" in log_of(api)


def test_repeated_wrong_tokens_are_answered_429(api: Api) -> None:
    wrong = {"Authorization": "Bearer wrong"}
    codes = [api("POST", "/job", wrong).status_code for _ in range(12)]
    assert codes == [403] * 10 + [429] * 2
    answer = api("POST", "/job", wrong)
    assert int(answer.headers["Retry-After"]) >= 1
    assert api("GET", "/health").status_code == 200


def test_many_requests_without_a_token_are_few_lines_of_the_log(tmp_path: Path) -> None:
    with serving(tmp_path) as api:
        codes = [api("POST", "/job").status_code for _ in range(300)]
        assert codes[:12] == [401] * 10 + [429] * 2
        assert api.post().status_code == 201
    log = (tmp_path / "Disgram.log").read_text("utf-8")
    lines = codes.count(401)  # after each wait one more
    assert log.count("Login refused for 127.0.0.1") == lines < 30
    assert log.count(f" {300 - lines} more logins were refused") == 1


def test_trusted_proxy_names_the_client(tmp_path: Path) -> None:
    with serving(tmp_path, TRUSTED_PROXIES="127.0.0.1") as api:
        for _ in range(12):
            api("POST", "/job", {"Authorization": "Bearer x", "X-Forwarded-For": "198.51.100.1, 203.0.113.9"})
        assert "Login refused for 203.0.113.9" in log_of(api)
        assert api("POST", "/job", AUTH | NEWS | {"X-Forwarded-For": "203.0.113.9"}).status_code == 429
        assert api("POST", "/job", AUTH | NEWS | {"X-Forwarded-For": "203.0.113.10"}).status_code == 201


def test_default_password_is_refused_from_other_hosts(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    default = {"Authorization": "Bearer disgram_default_password_change_me"}
    with serving(tmp_path, peer="192.0.2.1", AUTH_PASSWORD="") as api:
        assert api("POST", "/job", default | NEWS).status_code == 403
    assert "published default" in capsys.readouterr().err
    with serving(tmp_path, AUTH_PASSWORD="") as api:
        assert api("POST", "/job", default | NEWS).status_code == 201


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:5000", "", "127.0.0.1.evil.example", "localhost@x"]
)
def test_default_password_is_never_served_under_a_foreign_host_name(tmp_path: Path, host: str) -> None:
    """A web page's own name that points to loopback: the browser takes the service for that page's."""
    default = {"Authorization": "Bearer disgram_default_password_change_me"}
    with serving(tmp_path, AUTH_PASSWORD="") as api:
        for method, path in (("GET", "/jobs"), ("POST", "/job"), ("GET", "/docs"), ("HEAD", "/health")):
            assert api.raw(method, path, default | NEWS | {"Host": host}).status_code == 403
        assert "set AUTH_PASSWORD" in api("GET", "/jobs", {"Host": host}).text


@pytest.mark.parametrize(
    "host", ["localhost", "LocalHost:5000", "127.0.0.1:80", "127.0.0.1", "[::1]", "[::1]:5000"]
)
def test_default_password_is_served_under_the_names_of_this_machine(tmp_path: Path, host: str) -> None:
    with serving(tmp_path, AUTH_PASSWORD="") as api:
        assert api("GET", "/jobs", {"Host": host}).status_code == 200


def test_own_password_is_served_under_any_host_name(api: Api) -> None:
    assert api("GET", "/jobs", {"Host": "disgram.example"}).status_code == 200


def test_default_password_is_served_under_the_loopback_address_of_host(tmp_path: Path) -> None:
    with serving(tmp_path, AUTH_PASSWORD="", HOST="127.0.0.2") as api:
        assert api("GET", "/jobs", {"Host": "127.0.0.2:5000"}).status_code == 200


def test_reads_need_no_token_but_refuse_a_wrong_one(api: Api) -> None:
    for path in ("/", "/health", "/logs", "/jobs"):
        assert api("GET", path).status_code == 200
        assert api("GET", path, {"Authorization": "Basic eDp5"}).status_code == 200
    assert api("GET", "/jobs", {"Authorization": "Bearer wrong"}).status_code == 403


def test_protect_reads_asks_for_the_token(tmp_path: Path) -> None:
    with serving(tmp_path, PROTECT_READS="true") as api:
        api.post()
        assert api("GET", "/health").json() == {"status": "healthy"}
        for path, headers in (("/logs", {}), ("/jobs", {}), ("/health", {"JOB_NAME": "news"})):
            assert api("GET", path, headers).status_code == 401
            assert api("GET", path, headers | {"Authorization": "Bearer x"}).status_code == 403
            assert api("GET", path, AUTH | headers, secret=path == "/jobs").status_code == 200
        assert "processes" in api("GET", "/health", AUTH).json()


# --- reading --------------------------------------------------------------------------------------------


def test_root_says_what_this_is(api: Api) -> None:
    api.post()
    answer = api("GET", "/").json()
    assert {name: answer[name] for name in ("name", "status", "jobs", "docs", "health", "logs")} == {
        "name": "Disgram",
        "status": "healthy",
        "jobs": 1,
        "docs": "/docs",
        "health": "/health",
        "logs": "/logs",
    }
    assert answer["uptime_minutes"] >= 0
    assert answer["version"]


def test_health_of_the_service_and_of_one_job(api: Api) -> None:
    assert api("GET", "/health").json()["status"] == "healthy"
    api.post()
    answer = api("GET", "/health").json()
    assert (answer["status"], answer["processes"]) == ("healthy", {"total": 2, "running": 2})
    assert answer["rate_limiting"]["active_buckets"] == 1
    api.supervisor.becomes("news", state=WorkerState.FAILED, reason="webhook_gone")
    assert (api("GET", "/health").status_code, api("GET", "/health").json()["status"]) == (503, "unhealthy")
    one = api("GET", "/health", {"JOB_NAME": "news"})
    assert (one.status_code, one.json()["configuration"]["webhook_url"]) == (503, MASKED)
    assert {worker["reason"] for worker in one.json()["workers"]} == {"webhook_gone"}


def test_logs_by_job_level_and_number_of_lines(api: Api) -> None:
    api.post()
    api.post(JOB_NAME="x] [ERROR")
    answer = api("GET", "/logs")
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"
    heading, _, lines = answer.text.partition("\n" + "=" * 80 + "\n")
    assert heading.startswith("Disgram")
    assert "started" in lines.splitlines()[0]
    assert lines.splitlines()[-1].endswith("Job created, 2 channels")
    one = api("GET", "/logs?lines=1&level=SYSTEM", {"JOB_NAME": "news"}).text.splitlines()
    assert len(one) == 4
    assert "[SYSTEM] [news] Job created" in one[-1]
    assert api("GET", "/logs?level=ERROR").text.splitlines()[-1] == "=" * 80
    several = api("GET", "/logs?level=error,system").text.splitlines()
    assert "level: ERROR, SYSTEM" in several[1]
    assert several[-1].endswith("Job created, 2 channels")


def test_every_descriptor_of_a_log_answer_is_closed_at_its_end(api: Api) -> None:
    for _ in range(2 * MAX_READERS):
        assert api("GET", "/logs").status_code == 200
        assert api.raw("HEAD", "/logs").status_code == 200


def test_too_many_readers_of_the_log_are_told_to_come_back(api: Api) -> None:
    with ExitStack() as readers:
        for _ in range(MAX_READERS):
            readers.enter_context(api.service.log.tail(1))
        refused = api("GET", "/logs")
        assert (refused.status_code, "again" in refused.text) == (503, True)
    assert api("GET", "/logs").status_code == 200


BAD_LINES = ["0", "100001", "-1", "x", "", "1.5", "%D9%A3", "1&lines=2", "9" * 5000]
BAD_LEVELS = ["", "DEBUG", "ERROR,", "ERROR,DEBUG", "ERROR&level=INFO"]


@pytest.mark.parametrize("query", [f"lines={v}" for v in BAD_LINES] + [f"level={v}" for v in BAD_LEVELS])
def test_bad_log_queries_are_refused(api: Api, query: str) -> None:
    assert api("GET", f"/logs?{query}").status_code == 400


def test_channels_that_cannot_be_polled_in_time_are_a_warning_also_after_a_change(api: Api) -> None:
    """Two a second are allowed. A COOLDOWN of a job's own counts, and what is paused does not."""
    slow = "polls a second, more than TELEGRAM_REQUESTS_PER_SECOND"
    news = {"jobName": "news"}
    api.post(COOLDOWN="1-5")
    assert slow not in log_of(api)
    api.json("PATCH", "/job", news | {"cooldown": "0.5"})
    assert f"2 channels would need 4 {slow}" in log_of(api)
    api.json("PATCH", "/job", news | {"cooldown": "0.4", "paused": True})
    api.json("PATCH", "/job", news | {"embedColor": "89a7d9"})
    assert log_of(api).count(slow) == 1
    api.json("PATCH", "/job", news | {"paused": None})
    assert log_of(api).count(slow) == 2


def test_failed_posts_are_listed_and_retried(api: Api) -> None:
    api.post()
    posts = [
        {
            "job": job,
            "channel": "durov",
            "post_id": n,
            "reason": "refused",
            "at": 1772366400.5,
            "payload": "{}",
        }
        for job, n in (("news", 1), ("news", 2), ("gone", 3))
    ]
    api.ledger.posts = list(posts)
    shown = [
        post
        | {"url": f"https://t.me/durov/{post['post_id']}", "at": "2026-03-01T12:00:00+00:00"}
        | {"payload": {}}
        for post in posts
    ]
    assert api("GET", "/job/failed", AUTH).json() == {"failed": shown}
    assert api("GET", "/job/failed", AUTH | {"JOB_NAME": "news"}).json() == {"failed": shown[:2]}
    assert api("GET", "/job/failed", AUTH | {"JOB_NAME": "gone"}).status_code == 404
    retry = AUTH | {"JOB_NAME": "news"}
    assert api("POST", "/job/retry", AUTH).status_code == 400
    assert api("POST", "/job/retry", AUTH | {"JOB_NAME": "gone"}).status_code == 404
    assert api("POST", "/job/retry", retry | {"POST_ID": "x"}).status_code == 400
    assert api("POST", "/job/retry", retry | {"POST_ID": "9"}).status_code == 404
    assert api("POST", "/job/retry", retry | {"POST-ID": "2"}).json()["retried"] == 1
    assert api("POST", "/job/retry", retry).json()["retried"] == 1
    assert api.ledger.posts == posts[2:]
    assert api.supervisor.revived == ["news", "news"]


def test_failed_post_of_a_channel_the_job_does_not_forward_any_more_stays_listed(api: Api) -> None:
    api.post()
    post = {"job": "news", "channel": "left", "post_id": 7, "reason": "no", "at": 0.0, "payload": None}
    api.ledger.posts = [post]
    retry = AUTH | {"JOB_NAME": "news"}
    assert api("POST", "/job/retry", retry).json()["retried"] == 0
    refused = api("POST", "/job/retry", retry | {"POST_ID": "7"})
    assert refused.status_code == 404
    assert "no failed post 7 of a channel it forwards" in refused.json()["detail"]["message"]
    assert [one["post_id"] for one in api("GET", "/job/failed", AUTH).json()["failed"]] == [7]
    assert api("DELETE", "/job/failed", retry).json()["dismissed"] == 1


def test_failed_posts_are_listed_up_to_the_number_that_is_asked_for(api: Api) -> None:
    """Each comes with all that Discord refused: 5,000 were 140 MB, of which the dashboard shows fifty."""
    api.post()
    post = {"job": "news", "channel": "durov", "reason": "no", "at": 0.0, "payload": None}
    api.ledger.posts = [post | {"post_id": number} for number in range(1, 9)]
    listed = api("GET", "/job/failed?most=3", AUTH).json()["failed"]
    assert [one["post_id"] for one in listed] == [1, 2, 3]
    for wrong in ("0", "-1", "x", "1.5", "1234567", "3&most=4"):
        assert api("GET", f"/job/failed?most={wrong}", AUTH).status_code == 400


def test_failed_posts_are_dismissed(api: Api) -> None:
    api.post()
    post = {"channel": "durov", "reason": "refused", "at": 0.0, "payload": None}
    api.ledger.posts = [post | {"job": "news", "post_id": number} for number in (1, 2, 3)]
    own = AUTH | {"JOB_NAME": "news"}
    assert api("DELETE", "/job/failed", AUTH).status_code == 400
    assert api("DELETE", "/job/failed", own | {"POST_ID": "9"}).status_code == 404
    assert api("DELETE", "/job/failed", own | {"JOB_NAME": "gone"}).status_code == 404
    one = api("DELETE", "/job/failed", own | {"POST_ID": "2"}).json()
    assert one == {"message": "1 failed post dismissed", "dismissed": 1}
    assert [post["post_id"] for post in api.ledger.posts] == [1, 3]
    assert api("DELETE", "/job/failed", own).json()["dismissed"] == 2
    assert api("DELETE", "/job/failed", own).json()["dismissed"] == 0
    assert api.supervisor.revived == []


def test_unknown_paths_and_wrong_methods(api: Api) -> None:
    assert api("GET", "/nothing").status_code == 404
    assert api("GET", "/jobs/").status_code == 404
    assert api("GET", "/assets/../main.py").status_code == 404
    refused = api("GET", "/job")
    assert (refused.status_code, refused.headers["Allow"]) == (405, "DELETE, PATCH, POST")
    assert api("DELETE", "/health").headers["Allow"] == "GET, HEAD"
    assert api("OPTIONS", "/job").status_code == 405


def test_request_of_two_lengths_is_refused_and_its_connection_closed(api: Api) -> None:
    answer = api("POST", "/job", AUTH | NEWS | {"Content-Length": "0", "Transfer-Encoding": "chunked"})
    assert (answer.status_code, answer.headers["Connection"]) == (400, "close")
    assert api("GET", "/jobs").json() == {}


@pytest.mark.parametrize("path", ["/", "/health", "/logs", "/jobs", "/docs", "/redoc", "/openapi.json"])
def test_head_answers_like_get_without_a_body(api: Api, path: str) -> None:
    answer = api.raw("HEAD", path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert path == "/logs" or int(answer.headers["content-length"]) > 0  # its length is not known beforehand
    assert api.raw("HEAD", "/job").status_code == 405


def test_more_channels_than_the_request_rate_allows_are_logged(tmp_path: Path) -> None:
    with serving(tmp_path, COOLDOWN="1", TELEGRAM_REQUESTS_PER_SECOND="1") as api:
        api.post()
        assert "[STATUS] 2 channels would need 2 polls a second" in log_of(api)


def test_each_address_adds_its_pace_to_the_request_rate(tmp_path: Path) -> None:
    four, three = "192.0.2.1,192.0.2.2,192.0.2.3,192.0.2.4", "192.0.2.1,192.0.2.2,192.0.2.3"
    with serving(tmp_path, COOLDOWN="1", TELEGRAM_REQUESTS_PER_SECOND="0.5", TELEGRAM_EGRESS=four) as api:
        api.post()
        assert "polls a second" not in log_of(api)
    with serving(tmp_path, COOLDOWN="1", TELEGRAM_REQUESTS_PER_SECOND="0.5", TELEGRAM_EGRESS=three) as api:
        assert "more than TELEGRAM_REQUESTS_PER_SECOND through 3 addresses" in log_of(api)


def test_unexpected_exception_has_the_form_of_an_error(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail() -> None:
        raise RuntimeError("secretToken")

    monkeypatch.setattr(api.supervisor, "snapshot", fail)
    answer = api.raw("GET", "/health")
    assert (answer.status_code, set(answer.json()["detail"])) == (500, {"error", "message"})
    assert "secretToken" not in answer.text


# --- the document ---------------------------------------------------------------------------------------


def test_openapi_document_describes_security_and_answers(api: Api) -> None:
    document = api("GET", "/openapi.json").json()
    assert "422" not in json.dumps(document)
    assert "HTTPValidationError" not in json.dumps(document)
    for path, operations in document["paths"].items():
        for method, operation in operations.items():
            secured = operation.get("security", [])
            assert ((method.upper(), path) in GUARDED) == (secured == [{"HTTPBearer": []}])
            for code, answer in operation["responses"].items():
                text = code == "200" and path in {"/logs", "/metrics"}
                expected = "text/plain" if text else "application/json"
                assert list(answer["content"]) == [expected]
                assert answer["content"][expected]["schema"]
    names = [parameter["name"] for parameter in document["paths"]["/job"]["post"]["parameters"]]
    assert names == list(JOB_FIELDS)


@pytest.mark.parametrize("path", ["/docs", "/redoc"])
def test_docs_pages_load_nothing_from_other_hosts(api: Api, path: str) -> None:
    page = api("GET", path)
    assert "https://" not in page.text
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    links = [part.split('"')[0] for part in page.text.split('="assets/')[1:]]
    assert len(links) >= 2
    for link in links:
        assert api.raw("GET", f"/assets/{link}").status_code == 200


HEADER_VALUE = st.binary(max_size=40).filter(lambda value: not set(value) & {0, 10, 13})
HEADERS = st.dictionaries(
    st.sampled_from([*NEWS, "EMBED_COLOR", "DISCORD_THREAD_ID", "POST_ID"]), HEADER_VALUE
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.sampled_from([*GUARDED, ("GET", "/health"), ("GET", "/logs")]), HEADERS)
def test_any_bytes_in_headers_are_handled(api: Api, call: tuple[str, str], headers: dict[str, bytes]) -> None:
    raw = {b"Authorization": b"Bearer hunter22"} | {name.encode(): value for name, value in headers.items()}
    assert api(*call, raw).status_code in {200, 201, 400, 404, 409}


def test_stop_ends_every_thread_that_was_started(tmp_path: Path) -> None:
    before = threading.active_count()
    with serving(tmp_path) as api:
        supervisor = api.supervisor
        assert supervisor.running
    assert not supervisor.running
    assert threading.active_count() <= before
    assert "Disgram stopped" in (tmp_path / "Disgram.log").read_text("utf-8")
