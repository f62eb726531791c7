"""One archived thread among several: what waits there holds up no edit elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.delivery.refused.archived_threads import EDITS_WAIT
from disgram.errors import EditWaits
from disgram.report import EXIT_OK
from disgram.rules.texts import RuleTexts
from tests.builders.delivery_fakes import HOOK, Bench, refusal, sent_before

ARCHIVED = refusal(EditWaits("400 Thread is archived (code 50083)"))


def test_an_archived_thread_of_one_forum_post_holds_up_no_other_edit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=RuleTexts(thread_name="{first_line}"))
    bench.telegram.fill(1, 3)
    bench.poll()
    for number in (1, 2, 3):
        bench.telegram.write(number, f"post {number}, corrected")
    bench.discord.script = [ARCHIVED]
    assert bench.poll(3) == EXIT_OK
    assert bench.discord.texts == ["post 1", "post 2, corrected", "post 3, corrected"]
    assert bench.discord.asked.count("PATCH") == 3
    bench.telegram.write(2, "post 2, corrected twice")
    bench.telegram.fill(4, 4)
    bench.poll()
    assert bench.discord.texts[1:] == ["post 2, corrected twice", "post 3, corrected", "post 4"]
    bench.clock.now += EDITS_WAIT
    bench.poll()
    assert bench.discord.texts[0] == "post 1, corrected"


@pytest.mark.parametrize("policy", ["mark", "delete"])
def test_an_archived_thread_of_one_forum_post_holds_up_no_other_deletion(tmp_path: Path, policy: str) -> None:
    bench = Bench(tmp_path, rules=RuleTexts(thread_name="{first_line}"), follow_deletions=policy)
    bench.telegram.fill(1, 5)
    bench.poll()
    del bench.telegram.posts[2], bench.telegram.posts[4]
    bench.poll()
    bench.discord.script = [ARCHIVED]
    bench.poll(2)
    assert "post 2" in bench.discord.texts
    assert "post 4" not in bench.discord.texts


def test_an_archived_thread_of_before_holds_up_no_edit_in_the_new_one(tmp_path: Path) -> None:
    bench = Bench(tmp_path, thread="7")
    sent_before(bench, 1, 1, webhook_id=HOOK.webhook_id, thread_id="6")
    bench.telegram.fill(2, 2)
    bench.poll()
    for number in (1, 2):
        bench.telegram.write(number, f"post {number}, corrected")
    bench.discord.script = [ARCHIVED]
    bench.poll()
    assert bench.discord.texts == ["post 1", "post 2, corrected"]
