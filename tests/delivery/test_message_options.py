"""What a job adds to its messages: pings, silence, a forum thread for each post."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from disgram.delivery.message_options import SUPPRESS_NOTIFICATIONS, MessageOptions
from disgram.delivery.refused.archived_threads import EDITS_WAIT
from disgram.discord.message import DiscordMessage
from disgram.discord.render import CONTENT_ROOM
from disgram.errors import DiscordUnavailable, EditWaits, MessageRejected, Stopping
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


def forum_with_an_archived_thread(folder: Path, *, archived: int = 1, **settings: Any) -> Bench:
    """Five posts in threads of their own; every change in that of the post `archived` is refused."""
    bench = Bench(folder, rules=RuleTexts(thread_name="{first_line}"), **settings)
    bench.telegram.fill(1, 5)
    bench.poll()
    thread = f"thread of {list(bench.discord.shown)[archived - 1]}"
    bench.discord.refuses_changes_in[thread] = EditWaits("400 Thread is archived (code 50083)")
    return bench


def test_edit_in_an_archived_forum_thread_holds_up_no_edit_in_another(tmp_path: Path) -> None:
    bench = forum_with_an_archived_thread(tmp_path)
    bench.telegram.write(1, "old, corrected")
    bench.telegram.write(2, "new, corrected")
    bench.poll(3)
    assert bench.discord.texts == ["post 1", "new, corrected", "post 3", "post 4", "post 5"]
    assert bench.discord.asked.count("PATCH") == 2  # the archived thread is not asked again
    assert bench.said.count("its change waits") == 1


def test_post_in_a_new_forum_thread_does_not_open_an_archived_one(tmp_path: Path) -> None:
    bench = forum_with_an_archived_thread(tmp_path)
    bench.telegram.write(1, "old, corrected")
    bench.poll()
    bench.telegram.fill(6, 6)
    bench.poll(2)
    assert bench.discord.asked == ["POST"] * 5 + ["PATCH", "POST"]
    bench.discord.refuses_changes_in.clear()
    bench.clock.now += EDITS_WAIT + 1
    bench.poll()
    assert bench.discord.texts == ["old, corrected", *(f"post {number}" for number in range(2, 7))]


def test_deletion_in_an_archived_forum_thread_holds_up_no_other(tmp_path: Path) -> None:
    bench = forum_with_an_archived_thread(tmp_path, archived=2, follow_deletions="delete")
    del bench.telegram.posts[2], bench.telegram.posts[4]
    bench.poll(5)
    assert bench.discord.texts == ["post 1", "post 2", "post 3", "post 5"]


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
