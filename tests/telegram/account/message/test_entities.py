"""Entities of a message -> runs: UTF-16 units, nesting, blocks, links, and offsets that make no sense."""

from __future__ import annotations

from datetime import datetime, timezone
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.post import RichText, Run, Style, Text, plain
from tests.builders import pages
from tests.telegram.page.reading import blocks

pytest.importorskip("telethon")

from telethon.tl import types as tl

from disgram.telegram.account.message.entities import rich_text

BOLD, ITALIC, QUOTE, PRE = Style.BOLD, Style.ITALIC, Style.QUOTE, Style.PRE
CHANNEL = pages.CHANNEL


def run(text: str, *styles: Style, href: str | None = None, language: str | None = None) -> Run:
    return Run(text, frozenset(styles), href, language)


def pre(offset: int, length: int, language: str = "") -> tl.MessageEntityPre:
    return tl.MessageEntityPre(offset, length, language)


SAME_AS_ON_THE_PAGE = [
    ("plain", [], "plain"),
    ("a\nb", [], "a<br/>b"),
    ("bold it", [tl.MessageEntityBold(0, 4), tl.MessageEntityItalic(5, 2)], "<b>bold</b> <i>it</i>"),
    ("abc", [tl.MessageEntityBold(0, 3), tl.MessageEntityItalic(1, 1)], "<b>a<i>b</i>c</b>"),
    ("abc", [tl.MessageEntityBold(0, 2), tl.MessageEntityItalic(1, 2)], "<b>a<i>b</i></b><i>c</i>"),
    (
        "u s h c",
        [
            tl.MessageEntityUnderline(0, 1),
            tl.MessageEntityStrike(2, 1),
            tl.MessageEntitySpoiler(4, 1),
            tl.MessageEntityCode(6, 1),
        ],
        "<u>u</u> <s>s</s> <tg-spoiler>h</tg-spoiler> <code>c</code>",
    ),
    ("😀 b", [tl.MessageEntityBold(3, 1)], "😀 <b>b</b>"),
    (
        "😀 b",
        [tl.MessageEntityCustomEmoji(0, 2, 7), tl.MessageEntityBold(3, 1)],
        pages.custom_emoji("😀") + " <b>b</b>",
    ),
    ("q1\nq2\nafter", [tl.MessageEntityBlockquote(0, 5)], "<blockquote>q1<br/>q2</blockquote><br/>after"),
    ("q1\nafter", [tl.MessageEntityBlockquote(0, 3)], "<blockquote>q1<br/></blockquote>after"),
    ("beforeq", [tl.MessageEntityBlockquote(6, 1)], "before<blockquote>q</blockquote>"),
    (
        "a\nb",
        [tl.MessageEntityBlockquote(0, 1, collapsed=True), tl.MessageEntityBlockquote(2, 1)],
        "<blockquote expandable>a</blockquote><blockquote>b</blockquote>",
    ),
    ("x = 1", [pre(0, 5, "python")], '<pre><code class="language-python">x = 1</code></pre>'),
    ("q\nx", [tl.MessageEntityBlockquote(0, 3), pre(2, 1)], "<blockquote>q<pre>x</pre></blockquote>"),
    ("here", [tl.MessageEntityTextUrl(0, 4, "https://a.example/")], '<a href="https://a.example/">here</a>'),
    (
        "https://a.example/b",
        [tl.MessageEntityUrl(0, 19)],
        '<a href="https://a.example/b">https://a.example/b</a>',
    ),
    ("a.example", [tl.MessageEntityUrl(0, 9)], '<a href="http://a.example">a.example</a>'),
    ("@quay", [tl.MessageEntityMention(0, 5)], '<a href="https://t.me/quay">@quay</a>'),
    ("#тег", [tl.MessageEntityHashtag(0, 4)], '<a href="?q=%23%D1%82%D0%B5%D0%B3">#тег</a>'),
    ("$GRAM", [tl.MessageEntityCashtag(0, 5)], '<a href="?q=%24GRAM">$GRAM</a>'),
    ("a@b.example", [tl.MessageEntityEmail(0, 11)], '<a href="mailto:a@b.example">a@b.example</a>'),
    ("+1 555", [tl.MessageEntityPhone(0, 6)], '<a href="tel:+1555">+1 555</a>'),
    ("Ann", [tl.MessageEntityMentionName(0, 3, 77)], "Ann"),
    ("/help 4242", [tl.MessageEntityBotCommand(0, 5), tl.MessageEntityBankCard(6, 4)], "/help 4242"),
]


@pytest.mark.parametrize(("text", "entities", "html"), SAME_AS_ON_THE_PAGE)
def test_entities_give_what_the_page_gives(text: str, entities: list[Any], html: str) -> None:
    assert (Text(rich_text(text, entities, CHANNEL)),) == blocks(pages.text(html))


def test_quote_in_the_middle_of_a_line_gets_a_line_of_its_own() -> None:
    assert rich_text("ab\ncd", [tl.MessageEntityBlockquote(1, 3)], CHANNEL) == (
        run("a\n"),
        run("b\nc", QUOTE),
        run("\nd"),
    )


def test_adjacent_quotes_are_separated() -> None:
    quotes = [tl.MessageEntityBlockquote(0, 1), tl.MessageEntityBlockquote(1, 1)]
    assert rich_text("ab", quotes, CHANNEL) == (run("a", QUOTE), run("\n"), run("b", QUOTE))


