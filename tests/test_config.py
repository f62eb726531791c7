"""Every row of the README's table of settings: default, accepted forms, refused ones."""

from __future__ import annotations

import base64
import os
import subprocess
import sys
from ipaddress import ip_network
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

import config
from config import PROJECT, Settings, environment, read
from disgram.cooldown import Cooldown
from disgram.errors import BadSetting
from disgram.setting_types import DEFAULT_PASSWORD

WEBHOOK = "https://discord.com/api/webhooks/1/aToken"

DEFAULTS = {
    "auth_password": DEFAULT_PASSWORD,
    "host": "127.0.0.1",
    "port": 5000,
    "discord_webhook_url": None,
    "embed_color": None,
    "cooldown": Cooldown(300.0, 300.0),
    "initial_posts": 20,
    "monitor_interval": 30.0,
    "log_stale_after": 360.0,
    "telegram_base_url": "https://t.me",
    "telegram_requests_per_second": 2.0,
    "webhook_hosts": (),
    "webhook_check": True,
    "max_upload_mb": 20.0,
    "data_dir": PROJECT,
    "log_max_mb": 10.0,
    "log_backups": 5,
    "log_to_stderr": True,
    "follow_edits": True,
    "follow_deletions": "keep",
    "forward_service_messages": False,
    "request_timeout": 30.0,
    "protect_reads": False,
    "alert_webhook_url": None,
    "alert_after": 300.0,
    "tg_api_id": None,
    "tg_api_hash": None,
    "tg_session_string": None,
    "database_url": None,
    "host_name": None,
    "trusted_proxies": (),
}


def test_default_of_every_setting() -> None:
    settings = read({})
    assert {name: getattr(settings, name) for name in DEFAULTS} == DEFAULTS
    assert set(DEFAULTS) == set(Settings.model_fields)


def test_an_empty_value_counts_as_absent() -> None:
    names = [name.upper() for name in DEFAULTS]
    assert read(dict.fromkeys(names, "")) == read({})
    assert read(dict.fromkeys(names, "  ")) == read({})


def test_only_the_given_variables_count_and_only_in_capitals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PORT", "1")
    assert read({"port": "2", "PATH": "/bin", "_": "x"}) == read({})


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValidationError):
        read({}).port = 1


