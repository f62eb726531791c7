"""The list of problems: what is one, its sentence, its place in the list."""

from __future__ import annotations

import re
import time
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.health.host_stats import HostStats
from disgram.health.problems import (
    Fault,
    Findings,
    Key,
    Problem,
    RefusedPosts,
    one_per_channel,
    problem,
    problem_list,
)
from disgram.health.sentences import SENTENCES, sentence_of
from disgram.health.status_line import status_line
from disgram.health.summary import LogFileState, summarise
from disgram.jobs.unusable import UnusableJob
from disgram.workers.spec import Snapshot, WorkerState, WorkerStatus
from tests.health.test_summary import MOMENT, NOW, worker

ANCIENT = datetime(2020, 1, 1, tzinfo=timezone.utc)
LOG = LogFileState(NOW)


def keys(problems: list[Problem]) -> list[tuple[str | None, str]]:
    return [(found.channel, found.reason) for found in problems]


def troubled(channel: str, reason: str, **changes: Any) -> WorkerStatus:
    return worker(channel, reason=reason, trouble=reason, since=NOW, **changes)


def health(*workers: WorkerStatus, findings: Findings | None = None) -> dict[str, Any]:
    snapshot = Snapshot(workers, 999.0)
    answer = summarise(snapshot, {}, HostStats(), LOG, MOMENT, {"news": len(workers)}, findings)
    return answer.model_dump(mode="json", by_alias=True)


@pytest.mark.parametrize("reason", SENTENCES)
def test_sentence_is_one_and_says_what_is_wrong_and_what_to_do(reason: str) -> None:
    message = sentence_of(reason).message()
    what, _, todo = message.partition(": ")
    assert re.fullmatch(r"[^\n]{10,}[^.]\.", message), message
    assert what[0].isupper() or what.startswith(("t.me", "disgram.db", "jobs.json"))
    assert todo[0].islower() or todo.startswith("PATCH"), "the second half goes on in the same sentence"


def test_reason_without_a_row_still_has_a_sentence() -> None:
    assert "cursed" in sentence_of("cursed").message()


def test_channel_that_is_well_has_no_problem() -> None:
    assert problem_list([worker(), worker("b", state=WorkerState.STARTING)], Findings()) == []


def test_problems_are_ordered_by_urgency_and_the_oldest_is_first() -> None:
    workers = [
        troubled("passing", "telegram_unavailable"),
        troubled("new", "no_preview"),
        replace(troubled("old", "channel_not_found"), since=ANCIENT),
        worker("gapped", gaps=((3, 9),)),
    ]
    refused = {("news", "passing"): RefusedPosts(1, ANCIENT)}
    findings = Findings((Fault("storage_unavailable", "Disk full"),), refused)
    assert keys(problem_list(workers, findings)) == [
        (None, "storage_unavailable"),
        ("old", "channel_not_found"),
        ("new", "no_preview"),
        ("passing", "post_refused"),
        ("passing", "telegram_unavailable"),
        ("gapped", "gap"),
    ]


def test_a_channel_is_shown_with_its_most_urgent_problem_alone() -> None:
    refused = {("news", "durov"): RefusedPosts(2, NOW)}
    everything = problem_list([troubled("durov", "webhook_gone", gaps=((1, 2),))], Findings((), refused))
    assert keys(everything) == [
        ("durov", "webhook_gone"),
        ("durov", "post_refused"),
        ("durov", "gap"),
    ]
    others = [problem("webhook_gone", job="other"), problem("jobs_file"), problem("service_error")]
    assert keys(one_per_channel([*others, *everything])) == [
        (None, "webhook_gone"),
        (None, "jobs_file"),
        (None, "service_error"),
        ("durov", "webhook_gone"),
    ]


def test_each_channel_of_a_dead_webhook_is_named() -> None:
    answer = health(troubled("a", "webhook_gone"), troubled("b", "webhook_gone"), worker("c"))
    assert [found["channel"] for found in answer["problems"]] == ["a", "b"]
    assert answer["status"] == "degraded"


def test_trouble_is_a_problem_while_the_worker_is_being_started_again() -> None:
    starting = worker(state=WorkerState.STARTING, reason=None, trouble="crashed", since=ANCIENT)
    (found,) = health(starting)["problems"]
    assert (found["reason"], found["since"]) == ("crashed", ANCIENT.isoformat())


@pytest.mark.parametrize(
    ("reason", "shown"),
    [("webhook_gone", True), ("no_preview", True), ("telegram_unavailable", False), ("crashed", False)],
)
def test_what_only_a_person_ends_is_shown_after_a_restart_before_the_first_poll(
    reason: str, shown: bool
) -> None:
    findings = Findings(begun={Key("news", "durov", reason): ANCIENT})
    starting = worker("Durov", state=WorkerState.STARTING)
    answer = health(starting, worker("b"), findings=findings)
    found = [(found["channel"], found["reason"], found["since"]) for found in answer["problems"]]
    assert found == ([("Durov", reason, ANCIENT.isoformat())] if shown else [])
    for heard in (replace(starting, settled=True), troubled("Durov", "crashed")):
        reasons = [found["reason"] for found in health(heard, findings=findings)["problems"]]
        assert reasons in ([], ["crashed"])


