"""Single fields that Discord refuses are left out; the words, styles and files of the message stay."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from disgram.delivery.refused.fields import MOST_STEPS, without
from disgram.discord.message import DiscordMessage
from disgram.errors import DiscordError, MessageRejected
from standins.discord import rules
from tests.builders import pages
from tests.builders.delivery_fakes import Bench

FieldPath = tuple[str, ...]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def payload() -> dict[str, Any]:
    """One with everything a post can have."""
    url = "https://t.me/harbour/1"
    return {
        "username": "Harbour",
        "avatar_url": "https://cdn.example/a.jpg",
        "allowed_mentions": {"parse": []},
        "embeds": [
            {
                "author": {"name": "Harbour", "url": url, "icon_url": "https://cdn.example/a.jpg"},
                "url": url,
                "color": 1,
                "timestamp": "2026-01-01T00:00:00+00:00",
                "description": "**words**",
                "image": {"url": "attachment://1.jpg"},
                "footer": {"text": "edited"},
            },
            {"title": "A card", "url": "https://example.org/", "thumbnail": {"url": "https://example.org/p"}},
        ],
        "attachments": [{"id": 0, "filename": "1.jpg"}],
    }


def removed(path: FieldPath, whole: dict[str, Any]) -> dict[str, Any]:
    """The payload without what stands at this very path."""
    whole = copy.deepcopy(whole)
    holder: Any = whole
    for step in path[:-1]:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    del holder[path[-1]]
    return whole


@pytest.mark.parametrize(
    ("refused", "gone"),
    [
        ("username", "username"),
        ("avatar_url", "avatar_url"),
        ("allowed_mentions.parse.0", "allowed_mentions"),
        ("attachments.0.filename", "attachments"),
        ("embeds.0.url", "embeds.0.url"),
        ("embeds.1.url", "embeds.1.url"),
        ("embeds.0.timestamp", "embeds.0.timestamp"),
        ("embeds.0.color", "embeds.0.color"),
        ("embeds.0.image.url", "embeds.0.image"),
        ("embeds.1.thumbnail.url", "embeds.1.thumbnail"),
        ("embeds.0.footer.text", "embeds.0.footer"),
        ("embeds.0.author.name", "embeds.0.author"),
        ("embeds.0.author.url", "embeds.0.author.url"),
        ("embeds.0.author.icon_url", "embeds.0.author.icon_url"),
    ],
)
def test_just_the_refused_field_is_left_out_and_the_rest_is_valid(refused: str, gone: str) -> None:
    whole = payload()
    left = without(whole, [tuple(refused.split("."))])
    assert left == removed(tuple(gone.split(".")), whole)
    assert rules.check(left, filenames=["1.jpg"]) is None
    assert whole == payload()


@pytest.mark.parametrize(
    "refused",
    [
        *("content", "embeds", "embeds.0", "embeds.0.description", "embeds.1.title", "components.0"),
        *("embeds.2.url", "embeds.-1.url", "embeds.99999999.url", "embeds.x.url", "embeds.².url"),
        *("embeds.1.author.name", "embeds.1.author.url", "thread_id", "flags", "", "embeds.0.fields.0"),
    ],
)
def test_words_and_what_the_message_has_not_got_cannot_be_left_out(refused: str) -> None:
    assert without(payload(), [tuple(refused.split("."))]) is None
    assert without(payload(), [("username",), tuple(refused.split("."))]) is None


def test_nothing_is_left_out_if_discord_named_nothing() -> None:
    assert without(payload(), []) is None
    assert without(payload(), [()]) is None


def test_an_embed_of_which_nothing_visible_is_left_is_not_sent() -> None:
    only = {"embeds": [{"url": "https://example.org/", "thumbnail": {"url": "https://example.org/p"}}]}
    assert without(only, [("embeds", "0", "thumbnail", "url")]) is None


def test_content_keeps_its_protection_from_pings() -> None:
    text = {"content": "@everyone", "allowed_mentions": {"parse": []}}
    assert without(text, [("allowed_mentions",)]) is None


def test_an_edit_keeps_its_list_of_files() -> None:
    assert without(payload(), [("attachments", "0")], edit=True) is None


def test_author_and_its_icon_may_be_refused_together() -> None:
    both = [("embeds", "0", "author", "name"), ("embeds", "0", "author", "icon_url")]
    for paths in (both, both[::-1]):
        left = without(payload(), paths)
        assert left == removed(("embeds", "0", "author"), payload())


# --- on their way ---------------------------------------------------------------------------------


def refuses(where: Callable[[dict[str, Any]], list[str]]) -> Callable[[DiscordMessage], DiscordError | None]:
    """Discord refuses the fields that `where` names of a payload."""

    def judge(message: DiscordMessage) -> DiscordError | None:
        fields = {tuple(path.split(".")): "SOME_CODE: not well formed" for path in where(message.payload)}
        return MessageRejected("400 Invalid Form Body", code=50035, fields=fields) if fields else None

    return judge


def present(payload: dict[str, Any], *names: str) -> list[str]:
    """Those of `names` that the payload's first embed, or the payload, has."""
    embed = payload["embeds"][0] if payload.get("embeds") else {}
    inner = [f"embeds.0.{name}" for name in names if name in embed]
    return inner + [name for name in names if name in payload]


