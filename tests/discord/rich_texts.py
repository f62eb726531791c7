"""Rich texts of any content, as Hypothesis strategies, and whether Markdown shows them."""

from __future__ import annotations

import unicodedata
from urllib.parse import unquote

from hypothesis import settings
from hypothesis import strategies as st

from disgram.post import RichText, Run, Style, plain
from standins.discord.markdown import Seen, read, runs_of

BOLD, ITALIC, UNDERLINE, STRIKE = Style.BOLD, Style.ITALIC, Style.UNDERLINE, Style.STRIKE
SPOILER, CODE, PRE, QUOTE = Style.SPOILER, Style.CODE, Style.PRE, Style.QUOTE
ZWSP = "\u200b"


def run(text: str, *styles: Style, href: str | None = None, language: str | None = None) -> Run:
    return Run(text, frozenset(styles), href, language)


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
"""Escapes do not work in labels: these may be beside the link."""
INVISIBLE = set("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
FEW = settings(max_examples=150, deadline=None)


def significant(char: str) -> bool:
    """White space shows no style; the zero-width space is our separator."""
    return not char.isspace() and char not in "\u200b\ufeff"


def expected(runs: RichText) -> list[tuple[str, Run]]:
    shown = [(char, one) for one in runs for char in one.text]
    return [(char, one) for char, one in shown if significant(char)]


def shows(seen: Seen, char: str, one: Run, whole: str) -> bool:
    """Whether the character is shown with the run's styles, as far as Discord can. A plain URL is a link."""
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


def assert_shows(chunks: list[str], runs: RichText) -> None:
    seen = [one for chunk in chunks for one in read(chunk) if significant(one.char)]
    wanted = expected(runs)
    assert "".join(one.char for one in seen) == "".join(char for char, _ in wanted), chunks
    wrong = [
        (one, run)
        for one, (char, run) in zip(seen, wanted, strict=True)
        if not shows(one, char, run, plain(runs))
    ]
    assert not wrong, (chunks, wrong[0], list(runs_of(seen)))
