"""Long texts cut into chunks of Discord Markdown."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.discord import markdown
from disgram.post import RichText, Run, Style
from tests.discord.rich_texts import (
    BOLD,
    CODE,
    CODE_RUNS,
    FEW,
    ITALIC,
    PLAIN_RUNS,
    PRE,
    PRE_RUNS,
    QUOTE,
    QUOTED_RUNS,
    RICH_TEXTS,
    SPOILER,
    assert_shows,
    run,
)


@given(RICH_TEXTS, st.integers(2000, 4096), st.integers(2000, 9000))
@FEW
def test_chunks_of_a_long_text_read_back_as_the_same_text(
    runs: RichText, limit: int, byte_limit: int
) -> None:
    long = tuple(run for run in runs for _ in range(7))
    chunks = markdown.split(long, limit, byte_limit)
    assert all(chunk and len(chunk) <= limit and len(chunk.encode()) <= byte_limit for chunk in chunks)
    assert_shows(chunks, long)


@pytest.mark.parametrize(
    ("text", "limit", "chunks"),
    [
        ("one two *", 24, ["[one two](https://x.y/)", "\\*"]),
        ("one two *", 22, ["[one](https://x.y/)", "[two](https://x.y/) \\*"]),
    ],
)
def test_cut_link_is_not_repeated_beside_characters_no_label_allows(
    text: str, limit: int, chunks: list[str]
) -> None:
    assert markdown.split((Run(text, href="https://x.y/"),), limit) == chunks


@given(PLAIN_RUNS | CODE_RUNS | PRE_RUNS | QUOTED_RUNS.filter(lambda one: not one.href), st.integers(40, 80))
@FEW
def test_tiny_chunks_read_back_as_the_same_text(one: Run, limit: int) -> None:
    assert_shows(markdown.split((one,), limit), (one,))


WORDS = "One two three. Four five six seven! Eight\nnine ten eleven twelve."
CUTS = [
    ("paragraph", WORDS + "\n\n" + WORDS, 100, [WORDS, WORDS]),
    ("line", "a" * 30 + "\n" + "b" * 30, 50, ["a" * 30, "b" * 30]),
    ("sentence", "One two three. Four five six", 24, ["One two three.", "Four five six"]),
    ("word", "one two three four", 12, ["one two", "three four"]),
    ("fitting word", "one two three", 7, ["one two", "three"]),
    ("nowhere", "x" * 25, 10, ["x" * 10, "x" * 10, "x" * 5]),
    ("emoji", "👍🏽" * 4, 5, ["👍🏽" * 2, "👍🏽" * 2]),
    ("family", "👨\u200d👩\u200d👧x", 5, ["👨\u200d👩\u200d👧", "x"]),
    ("flags", "🇷🇺🇩🇪", 3, ["🇷🇺", "🇩🇪"]),
    ("blanks", "one" + " " * 50 + "two", 10, ["one", "two"]),
]


@pytest.mark.parametrize(
    ("text", "limit", "expected"), [case[1:] for case in CUTS], ids=[case[0] for case in CUTS]
)
def test_text_is_split_at_the_best_place(text: str, limit: int, expected: list[str]) -> None:
    assert markdown.split((run(text),), limit) == expected


def test_split_closes_styles_and_opens_them_again() -> None:
    bold = (run("one two", BOLD, SPOILER), run(" three", ITALIC))
    assert markdown.split(bold, 15) == ["||**one two**||", "*three*"]
    assert markdown.split((run("a\n  b", PRE, language="py"),), 13) == ["```py\na\n```", "```py\n  b\n```"]
    assert markdown.split((run("a\nb", QUOTE),), 4) == ["> a", "> b"]


def test_split_keeps_the_byte_limit() -> None:
    assert markdown.split((run("жжж"),), 10, 4) == ["жж", "ж"]


def test_split_escapes_the_start_of_a_chunk() -> None:
    assert markdown.split((run("aaaa - b"),), 5) == ["aaaa", r"\- b"]


def test_split_raises_if_no_character_fits() -> None:
    runs = (run("a", href="https://x.y"),)
    assert markdown.take(runs, 5) == ("", runs)
    with pytest.raises(ValueError, match="not one character"):
        markdown.split(runs, 5)


def test_overlong_link_target_is_left_out() -> None:
    assert markdown.render((run("a", href="https://x.y/" + "b" * 3000),)) == "a"


@pytest.mark.parametrize(
    "text", ["https://" * 2000, ":" + "a" * 20000, "`" * 20000, "> " * 9000, "\n" * 30000]
)
def test_hostile_text_is_shown_as_text(text: str) -> None:
    assert_shows(markdown.split((run(text),), 4096), (run(text),))
    assert_shows(markdown.split((run(text, CODE, BOLD),), 4096), (run(text, CODE, BOLD),))


@pytest.mark.parametrize("gap", ["\n", "\n\n", " \n\n"])
def test_text_cut_before_a_code_block_keeps_the_indentation_of_its_first_line(gap: str) -> None:
    code = Run("    `q = 1\n    r = 2", frozenset({Style.PRE}))
    chunks = markdown.split((Run("word " * 22 + gap), code), 118)
    assert len(chunks) == 2
    assert chunks[1] == "```\n    `q = 1\n    r = 2\n```"


def test_code_cut_at_an_empty_line_keeps_the_indentation_after_it() -> None:
    code = Run("\n\n".join(f"    line{n}" for n in range(20)), frozenset({Style.PRE}))
    lines = [line for chunk in markdown.split((code,), 100) for line in chunk.split("\n") if "line" in line]
    assert lines == [f"    line{n}" for n in range(20)]
