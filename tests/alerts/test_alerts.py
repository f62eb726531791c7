"""The loop that alerts: what it remembers, and what it does with an address that takes nothing."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from pathlib import Path

import pytest

from disgram.alerts.alerts import Alerts
from disgram.alerts.memory import FILE, AlertMemory
from disgram.errors import (
    DiscordUnavailable,
    HttpError,
    RateLimited,
    Stopping,
    StorageUnavailable,
    UnreadableResponse,
    WebhookGone,
)
from disgram.health.problems import Problem, problem
from disgram.report import Level

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
BROKEN = Problem("news", "durov", "no_preview", "It has none: name another.", NOON)


@dataclass
class Operator:
    """What arrives at ALERT_WEBHOOK_URL and in the log, at a time that the test sets."""

    folder: Path
    seconds: float = 0.0
    error: Exception | None = None
    asked: list[float] = field(default_factory=list)
    arrived: list[str] = field(default_factory=list)
    log: list[tuple[Level, str]] = field(default_factory=list)

    def send(self, content: str) -> None:
        self.asked.append(self.seconds)
        if self.error:
            raise self.error
        self.arrived.append(content)

    def service(self) -> Alerts:
        return Alerts(
            self.send,
            AlertMemory(self.folder),
            300.0,
            log=lambda level, text: self.log.append((level, text)),
            clock=lambda: self.seconds,
        )

    def passes(self, alerts: Alerts, hours: float, *problems: Problem) -> None:
        """Looks every ten seconds."""
        for _ in range(int(hours * 360)):
            self.seconds += 10
            alerts.look(problems, (), NOON + timedelta(seconds=self.seconds))


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def test_problem_is_told_once_over_a_restart_and_so_is_its_end(operator: Operator) -> None:
    operator.passes(operator.service(), 1, BROKEN)
    again = operator.service()
    operator.passes(again, 1, BROKEN)
    operator.passes(again, 1)
    operator.passes(operator.service(), 1)
    begins, over = operator.arrived
    assert "It has none" in begins
    assert "Over: news / durov" in over


@pytest.mark.parametrize(
    "error", [HttpError("no answer"), WebhookGone("404"), DiscordUnavailable("503"), StorageUnavailable("x")]
)
def test_dead_address_is_asked_twice_and_then_once_an_hour(operator: Operator, error: Exception) -> None:
    operator.error = error
    alerts = operator.service()
    operator.passes(alerts, 5, BROKEN)
    assert operator.asked == [10, 70, 3670, 7270, 10870, 14470]
    assert [level for level, _ in operator.log] == [Level.ERROR] * 6
    assert "next try in 1 min" in operator.log[0][1]
    operator.error = None
    operator.passes(alerts, 1, BROKEN)
    assert len(operator.arrived) == 1
    assert operator.log[-1] == (Level.STATUS, "ALERT_WEBHOOK_URL takes messages again")


def test_what_began_and_ended_while_nobody_took_it_is_never_told(operator: Operator) -> None:
    operator.error = HttpError("no answer")
    alerts = operator.service()
    operator.passes(alerts, 0.01, BROKEN)
    operator.error = None
    operator.passes(alerts, 2)
    assert operator.arrived == []


def test_rate_limit_is_no_refusal_and_is_waited_for_without_a_word(operator: Operator) -> None:
    operator.error = RateLimited("429", retry_after=1.0)
    alerts = operator.service()
    operator.passes(alerts, 1, BROKEN)
    assert len(operator.asked) == 60
    assert operator.log == []


def test_success_that_is_not_discords_is_one(operator: Operator) -> None:
    operator.error = UnreadableResponse("200")
    operator.passes(operator.service(), 1, BROKEN)
    assert len(operator.asked) == 1


def test_memory_that_cannot_be_written_stops_no_alert_and_repeats_none_meanwhile(operator: Operator) -> None:
    operator.folder /= "missing"
    operator.passes(operator.service(), 1, BROKEN)
    assert len(operator.arrived) == 1
    assert "may be sent again after a restart" in operator.log[0][1]


def test_damaged_memory_is_named_in_the_log_and_begun_anew(operator: Operator) -> None:
    (operator.folder / FILE).write_text("torn")
    operator.passes(operator.service(), 1, BROKEN)
    assert len(operator.arrived) == 1
    assert FILE in operator.log[0][1]
    operator.passes(operator.service(), 1, BROKEN)
    assert len(operator.arrived) == 1


def test_wait_ends_when_the_service_stops(operator: Operator) -> None:
    alerts = operator.service()
    alerts.stop(0.0)
    with pytest.raises(Stopping):
        alerts.wait(60.0)


def test_problem_without_a_beginning_is_told_with_the_time_it_was_first_told(operator: Operator) -> None:
    operator.passes(operator.service(), 0.1, problem("storage_unavailable"))
    assert operator.arrived[0].endswith("(since 2026-01-01 12:00 UTC)")


def test_host_that_does_not_tell_of_jobs_tells_of_itself_alone(operator: Operator) -> None:
    """Nor does it say that the jobs' problems are over, of which it knows nothing any more."""
    alerts, full = operator.service(), problem("storage_unavailable", "The disk is full")
    operator.passes(alerts, 1, BROKEN)
    for problems in ([BROKEN, full], [full], []):
        operator.seconds += 3600
        alerts.look_at_this_host(problems, NOON + timedelta(seconds=operator.seconds))
    assert len(operator.arrived) == 3
    assert "disk is full" in operator.arrived[1]
    assert operator.arrived[2].count("Over:") == 1
    assert "durov" not in "".join(operator.arrived[1:])
