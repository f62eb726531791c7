"""Inline markup -> runs: styles, links, and white space as a browser shows it."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import pytest
from bs4 import BeautifulSoup
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.post import RichText, Run, Style, plain
from disgram.telegram.page.rich_text import plain_text, rich_text
from tests.builders import pages

PLAIN: frozenset[Style] = frozenset()


def read(html: str) -> RichText:
    soup = BeautifulSoup(f'<div class="tgme_widget_message_text">{html}</div>', "lxml")
    return rich_text(soup.div, "harbour")


def run(text: str, *styles: Style, href: str | None = None, language: str | None = None) -> Run:
    return Run(text, frozenset(styles), href, language)


BOLD, ITALIC, QUOTE, PRE, CODE = Style.BOLD, Style.ITALIC, Style.QUOTE, Style.PRE, Style.CODE

STYLES = {
    "b": BOLD,
    "strong": BOLD,
    "i": ITALIC,
    "em": ITALIC,
    "u": Style.UNDERLINE,
    "s": Style.STRIKE,
    "del": Style.STRIKE,
    "strike": Style.STRIKE,
    "tg-spoiler": Style.SPOILER,
    "code": CODE,
}


@pytest.mark.parametrize(("tag", "style"), STYLES.items())
def test_tag_gives_its_style(tag: str, style: Style) -> None:
    assert read(f"a <{tag}>b</{tag}> c") == (run("a "), run("b", style), run(" c"))


def test_nested_elements_become_runs_with_several_styles() -> None:
    assert read("<b>a<i>b</i></b><b>c</b>d") == (
        run("a", BOLD),
        run("b", BOLD, ITALIC),
        run("c", BOLD),
        run("d"),
    )
    assert read("<b>a</b><b> b</b><i></i><b>c</b>") == (run("a bc", BOLD),)


def test_emoji_is_neither_bold_nor_italic() -> None:
    assert read(f"a {pages.emoji('🟢')} b") == (run("a 🟢 b"),)
    assert read(f"<i>a {pages.custom_emoji('🤖')}</i>") == (run("a 🤖", ITALIC),)
    assert read('<tg-emoji emoji-id="1"></tg-emoji>') == ()


def test_html_entities_and_nbsp_are_kept_as_characters() -> None:
    assert read("&#33;&#39;&#036;&#092;&quot;&lt;b&gt;&nbsp;&amp;amp;") == (run("!'$\\\"<b>\xa0&amp;"),)
    assert read("&nbsp;a&nbsp;") == (run("\xa0a\xa0"),)


@pytest.mark.parametrize(
    ("href", "target"),
    [
        ("https://example.org/?a=1&amp;b=2", "https://example.org/?a=1&b=2"),
        ("https://example.org/?a=1&amp;amp;b=2", "https://example.org/?a=1&b=2"),
        ("tg://settings/premium", "tg://settings/premium"),
        ("mailto:a@b.org", "mailto:a@b.org"),
        ("?q=%23tag", "https://t.me/s/harbour?q=%23tag"),
        ("//example.org/x", "https://example.org/x"),
        ("/pier/5", "https://t.me/pier/5"),
        ("pier/5", "https://t.me/s/pier/5"),
        (" https://example.org/\n x", "https://example.org/x"),
        ("#", None),
        ("", None),
        ("http://[", "http://["),
    ],
)
def test_link_target_is_absolute(href: str, target: str | None) -> None:
    assert read(f'<a href="{href}">a <b>b</b></a>') == (run("a ", href=target), run("b", BOLD, href=target))


def test_br_is_a_newline() -> None:
    assert read("a<br/>b<br><br/>c") == (run("a\nb\n\nc"),)
    assert read("<br/><br/> a <br/> b <br/>") == (run("a\nb"),)
    assert read("<b>a<br/><br/></b>b") == (run("a\n\n", BOLD), run("b"))


def test_white_space_is_collapsed_as_in_a_browser() -> None:
    assert read("\n    a  b\n      <b> c</b> <i> d </i>\n  ") == (
        run("a b "),
        run("c", BOLD),
        run(" "),
        run("d", ITALIC),
    )
    assert read('a<span style="display: inline-block; width: 90px;"></span>') == (run("a"),)


def test_caption_in_two_nested_elements_is_read_once() -> None:
    assert read(pages.text("a<br/>b")) == (run("a\nb"),)


def test_comments_and_scripts_are_not_text() -> None:
    assert read("a<!-- b --><script>c</script><style>d</style>e") == (run("ae"),)


# --- blocks -------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["a", "a<br/>", "a <br/> "])
@pytest.mark.parametrize("behind", ["b", "<br/>b", " <br/>b"])
def test_one_newline_separates_a_block_from_its_neighbours(before: str, behind: str) -> None:
    assert read(f"{before}<blockquote>q</blockquote>{behind}") == (run("a\n"), run("q", QUOTE), run("\nb"))


def test_empty_lines_around_a_block_are_kept() -> None:
    assert read("a<br/><br/><blockquote>q</blockquote><br/><br/>b") == (
        run("a\n\n"),
        run("q", QUOTE),
        run("\n\nb"),
    )


def test_newline_between_two_blocks_has_no_block_style() -> None:
    expected = (run("q", QUOTE), run("\n"), run("r", QUOTE))
    assert read("<blockquote>q</blockquote><blockquote expandable>r</blockquote>") == expected
    assert read("<blockquote>q</blockquote><br/><blockquote>r<br/></blockquote>") == expected
    assert read("<blockquote>q</blockquote><pre>r</pre>") == (run("q", QUOTE), run("\n"), run("r", PRE))


def test_empty_block_gives_no_text() -> None:
    assert read("a<blockquote> </blockquote>b") in ((run("a\nb"),), (run("ab"),))
    assert read("<blockquote></blockquote>a") == (run("a"),)


def test_style_around_a_block_applies_inside_it() -> None:
    assert read("<b>a<blockquote>q<br/>r</blockquote>c</b>") == (
        run("a\n", BOLD),
        run("q\nr", BOLD, QUOTE),
        run("\nc", BOLD),
    )
    assert read("<blockquote>a<pre>b</pre>c</blockquote>") == (
        run("a\n", QUOTE),
        run("b", QUOTE, PRE),
        run("\nc", QUOTE),
    )


@pytest.mark.parametrize("line_break", ["\n", "<br/>", "\r\n"])
def test_white_space_in_pre_is_kept(line_break: str) -> None:
    """Not seen: <pre> and its language."""
    html = f"a<pre>\nif x:{line_break}    y  z{line_break}</pre>b"
    assert read(html) == (run("a\n"), run("if x:\n    y  z", PRE), run("\nb"))


@pytest.mark.parametrize(
    "html",
    [
        '<pre><code class="language-python">x</code></pre>',
        '<pre class="language-python">x</pre>',
        '<pre class="python">x</pre>',
    ],
)
def test_code_block_has_the_language_of_its_class(html: str) -> None:
    """Not seen; that it is in a class is second-hand."""
    assert read(html) == (run("x", PRE, language="python"),)


def test_inline_code_keeps_its_blanks() -> None:
    """Not seen."""
    assert read("a <code>b  c</code> d") == (run("a "), run("b  c", CODE), run(" d"))


# --- lines --------------------------------------------------------------------------------------


def test_plain_text_is_one_line() -> None:
    soup = BeautifulSoup("<a><div> Ann <b>B.</b></div><p>+1<br/><br/>2</p></a>", "lxml")
    assert plain_text(soup.a) == "Ann B. +1 2"
    assert (plain_text(None), rich_text(None, "x")) == ("", ())


# --- properties ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Node:
    tag: str
    children: tuple[Node | str, ...]

    def html(self) -> str:
        inner = "".join(child if isinstance(child, str) else child.html() for child in self.children)
        link = ' href="https://example.org/"' if self.tag == "a" else ""
        return f"<{self.tag}{link}>{inner}</{self.tag}>"

    def characters(self, styles: frozenset[Style] = PLAIN) -> list[tuple[str, frozenset[Style]]]:
        """What a reader sees, letter by letter."""
        own = styles | {STYLES[self.tag]} if self.tag in STYLES else styles
        found: list[tuple[str, frozenset[Style]]] = []
        for child in self.children:
            if isinstance(child, Node):
                found += child.characters(own)
            else:
                found += [(letter, own) for letter in child]
        return found


letters = st.text("abcxyzäж語🟢\u200d\xa0", min_size=1, max_size=5)
inline = st.recursive(
    letters,
    lambda inner: st.builds(Node, st.sampled_from([*STYLES, "span"]), st.lists(inner, max_size=4).map(tuple)),
    max_leaves=12,
)


@given(st.lists(inline, max_size=4))
@settings(deadline=None)
def test_runs_have_the_letters_and_styles_of_the_tree(children: list[Node | str]) -> None:
    node = Node("div", tuple(children))
    found = [(letter, part.styles) for part in read(node.html()) for letter in part.text]
    assert found == node.characters()


BREAKS = ["a", "b c", " ", "\n  ", "&nbsp;", "<br/>", "<div>", "</div>", "<blockquote>", "</blockquote>"]
INLINE = ["<b>", "</b>", "<i>", "</i>", '<a href="?q=1">', "</a>", "<pre>", "</pre>", "<code>", "</code>"]
pieces = st.lists(st.sampled_from([*BREAKS, *INLINE]), max_size=25).map("".join)


@given(pieces)
@settings(deadline=None)
def test_neighbouring_runs_differ_and_ends_are_not_blank(html: str) -> None:
    runs = read(html)
    text = plain(runs)
    assert all(part.text for part in runs)
    assert all((a.styles, a.href, a.language) != (b.styles, b.href, b.language) for a, b in pairwise(runs))
    assert text.strip("\n") == text
    if "<pre>" not in html and "<code>" not in html:
        assert text.strip(" ") == text
        assert not any(blank in text for blank in ("  ", " \n", "\n "))


@given(pieces)
@settings(deadline=None)
def test_rich_text_keeps_every_letter_once(html: str) -> None:
    visible = BeautifulSoup(f"<div>{html}</div>", "lxml").get_text()
    soup = BeautifulSoup(f"<div>{html}</div>", "lxml")
    assert "".join(plain(rich_text(soup, "x")).split()) == "".join(visible.split())


@given(pieces)
@settings(deadline=None)
def test_block_has_lines_of_its_own(html: str) -> None:
    """Where QUOTE or PRE begins or ends within the text there is a newline on one side of the border."""
    runs = read(html)
    for style in (QUOTE, PRE):
        for left, right in pairwise(runs):
            if (style in left.styles) != (style in right.styles):
                assert left.text.endswith("\n") or right.text.startswith("\n")
