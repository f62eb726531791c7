"""What is wrong with a message is found: refused by Discord, or taken and hidden."""

from __future__ import annotations

from typing import Any

import pytest

from standins.discord.lint import violations
from standins.discord.rules import MEBIBYTE


def message(**fields: Any) -> dict[str, Any]:
    return {"allowed_mentions": {"parse": []}, **fields}


def embed(**fields: Any) -> dict[str, Any]:
    return message(embeds=[{"description": "x", **fields}])


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"content": "x"}, "allowed_mentions"),
    (message(), "50006"),
    (message(content=" \n"), "50006"),
    (message(content="x", username="Discord"), "username"),
    (message(content="x", nonce=1), "unknown field"),
    (message(content="\ud800"), "surrogate"),
    (message(embeds=[{"description": "x" * 3001}] * 2), "MAX_EMBED_SIZE"),
    (message(embeds=[{"description": "x", "url": "https://a.b"}] * 2), "same url"),
    (message(embeds=[{"color": 1}]), "BASE_TYPE_REQUIRED"),
    (embed(description=" "), "description"),
    (embed(description="x" * 4097), "description"),
    (embed(description="я" * 3000, footer={"text": "я" * 2000}), "500 Internal"),
    (embed(title="[a](https://b.c)"), "title"),
    (embed(footer={"icon_url": "https://a.b"}), "footer.text"),
    (embed(url="tg://x"), "Scheme"),
    (embed(image={"url": "attachment://a.jpg"}), "no file"),
    (message(attachments=[{"id": 0, "filename": "a.jpg"}], content="x"), "attachments"),
]


@pytest.mark.parametrize(("payload", "problem"), REFUSED)
def test_a_bad_message_is_found(payload: dict[str, Any], problem: str) -> None:
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
def test_bad_files_are_found(files: list[tuple[str, int]], problem: str) -> None:
    named = [{"id": number, "filename": name} for number, (name, _) in enumerate(files)]
    found = violations(message(attachments=named), files)
    assert len(found) == 1 and problem in found[0]


def test_nothing_is_found_in_a_good_message() -> None:
    assert violations(embed(title="a", url="https://a.b", timestamp="2026-05-20T15:38:10Z")) == []
    assert violations(message(attachments=[{"id": 0, "filename": "a.jpg"}]), [("a.jpg", 1)]) == []
    assert violations(message(), edit=True) == []
