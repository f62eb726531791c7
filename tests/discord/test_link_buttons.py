"""Telegram's buttons as Discord's link buttons, or as text."""

from __future__ import annotations

from typing import Any

import pytest

from disgram.discord.render import Fallback, digest, has_buttons, without_old_buttons
from disgram.post import Button, Buttons
from tests.discord.rendering import PREVIEW, checked, embeds, post, text, words

LINK = Button("Go", "https://a.b/c")


def buttons(*row: Button) -> Buttons:
    return Buttons((row,))


def components(*rows: tuple[Button, ...], **how: Any) -> list[list[tuple[str, str]]]:
    found = [row for message in checked(post(text("Hi"), Buttons(rows)), **how)
             for row in message.payload.get("components", [])]  # fmt: skip
    return [[(button["label"], button["url"]) for button in row["components"]] for row in found]


def test_button_with_an_address_is_a_link_button() -> None:
    [message] = checked(post(text("Hi"), buttons(LINK)))
    assert message.payload["components"] == [
        {"type": 1, "components": [{"type": 2, "style": 5, "label": "Go", "url": "https://a.b/c"}]}
    ]
    assert embeds([message])[0]["description"] == "Hi"


def test_rows_of_buttons_stay_rows_of_at_most_five() -> None:
    many = tuple(Button(f"{n}", f"https://a.b/{n}") for n in range(7))
    rows = components((LINK,), many)
    assert [len(row) for row in rows] == [1, 5, 2]


@pytest.mark.parametrize(
    "button",
    [
        Button("Ask"),
        Button("Open", "tg://resolve?domain=x"),
        Button("x" * 81, "https://a.b"),
        Button("Long", "https://a.b/" + "x" * 501),
    ],
)
def test_button_that_discord_cannot_link_is_text_beside_the_others(button: Button) -> None:
    of = post(text("Hi"), buttons(button, LINK))
    assert components((button, LINK)) == [[("Go", "https://a.b/c")]]
    assert button.text in words(checked(of))


def test_too_many_rows_of_buttons_are_text() -> None:
    rows = tuple((Button(f"Label {n}", f"https://a.b/{n}"),) for n in range(6))
    assert components(*rows) == []
    assert "Label 5" in words(checked(post(text("Hi"), Buttons(rows))))


@pytest.mark.parametrize(
    "how",
    [
        {"fallback": Fallback.TEXT},
        {"link_buttons": False},
        {"fallback": Fallback.TEXT, "link_buttons": False},
    ],
)
def test_buttons_are_text_where_link_buttons_are_not_taken(how: dict[str, Any]) -> None:
    assert components((LINK,), **how) == []
    shown = checked(post(text("Hi"), buttons(LINK)), **how)
    assert "Go" in words(shown)


def test_buttons_stand_below_the_last_text_of_a_long_post() -> None:
    messages = checked(post(text("word " * 3000), buttons(LINK)))
    assert ["components" in message.payload for message in messages] == [False] * (len(messages) - 1) + [True]


def test_long_post_with_many_long_buttons_keeps_discords_limits() -> None:
    rows = tuple((Button("ы" * 80, "https://a.b/" + "x" * 300),) for _ in range(5))
    assert len(components(*rows)) == 5
    checked(post(text("カ" * 9000), PREVIEW, Buttons(rows), signature="Tom"))


def test_edit_of_a_post_that_lost_its_buttons_removes_them() -> None:
    before, after = checked(post(text("Hi"), buttons(LINK))), checked(post(text("Hi")))
    assert (has_buttons(before), has_buttons(after)) == (True, False)
    [cleared] = without_old_buttons(after)
    assert cleared.payload["components"] == []
    assert digest(cleared) == digest(after[0]) != digest(before[0])
    assert without_old_buttons(before)[0].payload["components"]
