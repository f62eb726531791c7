"""What is known of a whole service at one moment, for its memory and its alerts."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path

import pytest

from config import read
from disgram.health import known
from disgram.traffic import Traffic
from disgram.workers.spec import Snapshot
from service import Service
from standins.stage import eventually
from tests.builders.api_fakes import FakeLedger, FakeSupervisor, fake_service

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    job = {
        "jobName": "news",
        "webhookUrl": "https://discord.com/api/webhooks/1/token-never-shown",
        "telegramChannels": ["https://t.me/Durov"],
    }
    (tmp_path / "jobs.json").write_text(json.dumps({"news": job}))
    with fake_service(read({"DATA_DIR": str(tmp_path), "AUTH_PASSWORD": "hunter22"})) as one:
        yield one


def supervisor(service: Service) -> FakeSupervisor:
    assert isinstance(service.supervisor, FakeSupervisor)
    return service.supervisor


def test_worker_that_has_not_told_anything_yet_is_unheard(service: Service) -> None:
    view = known.view(service)
    assert view
    assert (list(view.problems), set(view.unheard)) == ([], {("news", "durov")})
    supervisor(service).becomes("news", reason="no_preview")
    view = known.view(service)
    assert view
    assert [found.reason for found in view.problems] == ["no_preview"]
    assert not view.unheard


def test_view_has_every_problem_of_a_channel_and_the_waits(service: Service) -> None:
    assert isinstance(service.ledger, FakeLedger)
    service.ledger.posts = [{"job": "news", "channel": "durov", "post_id": 5}]
    service.watch.look_soon()
    eventually(lambda: service.watch.findings.refused, 3.0)
    waits = Traffic(waiting=2, waiting_since=NOON)
    supervisor(service).becomes("news", trouble="crashed", settled=True, traffic=waits)
    view = known.view(service)
    assert view
    assert [found.reason for found in view.problems] == ["post_refused", "crashed"]
    assert view.waiting == {("news", "durov"): NOON}


def test_nothing_is_known_before_the_first_turn_of_the_supervisor(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor(service), "snapshot", Snapshot)
    assert known.view(service) is None


def test_jobs_file_that_cannot_be_used_is_a_problem_of_the_service(service: Service) -> None:
    (service.settings.data_dir / "jobs.json").write_text("{")
    service.jobs.take_over_edits()
    (found,) = known.findings(service).faults
    assert found.reason == "jobs_file"
    assert "line 1" in found.text
    view = known.view(service)
    assert view
    assert view.problems[0].message.endswith(": correct it; until then the jobs go on as they were.")
