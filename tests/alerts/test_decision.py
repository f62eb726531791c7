"""What the operator is told, and when: tables, and properties over any history of problems."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.alerts.decision import AT_MOST_EVERY, LONGEST, Alert, Memory, decide, subject_of
from disgram.health.problems import Key, Problem
from disgram.health.sentences import SENTENCES, sentence_of

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
AFTER = 300.0


def problem(
    reason: str, channel: str | None = "durov", job: str | None = "news", since: datetime | None = NOON
) -> Problem:
    return Problem(job, channel, reason, sentence_of(reason).message(), since)


def after_minutes(
    minutes: float,
    *problems: Problem,
    memory: Memory | None = None,
    unheard: Collection[tuple[str, str]] = (),
) -> Alert | None:
    now = NOON + timedelta(minutes=minutes)
    return decide(problems, unheard, memory or Memory(), now, AFTER)


def told(*problems: Problem) -> Memory:
    return Memory({subject_of(each): NOON for each in problems}, NOON - timedelta(hours=1))


@pytest.mark.parametrize(
    ("reason", "minutes", "is_told"),
    [
        ("webhook_gone", 0, True),
        ("no_preview", 0, True),
        ("post_refused", 0, True),
        ("storage_unavailable", 0, True),
        ("an unknown one", 0, True),
        ("telegram_unavailable", 4.9, False),
        ("telegram_unavailable", 5, True),
        ("discord_unavailable", 4.9, False),
        ("discord_unavailable", 5, True),
        ("crashed", 1, False),
        ("crashed", 6, True),
    ],
)
def test_what_needs_a_person_is_told_at_once_and_what_may_pass_when_it_has_lasted(
    reason: str, minutes: float, is_told: bool
) -> None:
    assert (after_minutes(minutes, problem(reason)) is not None) is is_told


def test_message_names_job_channel_sentence_and_beginning() -> None:
    alert = after_minutes(1, problem("no_preview"))
    assert alert
    message = SENTENCES["no_preview"].message().rstrip(".")
    assert alert.content == f"Disgram\n- news / durov: {message} (since 2026-01-01 12:00 UTC)"
    assert alert.memory == Memory({Key("news", "durov", "no_preview"): NOON}, NOON + timedelta(minutes=1))


def test_dead_webhook_of_a_job_is_told_once_with_its_channels() -> None:
    alert = after_minutes(1, *[problem("webhook_gone", f"c{number}") for number in range(8)])
    assert alert
    assert "- news / c0, c1, c2, c3, c4 and 3 more: Discord does not know" in alert.content
    assert list(alert.memory.told) == [Key("news", None, "webhook_gone")]


def test_outage_is_told_once_for_all_jobs_and_counts_from_its_first_channel() -> None:
    problems = [
        problem("telegram_unavailable", "a", since=NOON),
        problem("telegram_unavailable", "b", "other", since=NOON + timedelta(minutes=4)),
    ]
    alert = after_minutes(5, *problems)
    assert alert
    assert alert.content.startswith("Disgram\n- a, b: Telegram does not answer")
    assert after_minutes(60, problems[1], memory=alert.memory) is None


def test_end_is_told_once() -> None:
    memory = told(problem("no_preview"))
    alert = after_minutes(30, memory=memory)
    assert alert
    assert alert.content.startswith("Disgram\n- Over: news / durov: t.me shows no posts")
    assert alert.content.endswith("(since 2026-01-01 12:00 UTC)")
    assert after_minutes(90, memory=alert.memory) is None


def test_problem_that_was_never_told_has_no_end_either() -> None:
    assert after_minutes(4, problem("telegram_unavailable")) is None
    assert after_minutes(9, memory=Memory()) is None


def test_nothing_is_over_before_everybody_who_could_have_it_was_heard() -> None:
    """After a restart no worker has a problem yet."""
    memory = told(problem("webhook_gone"))
    assert after_minutes(1, memory=memory, unheard=[("news", "other")]) is None
    assert after_minutes(1, memory=memory, unheard=[("old", "other")])
    assert after_minutes(1, memory=told(problem("no_preview")), unheard=[("news", "durov")]) is None
    assert after_minutes(1, memory=told(problem("no_preview")), unheard=[("news", "other")])
    assert after_minutes(1, memory=told(problem("telegram_unavailable")), unheard=[("x", "y")]) is None


def test_another_reason_of_the_same_channel_is_told_together_with_the_end_of_the_first() -> None:
    alert = after_minutes(1, problem("no_preview"), memory=told(problem("channel_not_found")))
    assert alert
    begins, over = alert.content.splitlines()[1:]
    assert "shows no posts" in begins
    assert over.startswith("- Over: news / durov: Nobody has this name")


@pytest.mark.parametrize("seconds", [0, 59, -59])
def test_second_message_waits_until_a_minute_after_the_first(seconds: float) -> None:
    memory = replace(told(), sent_at=NOON)
    now = NOON + timedelta(seconds=seconds)
    assert decide([problem("no_preview")], (), memory, now, AFTER) is None


def test_message_of_the_future_does_not_hold_up_others_after_the_clock_was_set_back() -> None:
    memory = Memory(sent_at=NOON + timedelta(days=3))
    assert after_minutes(0, problem("no_preview"), memory=memory)


def test_message_too_long_says_how_many_problems_it_leaves_out() -> None:
    alert = after_minutes(1, *[problem("no_preview", f"channel{number}" * 20) for number in range(60)])
    assert alert
    assert len(alert.content) <= LONGEST
    assert "more: see GET /health" in alert.content
    assert len(alert.memory.told) == 60


def test_service_itself_is_named_by_no_channel() -> None:
    alert = after_minutes(0, problem("storage_unavailable", None, None))
    assert alert
    assert alert.content.startswith("Disgram\n- The data directory cannot be written")


PROBLEMS = st.sets(
    st.builds(
        problem,
        st.sampled_from(["no_preview", "webhook_gone", "telegram_unavailable", "crashed", "post_refused"]),
        st.sampled_from(["a", "b"]),
        st.sampled_from(["one", "two"]),
        st.just(None),
    ),
    max_size=6,
)
HISTORY = st.lists(st.tuples(st.floats(1, 400), PROBLEMS), max_size=40)


@given(HISTORY)
def test_over_any_history_each_is_told_once_and_ended_once_and_a_minute_lies_between(
    history: list[tuple[float, set[Problem]]],
) -> None:
    memory, now, begun = Memory(), NOON, dict[Key, datetime]()
    sent: list[datetime] = []
    for seconds, problems in history:
        now += timedelta(seconds=seconds)
        begun = {each.key: begun.get(each.key, now) for each in problems}
        dated = [replace(each, since=begun[each.key]) for each in problems]
        alert = decide(dated, (), memory, now, AFTER)
        if alert is None:
            continue
        before, memory = memory, alert.memory
        new, ended = memory.told.keys() - before.told.keys(), before.told.keys() - memory.told.keys()
        present = {subject_of(each) for each in problems}
        assert new <= present
        assert not ended & present
        lines = Counter(line.startswith("- Over: ") for line in alert.content.splitlines()[1:])
        assert (lines[False], lines[True]) == (len(new), len(ended))
        assert len(alert.content) <= LONGEST
        sent.append(now)
    assert all(later - earlier >= AT_MOST_EVERY for earlier, later in pairwise(sent))


@given(PROBLEMS)
def test_what_lasts_is_told_when_the_time_has_come_and_never_again(problems: set[Problem]) -> None:
    dated = [replace(each, since=NOON) for each in problems]
    memory = Memory()
    for minutes in range(30):
        if alert := decide(dated, (), memory, NOON + timedelta(minutes=minutes), AFTER):
            assert minutes in {0, 5}
            memory = alert.memory
    assert set(memory.told) == {subject_of(each) for each in problems}
