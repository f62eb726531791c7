"""A worker whose job has rules: what is sent, what is booked as left out, and what edits change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from disgram.errors import DiscordUnavailable, MessageRejected, Stopping
from disgram.report import EXIT_OK, Level
from disgram.rules.texts import RuleTexts
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, refusal


def bench_of(folder: Path, rules: RuleTexts, **settings: Any) -> Bench:
    return Bench(folder, rules=rules, **settings)


def state_of(bench: Bench, post_id: int) -> str | None:
    row = bench.ledger.post(post_id)
    return row.state if row else None


def test_posts_that_a_rule_leaves_out_are_dealt_with_and_not_sent(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(include="storm"))
    bench.telegram.write(1, "storm one")
    bench.telegram.write(2, "calm")
    bench.telegram.write(3, "storm three")
    assert bench.poll() == EXIT_OK
    assert bench.discord.texts == ["storm one", "storm three"]
    assert [state_of(bench, number) for number in (1, 2, 3)] == ["sent", "filtered", "sent"]
    progress = bench.ledger.progress()
    assert progress is not None
    assert progress.last_id == 3
    assert bench.said.count("/2 is left out by INCLUDE") == 1


def test_a_post_left_out_is_not_looked_at_again_until_it_changes(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"))
    bench.telegram.write(1, "spam")
    bench.poll(3)
    bench.again()
    bench.poll()
    assert bench.discord.asked == []
    assert bench.said.count("left out") == 1


def test_a_post_that_passes_after_an_edit_is_sent_before_newer_ones(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"))
    bench.telegram.write(1, "spam")
    bench.poll()
    bench.telegram.write(1, "good after all")
    bench.telegram.write(2, "newer")
    bench.poll()
    assert bench.discord.texts == ["good after all", "newer"]
    assert state_of(bench, 1) == "sent"


def test_a_post_that_is_edited_and_still_left_out_stays_so(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"))
    bench.telegram.write(1, "spam")
    bench.poll()
    bench.telegram.write(1, "more spam")
    bench.poll(3)
    assert bench.discord.asked == []
    assert bench.said.count("left out") == 2  # at first, and once after the edit


def test_a_post_half_sent_is_completed_whatever_the_rules_say_now(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"))
    bench.telegram.write(1, " ".join(f"word{number}" for number in range(900)))
    bench.discord.script = [None, refusal(DiscordUnavailable("503")), refusal(DiscordUnavailable("503"))]
    bench.stop_after = 0
    with pytest.raises(Stopping):
        bench.poll()
    bench.stop_after = None
    bench.telegram.write(1, "spam " + " ".join(f"word{number}" for number in range(900)))
    bench.again()
    bench.poll()
    assert len(bench.discord.texts) == 2
    assert all(row.state == "sent" for row in bench.ledger.messages(1))


def test_service_messages_are_forwarded_to_a_job_whose_kinds_name_them(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(kinds="service"))
    bench.telegram.write(1, "an ordinary post")
    bench.telegram.posts[2] = pages.post(
        2, pages.text("Channel photo updated"), extra_class="service_message"
    )
    bench.poll()
    assert len(bench.discord.texts) == 1
    assert "photo updated" in bench.discord.texts[0]


def test_a_retry_of_a_refused_post_keeps_to_the_rules(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"))
    bench.telegram.fill(1, 1)
    bench.discord.refuses = lambda _: MessageRejected("400")
    bench.poll()
    assert state_of(bench, 1) == "failed"
    bench.telegram.write(1, "spam")
    bench.database.retry("job")
    bench.discord.refuses = lambda _: None
    bench.poll(2)
    assert state_of(bench, 1) == "filtered"
    assert bench.discord.texts == []


def test_a_range_of_cooldowns_follows_the_posts_and_is_reported(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(), shortest_cooldown=60.0, cooldown=300.0)
    bench.telegram.fill(1, 5)
    bench.stop_after = 0
    with pytest.raises(Stopping):
        bench.worker.run()
    assert 300 <= bench.waited[0] <= 315  # posts of long ago
    assert bench.said.facts["cooldown"] == 300
    assert all(level is not Level.ERROR for level, _ in bench.said.lines)


@pytest.mark.parametrize(
    ("policy", "texts"), [("keep", ["good"]), ("delete", []), ("mark", ["*deleted in Telegram*\n~~good~~"])]
)
def test_a_sent_post_that_no_longer_passes_is_treated_as_deletions_are(
    tmp_path: Path, policy: str, texts: list[str]
) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"), follow_deletions=policy)
    bench.telegram.write(1, "good")
    bench.poll()
    bench.telegram.write(1, "spam now")
    bench.poll(3)
    assert bench.discord.texts == texts
    assert state_of(bench, 1) == "filtered"


@pytest.mark.parametrize("policy", ["keep", "mark", "delete"])
def test_a_post_that_passes_again_is_shown_as_it_is_now(tmp_path: Path, policy: str) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"), follow_deletions=policy)
    for words in ("good", "spam", "good again"):
        bench.telegram.write(1, words)
        bench.poll(2)
    assert bench.discord.texts == ["good again"]
    assert state_of(bench, 1) == "sent"


def test_a_withdrawal_that_discord_does_not_take_is_tried_again(tmp_path: Path) -> None:
    bench = bench_of(tmp_path, RuleTexts(exclude="spam"), follow_deletions="delete")
    bench.telegram.write(1, "good")
    bench.poll()
    bench.telegram.write(1, "spam")
    bench.discord.refuses_changes = DiscordUnavailable("503")
    bench.poll()
    assert state_of(bench, 1) == "sent"
    bench.discord.refuses_changes = None
    bench.poll()
    assert bench.discord.texts == []
    assert state_of(bench, 1) == "filtered"
