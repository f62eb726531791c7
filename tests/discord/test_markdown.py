"""RichText -> Discord Markdown, read back by tests/discord_markdown.py."""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from disgram.discord import markdown
from disgram.post import RichText, Run, Style, plain
from tests.discord_markdown import Seen, read, runs_of, text_of

BOLD, ITALIC, UNDERLINE, STRIKE = Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.STRIKE
SPOILER, CODE, PRE, QUOTE = Style.SPOILER, Style.CODE, Style.PRE, Style.QUOTE
ZWSP = "\u200b"


def run(text: str, *styles: Style, href: str | None = None, language: str | None = None) -> Run:
    return Run(text, frozenset(styles), href, language)


RENDERED = [
    ("plain", (run("Hello, world!"),), "Hello, world!"),
    ("markers", (run("2*3*4 a_b ~~x~~ ||y|| `z`"),), r"2\*3\*4 a\_b \~\~x\~\~ \|\|y\|\| \`z\`"),
    ("backslash", (run(r"C:\Users \*"),), r"C:\\Users \\\*"),
    (
        "line starts",
        (run("# a\n## b\n- c\n+ d\n> e\n>>> f\n-# g"),),
        "\\# a\n\\## b\n\\- c\n\\+ d\n\\> e\n\\>>> f\n\\-# g",
    ),
    ("no line starts", (run("#tag\n-5\n>_<\n3.14"),), "#tag\n-5\n>\\_<\n3.14"),
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
def test_render(runs: RichText, expected: str) -> None:
    assert markdown.render(runs) == expected


# --- what is read back is what was written ------------------------------------------------------

SPECIALS = [
    *"*_~`|\\[]()<>#-+.:@ \n\t1a/",
    "**",
    "__",
    "~~",
    "||",
    "```",
    "\n- ",
    "\n# ",
    "\n1. ",
    "\n> ",
    "\n>>> ",
    "-# ",
    "](",
    "https://",
    "http://x.y",
    "<@1>",
    "<t:1>",
    ":a:",
    "@everyone",
    "x_y",
    "\u200b",
    "\u200d",
    "👍🏽",
    "🇷🇺",
    "é",
    "ж",
    "\u2028",
    "\ufeff",
    "\\",
    " ",
]
ANY_CHARACTER = st.characters(
    exclude_categories=["Cs"], exclude_characters=[*(chr(n) for n in range(32) if n != 10), "\x7f"]
)
TEXTS = st.lists(st.sampled_from(SPECIALS) | st.text(ANY_CHARACTER, max_size=8), max_size=12).map("".join)
INLINE = st.frozensets(st.sampled_from([BOLD, ITALIC, UNDERLINE, STRIKE, SPOILER]), max_size=4)
TARGETS = st.sampled_from(
    [
        "https://x.y/",
        "http://x.y/a_b__c?d=(e)*f",
        "https://x.y/~~a||b`c d",
        "https://ж.рф/путь_",
        "https://x.y/a\\b",
    ]
)
PLAIN_RUNS = st.builds(Run, TEXTS, INLINE)
LINK_RUNS = st.builds(Run, TEXTS.map("Ж{}".format), INLINE, TARGETS)
URL_RUNS = TARGETS.map(lambda url: Run(url, frozenset(), url))
CODE_RUNS = st.builds(Run, TEXTS, INLINE.map(lambda styles: styles | {CODE}))
PRE_RUNS = st.builds(Run, TEXTS, st.just(frozenset({PRE})), st.none(), st.sampled_from([None, "c++", "a b"]))
INLINE_RUNS = PLAIN_RUNS | LINK_RUNS | URL_RUNS | CODE_RUNS
QUOTED_RUNS = (INLINE_RUNS | PRE_RUNS).map(
    lambda one: Run(one.text, one.styles | {QUOTE}, one.href, one.language)
)
RICH_TEXTS = st.lists(INLINE_RUNS | PRE_RUNS | QUOTED_RUNS, max_size=8).map(tuple)

MARKERS = {"bold": "**", "italic": "*", "underline": "__", "strike": "~~", "spoiler": "||"}
OUTSIDE_LABELS = set("\\*`[]_~|<@:")
"""Escapes do not work in labels: these may stand beside the link."""
INVISIBLE = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
FEW = settings(max_examples=150, deadline=None)


def significant(char: str) -> bool:
    """White space carries no visible style; the zero-width space is our separator."""
    return not char.isspace() and char not in "\u200b\ufeff"


def expected(runs: RichText) -> list[tuple[str, Run]]:
    shown = [(char, one) for one in runs for char in one.text]
    return [(char, one) for char, one in shown if significant(char)]


def shows(seen: Seen, char: str, one: Run, whole: str) -> bool:
    """Is the character shown as the run wants it, as far as Discord can? A plain URL is a link, too."""
    wanted = {style.value for style in one.styles}
    if Style.PRE in one.styles:
        name = "pre:c++" if one.language == "c++" else "pre"
        return seen.char == char and seen.styles == {name} | wanted & {"quote"}
    missing = wanted - seen.styles
    unescapable = one.text + (one.href or "") if one.href or CODE in one.styles else ""
    styles = seen.styles <= wanted and all(MARKERS.get(style, "\n") in unescapable for style in missing)
    if one.href:
        invisible = char in INVISIBLE or unicodedata.category(char) in {"Cf", "Mn"}
        beside = not seen.href and (char in OUTSIDE_LABELS or invisible)
        link = beside or unquote(seen.href or "") == unquote(one.href)
    else:
        link = seen.href is None or seen.href in whole
    return seen.char == char and styles and link


def assert_shows(pieces: list[str], runs: RichText) -> None:
    seen = [one for piece in pieces for one in read(piece) if significant(one.char)]
    wanted = expected(runs)
    assert "".join(one.char for one in seen) == "".join(char for char, _ in wanted), pieces
    wrong = [
        (one, run)
        for one, (char, run) in zip(seen, wanted, strict=True)
        if not shows(one, char, run, plain(runs))
    ]
    assert not wrong, (pieces, wrong[0], list(runs_of(seen)))


@given(RICH_TEXTS)
@FEW
def test_what_is_rendered_reads_back_the_same(runs: RichText) -> None:
    assert_shows([markdown.render(runs)], runs)


@given(st.lists(PLAIN_RUNS, max_size=8).map(tuple))
@FEW
def test_no_white_space_is_lost_or_gained_in_plain_text(runs: RichText) -> None:
    clean = re.sub("[\x85\u2028\u2029]", "\n", plain(runs)).replace(ZWSP, "")
    assert text_of(read(markdown.render(runs))).replace(ZWSP, "").strip() == clean.strip()


# --- long texts ---------------------------------------------------------------------------------


@given(RICH_TEXTS, st.integers(2000, 4096), st.integers(2000, 9000))
@FEW
def test_pieces_of_a_long_text_read_back_the_same(runs: RichText, limit: int, byte_limit: int) -> None:
    long = tuple(run for run in runs for _ in range(7))
    pieces = markdown.split(long, limit, byte_limit)
    assert all(piece and len(piece) <= limit and len(piece.encode()) <= byte_limit for piece in pieces)
    assert_shows(pieces, long)


@pytest.mark.parametrize(
    ("text", "limit", "pieces"),
    [
        ("one two *", 24, ["[one two](https://x.y/)", "\\*"]),
        ("one two *", 22, ["[one](https://x.y/)", "[two](https://x.y/) \\*"]),
    ],
)
def test_a_link_cut_beside_what_no_label_can_hold_is_not_named_twice(
    text: str, limit: int, pieces: list[str]
) -> None:
    assert markdown.split((Run(text, href="https://x.y/"),), limit) == pieces


@given(PLAIN_RUNS | CODE_RUNS | PRE_RUNS | QUOTED_RUNS.filter(lambda one: not one.href), st.integers(40, 80))
@FEW
def test_tiny_pieces_read_back_the_same(one: Run, limit: int) -> None:
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
def test_split_at_the_best_place(text: str, limit: int, expected: list[str]) -> None:
    assert markdown.split((run(text),), limit) == expected


def test_split_closes_and_opens_again() -> None:
    bold = (run("one two", BOLD, SPOILER), run(" three", ITALIC))
    assert markdown.split(bold, 15) == ["||**one two**||", "*three*"]
    assert markdown.split((run("a\n  b", PRE, language="py"),), 13) == ["```py\na\n```", "```py\n  b\n```"]
    assert markdown.split((run("a\nb", QUOTE),), 4) == ["> a", "> b"]


def test_split_counts_bytes_too() -> None:
    assert markdown.split((run("жжж"),), 10, 4) == ["жж", "ж"]


def test_what_begins_a_piece_is_escaped_there() -> None:
    assert markdown.split((run("aaaa - b"),), 5) == ["aaaa", r"\- b"]


def test_nothing_fits() -> None:
    runs = (run("a", href="https://x.y"),)
    assert markdown.take(runs, 5) == ("", runs)
    with pytest.raises(ValueError, match="not one character"):
        markdown.split(runs, 5)


def test_endless_targets_are_left_out() -> None:
    assert markdown.render((run("a", href="https://x.y/" + "b" * 3000),)) == "a"


@pytest.mark.parametrize(
    "text", ["https://" * 2000, ":" + "a" * 20000, "`" * 20000, "> " * 9000, "\n" * 30000]
)
def test_hostile_texts_are_only_texts(text: str) -> None:
    assert_shows(markdown.split((run(text),), 4096), (run(text),))
    assert_shows(markdown.split((run(text, CODE, BOLD),), 4096), (run(text, CODE, BOLD),))


# --- the last resort ----------------------------------------------------------------------------


def test_without_formatting() -> None:
    runs = (
        run("a", BOLD),
        run("b", SPOILER, href="https://x.y"),
        run("https://x.z", href="https://x.z"),
        run("t", href="tg://u"),
    )
    assert plain(markdown.without_formatting(runs)) == "ab (https://x.y)https://x.zt (tg://u)"
    assert all(not one.styles and not one.href for one in markdown.without_formatting(runs))
