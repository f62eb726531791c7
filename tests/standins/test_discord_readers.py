"""The two yardsticks, measured: what the reader of Markdown sees, and what the rules object to."""

from __future__ import annotations

from typing import Any

import pytest

from standins.discord.markdown import read, runs_of
from tests.discord_rules import MEBIBYTE, violations

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
    ("# a", [("# a", {"heading"}, None)]),
    ("-# a", [("-# a", {"subtext"}, None)]),
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
def test_the_reader_sees_what_discord_shows(markdown: str, shown: Shown) -> None:
    assert [(text, set(styles), href) for text, styles, href in runs_of(read(markdown))] == shown


def message(**fields: Any) -> dict[str, Any]:
    return {"allowed_mentions": {"parse": []}, **fields}


def embed(**fields: Any) -> dict[str, Any]:
    return message(embeds=[{"description": "x", **fields}])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"content": "x"}, "allowed_mentions"),
    (message(), "50006"),
    (message(content=" \n"), "50006"),
    (message(content="x" * 2001), "content"),
    (message(content="x", username="Discord"), "username"),
    (message(content="x", username="everyone"), "username"),
    (message(content="x", username="x" * 81), "username"),
    (message(content="x", nonce=1), "unknown field"),
    (message(content="\ud800"), "surrogate"),
    (message(embeds=[{"description": "x"}] * 11), "10 or fewer"),
    (message(embeds=[{"description": "x" * 3001}] * 2), "MAX_EMBED_SIZE"),
    (message(embeds=[{"description": "x", "url": "https://a.b"}] * 2), "same url"),
    (message(embeds=[{"color": 1}]), "empty embed"),
    (embed(description=" "), "description"),
    (embed(description="x" * 4097), "description"),
    (embed(description="я" * 3000, footer={"text": "я" * 2000}), "500 Internal"),
    (embed(title="x" * 257), "title"),
    (embed(title="[a](https://b.c)"), "title"),
    (embed(author={"name": ""}), "author.name"),
    (embed(footer={"icon_url": "https://a.b"}), "footer.text"),
    (embed(color=1 << 24), "color"),
    (embed(url="tg://x"), "Scheme"),
    (embed(url=""), "url"),
    (embed(url="https://a.b/" + "c" * 2048), "2048"),
    (embed(image={"url": "attachment://a.jpg"}), "no file"),
    (message(attachments=[{"id": 0, "filename": "a.jpg"}], content="x"), "attachments"),
]


@pytest.mark.parametrize(("payload", "problem"), REFUSED)
def test_the_rules_object(payload: dict[str, Any], problem: str) -> None:
    assert any(problem in violation for violation in violations(payload))


@pytest.mark.parametrize(
    ("files", "problem"),
    [
        ([(f"{n}.jpg", 1) for n in range(11)], "30015"),
        ([("a.jpg", 21 * MEBIBYTE)], "40005"),
        ([("a.jpg", 13 * MEBIBYTE), ("b.jpg", 13 * MEBIBYTE)], "40005"),
        ([("a b.jpg", 1)], "file name"),
        ([("a.jpg", 1), ("a.jpg", 1)], "one name"),
    ],
)
def test_the_rules_object_to_files(files: list[tuple[str, int]], problem: str) -> None:
    named = [{"id": number, "filename": name} for number, (name, _) in enumerate(files)]
    found = violations(message(attachments=named), files)
    assert len(found) == 1 and problem in found[0]


def test_the_rules_are_content() -> None:
    assert violations(embed(title="a", url="https://a.b", timestamp="2026-05-20T15:38:10Z")) == []
    assert violations(message(attachments=[{"id": 0, "filename": "a.jpg"}]), [("a.jpg", 1)]) == []
    assert violations(message(), edit=True) == []
