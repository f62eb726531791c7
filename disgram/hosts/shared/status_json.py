"""A worker's status as other hosts are shown it: JSON, with ages in place of moments of a monotonic clock.

Owns that form, which hosts of another version may write: a field that is missing has its default, one that
is unknown is left out. Pure.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any

from disgram.traffic import Traffic
from disgram.workers.spec import WorkerState, WorkerStatus

_AGES = ("last_line_at", "idle_since", "next_start_at")
"""Monotonic moments; in a row: seconds ago, negative for one to come."""
_MOMENTS = ("last_poll_at", "until", "since")
_MOMENTS_OF_TRAFFIC = ("waiting_since", "last_forwarded_at")
_NOT_SHOWN = ("host", "pid")
"""A number of another host's means nothing here."""


def to_row(status: WorkerStatus, now: float) -> dict[str, Any]:
    """`now`: the monotonic moment of the writing."""
    row = asdict(status)
    for name in _NOT_SHOWN:
        del row[name]
    del row["traffic"]["marks"]
    for name in _AGES:
        row[name] = None if row[name] is None else round(now - row[name], 1)
    for part, names in ((row, _MOMENTS), (row["traffic"], _MOMENTS_OF_TRAFFIC)):
        for name in names:
            part[name] = part[name] and part[name].isoformat()
    row["state"] = status.state.value
    return row


def lasting(row: Mapping[str, Any]) -> dict[str, Any]:
    """What of a row does not change by the mere passing of time, or a worker's beat."""
    return {name: value for name, value in row.items() if name not in _AGES}


def from_row(row: Mapping[str, Any], host: str, written_at: float) -> WorkerStatus | None:
    """`written_at`: on this host's monotonic clock. None for what is no status."""
    known = {field.name for field in fields(WorkerStatus)}
    try:
        values = {name: value for name, value in row.items() if name in known}
        for name in _AGES:
            values[name] = None if row[name] is None else written_at - float(row[name])
        for name in _MOMENTS:
            values[name] = _moment(row.get(name))
        values["state"] = WorkerState(row["state"])
        values["gaps"] = tuple((int(first), int(last)) for first, last in row["gaps"])
        values["traffic"] = _traffic(row.get("traffic", {}))
        return WorkerStatus(**values | {"host": host, "pid": None})
    except (AttributeError, KeyError, TypeError, ValueError):
        return None


def _traffic(row: Mapping[str, Any]) -> Traffic:
    known = {field.name for field in fields(Traffic)}
    values = {name: value for name, value in row.items() if name in known}
    for name in _MOMENTS_OF_TRAFFIC:
        values[name] = _moment(row.get(name))
    values["per_hour"] = tuple((int(hour), int(count)) for hour, count in row.get("per_hour", ()))
    return Traffic(**values)


def _moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text)
