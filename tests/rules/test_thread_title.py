"""Titles and tags of the threads that posts open in a forum."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.errors import BadInput
from disgram.post import Run, TelegramPost, Text
from disgram.rules.thread_title import MOST_CHARACTERS, checked_template, parse_tags, thread_name

DATE = datetime(2026, 11, 28, 21, 0, tzinfo=timezone.utc)


def post(text: str) -> TelegramPost:
    return TelegramPost("news", 7, (7,), "News", (Text((Run(text),)),) if text else (), date=DATE)


@pytest.mark.parametrize(
    ("template", "text", "name"),
    [
        ("{title}", "x", "News"),
        ("{date} {first_line}", "\n Storm \nsecond", "2026-11-28 Storm"),
        ("{title}: {first_line}", "", "News:"),
        ("{first_line}", "", "t.me/news/7"),
        ("{first_line}", "{title}", "{title}"),
        ("plain", "x", "plain"),
        ("{first_line}", "a" * 101, "a" * 99 + "…"),
        ("{first_line}", "😀" * 51, "😀" * 49 + "…"),
        ("{first_line}", "a\tb\u2028c", "a b"),
    ],
)
def test_a_thread_is_named_by_its_template(template: str, text: str, name: str) -> None:
    assert thread_name(checked_template(template), post(text), "News") == name


@given(st.text(max_size=300), st.text(max_size=300))
def test_a_thread_name_keeps_within_discords_limit(text: str, title: str) -> None:
    name = thread_name("{title} {first_line}", post(text), title)
    assert 1 <= len(name.encode("utf-16-le", "replace")) // 2 <= MOST_CHARACTERS
    assert name == name.strip()


@pytest.mark.parametrize("template", ["{titel}", "{}", "x" * 101, "a\nb"])
def test_a_senseless_template_is_refused(template: str) -> None:
    with pytest.raises(BadInput):
        checked_template(template)


def test_tags_are_ids_each_once() -> None:
    assert parse_tags("12, 34,12") == ("12", "34")


@pytest.mark.parametrize("text", ["", "a", "1,2,3,4,5,6", "0", "-1"])
def test_senseless_tags_are_refused(text: str) -> None:
    with pytest.raises(BadInput):
        parse_tags(text)