def test_problem_names_what_a_person_needs() -> None:
    waiting = troubled("durov", "rate_limited", until=NOW + timedelta(minutes=9))
    (found,) = health(waiting)["problems"]
    assert found == {
        "job": "news",
        "channel": "durov",
        "reason": "rate_limited",
        "message": SENTENCES["rate_limited"].message(),
        "since": NOW.isoformat(),
        "until": (NOW + timedelta(minutes=9)).isoformat(),
    }


@pytest.mark.parametrize(("number", "words"), [(1, "refused 1 post in"), (3, "refused 3 posts in")])
def test_refused_posts_are_counted_and_degrade_until_somebody_deals_with_them(
    number: int, words: str
) -> None:
    findings = Findings(refused={("news", "durov"): RefusedPosts(number, ANCIENT)})
    answer = health(worker(), findings=findings)
    assert (answer["status"], answer["delivery"]["failed"]) == ("degraded", number)
    (found,) = answer["problems"]
    assert words in found["message"]
    assert (found["channel"], found["since"]) == ("durov", ANCIENT.isoformat())


def test_refused_posts_of_a_channel_that_the_job_has_no_more_are_shown_and_of_a_deleted_job_not() -> None:
    refused = {("news", "old"): RefusedPosts(1, NOW), ("gone", "x"): RefusedPosts(5, NOW)}
    answer = health(worker(), findings=Findings(refused=refused))
    assert [(found["job"], found["channel"]) for found in answer["problems"]] == [("news", "old")]
    assert answer["delivery"]["failed"] == 1


def test_problem_that_does_not_say_when_it_began_is_dated_by_the_first_look_at_it() -> None:
    begun = {problem("jobs_file").key: ANCIENT}
    findings = Findings((Fault("jobs_file", "Line 3 is wrong"),), begun=begun)
    (found,) = problem_list([], findings)
    assert (found.since, found.message.partition(":")[0]) == (ANCIENT, "Line 3 is wrong")


def test_other_problems_are_shown_with_the_rest() -> None:
    cannot_run = Problem("news", None, "job_invalid", "Its webhook is none.", NOW)
    answer = health(worker(), findings=Findings(others=(cannot_run,)))
    assert answer["problems"][0]["message"] == "Its webhook is none."
    assert answer["status"] == "degraded"


def test_answer_shows_fifty_problems_and_counts_all_of_them() -> None:
    answer = health(*[troubled(f"c{number}", "no_preview") for number in range(70)])
    assert (len(answer["problems"]), answer["problems_total"]) == (50, 70)


def test_status_line_names_the_first_problem_and_counts_the_others() -> None:
    answer = health(troubled("durov", "no_preview"), troubled("b", "crashed"), worker("c"))
    line = status_line(answer)
    assert line.startswith("degraded: 3 of 3 workers running, 1 job; news / durov: t.me shows no posts")
    assert line.endswith("; 1 more problem")


def test_health_of_a_thousand_workers_with_200_problems_is_made_in_no_time() -> None:
    workers = [worker(f"c{number}") for number in range(800)]
    workers += [troubled(f"d{number}", "webhook_gone") for number in range(200)]
    snapshot, jobs = Snapshot(tuple(workers), 999.0), {"news": 1000}

    def seconds() -> float:
        began = time.process_time()
        answer = summarise(snapshot, {}, HostStats(), LOG, MOMENT, jobs)
        assert len(answer.model_dump_json()) > 1000
        return time.process_time() - began

    assert min(seconds() for _ in range(10)) < 0.010


OF_WORKERS = sorted(set(SENTENCES) - {UnusableJob.reason})
"""Without the one that is said once, of the job."""
STATES = [WorkerState.STARTING, WorkerState.RUNNING, WorkerState.STOPPING]
WORKERS = st.lists(
    st.builds(
        worker,
        st.sampled_from(["a", "b", "c"]),
        state=st.sampled_from(STATES),
        reason=st.sampled_from([None, "stale", *OF_WORKERS]),
        trouble=st.sampled_from([None, "crashed"]),
        gaps=st.sampled_from([(), ((1, 2),)]),
        last_line_at=st.sampled_from([995.0, 0.0]),
        idle_since=st.sampled_from([995.0, 0.0]),
        last_poll_ok=st.sampled_from([True, None]),
    ),
    max_size=4,
    unique_by=lambda status: status.channel,
)


@given(WORKERS, st.booleans())
def test_service_is_well_exactly_when_it_has_no_problem(workers: list[WorkerStatus], refused: bool) -> None:
    posts = {("news", "a"): RefusedPosts(1, NOW)} if refused else {}
    answer = health(*workers, findings=Findings(refused=posts)) if workers else health()
    assert (answer["status"] == "healthy") == (answer["problems_total"] == 0)
    assert len({(found["job"], found["channel"]) for found in answer["problems"]}) == answer["problems_total"]
