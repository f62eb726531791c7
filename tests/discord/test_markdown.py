"""RichText -> Discord Markdown, read back by a reader of Discord's Markdown."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.discord import markdown
from disgram.post import RichText, plain
from standins.discord.markdown import read, text_of
from tests.discord.rich_texts import (
    BOLD,
    CODE,
    FEW,
    ITALIC,
    PLAIN_RUNS,
    PRE,
    QUOTE,
    RICH_TEXTS,
    SPOILER,
    STRIKE,
    UNDERLINE,
    ZWSP,
    assert_shows,
    run,
)

RENDERED = [
    ("plain", (run("Hello, world!"),), "Hello, world!"),
    ("markers", (run("2*3*4 a_b ~~x~~ ||y|| `z`"),), r"2\*3\*4 a\_b \~\~x\~\~ \|\|y\|\| \`z\`"),
    ("backslash", (run(r"C:\Users \*"),), r"C:\\Users \\\*"),
    (
        "line starts",
        (run("# a\n## b\n- c\n+ d\n> e\n>>> f\n-# g"),),
        "\\# a\n\\## b\n\\- c\n\\+ d\n\\> e\n\\>>> f\n\\-# g",
    ),
    ("no line starts", (run("#tag\n-5\n>_<\n3.14"),), "#tag\n-5\n>\\_\\<\n3.14"),
    ("numbered", (run("1. one\n 5. May\n2.5"),), "1\\. one\n 5\\. May\n2.5"),
    (
        "angle brackets",
        (run("<@1> <t:5> </a:1> <:x:1> a<b 1 < 2"),),
        r"\<@1> \<t:5> \</a:1> \<\:x:1> a\<b 1 < 2",
    ),
    ("shortcode", (run(":fire: 10:20:30"),), r"\:fire: 10:20:30"),
    ("everyone", (run("@everyone @here @name"),), r"\@everyone \@here @name"),
    ("masked link in text", (run("[a](https://b.c)"),), r"\[a](https://b.c)"),
    ("bare URL", (run("see https://x.y/a_b_c!"),), "see https://x.y/a_b_c!"),
    ("URL with stars", (run("https://x.y/*/z"),), r"https\://x.y/\*/z"),
    ("nested", (run("a ", BOLD), run("b", BOLD, ITALIC), run(" c", BOLD)), "**a *b* c**"),
    ("both", (run("x", BOLD, ITALIC),), "***x***"),
    ("overlap", (run("a", BOLD), run("b", BOLD, ITALIC), run("c", ITALIC)), f"**a*b***{ZWSP}*c*"),
    ("opens inside", (run("a", BOLD, ITALIC), run("b", BOLD)), f"**{ZWSP}*a*b**"),
    ("neighbours", (run("a", ITALIC), run("b", BOLD)), f"*a*{ZWSP}**b**"),
    ("blanks outside", (run("x"), run(" a ", BOLD), run("y")), "x **a** y"),
    ("blank lines", (run("a\n", ITALIC), run("\n"), run("b", ITALIC)), "*a*\n\n*b*"),
    ("blank alone", (run("x"), run(" ", BOLD), run("y")), "x y"),
    ("inside a word", (run("un"), run("believ", ITALIC), run("able")), "un*believ*able"),
    ("several lines", (run("a\n\nb", SPOILER),), "||a\n\nb||"),
    ("all styles", (run("x", BOLD, ITALIC, UNDERLINE, STRIKE, SPOILER),), "||__~~***x***~~__||"),
    ("ends with its marker", (run("a~", STRIKE),), f"~~a\\~{ZWSP}~~"),
    ("code", (run("a*b", CODE),), "`a*b`"),
    ("code with backticks", (run("`a``b", CODE),), f"``{ZWSP}`a`{ZWSP}`b``"),
    ("code in bold", (run("a ", BOLD), run("x**y", BOLD, CODE), run(" b", BOLD)), "**a** `x**y` **b**"),
    ("code of two lines", (run("a\nb", CODE),), "`a`\n`b`"),
    ("two codes", (run("a", CODE), run("b", CODE, BOLD)), "`a`**`b`**"),
    ("block of code", (run("x"), run("1\n2\n", PRE, language="py"), run("y")), "x\n```py\n1\n2\n```\ny"),
    ("fence in code", (run("a\n```\nb````", PRE),), f"```\na\n`{ZWSP}``\nb`{ZWSP}`{ZWSP}``\n```"),
    ("no language", (run("x", PRE, language="not a language"),), "```\nx\n```"),
    ("quote", (run("a\n\nb", QUOTE), run("c")), "> a\n> \n> b\nc"),
    ("two quotes", (run("a", QUOTE), run("\n"), run("b", QUOTE)), "> a\n\n> b"),
    ("quote ends blank", (run("a\n \n", QUOTE), run("b")), "> a\nb"),
    ("code in a quote", (run("a\n", QUOTE), run("b", QUOTE, PRE)), "> a\n> ```\n> b\n> ```"),
    ("bold across a quote", (run("a", BOLD), run("b", BOLD, QUOTE)), "**a**\n> **b**"),
    ("link", (run("a b", href="https://x.y/z"),), "[a b](https://x.y/z)"),
    ("link in bold", (run("a ", BOLD), run("b", BOLD, href="https://x.y")), "**a [b](https://x.y)**"),
    (
        "link changes style",
        (run("a", href="https://x.y"), run("b", BOLD, href="https://x.y")),
        "[a](https://x.y)**[b](https://x.y)**",
    ),
    ("target", (run("a", href="https://x.y/(b) <c>?d=é"),), "[a](https://x.y/%28b%29%20%3Cc%3E?d=é)"),
    ("styled target", (run("a", UNDERLINE, href="https://x.y/a__b"),), "__[a](https://x.y/a%5F_b)__"),
    ("own URL", (run("https://x.y/a_b", href="https://x.y/a_b"),), "https://x.y/a_b"),
    ("own URL, slash", (run("https://x.y", href="https://x.y/"), run(" b")), "https://x.y b"),
    ("own URL, glued", (run("https://x.y", href="https://x.y/"), run(", b")), "<https://x.y>, b"),
    (
        "own URL, then code",
        (run("https://x.y/z", href="https://x.y/z"), run(" c", CODE)),
        "<https://x.y/z>` c`",
    ),
    ("plain URL, then code", (run("https://x.y/z"), run(" c", CODE)), r"https\://x.y/z` c`"),
    ("own URL, brackets", (run("https://x.y/a_(b)", href="https://x.y/a_(b)"),), "<https://x.y/a_(b)>"),
    ("another URL", (run("https://x.y", href="https://evil.z"),), f"[https:{ZWSP}//x.y](https://evil.z)"),
    ("domain", (run("x.y", href="http://x.y/"),), "[x.y](http://x.y/)"),
    ("mention", (run("@a_b_c", href="https://t.me/a_b_c"),), "[@a_b_c](https://t.me/a_b_c)"),
    (
        "label breakers",
        (run("[a] *b* c_", href="https://x.y"),),
        r"\[[a](https://x.y)] \*[b](https://x.y)\* [c_](https://x.y)",
    ),
    ("hashtag", (run("#а_б", href="https://x.y"),), "[#а_б](https://x.y)"),
    ("could be italic", (run("_а_б", href="https://x.y"),), r"[_а](https://x.y)\_[б](https://x.y)"),
    ("label of two lines", (run("a\nb", href="https://x.y"),), "[a](https://x.y)\n[b](https://x.y)"),
    ("label of markers", (run("***", href="https://x.y"),), r"\*\*\* ([link](https://x.y))"),
    ("hidden link", (run("a"), run("\u2060", href="https://x.y"), run("b")), "a\u2060b"),
    ("tg link", (run("Premium", BOLD, href="tg://settings"), run("!")), "**Premium** (tg://settings)!"),
    ("mail", (run("a@b.c", href="mailto:a@b.c"),), "a@b.c"),
    ("phone", (run("call", href="tel:+123"),), "call (tel:+123)"),
    ("script", (run("click", href="javascript:alert(1)"),), "click"),
    ("no host", (run("click", href="https://"),), "click"),
    ("controls", (run("a\x00b\ud800c\r\nd\u2028e"),), "abc\nd\ne"),
    ("nothing", (run(" \n "),), ""),
]


@pytest.mark.parametrize(
    ("runs", "expected"), [case[1:] for case in RENDERED], ids=[case[0] for case in RENDERED]
)
def test_rich_text_renders_as_markdown(runs: RichText, expected: str) -> None:
    assert markdown.render(runs) == expected


@given(RICH_TEXTS)
@FEW
def test_rendered_markdown_reads_back_as_the_same_text(runs: RichText) -> None:
    assert_shows([markdown.render(runs)], runs)


@given(st.lists(PLAIN_RUNS, max_size=8).map(tuple))
@FEW
def test_plain_text_keeps_its_white_space_in_markdown(runs: RichText) -> None:
    clean = re.sub("[\x85\u2028\u2029]", "\n", plain(runs)).replace(ZWSP, "")
    assert text_of(read(markdown.render(runs))).replace(ZWSP, "").strip() == clean.strip()


def test_text_without_formatting_keeps_link_targets() -> None:
    runs = (
        run("a", BOLD),
        run("b", SPOILER, href="https://x.y"),
        run("https://x.z", href="https://x.z"),
        run("t", href="tg://u"),
    )
    assert plain(markdown.without_formatting(runs)) == "ab (https://x.y)https://x.zt (tg://u)"
    assert all(not one.styles and not one.href for one in markdown.without_formatting(runs))


def test_less_than_sign_before_a_line_break_opens_no_link() -> None:
    """Discord's `<scheme:/…>` may hold a line break: `<\\nЖhttps://x.y/<@1>` lost its `>` to it."""
    runs = (run("<\nЖhttps"), run("://x.y/<@1>"))
    assert text_of(read(markdown.render(runs))) == "<\nЖhttps://x.y/<@1>"
