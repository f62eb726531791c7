"""Times that every reader sees in his own zone: Telegram's link -> Discord's `<t:…>`."""

from __future__ import annotations

import pytest

from disgram.discord.markdown import render, without_formatting
from disgram.discord.markdown.timestamp import timestamp
from disgram.post import Run, Style

LINK = "tg://time?unix=1786003200&format=wDt"


@pytest.mark.parametrize(
    ("letters", "style"),
    [
        ("r", "R"),
        ("d", "d"),
        ("D", "D"),
        ("t", "t"),
        ("T", "T"),
        ("dt", "f"),
        ("DT", "f"),
        ("wDt", "F"),
        ("wd", "D"),
        ("w", "D"),
    ],
)
def test_format_becomes_the_style_that_shows_as_much(letters: str, style: str) -> None:
    assert timestamp(f"tg://time?unix=1786003200&format={letters}") == f"<t:1786003200:{style}>"


@pytest.mark.parametrize(
    "href",
    [
        "tg://time",
        "tg://time?unix=5",
        "tg://time?unix=5&format=",
        "tg://time?unix=5&format=x",
        "tg://time?unix=5:R> @everyone&format=r",
        "tg://time?unix=123456789012&format=r",
        "https://a.example/?unix=5&format=r",
    ],
)
def test_any_other_link_is_no_timestamp(href: str) -> None:
    assert timestamp(href) is None


def test_time_is_shown_in_the_readers_zone_and_keeps_its_style() -> None:
    runs = (Run("Start: "), Run("tomorrow", frozenset({Style.BOLD}), LINK), Run("!"))
    assert render(runs) == "Start: **<t:1786003200:F>**!"


def test_time_in_code_stays_words() -> None:
    assert render((Run("tomorrow", frozenset({Style.CODE}), LINK),)) == "`tomorrow`"


def test_time_without_formatting_is_its_words() -> None:
    assert [run.text for run in without_formatting((Run("tomorrow", href=LINK),))] == ["tomorrow"]


def test_times_address_is_never_shown() -> None:
    assert render((Run("soon", href="tg://time?unix=5"),)) == "soon"
