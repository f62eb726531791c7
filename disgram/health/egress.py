"""What /health says of the addresses of TELEGRAM_EGRESS. Pure.

Owns the words for why one rests, and how long it may before a person hears of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from disgram.api import schemas
from disgram.health.problems import Problem
from disgram.health.sentences import sentence_of

LONG = 180.0
"""Seconds; Telegram asks for shorter rests now and then, and a proxy may be started anew."""

_WHY: Mapping[str, str] = {
    "refused": "Telegram asks it to stay away",
    "cannot_bind": "this host does not have it",
    "proxy_unreachable": "the proxy cannot be reached",
    "proxy_refuses": "the proxy refuses to serve",
    "unreachable": "no answer comes through it",
}
_NAMES_SHOWN = 3


class Address(Protocol):
    """`reason`: None if it is well; `since`, `until`: of its rest, in seconds from now."""

    @property
    def address(self) -> str: ...
    @property
    def reason(self) -> str | None: ...
    @property
    def since(self) -> float: ...
    @property
    def until(self) -> float: ...
    @property
    def channels(self) -> int: ...


def shown(addresses: Sequence[Address], now: datetime) -> list[schemas.TelegramEgress]:
    """`until` is left out where the rest is over, and one request is to find out."""
    return [
        schemas.TelegramEgress(
            address=one.address,
            state="resting" if one.reason else "well",
            reason=one.reason,
            until=(now + timedelta(seconds=one.until)).isoformat() if one.until > 0 else None,
            channels=one.channels,
        )
        for one in addresses
    ]


def problems(addresses: Sequence[Address], now: datetime) -> tuple[Problem, ...]:
    """One of all that rest for long, if any does."""
    resting = [one for one in addresses if one.reason and max(one.until, 0) - one.since >= LONG]
    if not resting:
        return ()
    names = ", ".join(
        f"{one.address} ({_WHY.get(f'{one.reason}', one.reason)})" for one in resting[:_NAMES_SHOWN]
    )
    more = f" and {len(resting) - _NAMES_SHOWN} more" if len(resting) > _NAMES_SHOWN else ""
    reason = "egress_rests"
    message = sentence_of(reason).message(f"Of TELEGRAM_EGRESS rests {names}{more}")
    since = min(one.since for one in resting)
    return (Problem(None, None, reason, message, now + timedelta(seconds=since)),)
