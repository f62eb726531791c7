"""`disgram check` over the stand-ins."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import check
from config import Settings, read
from standins.discord.server import DiscordStandIn
from standins.telegram.server import TelegramStandIn
from standins.telegram.text_markup import post, words


@pytest.fixture
def telegram() -> Iterator[TelegramStandIn]:
    with TelegramStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def discord() -> Iterator[DiscordStandIn]:
    with DiscordStandIn() as stand_in:
        yield stand_in


@pytest.fixture
def settings(tmp_path: Path, telegram: TelegramStandIn, discord: DiscordStandIn) -> Settings:
    return read(
        {
            "AUTH_PASSWORD": "hunter22",
            "DATA_DIR": str(tmp_path),
            "TELEGRAM_BASE_URL": telegram.url,
            "TELEGRAM_REQUESTS_PER_SECOND": "100",
            "WEBHOOK_HOSTS": discord.host,
        }
    )


def write_jobs(settings: Settings, **channels_of: tuple[str, list[str]]) -> None:
    jobs = {
        name: {"jobName": name, "webhookUrl": webhook, "telegramChannels": channels}
        for name, (webhook, channels) in channels_of.items()
    }
    (settings.data_dir / "jobs.json").write_text(json.dumps(jobs), "utf-8")


def test_each_webhook_and_channel_is_asked_once_and_gets_a_line(
    settings: Settings,
    telegram: TelegramStandIn,
    discord: DiscordStandIn,
    capsys: pytest.CaptureFixture[str],
) -> None:
    telegram.add_channel("news", "The News").add(post(words("hello")))
    telegram.add_channel("quiet", "Quiet")
    url = discord.add_webhook(discord.add_channel("general")).url
    write_jobs(settings, one=(url, ["news", "quiet"]), two=(url, ["@NEWS"]))
    assert check.main(settings) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split(":")[0] for line in lines] == [
        "ok      settings",
        "ok      webhook http",
        "ok      channel news",
        "ok      channel quiet",
    ]
    assert "jobs: 2" in lines[0] and "found, named" in lines[1]
    assert lines[2:] == [
        "ok      channel news: 'The News', newest post 1",
        "ok      channel quiet: 'Quiet', no posts yet",
    ]
    assert url.rpartition("/")[2] not in "".join(lines)
    assert discord.messages() == []


def test_what_is_wrong_is_said_and_the_rest_is_asked_all_the_same(
    settings: Settings,
    telegram: TelegramStandIn,
    discord: DiscordStandIn,
    capsys: pytest.CaptureFixture[str],
) -> None:
    telegram.add_channel("news", "The News").add(post(words("hello")))
    telegram.add_landing("chat", "group")
    url = discord.add_webhook(discord.add_channel("general")).url
    gone = f"{url}x"
    write_jobs(settings, one=(gone, ["chat", "news"]))
    assert check.main(settings) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line[:7] for line in lines] == ["ok     ", "TROUBLE", "TROUBLE", "ok     "]
    assert gone.rpartition("/")[2] not in "".join(lines)


def test_the_webhook_of_the_environment_is_asked_too(
    settings: Settings, discord: DiscordStandIn, capsys: pytest.CaptureFixture[str]
) -> None:
    url = discord.add_webhook(discord.add_channel("general")).url
    with_webhook = read(
        {
            "AUTH_PASSWORD": "hunter22",
            "DATA_DIR": str(settings.data_dir),
            "WEBHOOK_HOSTS": discord.host,
            "DISCORD_WEBHOOK_URL": url,
        }
    )
    assert check.main(with_webhook) == 0
    assert "ok      webhook" in capsys.readouterr().out


def test_a_damaged_jobs_file_is_named(settings: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    (settings.data_dir / "jobs.json").write_text("{", "utf-8")
    assert check.main(settings) == 2
    captured = capsys.readouterr()
    assert captured.err.startswith(f"disgram: {settings.data_dir / 'jobs.json'}, line 1: ")
    assert captured.err.count("\n") == 1


def test_the_default_password_is_trouble(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check.main(read({"DATA_DIR": str(tmp_path)})) == 1
    assert "TROUBLE settings: jobs: 0" in capsys.readouterr().out


def test_missing_driver_of_database_url_is_one_line(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("hosting.find_spec", lambda name: None)
    database = settings.model_copy(update={"database_url": "postgresql://127.0.0.1:9/none"})
    assert check.main(database) == 2
    assert capsys.readouterr().err == (
        "disgram: DATABASE_URL needs a driver: pip install -r requirements-hosts.txt\n"
    )
