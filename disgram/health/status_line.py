"""The answer of GET /health in one line: for `systemctl status` and for `disgram health`.

Owns the wording alone. Never asks for the answer and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def status_line(health: Mapping[str, Any]) -> str:
    """`healthy: 12 of 12 workers running, 3 jobs`, and the first error if there is one.

    With PROTECT_READS the answer has nothing but its status, and so has the line.
    """
    if "processes" not in health:
        return str(health["status"])
    processes, jobs, errors = health["processes"], health["jobs"]["total_jobs"], health["errors"]
    line = (
        f"{health['status']}: {processes['running']} of {processes['total']} workers running, "
        f"{jobs} job{'' if jobs == 1 else 's'}"
    )
    return " ".join(f"{line}; {errors[0]}".split()) if errors else line
