"""/health in one line."""

from __future__ import annotations

from typing import Any

from disgram.health.status_line import status_line

HEALTH: dict[str, Any] = {
    "status": "healthy",
    "processes": {"total": 12, "running": 12},
    "jobs": {"total_jobs": 3},
    "problems": [],
    "problems_total": 0,
}


def test_a_healthy_service() -> None:
    assert status_line(HEALTH) == "healthy: 12 of 12 workers running, 3 jobs"


def test_the_first_problem_is_shown_on_the_same_line() -> None:
    first = {"job": None, "channel": None, "message": "There is no\nroom: make some."}
    health = HEALTH | {"status": "degraded", "jobs": {"total_jobs": 1}, "problems": [first]}
    line = "degraded: 12 of 12 workers running, 1 job; There is no room: make some"
    assert status_line(health | {"problems_total": 1}) == line
    assert status_line(health | {"problems_total": 3}) == f"{line}; 2 more problems"


def test_protected_reads_leave_the_status() -> None:
    assert status_line({"status": "unhealthy"}) == "unhealthy"
