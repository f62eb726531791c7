"""A job's optional rules: what is accepted, how it is kept, what a worker is handed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from config import read
from disgram.errors import BadInput
from disgram.jobs.job import Job
from disgram.rules.texts import NO_RULES, RuleTexts
from jobs import JobManager, worker_specs

URL = "https://discord.com/api/webhooks/123/aToken"
SETTINGS = read({"COOLDOWN": "60-300", "INITIAL_POSTS": "7"})


def job(**changes: Any) -> Job:
    fields: dict[str, Any] = {"jobName": "news", "webhookUrl": URL, "telegramChannels": ("durov",)}
    return Job.parse(fields | changes)


@pytest.mark.parametrize(
    ("field", "given", "kept"),
    [
        ("cooldown", "300", "300"),
        ("cooldown", 0.5, "0.5"),
        ("cooldown", 60, "60"),
        ("cooldown", " 60 - 300 ", "60-300"),
        ("initialPosts", "0", 0),
        ("initialPosts", 12, 12),
        ("include", "storm|flood", "storm|flood"),
        ("exclude", r"\bad\b", r"\bad\b"),
        ("kinds", "Video, photo", "photo,video"),
        ("kinds", ["-forward", "-poll"], "-poll,-forward"),
        ("mention", "<@&12>,34", "12,34"),
        ("mention", 12, "12"),
        ("mention", "@everyone", "everyone"),
        ("silent", "TRUE", True),
        ("silent", True, True),
        ("silent", False, None),
        ("silent", "false", None),
        ("threadName", "{title} {date}", "{title} {date}"),
    ],
)
def test_a_rule_is_kept_as_it_would_be_written(field: str, given: object, kept: object) -> None:
    assert getattr(job(**{field: given}), field) == kept
    assert getattr(job(**{field: kept}), field) == kept
    assert getattr(job(**{field: ""}), field) is None


@pytest.mark.parametrize(
    ("header", "changes"),
    [
        ("COOLDOWN", {"cooldown": "soon"}),
        ("COOLDOWN", {"cooldown": "300-60"}),
        ("COOLDOWN", {"cooldown": "0"}),
        ("COOLDOWN", {"cooldown": "nan"}),
        ("COOLDOWN", {"cooldown": "-5"}),
        ("INITIAL_POSTS", {"initialPosts": "-1"}),
        ("INITIAL_POSTS", {"initialPosts": "many"}),
        ("INCLUDE", {"include": "("}),
        ("EXCLUDE", {"exclude": "[z-a]"}),
        ("INCLUDE", {"include": {"a": 1}}),
        ("KINDS", {"kinds": "pictures"}),
        ("KINDS", {"kinds": "photo,-video"}),
        ("MENTION", {"mention": "all"}),
        ("MENTION_IF", {"mention": "12", "mentionIf": "("}),
        ("MENTION_IF", {"mentionIf": "storm"}),
        ("SILENT", {"silent": "yes"}),
        ("THREAD_NAME", {"threadName": "{name}"}),
        ("THREAD_NAME", {"threadName": "{title}", "threadId": "5"}),
        ("TAGS", {"threadName": "{title}", "tags": "red"}),
        ("TAGS", {"tags": "5"}),
    ],
)
def test_a_senseless_rule_is_refused_by_name(header: str, changes: dict[str, Any]) -> None:
    with pytest.raises(BadInput) as refused:
        job(**changes)
    assert refused.value.error == f"Invalid {header}"
    assert str(refused.value)


def test_a_job_without_rules_is_written_as_it_always_was(tmp_path: Path) -> None:
    manager = JobManager(tmp_path / "jobs.json")
    manager.create(job())
    written = json.loads((tmp_path / "jobs.json").read_text("utf-8"))
    assert written["news"].keys() == {"jobName", "webhookUrl", "telegramChannels", "threadId", "embedColor"}
    assert job().rules == NO_RULES


def test_a_job_with_rules_survives_a_restart(tmp_path: Path) -> None:
    ruled = job(include="a", kinds="photo", mention="12", silent=True, threadName="{title}", tags="5")
    JobManager(tmp_path / "jobs.json").create(ruled)
    again = JobManager(tmp_path / "jobs.json")
    again.load()
    assert again.get("news") == ruled


def test_workers_are_handed_the_rules_and_the_jobs_own_cooldown() -> None:
    (spec,) = worker_specs(job(include="a", cooldown="5-10", initialPosts=0), SETTINGS)
    assert spec.rules == RuleTexts(include="a")
    assert (spec.settings.shortest_cooldown, spec.settings.cooldown, spec.settings.initial_posts) == (
        5,
        10,
        0,
    )
    (plain,) = worker_specs(job(), SETTINGS)
    assert (plain.settings.shortest_cooldown, plain.settings.cooldown, plain.settings.initial_posts) == (
        60,
        300,
        7,
    )
    (fixed,) = worker_specs(job(cooldown="20"), SETTINGS)
    assert (fixed.settings.shortest_cooldown, fixed.settings.cooldown) == (None, 20)


def test_a_spec_with_rules_goes_over_the_wire_unchanged() -> None:
    (spec,) = worker_specs(job(include="a", mention="12", silent=True), SETTINGS)
    wire = json.loads(json.dumps(spec.to_wire()))
    assert type(spec).from_wire(wire) == spec
