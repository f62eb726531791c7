"""Tables with wide cells, ruby text, embedded pages; and nesting of any kind, in which no word is lost."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.post import Run, plain
from disgram.telegram.page.rich_text import rich_text


def lines(html: str) -> list[str]:
    return plain(rich_text(BeautifulSoup(f"<div>{html}</div>", "lxml").div, "harbour")).split("\n")


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ("<ruby>漢字<rt>かんじ</rt></ruby>です", "漢字 (かんじ)です"),
        ("<ruby>漢字<rp>(</rp><rt>かんじ</rt><rp>)</rp></ruby>", "漢字 (かんじ)"),
        ("<ruby>漢<rp>（</rp><rt>かん</rt><rp>）</rp>字<rt>じ</rt></ruby>", "漢 (かん)字 (じ)"),
        ("<ruby><rb>a</rb><rtc><rt>b</rt></rtc></ruby>", "a (b)"),
        ("<ruby>a<rt></rt></ruby>", "a"),
        ("<ruby>a<rp> or </rp><rt>b</rt></ruby>", "a or (b)"),
    ],
)
def test_ruby_text_follows_its_word_in_brackets(html: str, expected: str) -> None:
    assert lines(html) == [expected]


def test_embedded_page_is_its_link() -> None:
    for html, label in (("", "https://example.org/map"), (" title='A map'", "A map")):
        soup = BeautifulSoup(f"<div>before<iframe src='//example.org/map'{html}></iframe>after</div>", "lxml")
        assert rich_text(soup.div, "harbour") == (
            Run("before\n"),
            Run(label, href="https://example.org/map"),
            Run("\nafter"),
        )


def test_embedded_page_without_address_gives_its_words() -> None:
    assert lines("a<iframe>b</iframe>c") == ["a", "b", "c"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("<tr><td colspan=2>a<td>b<tr><td>c<td>d<td>e", ["a │ │ b", "c │ d │ e"]),
        ("<tr><td rowspan=2>a<td>b<tr><td>c<tr><td>d<td>e", ["a │ b", "│ c", "d │ e"]),
        ("<tr><td>a<td rowspan=2>b<td>c<tr><td>d<td>e", ["a │ b │ c", "d │ │ e"]),
        ("<tr><td rowspan=2 colspan=2>a<td>b<tr><td>c", ["a │ │ b", "│ │ c"]),
        ("<tr><td rowspan=0>a<td>b<tr><td>c<tr><td>d", ["a │ b", "│ c", "│ d"]),
        ("<thead><tr><th rowspan=9>a<th>b</thead><tbody><tr><td>c<td>d", ["a │ b", "c │ d"]),
        ("<tr><td rowspan=2><table><tr><td>a<td>b</table><td>c<tr><td>d", ["a │ b │ c", "│ d"]),
        ("<tr><td colspan=x>a<td data-column=7>b", ["a │ b"]),
        ("<tr>a<td>b</td>c<td>d</td><b>e</b></tr>", ["a b c │ d e"]),
    ],
)
def test_cells_stand_in_their_columns(rows: str, expected: list[str]) -> None:
    assert lines(f"<table>{rows}</table>") == expected


def test_absurd_spans_of_a_table_do_not_fill_the_post() -> None:
    rows = "<tr>" + "<td colspan=999999999 rowspan=999999999>a" * 3 + "<tr><td>b"
    text = "\n".join(lines(f"<table>{rows}</table>"))
    assert text.count("a") == 3 and text.count("b") == 1
    assert text.count("│") <= 400


def test_row_outside_a_table_has_the_columns_of_its_cells() -> None:
    row = BeautifulSoup("<div></div>", "lxml").new_tag("tr")
    for word in "ab":
        cell = BeautifulSoup("", "lxml").new_tag("td", attrs={"data-column": "90"})
        cell.string = word
        row.append(cell)
    around = BeautifulSoup("", "lxml").new_tag("div")
    around.append(row)
    assert plain(rich_text(around, "harbour")) == "a │ b"


# --- any nesting ----------------------------------------------------------------------------------

BLOCKS = [
    *(
        "blockquote",
        "details",
        "summary",
        "figure",
        "figcaption",
        "h1",
        "h4",
        "li",
        "ol",
        "ul",
        "p",
        "section",
    ),
    *(
        "table",
        "caption",
        "thead",
        "tbody",
        "tr",
        "td",
        "th",
        "dl",
        "dt",
        "dd",
        "div",
        "pre",
        "footer",
        "option",
    ),
]
INLINE = [
    "a",
    "b",
    "i",
    "code",
    "tg-spoiler",
    "span",
    "ruby",
    "rt",
    "rp",
    "sup",
    "sub",
    "tg-new",
    "x-y",
    "font",
    "q",
]

Tree = tuple[str, list["Tree"]]
"""A tag and its children; without children it is a word."""

trees: st.SearchStrategy[Tree] = st.recursive(
    st.just(("", [])), lambda inner: st.tuples(st.sampled_from(BLOCKS + INLINE), st.lists(inner, max_size=4))
)


def written(tree: Tree, numbers: Iterator[int], inline: bool) -> str:
    """Its HTML. Words within blocks touch their neighbours; others have blanks around them, as in a text."""
    tag, children = tree
    if not tag:
        word = f"word{next(numbers)}x"
        return f" {word} " if inline else word
    mixed = any(child[0] not in BLOCKS for child in children)
    return f"<{tag}>{''.join(written(one, numbers, tag in INLINE or mixed) for one in children)}</{tag}>"


@settings(max_examples=150)
@given(st.lists(trees, min_size=1, max_size=4))
def test_no_nesting_loses_joins_or_reorders_words(several: list[Tree]) -> None:
    numbers = itertools.count(100)
    html = "".join(written(tree, numbers, inline=True) for tree in several)
    text = plain(rich_text(BeautifulSoup(f"<div>{html}</div>", "lxml").div, "harbour"))
    words = [f"word{number}x" for number in range(100, next(numbers))]
    assert re.findall(r"\w*word\w*", text) == words