@pytest.mark.parametrize(
    ("name", "value", "field", "expected"),
    [
        ("AUTH_PASSWORD", "pässwort mit Leerzeichen", "auth_password", "pässwort mit Leerzeichen"),
        ("PORT", "8080", "port", 8080),
        ("DISCORD_WEBHOOK_URL", WEBHOOK, "discord_webhook_url", WEBHOOK),
        ("EMBED_COLOR", "89a7d9", "embed_color", 0x89A7D9),
        ("EMBED_COLOR", "#89A7D9", "embed_color", 0x89A7D9),
        ("EMBED_COLOR", "0x000001", "embed_color", 1),
        ("COOLDOWN", "0.5", "cooldown", Cooldown(0.5, 0.5)),
        ("COOLDOWN", "60-300", "cooldown", Cooldown(60.0, 300.0)),
        ("INITIAL_POSTS", "0", "initial_posts", 0),
        ("MONITOR_INTERVAL", "1.5", "monitor_interval", 1.5),
        ("LOG_STALE_AFTER", "10", "log_stale_after", 10.0),
        ("TELEGRAM_BASE_URL", "http://127.0.0.1:8001/", "telegram_base_url", "http://127.0.0.1:8001"),
        ("TELEGRAM_REQUESTS_PER_SECOND", "0.5", "telegram_requests_per_second", 0.5),
        (
            "WEBHOOK_HOSTS",
            "127.0.0.1:9000, Proxy.example",
            "webhook_hosts",
            ("127.0.0.1:9000", "proxy.example"),
        ),
        ("WEBHOOK_HOSTS", "[::1]:9000,[::1]", "webhook_hosts", ("[::1]:9000", "::1")),
        ("MAX_UPLOAD_MB", "0.5", "max_upload_bytes", 512 * 1024),
        ("MAX_UPLOAD_MB", "0", "max_upload_bytes", 0),
        ("DATA_DIR", "/var/lib/disgram", "data_dir", Path("/var/lib/disgram")),
        ("DATA_DIR", "state", "data_dir", PROJECT / "state"),
        ("LOG_MAX_MB", "1", "log_max_bytes", 1024 * 1024),
        ("LOG_BACKUPS", "0", "log_backups", 0),
        ("FOLLOW_EDITS", "False", "follow_edits", False),
        ("FOLLOW_EDITS", "OFF", "follow_edits", False),
        ("FOLLOW_EDITS", "no", "follow_edits", False),
        ("FOLLOW_EDITS", "0", "follow_edits", False),
        ("PROTECT_READS", "on", "protect_reads", True),
        ("FOLLOW_DELETIONS", "MARK", "follow_deletions", "mark"),
        ("FORWARD_SERVICE_MESSAGES", "yes", "forward_service_messages", True),
        ("REQUEST_TIMEOUT", "0.5", "request_timeout", 0.5),
        ("TG_API_ID", "12345", "tg_api_id", 12345),
        ("TG_API_HASH", "0123456789abcdef" * 2, "tg_api_hash", "0123456789abcdef" * 2),
        ("PROTECT_READS", "1", "protect_reads", True),
        ("DATABASE_URL", "postgresql://h/d", "database_url", "postgresql://h/d"),
        ("DATABASE_URL", "postgres://a,b:5433/d?x=y", "database_url", "postgres://a,b:5433/d?x=y"),
        ("HOST_NAME", "north-1.example", "host_name", "north-1.example"),
        (
            "TRUSTED_PROXIES",
            "127.0.0.1,10.1.2.3/8",
            "trusted_proxies",
            (ip_network("127.0.0.1"), ip_network("10.0.0.0/8")),
        ),
    ],
)
def test_accepted_forms(name: str, value: str, field: str, expected: object) -> None:
    assert getattr(read({name: value}), field) == expected


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("AUTH_PASSWORD", ["a\x00b", "a\nb", "\udcff"]),
        ("HOST", ["a b", "http://x", "1.2.3.4:80", "300.1.1.1", "::g"]),
        ("PORT", ["abc", "0", "-1", "65536", "80.5", "1e3", "٣", "9" * 5000, "5_000", "+80", "80."]),
        ("DISCORD_WEBHOOK_URL", ["a\x00b"]),
        ("EMBED_COLOR", ["red", "89a7d", "89a7d9f", "##89a7d9", "٣٣٣٣٣٣"]),
        (
            "COOLDOWN",
            [
                "-1",
                "0",
                "nan",
                "inf",
                "٣",
                "x",
                "1e999",
                "9999999999",
                "0x10",
                "1,5",
                "1_000",
                "1e3",
                "+5",
                ".5",
                "5.",
            ],
        ),
        ("INITIAL_POSTS", ["-1", "1.5", "x", "20.0", "1_0"]),
        ("MONITOR_INTERVAL", ["0", "-1", "nan", "inf"]),
        ("LOG_STALE_AFTER", ["0", "-5", "nan"]),
        (
            "TELEGRAM_BASE_URL",
            ["t.me", "ftp://t.me", "http://", "http://x:abc", "http://a b", "http://u@h", "http://[x"],
        ),
        ("TELEGRAM_REQUESTS_PER_SECOND", ["0", "-1", "nan", "1001"]),
        ("WEBHOOK_HOSTS", ["http://x", "a b", "x:99999", "x:0", "x/y", "u@x"]),
        ("MAX_UPLOAD_MB", ["-1", "nan", "x", "5000"]),
        ("DATA_DIR", ["a\x00b", "~nobody-of-this-name/x"]),
        ("LOG_MAX_MB", ["0", "-1", "x"]),
        ("LOG_BACKUPS", ["-1", "101", "x"]),
        ("FOLLOW_EDITS", ["maybe", "2", "t", "f", "y", "n", "01"]),
        ("FOLLOW_DELETIONS", ["no", "true"]),
        ("FORWARD_SERVICE_MESSAGES", ["x"]),
        ("REQUEST_TIMEOUT", ["0", "31", "-1", "x"]),
        ("PROTECT_READS", ["x"]),
        ("TG_API_ID", ["0", "-1", "x", "1.5"]),
        ("TG_API_HASH", ["x", "0123456789abcdef", "g" * 32]),
        ("TG_SESSION_STRING", ["x", "1", "1" + "A" * 352, "2" + "A" * 352, "1" + "Ä" * 352]),
        (
            "DATABASE_URL",
            ["sqlite:///x.db", "host/d", "postgresql:h", "postgresql://a b/d", "mysql://secret@h"],
        ),
        ("HOST_NAME", ["a b", "nörd", "x" * 65, "a/b"]),
        ("TRUSTED_PROXIES", ["nginx", "300.1.1.1", "10.0.0.0/99"]),
    ],
)
def test_refused_forms_name_the_variable_and_not_the_value(name: str, values: list[str]) -> None:
    for value in values:
        with pytest.raises(BadSetting) as refusal:
            read({name: value})
        assert refusal.value.error == name, value
        assert "\n" not in str(refusal.value)
        assert len(value) < 6 or value not in str(refusal.value)


