"""`disgram health` over a listener."""

from __future__ import annotations

from typing import Any

import pytest

import healthcheck
from config import read
from standins.loopback import LoopbackServer, Request, Response
from standins.stage import free_port

HEALTH: dict[str, Any] = {
    "status": "degraded",
    "processes": {"total": 3, "running": 2},
    "jobs": {"total_jobs": 1},
    "problems": [],
    "problems_total": 0,
}


@pytest.mark.parametrize(
    ("status", "body", "code", "line"),
    [
        (200, HEALTH, 0, "degraded: 2 of 3 workers running, 1 job\n"),
        (200, {"status": "healthy"}, 0, "healthy\n"),
        (503, {"status": "unhealthy"}, 1, "unhealthy\n"),
    ],
)
def test_health_prints_a_line(
    status: int, body: dict[str, Any], code: int, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def answer(_: Request) -> Response:
        return Response.of_json(status, body)

    server = LoopbackServer(answer)
    server.start()
    try:
        settings = read({"PORT": str(server.port), "HOST": "0.0.0.0", "AUTH_PASSWORD": "hunter22"})
        assert healthcheck.main(settings) == code
    finally:
        server.stop()
    assert capsys.readouterr().out == line


def test_health_without_a_service(capsys: pytest.CaptureFixture[str]) -> None:
    port = free_port()
    assert healthcheck.main(read({"PORT": str(port)})) == 1
    assert capsys.readouterr().err.startswith(f"no answer from 127.0.0.1 port {port}: ")