def test_refused_username_is_left_out_of_further_posts_at_once(bench: Bench) -> None:
    bench.discord.refuses = refuses(lambda payload: present(payload, "username"))
    bench.telegram.fill(1, 3)
    bench.poll()
    assert bench.discord.asked == ["POST"] * 4
    assert bench.discord.texts == ["post 1", "post 2", "post 3"]
    assert all("username" not in shown and shown["embeds"] for shown in bench.discord.shown.values())
    assert bench.said.count("refused username (SOME_CODE: not well formed)") == 1
    assert bench.said.errors() == []


def test_refused_url_of_an_embed_costs_neither_styles_nor_files(bench: Bench) -> None:
    bench.discord.refuses = refuses(lambda payload: present(payload, "url"))
    bench.telegram.files = {"one.jpg": b"1"}
    bench.telegram.posts[1] = pages.post(1, pages.photo(1, "one"), pages.text("<b>words</b>"))
    bench.poll()
    assert bench.discord.asked == ["POST", "POST"]
    assert bench.discord.texts == ["**words**"]
    assert list(bench.discord.files.values()) == [[b"1"]]
    assert [row.state for row in bench.ledger.messages(1)] == ["sent"]


def test_message_sent_without_a_field_is_not_edited_for_it_later(bench: Bench) -> None:
    bench.discord.refuses = refuses(lambda payload: present(payload, "url"))
    bench.telegram.write(1, "one")
    bench.poll(3)
    bench.telegram.write(1, "one", meta="other markup ")
    bench.poll()
    assert bench.discord.asked == ["POST", "POST"]


def test_edit_leaves_out_what_discord_refuses_of_it(bench: Bench) -> None:
    bench.telegram.write(1, "one")
    bench.poll()
    bench.discord.refuses = refuses(lambda payload: present(payload, "url"))
    bench.telegram.write(1, "corrected")
    bench.poll(3)
    assert bench.discord.asked == ["POST", "PATCH", "PATCH"]
    assert bench.discord.texts == ["corrected"]
    assert bench.said.errors() == []


def test_fields_named_one_at_a_time_are_left_out_one_after_another(bench: Bench) -> None:
    bench.discord.refuses = refuses(lambda payload: present(payload, "url", "color", "timestamp")[:1])
    bench.telegram.write(1, "one")
    bench.poll()
    assert bench.discord.asked == ["POST"] * 4
    assert bench.discord.texts == ["one"]


def test_payload_that_is_refused_field_by_field_for_ever_takes_a_simpler_form(bench: Bench) -> None:
    names = ("username", "avatar_url", "url", "color", "timestamp", "author", "footer")
    bench.discord.refuses = refuses(
        lambda payload: present(payload, *names)[:1] or (["embeds.0"] if payload.get("embeds") else [])
    )
    bench.telegram.write(1, "one", meta="edited ")
    bench.poll()
    assert len(bench.discord.asked) <= 4 * (MOST_STEPS + 1)
    assert bench.discord.texts[0].startswith("one")


def test_field_refused_in_spite_of_being_left_out_ends_in_a_simpler_form(bench: Bench) -> None:
    bench.discord.refuses = refuses(lambda payload: ["username"] if payload.get("embeds") else [])
    bench.telegram.write(1, "one")
    bench.poll()
    assert bench.discord.asked == ["POST"] * 4
    assert bench.discord.texts[0].startswith("one")


def test_worker_stopped_before_it_sends_again_does_not_warn_of_a_copy(bench: Bench) -> None:
    bench.discord.refuses = refuses(lambda payload: present(payload, "username"))
    states: list[list[str]] = []
    acquire = bench.turns.acquire

    def note(route: Any, wait: Callable[[float], None]) -> int:
        states.append([row.state for row in bench.ledger.messages(1)])
        return acquire(route, wait)

    bench.turns.acquire = note  # type: ignore[method-assign]
    bench.telegram.write(1, "one")
    bench.poll()
    assert states == [[], []]
