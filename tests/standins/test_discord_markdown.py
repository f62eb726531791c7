"""The reader of Discord's Markdown, measured by what the client is known to show."""

from __future__ import annotations

import pytest

from standins.discord.markdown import read, runs_of

Shown = list[tuple[str, set[str], str | None]]
READ: list[tuple[str, Shown]] = [
    ("**a** *b*", [("a", {"bold"}, None), (" ", set(), None), ("b", {"italic"}, None)]),
    ("_c_ d", [("c", {"italic"}, None), (" d", set(), None)]),
    ("a_b_c * x*", [("a_b_c * x*", set(), None)]),
    ("***a***", [("a", {"bold", "italic"}, None)]),
    ("*a **b***", [("a ", {"italic"}, None), ("b", {"bold", "italic"}, None)]),
    ("**a *b***", [("a ", {"bold"}, None), ("b", {"bold", "italic"}, None)]),
    (r"~~a\~~b~~", [("a\\", {"strike"}, None), ("b~~", set(), None)]),
    ("__a__b", [("a", {"underline"}, None), ("b", set(), None)]),
    ("||a\nb||", [("a\nb", {"spoiler"}, None)]),
    ("# a\nc", [("a", {"heading:1"}, None), ("\nc", set(), None)]),
    ("### *b*", [("b", {"heading:3", "italic"}, None)]),
    ("x\n  * b", [("x\n", set(), None), ("  • ", {"list"}, None), ("b", set(), None)]),
    ("-# a", [("a", {"subtext"}, None)]),
    ("#a -b", [("#a -b", set(), None)]),
    ("a\n1. b", [("a\n", set(), None), ("1. ", {"list"}, None), ("b", set(), None)]),
    ("> a\n> b\nc", [("a\nb", {"quote"}, None), ("\nc", set(), None)]),
    (">>> a\nb", [("a\nb", {"quote"}, None)]),
    (">a", [(">a", set(), None)]),
    ("```py\na```", [("a", {"pre:py"}, None)]),
    ("``a`b``", [("a`b", {"code"}, None)]),
    (r"`\*`", [("\\*", {"code"}, None)]),
    ("**a `**` b**", [("a `", {"bold"}, None), ("` b**", set(), None)]),
    ("[a](https://b.c/d)", [("a", set(), "https://b.c/d")]),
    (r"[a\*](https://b.c)", [("a\\*", set(), "https://b.c")]),
    ("[https://x.y](https://b.c)", [("[https://x.y](https://b.c)", {"literal link"}, None)]),
    ("[a](tg://b)", [("[a](tg://b)", set(), None)]),
    ("https://a.b/c_d_e.", [("https://a.b/c_d_e", set(), "https://a.b/c_d_e"), (".", set(), None)]),
    (r"https://a.b/c\_d", [(r"https://a.b/c\_d", set(), r"https://a.b/c\_d")]),
    ("<https://a.b>c", [("https://a.b", set(), "https://a.b"), ("c", set(), None)]),
    ("<@1><t:5:R>", [("<@1><t:5:R>", {"entity"}, None)]),
    (r"\<@1> 1\. \# \\", [("<@1> 1. # \\", set(), None)]),
]  # fmt: skip


@pytest.mark.parametrize(("markdown", "shown"), READ, ids=[markdown for markdown, _ in READ])
def test_markdown_is_read_as_discord_shows_it(markdown: str, shown: Shown) -> None:
    assert [(text, set(styles), href) for text, styles, href in runs_of(read(markdown))] == shown


def test_a_title_has_no_blocks_and_no_masked_links() -> None:
    shown = runs_of(read("# [a](https://b.c) **d**", title=True))
    assert [text for text, styles, href in shown if not styles and not href] == ["# [a](", ") "]
