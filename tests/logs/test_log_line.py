"""The form of a line: fields, escaping, masking, length."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from disgram.logs.log_file import (
    _UNSAFE,
    LogFile,
    cut,
    mask,
    one_line,
)
from disgram.report import Level
from tests.logs.log_files import LINE, content, make


@pytest.fixture
def log(tmp_path: Path) -> LogFile:
    return make(tmp_path)


def test_line_has_time_level_and_the_fields_that_apply(log: LogFile, tmp_path: Path) -> None:
    log.write(Level.NEW_MESSAGE, "https://t.me/durov/5", job="news", channel="durov")
    log.write(Level.SYSTEM, "Job created", job="news")
    log.write(Level.STATUS, "Started")
    assert content(tmp_path).splitlines() == [
        "2026-03-01 12:00:00 [NEW_MESSAGE] [news] [durov] https://t.me/durov/5",
        "2026-03-01 12:00:00 [SYSTEM] [news] Job created",
        "2026-03-01 12:00:00 [STATUS] Started",
    ]


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("a\nb\r\tc", r"a\nb\r\tc"),
        ("a\x00\x1b[31m\x7f", r"a\x00\x1b[31m\x7f"),
        ("a\u2028b\u2029c\u0085d", r"a\u2028b\u2029c\x85d"),
        ("\u202eevil\u2066", r"\u202eevil\u2066"),
        ("\ud800", r"\ud800"),
        ("naïve 日本 👩‍👩‍👧", "naïve 日本 👩‍👩‍👧"),
    ],
)
def test_characters_that_break_or_reorder_a_line_are_escaped(text: str, written: str) -> None:
    assert one_line(text) == written


@pytest.mark.parametrize("name", ["x] [ERROR", "x] [durov", "[", "]", "\\x5d", "News [EN]", "a\nb"])
def test_name_of_a_job_cannot_fake_a_field(log: LogFile, tmp_path: Path, name: str) -> None:
    log.write(Level.INFO, "text", job=name, channel="durov")
    log.write(Level.INFO, "text", job="durov", channel="x")
    log.write(Level.INFO, "[durov] [x] text", job=name)
    lines = content(tmp_path).splitlines()
    for line, expected in zip(lines, ["durov", "x", None], strict=True):
        found = LINE.fullmatch(line)
        assert found
        assert (found[1], found[3]) == ("INFO", expected)
    assert len(list(log.tail(10, job=name))) == 2
    assert len(list(log.tail(10, job="durov"))) == 1


@pytest.mark.parametrize(
    "text",
    [
        "POST https://discord.com/api/v10/webhooks/123/aTo-k_en.1?wait=true failed",
        "HTTPSConnectionPool(host='discord.com'): url: /api/webhooks/123/aTo-k_en.1 (Caused by",
        '{"url":"https:\\/\\/discord.com\\/api\\/webhooks\\/123\\/aTo-k_en.1"}',
        "webhooks%2F123%2FaTo-k_en.1&x",
        "WEBHOOKS/123/aTo-k_en.1/messages/5",
        "the password is hunter22!",
    ],
)
def test_webhook_tokens_and_secrets_are_masked(tmp_path: Path, text: str) -> None:
    log = make(tmp_path, secrets=("hunter22", ""))
    log.write(Level.ERROR, text, job=text, channel=text)
    written = content(tmp_path)
    assert "aTo-k" not in written
    assert "hunter22" not in written
    assert "***" in written


def test_secret_that_lies_across_the_longest_text_is_masked(tmp_path: Path) -> None:
    log = make(tmp_path, secrets=("hunter22",))
    for position in range(1, 8):
        log.write(Level.ERROR, "x" * (16_384 - position) + "hunter22")
    assert "h" not in content(tmp_path)


def test_line_of_an_older_disgram_is_masked_when_read(log: LogFile, tmp_path: Path) -> None:
    (tmp_path / "Disgram.log").write_text(
        "sent to https://discord.com/api/webhooks/1/secretToken\x1b[2J\n", "utf-8"
    )
    assert list(log.tail(5)) == [r"sent to https://discord.com/api/webhooks/1/***\x1b[2J"]


@example("[", "", "")  # after both fields, a bracket is text
@given(st.text(max_size=80), st.none() | st.text(max_size=20), st.none() | st.text(max_size=20))
def test_any_text_and_names_give_one_line(
    tmp_path_factory: pytest.TempPathFactory, text: str, job: str | None, channel: str | None
) -> None:
    folder = tmp_path_factory.mktemp("log")
    log = make(folder)
    log.write(Level.INFO, text, job=job, channel=channel if job is not None else None)
    written = content(folder)
    assert written.splitlines() == [written[:-1]]
    found = LINE.fullmatch(written[:-1])
    assert found
    assert (found[2] is not None) == (job is not None)
    log.close()


def test_long_text_is_cut_with_an_ellipsis() -> None:
    assert cut("x" * 300) == "x" * 300
    assert cut("x" * 301) == "x" * 299 + "…"
    assert mask("no secret") == "no secret"


def test_every_unsafe_character_is_escaped() -> None:
    unsafe = [chr(code) for code in range(0x110000) if _UNSAFE.match(chr(code))]
    assert not any(one_line(f"a{character}b") == f"a{character}b" for character in unsafe)


@pytest.mark.parametrize("word", ["webhooks", "WEBHOOKS", "webhook\u017f", "web\u017fwebhoo\u212as"])
def test_token_is_masked_however_the_word_webhooks_is_written(word: str) -> None:
    assert "secret" not in mask(f"https://discord.com/api/{word}/123/secret")
