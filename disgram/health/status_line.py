"""The answer of GET /health in one line: for `systemctl status` and for `disgram health`.

Owns the wording alone. Never asks for the answer and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def status_line(health: Mapping[str, Any]) -> str:
    """`degraded: 11 of 12 workers running, 3 jobs; news / durov: Nobody has this name …`: the first problem,
    if there is one, and how many more there are.

    With PROTECT_READS the answer has nothing but its status, and so has the line.
    """
    if "processes" not in health:
        return str(health["status"])
    processes, jobs = health["processes"], health["jobs"]["total_jobs"]
    parts = [
        f"{health['status']}: {processes['running']} of {processes['total']} workers running, "
        f"{_counted(jobs, 'job')}"
    ]
    if problems := health["problems"]:
        first, more = problems[0], health["problems_total"] - 1
        where = " / ".join(filter(None, (first["job"], first["channel"])))
        parts.append((f"{where}: " if where else "") + first["message"].rstrip("."))
        parts += [f"{_counted(more, 'more problem')}"] if more else []
    return " ".join("; ".join(parts).split())


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
