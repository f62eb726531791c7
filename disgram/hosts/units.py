"""What is divided among hosts: a Discord destination with all channels that write there.

Owns which channels belong together, what they weigh and what their leases are called. Pure: knows neither a
host nor a database.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple, TypeAlias

from disgram.postgres.fence import worker_lease
from disgram.workers.spec import WorkerSpec

Key: TypeAlias = tuple[str, str]
"""(job, channel): there is one worker for each."""

ACCOUNT, ALERTS = "account", "alerts"
"""Leases of what one host alone does: run the account's process, and send alerts."""

DESTINATION, WORKER = "destination:", "worker:"
"""How the names of the other two kinds begin."""

_WORKER = re.compile(rf"{WORKER}(.+)/([a-z][a-z0-9_]*|c/[0-9]+)")
"""A job's name may hold slashes, too; a channel's is lower case."""

LONGEST_COUNTED = 300.0
"""Seconds: a channel that is polled less often weighs as if it were polled so often, for its process."""


class Unit(NamedTuple):
    """A destination. `name`: of its lease. `weight`: requests to Telegram a second that its channels need.

    `private`: one of its channels can be read by an account only, so it belongs where the account is.
    """

    name: str
    weight: float
    keys: frozenset[Key]
    private: bool = False


def destination(webhook_id: str) -> str:
    """The lease of a webhook: whose limits its holder keeps."""
    return f"{DESTINATION}{webhook_id}"


def destination_of(spec: WorkerSpec) -> str:
    """The lease of the webhook that this worker writes to."""
    return destination(spec.destination.webhook_id)


def worker(key: Key) -> str:
    """The lease of a (job, channel): who may write its rows of the ledger."""
    return worker_lease(*key)


def key_of(lease: str) -> Key | None:
    """The (job, channel) of a worker's lease; None for other leases."""
    found = _WORKER.fullmatch(lease)
    return (found[1], found[2]) if found else None


def units_of(specs: Iterable[WorkerSpec]) -> dict[str, Unit]:
    """The destinations of these workers, by the names of their leases."""
    units: dict[str, Unit] = {}
    for spec in specs:
        name = destination_of(spec)
        known = units.get(name, Unit(name, 0.0, frozenset()))
        units[name] = Unit(
            name, known.weight + _weight(spec), known.keys | {spec.key}, known.private or spec.channel.private
        )
    return units


def channels_of(units: Mapping[str, Unit], names: Iterable[str]) -> int:
    """How many channels these units have together; one that is not there any more has none."""
    return sum(len(units[name].keys) for name in names if name in units)


def _weight(spec: WorkerSpec) -> float:
    return 1.0 / min(spec.settings.cooldown, LONGEST_COUNTED)