@pytest.mark.parametrize(
    ("environ", "expected"),
    [
        ({}, "127.0.0.1"),
        ({"HOST": "0.0.0.0"}, "127.0.0.1"),
        ({"HOST": "::1"}, "::1"),
        ({"HOST": "localhost"}, "localhost"),
        ({"AUTH_PASSWORD": "x"}, "0.0.0.0"),
        ({"AUTH_PASSWORD": "x", "HOST": "[::]"}, "::"),
        ({"AUTH_PASSWORD": DEFAULT_PASSWORD, "HOST": "192.0.2.1"}, "127.0.0.1"),
    ],
)
def test_default_password_listens_on_loopback_only(environ: dict[str, str], expected: str) -> None:
    assert read(environ).host == expected


def test_log_stale_after_follows_cooldown_unless_set() -> None:
    assert read({"COOLDOWN": "600"}).log_stale_after == 660
    assert read({"COOLDOWN": "1"}).log_stale_after == 360
    assert read({"COOLDOWN": "600", "LOG_STALE_AFTER": "30"}).log_stale_after == 30


def test_default_webhook_may_be_of_an_allowed_host() -> None:
    environ = {
        "WEBHOOK_HOSTS": "127.0.0.1:9000",
        "DISCORD_WEBHOOK_URL": "http://127.0.0.1:9000/api/webhooks/1/t",
    }
    assert read(environ).discord_webhook_url == environ["DISCORD_WEBHOOK_URL"]


@pytest.mark.parametrize(
    "value",
    [
        "tokenSECRET",
        "http://discord.com/api/webhooks/1/tokenSECRET",
        "https://evil.example/api/webhooks/1/tokenSECRET",
        "https://discord.com/api/webhooks/YOUR_ID/YOUR_SECRET",
    ],
)
def test_default_webhook_that_is_none_is_a_problem_and_not_refused(value: str) -> None:
    problem = read({"DISCORD_WEBHOOK_URL": value}).webhook_problem
    assert problem and problem.startswith("Invalid DISCORD_WEBHOOK_URL: ")
    assert "SECRET" not in problem and "\n" not in problem
    assert read({"DISCORD_WEBHOOK_URL": WEBHOOK}).webhook_problem is None
    assert read({}).webhook_problem is None


ACCOUNT = {"TG_API_ID": "7", "TG_API_HASH": "0123456789abcdef" * 2}
SESSION = "1" + base64.urlsafe_b64encode(bytes(range(256)) + b"1234567").decode()
"""Of the length of a Telethon string session with an IPv4 address."""


