"""Rich messages: headings, lists, tables, figures and rules inside a post's text.

How t.me shows them was not seen; they are read as plain HTML.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.post import Media, MediaKind, Run, Style, Text, plain
from tests.builders import pages
from tests.telegram.page.reading import blocks

BOLD = frozenset({Style.BOLD})
CASES = Path(__file__).parents[4] / "shared" / "cases"


def shown(html: str) -> str:
    (only,) = blocks(pages.text(html))
    assert isinstance(only, Text)
    return plain(only.runs)


@pytest.mark.parametrize(
    ("html", "lines"),
    [
        ("<h1>Title</h1><p>First</p><p>Second</p>", ["Title", "First", "Second"]),
        ("a<h6>b</h6>c", ["a", "b", "c"]),
        ("<ul><li>one</li><li>two</li></ul>", ["• one", "• two"]),
        ("<ul><li><p>one</p><p>more</p></li></ul>after", ["• one", "more", "after"]),
        ("<ul>\n <li>one\n  <ul>\n <li>in</li></ul></li></ul>", ["• one", "\u2003• in"]),
        ('<ol start="3"><li>three</li><li>four</li></ol>', ["3. three", "4. four"]),
        ('<ol><li>a</li><li value="7">b</li><li>c</li></ol>', ["1. a", "7. b", "8. c"]),
        ("<ol reversed><li>a</li><li>b</li></ol>", ["2. a", "1. b"]),
        ('<ol start="x"><li>a</li></ol>', ["1. a"]),
        (
            '<ul><li><input type="checkbox" checked> done</li><li><input type="checkbox">open</li></ul>',
            ["☑ done", "☐ open"],
        ),
        (
            "<table><tr><th>Name</th><th>Price</th></tr><tr><td>Apple</td><td>10</td></tr></table>",
            ["Name │ Price", "Apple │ 10"],
        ),
        (
            "<table><caption>C</caption><thead>\n<tr>\n<th>a</th>\n<th></th><th>b</th></tr></thead></table>x",
            ["C", "a │ │ b", "x"],
        ),
        ("<table><tr><td><p>p</p><p>q</p></td><td>r<br>s</td></tr></table>", ["p q │ r s"]),
        ("<details open><summary>More</summary>inside</details>after", ["More", "inside", "after"]),
        ("<dl><dt>Term</dt><dd>meaning</dd></dl>", ["Term", "meaning"]),
        ("above<hr>below", ["above", "─" * 12, "below"]),
        ("text<footer>foot</footer>", ["text", "foot"]),
    ],
)
def test_rich_message_joins_no_words(html: str, lines: list[str]) -> None:
    assert shown(html).split("\n") == lines


@pytest.mark.parametrize("html", ["<h1>T</h1>", "<h4>T</h4>", "<details><summary>T</summary></details>"])
def test_heading_is_bold(html: str) -> None:
    assert blocks(pages.text(html)) == (Text((Run("T", BOLD),)),)


def test_code_in_a_table_cell_stays_in_its_row() -> None:
    (table,) = blocks(pages.text("<table><tr><td><pre>a\nb</pre></td><td><b>c</b></td></tr></table>"))
    assert table == Text((Run("a b", frozenset({Style.CODE})), Run(" │ "), Run("c", BOLD)))


def test_table_of_a_quote_stays_in_the_quote() -> None:
    (quote,) = blocks(pages.text("<blockquote><table><tr><td>a</td><td>b</td></tr></table></blockquote>"))
    assert quote == Text((Run("a │ b", frozenset({Style.QUOTE})),))


def test_figure_gives_its_picture_and_its_caption() -> None:
    words, picture = blocks(
        pages.text(
            f'Intro<figure><img src="{pages.CDN}/p.jpg" alt="a cat"><figcaption>cap</figcaption></figure>'
        )
    )
    assert words == Text((Run("Intro\ncap"),))
    assert isinstance(picture, Media)
    assert (picture.kind, picture.url) == (MediaKind.PHOTO, f"{pages.CDN}/p.jpg")


def test_video_inside_a_text_is_a_file_of_the_post() -> None:
    words, clip = blocks(pages.text(f'a<figure><video src="{pages.CDN}/v.mp4"></video></figure>b'))
    assert words == Text((Run("a\nb"),))
    assert isinstance(clip, Media)
    assert (clip.kind, clip.url) == (MediaKind.VIDEO, f"{pages.CDN}/v.mp4")


def test_picture_inside_a_spoiler_is_a_spoiler() -> None:
    (picture,) = blocks(pages.text(f'<tg-spoiler><img src="{pages.CDN}/p.jpg"></tg-spoiler>'))
    assert isinstance(picture, Media)
    assert picture.spoiler


@pytest.mark.parametrize(
    "html",
    [
        '<img class="emoji" alt="😀" src="https://telegram.org/img/e.png">',
        '<tg-emoji emoji-id="1"><img alt="😀" src="https://telegram.org/img/e.png"></tg-emoji>',
        '<img alt="😀" src="//telegram.org/img/e.png">',
    ],
)
def test_emoji_as_an_image_is_a_letter_and_no_file(html: str) -> None:
    assert blocks(pages.text(f"a{html}")) == (Text((Run("a😀"),)),)


@pytest.mark.skipif(not CASES.is_dir(), reason="no cases beside the repository")
def test_rich_text_case_is_read_whole() -> None:
    words, picture = blocks((CASES / "rich_text.html").read_text(encoding="utf-8"))
    assert isinstance(words, Text)
    assert plain(words.runs).split("\n") == [
        "Title", "First", "• one", "• two", "3. three", "Name │ Price", "Apple │ 10", "─" * 12, "cap",
    ]  # fmt: skip
    assert words.runs[0] == Run("Title", BOLD)
    assert isinstance(picture, Media)
