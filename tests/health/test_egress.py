"""What /health says of the addresses of TELEGRAM_EGRESS."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from config import read
from disgram.errors import StorageUnavailable
from disgram.health import known
from disgram.health.egress import LONG, problems, shown
from disgram.telegram.egress.states import AddressState
from main import health_check
from service import Service
from tests.builders.api_fakes import fake_service

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)

WELL = AddressState("192.0.2.1", None, 0.0, 0.0, 3)
REFUSED = AddressState("192.0.2.2", "refused", -10.0, 600.0, 0)
DEAD = AddressState("http://proxy:3128", "proxy_unreachable", -900.0, 30.0, 0)
DUE = AddressState("192.0.2.3", "unreachable", -LONG, -50.0, 0)
SHORT = AddressState("192.0.2.4", "unreachable", -10.0, 20.0, 0)


def test_address_that_is_well_has_neither_reason_nor_end() -> None:
    (one,) = shown([WELL], NOON)
    assert one.model_dump() == {
        "address": "192.0.2.1", "state": "well", "reason": None, "until": None, "channels": 3,
    }  # fmt: skip


def test_rest_is_shown_with_its_reason_and_end() -> None:
    refused, due = shown([REFUSED, DUE], NOON)
    assert (refused.state, refused.reason) == ("resting", "refused")
    assert refused.until == (NOON + timedelta(seconds=600)).isoformat()
    assert (due.state, due.until) == ("resting", None)


def test_only_long_rests_are_a_problem_and_all_of_them_one() -> None:
    assert problems([WELL, SHORT], NOON) == ()
    (one,) = problems([WELL, REFUSED, SHORT, DEAD, DUE], NOON)
    assert one.message == (
        "Of TELEGRAM_EGRESS rests 192.0.2.2 (Telegram asks it to stay away), "
        "http://proxy:3128 (the proxy cannot be reached), 192.0.2.3 (no answer comes through it): "
        "its channels use the other addresses and come back by themselves; see to it if it lasts."
    )
    assert (one.job, one.channel, one.since) == (None, None, NOON - timedelta(seconds=900))


def test_many_rests_are_counted() -> None:
    (one,) = problems([REFUSED] * 5, NOON)
    assert "and 2 more" in one.message


@pytest.fixture
def service(tmp_path: Path) -> Iterable[Service]:
    with fake_service(read({"DATA_DIR": str(tmp_path), "AUTH_PASSWORD": "hunter22"})) as one:
        yield one


def test_service_without_the_setting_shows_nothing_of_it(service: Service) -> None:
    assert "telegram_egress" not in health_check(service).model_dump()


def test_long_rest_is_a_problem_of_the_service(service: Service) -> None:
    asked: list[list[str]] = []

    def states(channels: Iterable[str]) -> list[AddressState]:
        asked.append(list(channels))
        return [WELL, DEAD]

    several = replace(service, egress=states)
    health = health_check(several).model_dump()
    assert [one["address"] for one in health["telegram_egress"]] == ["192.0.2.1", "http://proxy:3128"]
    assert [one["reason"] for one in health["problems"]] == ["egress_rests"]
    assert health["status"] == "degraded"
    assert health["errors"] == []
    assert all(asked_for == [] for asked_for in asked)  # there is no job


def test_limits_that_cannot_be_read_hide_the_addresses_and_break_nothing(service: Service) -> None:
    def states(channels: Iterable[str]) -> list[AddressState]:
        raise StorageUnavailable("limits.db: locked")

    several = replace(service, egress=states)
    assert health_check(several).model_dump()["telegram_egress"] == []
    assert known.findings(several).others == ()
