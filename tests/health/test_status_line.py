"""/health in one line."""

from __future__ import annotations

from typing import Any

from disgram.health.status_line import status_line

HEALTH: dict[str, Any] = {
    "status": "healthy",
    "processes": {"total": 12, "running": 12},
    "jobs": {"total_jobs": 3},
    "errors": [],
}


def test_a_healthy_service() -> None:
    assert status_line(HEALTH) == "healthy: 12 of 12 workers running, 3 jobs"


def test_the_first_error_is_shown_on_the_same_line() -> None:
    health = HEALTH | {"status": "degraded", "jobs": {"total_jobs": 1}, "errors": ["no\nroom", "other"]}
    assert status_line(health) == "degraded: 12 of 12 workers running, 1 job; no room"


def test_protected_reads_leave_the_status() -> None:
    assert status_line({"status": "unhealthy"}) == "unhealthy"
