"""Link buttons below a post: sent, edited, and as text where Discord does not take them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from disgram.delivery.shape import Shape
from disgram.discord.message import DiscordMessage
from disgram.errors import DiscordError, MessageRejected
from standins.stage import eventually, staged
from standins.telegram.text_markup import buttons, post, words
from tests.builders import pages
from tests.builders.delivery_fakes import Bench

SITE = (("Site", "https://example.org/"),)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def with_buttons(number: int, text: str, *rows: tuple[tuple[str, str], ...]) -> str:
    return pages.post(number, pages.text(text), below=pages.keyboard(*rows) if rows else "")


def labels(bench: Bench) -> list[list[str]]:
    """Of each message."""
    rows = [message.get("components", []) for message in bench.discord.shown.values()]
    return [[button["label"] for row in message for button in row["components"]] for message in rows]


def test_ignored_buttons_become_text_and_further_posts_have_none(bench: Bench) -> None:
    bench.discord.takes_buttons = False
    bench.telegram.posts = {1: with_buttons(1, "one", SITE), 2: with_buttons(2, "two", SITE)}
    bench.poll()
    assert bench.discord.texts == [f"{text}\n\n[Site](https://example.org/)" for text in ("one", "two")]
    assert bench.discord.asked == ["POST", "PATCH", "POST"]


REFUSED = MessageRejected(
    "400 Invalid Form Body",
    code=50035,
    fields={("components", "0", "components", "0", "url"): "URL_TYPE_INVALID_URL"},
)


def refuses_any_components(message: DiscordMessage) -> DiscordError | None:
    return REFUSED if "components" in message.payload else None


def refuses_buttons(message: DiscordMessage) -> DiscordError | None:
    return REFUSED if message.payload.get("components") else None


def test_refused_buttons_become_text_in_the_same_form(bench: Bench) -> None:
    bench.discord.refuses = refuses_any_components
    bench.telegram.posts = {1: with_buttons(1, "one", SITE)}
    bench.poll()
    assert bench.discord.texts == ["one\n\n[Site](https://example.org/)"]
    assert bench.discord.asked == ["POST", "POST"]
    assert bench.said.errors() == []


def test_edit_that_removes_the_buttons_is_followed(bench: Bench) -> None:
    bench.telegram.posts = {1: with_buttons(1, "one", SITE)}
    bench.poll()
    assert labels(bench) == [["Site"]]
    bench.telegram.posts = {1: with_buttons(1, "one")}
    bench.poll(2)
    assert labels(bench) == [[]]
    bench.telegram.posts = {1: with_buttons(1, "one", (("Shop", "https://example.org/"),))}
    bench.poll(2)
    assert labels(bench) == [["Shop"]]
    assert bench.discord.asked == ["POST", "PATCH", "PATCH"]


@pytest.mark.parametrize(
    ("refuses", "patches", "left"), [(refuses_buttons, 2, []), (refuses_any_components, 3, ["Site"])]
)
def test_edit_whose_buttons_are_refused_shows_them_as_text(
    bench: Bench, refuses: Callable[[DiscordMessage], DiscordError | None], patches: int, left: list[str]
) -> None:
    bench.telegram.posts = {1: with_buttons(1, "one", SITE)}
    bench.poll()
    bench.discord.refuses = refuses
    bench.telegram.posts = {1: with_buttons(1, "corrected", SITE)}
    bench.poll(2)
    assert bench.discord.texts == ["corrected\n\n[Site](https://example.org/)"]
    assert labels(bench) == [left]
    assert bench.discord.asked == ["POST"] + ["PATCH"] * patches
    assert bench.said.errors() == []
    bench.discord.refuses = lambda _: None
    bench.telegram.posts = {1: with_buttons(1, "again", SITE)}
    bench.poll(2)
    assert bench.discord.texts == ["again\n\n[Site](https://example.org/)"]
    assert labels(bench) == [[]]


def test_edit_refused_for_another_reason_is_not_tried_without_buttons(bench: Bench) -> None:
    bench.telegram.posts = {1: with_buttons(1, "one", SITE)}
    bench.poll()
    bench.discord.refuses = lambda _: MessageRejected('400 (code 50035) {"embeds": 1}', code=50035)
    bench.telegram.posts = {1: with_buttons(1, "corrected", SITE)}
    bench.poll(2)
    assert bench.discord.texts == ["one"]
    assert bench.discord.asked == ["POST", "PATCH"]
    assert len(bench.said.errors()) == 1


def test_count_on_a_button_of_a_bot_causes_no_edit(bench: Bench) -> None:
    for count in range(3):
        bench.telegram.posts = {1: with_buttons(1, "one", ((f"👍 {count}", ""),), SITE)}
        bench.poll()
    assert bench.discord.asked == ["POST"]


def test_post_sent_by_an_older_version_keeps_its_buttons_as_text() -> None:
    shape = Shape.decode('{"fallback": "files", "media": [], "fetched": {}}')
    assert not shape.link_buttons
    assert not shape.has_buttons


def test_buttons_reach_discord_and_are_shown_there(tmp_path: Path) -> None:
    with staged(tmp_path, per_webhook=(50, 1.0)) as stage:
        channel = stage.telegram.add_channel("news")
        channel.add(post(words("one"), buttons((("Site", "https://example.org/"), ("Vote", "")))))
        stage.start()
        stage.add_job("job", "news/1")
        eventually(lambda: len(stage.arrived()) == 1)
        (message,) = stage.arrived()
        assert [button["label"] for button in message.components[0]["components"]] == ["Site"]
        assert message.embeds[0]["description"] == "one\n\nVote"
        assert stage.discord.violations == []