def test_two_code_blocks_in_a_quote_are_separated_inside_the_quote() -> None:
    entities = [tl.MessageEntityBlockquote(0, 3), pre(0, 1, "c"), pre(2, 1, "c")]
    assert rich_text("a\nb", entities, CHANNEL) == (
        run("a", QUOTE, PRE, language="c"),
        run("\n", QUOTE),
        run("b", QUOTE, PRE, language="c"),
    )


def test_the_inner_one_of_two_links_counts() -> None:
    links = [tl.MessageEntityTextUrl(0, 3, "https://a.example"), tl.MessageEntityTextUrl(1, 1, "b.example")]
    assert [each.href for each in rich_text("abc", links, CHANNEL)] == [
        "https://a.example",
        "http://b.example",
        "https://a.example",
    ]


def test_hashtag_of_a_private_channel_has_no_link() -> None:
    assert rich_text("#a", [tl.MessageEntityHashtag(0, 2)], "c/5") == (run("#a"),)


def test_strange_language_of_a_code_block_is_left_out() -> None:
    assert rich_text("x", [pre(0, 1, "`\n")], CHANNEL) == (run("x", PRE),)


WHEN = datetime(2026, 8, 6, 8, 0, tzinfo=timezone.utc)


def test_date_for_each_readers_zone_is_a_link_to_its_time() -> None:
    date = tl.MessageEntityFormattedDate(0, 8, WHEN, long_date=True, short_time=True, day_of_week=True)
    assert rich_text("tomorrow", [date], CHANNEL) == (
        run("tomorrow", href=f"tg://time?unix={int(WHEN.timestamp())}&format=wDt"),
    )


def test_date_without_a_format_is_its_words() -> None:
    assert rich_text("soon", [tl.MessageEntityFormattedDate(0, 4, WHEN)], CHANNEL) == (run("soon"),)


@pytest.mark.parametrize("offset", [-5, -1, 0, 1, 2, 3, 9, 2**31])
@pytest.mark.parametrize("length", [-3, 0, 1, 2, 2**31])
def test_entity_of_any_place_loses_no_text(offset: int, length: int) -> None:
    assert plain(rich_text("😀b", [tl.MessageEntityBold(offset, length)], CHANNEL)) == "😀b"


def test_entity_that_begins_inside_a_character_begins_behind_it() -> None:
    assert rich_text("😀b", [tl.MessageEntityBold(1, 2)], CHANNEL) == (run("😀"), run("b", BOLD))


def test_entity_that_ends_inside_a_character_includes_it() -> None:
    assert rich_text("😀b", [tl.MessageEntityBold(0, 1)], CHANNEL) == (run("😀", BOLD), run("b"))


KINDS = {
    tl.MessageEntityBold: BOLD,
    tl.MessageEntityItalic: ITALIC,
    tl.MessageEntitySpoiler: Style.SPOILER,
    tl.MessageEntityCode: Style.CODE,
    tl.MessageEntityBlockquote: QUOTE,
    tl.MessageEntityPre: PRE,
    tl.MessageEntityUnknown: None,
}
PLACES = st.tuples(st.integers(-3, 20), st.integers(-3, 20))
ENTITIES = st.lists(
    st.tuples(st.sampled_from(list(KINDS)), PLACES).map(
        lambda drawn: drawn[0](*drawn[1], *([""] if drawn[0] is tl.MessageEntityPre else []))
    ),
    max_size=6,
)
TEXTS = st.text(st.sampled_from("ab \n😀é\ud800"), max_size=12)


def expected(text: str, entities: list[Any]) -> list[tuple[str, frozenset[Style]]]:
    """Every character but newlines with its styles, by looking at each entity for each character."""
    found, unit = [], 0
    for char in text:
        covering = [each for each in entities if each.offset <= unit < each.offset + each.length]
        styles = (KINDS[type(each)] for each in covering)
        found.append((char, frozenset(style for style in styles if style)))
        unit += len(char.encode("utf-16-le", "surrogatepass")) // 2
    while found and found[-1][0] in "\n ":
        found.pop()
    return [each for each in found if each[0] != "\n"]


def characters(runs: RichText) -> list[tuple[str, frozenset[Style]]]:
    return [(char, each.styles) for each in runs for char in each.text if char != "\n"]


@given(TEXTS, ENTITIES)
def test_every_character_keeps_its_place_and_its_styles(text: str, entities: list[Any]) -> None:
    assert characters(rich_text(text, entities, CHANNEL)) == expected(text, entities)


@given(TEXTS, ENTITIES)
def test_line_breaks_of_the_text_stay(text: str, entities: list[Any]) -> None:
    lines = [line.rstrip(" ") for line in text.strip("\n ").split("\n") if line.strip()]
    shown = plain(rich_text(text, entities, CHANNEL)).split("\n")
    assert len([line for line in shown if line.strip()]) >= len(lines)


@given(TEXTS, ENTITIES)
def test_neighbouring_runs_differ(text: str, entities: list[Any]) -> None:
    runs = rich_text(text, entities, CHANNEL)
    assert all(before.styles != after.styles for before, after in pairwise(runs))
    assert all(each.text for each in runs)
