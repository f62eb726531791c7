"""Which of several addresses a channel's requests go out through, and when one rests. Pure.

A channel goes through the same address as long as that is well: the addresses are ranked by a hash of both
names (rendezvous hashing), so no host has to remember anything, channels are spread evenly, and when one
address rests, only its own channels move, to all the others alike.

An address rests alone
  * when Telegram answers it with 429: for as long as that says; and
  * when nothing comes back through it, and another address gets an answer right then. What can only be its
    own fault counts at once. A lost answer may have been Telegram's, whose outage has ended meanwhile: it
    counts when it happens again, whoever asks, to a request that began after the other address's answer. The
    rest doubles from FIRST_REST to LONGEST_FAULT; at its end one request is the trial.
If no address gets an answer, Telegram or the network is down, and none is blamed. A rest for a fault only
moves channels away: where no address is well, such a one is used all the same.

A row with `strikes` 0 and a fault is that first lost answer; with more, the rests in a row.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

from disgram.storage.limit_rows import CLOCK_SLACK, RestRow
from disgram.telegram.egress.throttle import LONGEST_REST

REFUSED = "refused"
"""The reason of a rest that Telegram asked for; others are values of Fault."""

FIRST_REST, LONGEST_FAULT = 30.0, 600.0
"""Seconds of the first rest for a fault, and of the longest."""

TRIAL = 60.0
"""Seconds within which the one request that tries an address anew has ended."""


class Choice(NamedTuple):
    """`trial`: the address has rested for a fault, and this request finds out whether it is well; `ready_at`:
    nothing may be sent before, since every address was refused."""

    name: str
    trial: bool = False
    ready_at: float = float("-inf")


def ranked(channel: str, names: Collection[str]) -> list[str]:
    """All addresses, in the order in which the channel would use them."""

    def weight(name: str) -> bytes:
        return blake2b(f"{channel}\n{name}".encode(), digest_size=8).digest()

    return sorted(names, key=weight)


def believable(rests: Mapping[str, RestRow], now: float) -> dict[str, RestRow]:
    """Without rows that a clock wrote which has begun anew since."""
    latest = now + LONGEST_REST + CLOCK_SLACK
    return {
        name: row for name, row in rests.items() if row.until <= latest and row.since <= now + CLOCK_SLACK
    }


def is_well(row: RestRow | None, now: float) -> bool:
    """Whether channels may go through it; one that waits for its trial is not well."""
    return row is None or (row.until <= now and (row.reason == REFUSED or not row.strikes))


def choose(
    order: Sequence[str],
    rests: Mapping[str, RestRow],
    now: float,
    *,
    doubted: Sequence[str] = (),
    failed: Collection[str] = (),
    may_try: bool = True,
) -> Choice | None:
    """`order`: of `ranked`. `doubted`: addresses that failed lately, the longest ago first, to be used after
    others. `failed`: those that this request has been sent through already; then no refused address is waited
    for, and None is returned if there is no other. `may_try`: this request may be a trial."""
    left = [name for name in order if name not in failed]
    due = [name for name in left if is_due(rests.get(name), now)]
    if due and may_try and not failed:
        return Choice(due[0], trial=True)
    well = [name for name in left if is_well(rests.get(name), now)]
    for name in (*(one for one in well if one not in doubted), *(one for one in doubted if one in well)):
        return Choice(name)
    faulty = [rests[name] for name in left if name not in well and rests[name].reason != REFUSED]
    if faulty:
        return Choice(min(faulty, key=lambda row: row.until).name)
    if failed or not left:
        return None
    first = min((rests[name] for name in left), key=lambda row: row.until)
    return Choice(first.name, ready_at=first.until)


def is_due(row: RestRow | None, now: float) -> bool:
    """Whether its rest is over, and nobody has found out yet whether it is well."""
    return row is not None and row.until <= now and not is_well(row, now)


def on_trial(row: RestRow, now: float) -> RestRow:
    """While one request finds out, nobody else tries."""
    return row._replace(until=now + TRIAL)


def after_refusal(row: RestRow | None, name: str, now: float, seconds: float) -> RestRow:
    """Telegram answered with 429."""
    until = now + min(seconds, LONGEST_REST)
    if row is None or row.reason != REFUSED or row.until <= now:
        return RestRow(name, REFUSED, now, until, 0)
    return row._replace(until=max(row.until, until))


def after_fault(
    row: RestRow | None,
    name: str,
    fault: str,
    now: float,
    *,
    began: float,
    certain: bool,
    trial: bool,
) -> RestRow | None:
    """Nothing came back through it to a request that `began` then, and now an answer through another. None:
    nothing changes, since it rests already, or the request began before Telegram was seen to be well."""
    if row and row.until > now and not trial:
        return None
    if row and not row.strikes and row.reason != REFUSED and began < row.until and not certain:
        return None
    known = row if row and row.reason != REFUSED else None
    if known is None and not certain:
        return RestRow(name, fault, now, now, 0)
    strikes = known.strikes + 1 if known else 1
    rest = min(FIRST_REST * 2.0 ** min(strikes - 1, 30), LONGEST_FAULT)
    return RestRow(name, fault, known.since if known else now, now + rest, strikes)
