"""Messages marked as deleted in Telegram."""

from __future__ import annotations

import pytest
from hypothesis import given

from disgram.discord.deletion_mark import marked_deleted
from disgram.discord.render import render
from disgram.post import Run, Text
from standins.discord.markdown import read
from tests.discord.rendering import COLOR, FEW, PHOTO, post
from tests.discord.rich_texts import RICH_TEXTS

MARKED = [
    ("plain", "one\n\ntwo", "~~one\n\ntwo~~"),
    ("quote", "> a\n> b\nc", "> ~~a\n> b~~\n~~c~~"),
    ("code block", "a\n```py\nx\n```\nb", "~~a~~\n```py\nx\n```\n~~b~~"),
    ("code block in a quote", "> a\n> ```\n> x\n> ```", "> ~~a~~\n> ```\n> x\n> ```"),
    ("struck already", "a ~~b~~ c", "~~a \u200bb\u200b c~~"),
    ("tildes", r"a \~\~ b\~", "~~a \\~\\~ b\\~\u200b~~"),
    ("code", "a `x~~y` `` a`~~b ``", "~~a `x~\u200b~y` `` a`~\u200b~b ``~~"),
    ("escaped backtick", r"\`a ~~b~~ \`", "~~\\`a \u200bb\u200b \\`~~"),
    (
        "target",
        "[a](https://b.c/~~d) <https://b.c/~~d>",
        "~~[a](https://b.c/%7E%7Ed) <https://b.c/%7E%7Ed>~~",
    ),
    ("empty lines", "a\n\n> b", "~~a~~\n\n> ~~b~~"),
]


@pytest.mark.parametrize(("before", "after"), [case[1:] for case in MARKED], ids=[case[0] for case in MARKED])
def test_deletion_mark_strikes_the_text_through(before: str, after: str) -> None:
    body = marked_deleted({"username": "x", "embeds": [{"description": before, "color": 1}]})
    assert body == {"content": "*deleted in Telegram*", "embeds": [{"description": after, "color": 1}]}
    assert marked_deleted(body) == body
    assert marked_deleted({"content": before})["content"] == "*deleted in Telegram*\n" + after


@given(RICH_TEXTS)
@FEW
def test_deletion_mark_strikes_every_character_and_keeps_the_text(runs: tuple[Run, ...]) -> None:
    [message, *_] = render(post(Text(runs), PHOTO), color=COLOR, fetched={})
    before = message.payload["embeds"][0]["description"]
    after = marked_deleted(message.payload)["embeds"][0]["description"]
    if before == after:
        return
    shown = [one for one in read(before) if not one.char.isspace() and one.char != "\u200b"]
    struck = [one for one in read(after) if not one.char.isspace() and one.char != "\u200b"]
    assert [one.char for one in struck] == [one.char for one in shown]
    wanted = [
        one.styles if any(s.startswith("pre") for s in one.styles) else one.styles | {"strike"}
        for one in shown
    ]
    assert [one.styles for one in struck] == wanted


def test_deletion_mark_without_room_keeps_the_text_as_it_was() -> None:
    full = {"content": "", "embeds": [{"description": "x" * 4096}], "allowed_mentions": {"parse": []}}
    assert marked_deleted(full)["embeds"] == full["embeds"]
    assert marked_deleted({"content": "x" * 2000})["content"].startswith("*deleted in Telegram*\nxxx")
    assert len(marked_deleted({"content": "x" * 2000})["content"]) == 2000
