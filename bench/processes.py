"""What a process costs, as the kernel accounts for it (Linux)."""

from __future__ import annotations

import os
from pathlib import Path
from statistics import median

_TICK = os.sysconf("SC_CLK_TCK")
MB = 1024 * 1024


def pss(pid: int) -> float:
    """Megabytes of its own and its share of what it shares (smaps_rollup)."""
    return sum(_rollup(pid, "Pss:")) / 1024


def private(pid: int) -> float:
    """Megabytes that ending this process would free."""
    return sum(_rollup(pid, "Private_Clean:", "Private_Dirty:")) / 1024


def _rollup(pid: int, *fields: str) -> list[int]:
    lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return [int(line.split()[1]) for line in lines if line.split()[0] in fields]


def median_weights(pids: list[int]) -> tuple[float, float]:
    """Of both: pss and private."""
    return median(map(pss, pids)), median(map(private, pids))


def children(pid: int) -> list[int]:
    """Of all threads of a process."""
    found: list[int] = []
    for listing in Path(f"/proc/{pid}/task").glob("*/children"):
        found += map(int, listing.read_text().split())
    return found


def cpu_seconds(pid: int) -> float:
    """Of all its threads, to the nanosecond as the scheduler counts."""
    spent = 0
    for task in Path(f"/proc/{pid}/task").glob("*/schedstat"):
        spent += int(task.read_text().split()[0])
    return spent / 1e9