def test_session_string_needs_id_and_hash() -> None:
    for missing in ACCOUNT:
        environ = {**ACCOUNT, "TG_SESSION_STRING": SESSION}
        del environ[missing]
        with pytest.raises(BadSetting, match="needs TG_API_ID and TG_API_HASH") as refusal:
            read(environ)
        assert refusal.value.error == "TG_SESSION_STRING"


def test_account_is_there_with_a_session_string_or_the_file_of_a_login(tmp_path: Path) -> None:
    environ = {**ACCOUNT, "DATA_DIR": str(tmp_path)}
    assert read(environ).account_login is None
    login = read({**environ, "TG_SESSION_STRING": SESSION}).account_login
    assert login and (login.to_wire()["session"], login.to_wire()["session_file"]) == (SESSION, None)
    file = tmp_path / "telegram.session"
    file.write_text(SESSION, "ascii")
    login = read(environ).account_login
    assert login and (login.to_wire()["session"], login.to_wire()["session_file"]) == (None, str(file))
    assert login.written == file.stat().st_mtime_ns
    assert read({"DATA_DIR": str(tmp_path)}).account_login is None


def test_account_of_the_settings_shows_in_no_repr() -> None:
    settings = read({**ACCOUNT, "TG_SESSION_STRING": SESSION})
    text = f"{settings!r}{settings.account_login!r}{settings.worker_settings()!r}"
    assert SESSION[:20] not in text and ACCOUNT["TG_API_HASH"] not in text
    assert set(settings.secrets) == {SESSION, ACCOUNT["TG_API_HASH"]}


@pytest.mark.parametrize(
    ("url", "secrets"),
    [
        ("postgresql://me:hunter22%40home@h/d", {"hunter22%40home", "hunter22@home"}),
        ("postgresql://me:hunter2222@h/d", {"hunter2222"}),
        ("postgresql://me:pg@h/d", {":pg@"}),
        ("postgresql:///d?host=/run/pg&password=hunter2222", {"hunter2222"}),
        ("postgresql://me@h/d", set()),
        ("postgresql://h:5432/d", set()),
    ],
)
def test_password_in_the_address_of_the_database_is_a_secret(url: str, secrets: set[str]) -> None:
    settings = read({"DATABASE_URL": url})
    assert set(settings.secrets) == secrets
    assert url not in repr(settings)


def test_repr_hides_the_secrets() -> None:
    text = repr(read({"AUTH_PASSWORD": "hunter22", "DISCORD_WEBHOOK_URL": WEBHOOK}))
    assert "hunter22" not in text
    assert "aToken" not in text


def test_worker_settings_carry_what_workers_need() -> None:
    settings = read({"COOLDOWN": "7", "MAX_UPLOAD_MB": "1", "FOLLOW_DELETIONS": "delete"}).worker_settings()
    assert (settings.cooldown, settings.max_upload_bytes, settings.follow_deletions) == (
        7.0,
        1024 * 1024,
        "delete",
    )


def test_real_environment_wins_over_the_env_file(tmp_path: Path) -> None:
    env_file = tmp_path / ".env"
    env_file.write_text(
        "# a comment\nPORT=1\nexport COOLDOWN='5'\nAUTH_PASSWORD=\"a $b ${c}\"\nHOST=\n", "utf-8"
    )
    merged = environment(env_file, {"PORT": "2"})
    assert merged == {"PORT": "2", "COOLDOWN": "5", "AUTH_PASSWORD": "a $b ${c}", "HOST": ""}
    assert environment(tmp_path / "absent", {"PORT": "2"}) == {"PORT": "2"}


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"PORT\n", 1),
        (b"SECRETTOKEN", 1),
        (b"PORT=1\n\n\nSECRETTOKEN\nHOST=\n", 4),
        (b"PORT=1\r\n\r\nSECRETTOKEN\r\n", 3),
        (b"# a comment\n\n  export SECRETTOKEN\n", 3),
        (b"PORT=1\n\nSECRETTOKEN two\n", 3),
        (b"\0" * 100, 1),
        (b"PORT=1\n\0\0SECRETTOKEN=1\n", 2),
    ],
)
def test_env_file_with_a_line_that_sets_nothing_is_refused_with_its_number(
    tmp_path: Path, content: bytes, line: int
) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(content)
    with pytest.raises(BadSetting) as refusal:
        environment(env_file, {})
    assert refusal.value.error == str(env_file)
    assert str(refusal.value) == f"line {line} is not of the form NAME=value."


