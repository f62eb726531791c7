"""One worker from a terminal: arguments, environment and exit codes."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

import config
from disgram.errors import BadInput
from standins.discord.server import DiscordStandIn
from standins.telegram.server import TelegramStandIn
from standins.telegram.text_markup import post, words
from worker_cli import DEFAULT_JOB, main, worker_spec

URL = "https://discord.com/api/webhooks/1/aSecretOne"
SETTINGS = config.read({})
TAKEN = (signal.SIGALRM, signal.SIGHUP, signal.SIGTERM, signal.SIGINT)
"""Signals whose handlers a worker replaces."""


@pytest.mark.parametrize("argv", [["--help"], ["-h"], ["durov", "--help", "--once"]])
def test_help_shows_the_usage_and_does_nothing(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(argv, threaded=True) == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("usage: python threadhook.py CHANNEL [URL] [COLOR] [JOB] [--once]\n")
    assert captured.err == ""


def test_arguments_win_over_the_environment() -> None:
    spec = worker_spec(["@news", URL, "89a7d9", "mine"], {"JOB_NAME": "other"}, SETTINGS, threaded=False)
    assert (spec.job, spec.channel.name, spec.embed_color) == ("mine", "news", 0x89A7D9)
    bare = SETTINGS.model_copy(update={"discord_webhook_url": URL})
    spec = worker_spec(["news"], {"DISCORD_THREAD_ID": "7"}, bare, threaded=True)
    assert (spec.job, spec.destination.thread_id, spec.script) == (DEFAULT_JOB, "7", "threadhook.py")


@pytest.mark.parametrize(
    ("typed", "threaded"),
    [([], False), (["news"], False), (["news", URL, "red"], False), (["news", URL], True), (["a b"], False)],
)
def test_wrong_arguments_are_refused_without_showing_the_token(typed: list[str], threaded: bool) -> None:
    with pytest.raises(BadInput) as caught:
        worker_spec(typed, {}, SETTINGS, threaded=threaded)
    assert "aSecretOne" not in f"{caught.value.error} {caught.value}"


@pytest.fixture
def stand_ins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[tuple[TelegramStandIn, DiscordStandIn]]:
    with TelegramStandIn() as telegram, DiscordStandIn() as discord:
        settings = config.read(
            {"DATA_DIR": str(tmp_path), "TELEGRAM_BASE_URL": telegram.url, "WEBHOOK_HOSTS": discord.host}
        )
        monkeypatch.setattr(config, "SETTINGS", settings)
        before = {number: signal.getsignal(number) for number in TAKEN}
        yield telegram, discord
        signal.set_wakeup_fd(-1)
        for number, action in before.items():
            signal.signal(number, action)


def test_once_polls_once_and_returns_its_exit_code(
    stand_ins: tuple[TelegramStandIn, DiscordStandIn], capsys: pytest.CaptureFixture[str]
) -> None:
    telegram, discord = stand_ins
    room = discord.add_channel("general")
    url = discord.add_webhook(room).url
    telegram.add_channel("news").add(post(words("one")))
    assert [main([name, url, "--once"], threaded=False) for name in ("news", "news", "nobody")] == [
        0, 0, 78,
    ]  # fmt: skip
    assert len(discord.messages(room)) == 1
    printed = capsys.readouterr().out
    assert "[NEW_MESSAGE] [by hand] [news] Forwarded https://t.me/news/1" in printed
    assert url.rpartition("/")[2] not in printed


def test_missing_channel_is_exit_code_two(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([], threaded=False) == 2
    assert "CHANNEL" in capsys.readouterr().err
