"""What a job adds to its messages: pings, silence, a forum thread for each post."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from disgram.delivery.message_options import SUPPRESS_NOTIFICATIONS, MessageOptions
from disgram.discord.message import DiscordMessage
from disgram.discord.render import CONTENT_ROOM
from disgram.errors import DiscordUnavailable, MessageRejected, Stopping
from disgram.post import TelegramPost
from disgram.report import EXIT_OK
from disgram.rules.mention import Mention
from disgram.rules.texts import RuleTexts
from tests.builders.delivery_fakes import Bench, refusal

LONG = " ".join(f"word{number}" for number in range(900))
"""Two messages."""
POST = TelegramPost("news", 7, (7,), "News", ())
NOBODY: dict[str, Any] = {"parse": []}


def bench_of(folder: Path, **rules: Any) -> Bench:
    return Bench(folder, rules=RuleTexts(**rules))


def payloads(bench: Bench) -> list[dict[str, Any]]:
    return list(bench.discord.shown.values())


def test_the_first_message_of_a_post_pings_and_no_other(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, mention="12,34")
    bench.telegram.write(1, LONG)
    assert bench.poll() == EXIT_OK
    first, second = payloads(bench)
    assert (first["content"], first["allowed_mentions"]) == (
        "<@&12> <@&34>",
        {"parse": [], "roles": ["12", "34"]},
    )
    assert (second.get("content"), second["allowed_mentions"]) == (None, NOBODY)


def test_only_posts_that_meet_the_condition_ping(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, mention="everyone", mention_if="storm")
    bench.telegram.write(1, "calm")
    bench.telegram.write(2, "Storm")
    bench.poll()
    calm, storm = payloads(bench)
    assert calm["allowed_mentions"] == NOBODY
    assert (storm["content"], storm["allowed_mentions"]) == ("@everyone", {"parse": ["everyone"]})


def test_a_channel_that_writes_everyone_pings_nobody_beyond_the_configured(tmp_path: Path) -> None:
    """As plain text, the post's words share the message's content with the mention."""
    bench = bench_of(tmp_path, mention="here")
    bench.discord.refuses = lambda message: (
        MessageRejected("Discord: 400") if "embeds" in message.payload else None
    )
    bench.telegram.write(1, "hello @everyone")
    bench.poll()
    (shown,) = payloads(bench)
    assert shown["content"].startswith("@here\nhello ")
    assert "@everyone" not in shown["content"]
    assert shown["allowed_mentions"] == {"parse": ["everyone"]}


def test_a_mention_without_room_beside_the_text_is_a_message_of_its_own() -> None:
    full = DiscordMessage({"content": "x" * CONTENT_ROOM, "username": "News", "allowed_mentions": NOBODY})
    first, second = MessageOptions().added_to([full], POST, Mention(("12",)))
    assert first.payload == {
        "username": "News",
        "content": "<@&12>",
        "allowed_mentions": {"parse": [], "roles": ["12"]},
    }
    assert second == full


def test_silent_messages_say_so_and_their_edits_do_not(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, silent=True)
    bench.telegram.write(1, LONG)
    bench.poll()
    assert [payload["flags"] for payload in payloads(bench)] == [SUPPRESS_NOTIFICATIONS] * 2
    bench.telegram.write(1, LONG.replace("word5 ", "changed "))
    bench.poll()
    (patched,) = bench.discord.patched
    assert "flags" not in patched


def test_each_post_opens_a_thread_and_its_further_messages_go_into_it(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, thread_name="{title}: {first_line}", tags="5,6")
    bench.telegram.write(1, LONG)
    bench.telegram.write(2, "short")
    bench.poll()
    first, second, third = bench.discord.shown
    threads = [bench.discord.sent_to[message_id].thread_id for message_id in (first, second, third)]
    assert threads == [None, f"thread of {first}", None]
    names = [payload.get("thread_name", "")[:19] for payload in payloads(bench)]
    assert names == ["Harbour News: word0", "", "Harbour News: short"]
    assert [payload.get("applied_tags") for payload in payloads(bench)] == [["5", "6"], None, ["5", "6"]]


def test_a_post_resumed_after_a_stop_goes_on_in_the_thread_it_opened(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, thread_name="{first_line}")
    bench.telegram.write(1, LONG)
    bench.discord.script = [None, refusal(DiscordUnavailable("reset", ambiguous=True))]
    bench.stop_after = 0
    with pytest.raises(Stopping):
        bench.poll()
    bench.stop_after = None
    bench.again()
    bench.poll()
    first, second = bench.discord.shown
    assert bench.discord.sent_to[second].thread_id == f"thread of {first}"


def test_edits_find_the_message_in_the_thread_its_post_opened(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, thread_name="{first_line}")
    bench.telegram.write(1, "before")
    bench.poll()
    bench.telegram.write(1, "after")
    bench.poll()
    (message_id,) = bench.discord.shown
    assert [place.thread_id for place in bench.discord.changed_at] == [f"thread of {message_id}"]
    assert "thread_name" not in bench.discord.patched[0]


def test_a_link_that_follows_a_refused_rest_neither_pings_again_nor_opens_a_thread(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, mention="12", thread_name="{first_line}")
    bench.telegram.write(1, LONG)
    sent = 0

    def refuses(message: DiscordMessage) -> MessageRejected | None:
        nonlocal sent
        sent += 1
        link_alone = message.payload.get("content", "").endswith("/1") and "embeds" not in message.payload
        return None if sent == 1 or link_alone else MessageRejected("Discord: 400")

    bench.discord.refuses = refuses
    bench.poll()
    pinging = [payload for payload in payloads(bench) if payload["allowed_mentions"] != NOBODY]
    opening = [place for place in bench.discord.sent_to.values() if place.thread_id is None]
    assert len(payloads(bench)) == 2
    assert (len(pinging), len(opening)) == (1, 1)