@pytest.mark.parametrize("content", [b"", b"\n \n", b"# PORT\n", b"HOST=\n"])
def test_env_file_without_a_value_sets_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / ".env").write_bytes(content)
    assert not any(environment(tmp_path / ".env", {}).values())


@pytest.mark.parametrize("content", [b"PORT=1\n'unclosed\n", b"\xff\xfe=1\n"])
def test_broken_env_file_is_refused_by_name(tmp_path: Path, content: bytes) -> None:
    env_file = tmp_path / ".env"
    env_file.write_bytes(content)
    with pytest.raises(BadSetting) as refusal:
        environment(env_file, {})
    assert refusal.value.error == str(env_file)
    assert "line 2 is not of the form" in str(refusal.value) or "cannot be read" in str(refusal.value)


@given(st.dictionaries(st.sampled_from([n.upper() for n in DEFAULTS]), st.text(max_size=40)))
def test_any_text_gives_settings_or_bad_setting(environ: dict[str, str]) -> None:
    try:
        settings = read(environ)
    except BadSetting:
        return
    assert 0 < settings.cooldown.shortest <= settings.cooldown.longest < float("inf")
    assert 1 <= settings.port <= 65535


def test_names_that_users_scripts_import_are_those_of_the_settings() -> None:
    assert (
        config.SETTINGS.cooldown.longest,
        config.SETTINGS.auth_password,
        config.SETTINGS.embed_color,
    ) == (config.COOLDOWN, config.AUTH_PASSWORD, config.EMBED_COLOR)


def edited(folder: Path, cooldown: str) -> subprocess.CompletedProcess[str]:
    """What a config.py says in which a person has changed the line of COOLDOWN."""
    source = (PROJECT / "config.py").read_text("utf-8")
    assert source.count("\nCOOLDOWN = ") == 1, "people look for this line"
    line = f"\nCOOLDOWN = {cooldown}\n"
    (folder / "config.py").write_text(source.replace("\nCOOLDOWN = 300.0\n", line), "utf-8")
    environ = {name: value for name, value in os.environ.items() if name != "COOLDOWN"}
    return subprocess.run(
        [sys.executable, "-c", "import config; print(config.SETTINGS.cooldown, config.COOLDOWN)"],
        env=environ | {"PYTHONPATH": f"{folder}:{PROJECT}"},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def test_cooldown_edited_in_config_py_has_an_effect(tmp_path: Path) -> None:
    done = edited(tmp_path, "60")
    assert ([float(each) for each in done.stdout.split()], done.stderr) == ([60.0, 60.0], "")


def test_senseless_cooldown_edited_in_config_py_stops_the_start_with_one_line(tmp_path: Path) -> None:
    done = edited(tmp_path, "'often'")
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert done.stderr.startswith("disgram: COOLDOWN: must be a number from 0.01 to 604800")


def test_bad_value_ends_the_import_with_one_line_and_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import config"],
        env={**os.environ, "PORT": "abc"},
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("disgram: PORT: ")
    assert done.stderr.count("\n") == 1


def test_request_timeout_of_a_worker_fits_into_log_stale_after() -> None:
    settings = read({"LOG_STALE_AFTER": "30"})
    assert settings.worker_settings().request_timeout == 10.0
    assert read({}).worker_settings().request_timeout == 30.0
