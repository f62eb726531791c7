"""Telegram through several addresses, each with a pace and rests of its own.

Owns the turns and the tries of one request; rests.py decides which address is used and which rests. What gets
no answer through one address is sent through others, which shows whose fault it was (doubts.py).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import NamedTuple

from disgram.errors import HttpError
from disgram.http.client import HttpClient, HttpResponse
from disgram.http.one_way import FromAddress, ThroughProxy, WatchedResponse
from disgram.report import Level, Reporter
from disgram.storage.limit_rows import LimitRows, RestRow
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress import rests
from disgram.telegram.egress.address import EgressAddress, parse_addresses
from disgram.telegram.egress.doubts import Doubts
from disgram.telegram.egress.rests import REFUSED, Choice
from disgram.telegram.egress.throttle import LONGEST_REST, SHOWN_FROM, report_rest, reserve, rest_end

LOOK_EVERY = 30.0
"""Seconds of waiting for a turn after which another address may be the better one."""


class SeveralAddresses:
    """See Egress. `connect`: makes the client of each address, by its name; one is kept at a time. `rate` in
    requests per second, of each address; `patience`: seconds that tries of one request may have taken for one
    more to begin."""

    def __init__(
        self,
        limits: LimitStore,
        channel: str,
        connect: Mapping[str, Callable[[], HttpClient]],
        rate: float,
        wait: Callable[[float], None],
        *,
        patience: float,
        report: Reporter,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits, self._connect = limits, connect
        self._order = rests.ranked(channel, connect.keys())
        self._gap, self._wait, self._report, self._clock = 1.0 / rate, wait, report, clock
        self._patience = patience
        self._rests: dict[str, RestRow] = {}
        """As last read."""
        self._doubts = Doubts(limits, report, clock)
        self._choice = Choice(self._order[0])
        self._connected = ""
        self._client: HttpClient | None = None

    def get(self, url: str, *, paced: bool) -> HttpResponse:
        spent, failed, error = 0.0, list[str](), HttpError("no address can be used", sent=False)
        while spent < self._patience and (choice := self._turn(failed) if paced else self._at_once(failed)):
            began, self._choice = self._clock(), choice
            try:
                answer = self._client_of(choice.name).request("GET", url)
            except HttpError as found:
                self._doubts.failed(choice.name, found, began, trial=choice.trial)
                failed.append(choice.name)
                spent, error = spent + self._clock() - began, found
                self._wait(0.0)  # the worker shows that it lives
            else:
                return WatchedResponse(answer, partial(self._on_end, choice, began))
        through = f" (through {', '.join(failed)})" if failed else ""
        raise HttpError(f"{error}{through}", sent=error.sent, is_http=error.is_http)

    def refused(self, seconds: float, *, media: bool) -> float | None:
        name, now = self._choice.name, self._clock()
        with self._limits.transaction() as rows:
            known = rests.believable(rows.rests(), now)
            rested_before = not rests.is_well(known.get(name), now)
            if media:
                until = max(now + min(seconds, LONGEST_REST), rest_end(rows, _media_rest(name), now))
                rows.put_next_turn(_media_rest(name), until)
                known = self._with_media(known, rows, now)
            else:
                known[name] = rests.after_refusal(known.get(name), name, now, seconds)
                rows.put_rest(known[name])
        other = rests.choose(self._order, known, now, may_try=False)
        if other is None or other.ready_at > now:
            return seconds
        if not (media or rested_before):
            text = f"Telegram asked {name} to stay away for {seconds:.0f} s: its channels use other addresses"
            self._report(Level.STATUS, text)
        return None

    def media_rests(self) -> bool:
        choice = self._at_once([])
        return choice is None or choice.ready_at > self._clock()

    def close(self) -> None:
        if self._client:
            self._client.close()

    # --- which address, and when ---

    def _turn(self, failed: Collection[str]) -> Choice | None:
        """Wait for the next turn of the best address. Raises what `wait` raises, and StorageUnavailable."""
        shown = False
        while (reserved := self._reserve(failed)) and self._clock() < reserved.at:
            if reserved.choice.ready_at >= self._clock() + SHOWN_FROM:
                report_rest(self._report, reserved.choice.ready_at - self._clock())
                shown = True
            if self._waited(reserved, failed):
                break
        if shown:
            report_rest(self._report, None)
        return reserved and reserved.choice

    def _waited(self, reserved: Reserved, failed: Collection[str]) -> bool:
        """Wait for the turn. False: it is of no use any more."""
        while (delay := reserved.at - self._clock()) > 0:
            self._wait(min(delay, LOOK_EVERY))
            if not reserved.choice.trial and self._best(failed) != reserved.choice:
                return False
        return True

    def _reserve(self, failed: Collection[str]) -> Reserved | None:
        now = self._clock()
        with self._limits.transaction() as rows:
            self._rests = rests.believable(rows.rests(), now)
            choice = self._choose(self._rests, failed, may_try=True)
            if choice is None or choice.ready_at > now:
                return choice and Reserved(choice, choice.ready_at)
            if choice.trial:
                rows.put_rest(rests.on_trial(self._rests[choice.name], now))
            return Reserved(choice, reserve(rows, f"telegram/{choice.name}", now, self._gap))

    def _best(self, failed: Collection[str]) -> Choice | None:
        with self._limits.reading() as rows:
            self._rests = rests.believable(rows.rests(), self._clock())
        return self._choose(self._rests, failed)

    def _at_once(self, failed: Collection[str]) -> Choice | None:
        """For a file, of whose hosts none has a pace."""
        now = self._clock()
        with self._limits.reading() as rows:
            self._rests = rests.believable(rows.rests(), now)
            known = self._with_media(self._rests, rows, now)
        return self._choose(known, failed)

    def _choose(
        self, known: Mapping[str, RestRow], failed: Collection[str], *, may_try: bool = False
    ) -> Choice | None:
        doubted = self._doubts.names()
        return rests.choose(
            self._order, known, self._clock(), doubted=doubted, failed=failed, may_try=may_try
        )

    def _with_media(self, known: Mapping[str, RestRow], rows: LimitRows, now: float) -> dict[str, RestRow]:
        """These rests, and those of hosts of files."""
        ends = {name: rest_end(rows, _media_rest(name), now) for name in self._order}
        resting = {name: RestRow(name, REFUSED, now, end, 0) for name, end in ends.items() if end > now}
        return {**known, **resting}

    def _client_of(self, name: str) -> HttpClient:
        if self._client is None or self._connected != name:
            self.close()
            self._connected, self._client = name, self._connect[name]()
        return self._client

    def _on_end(self, choice: Choice, began: float, failure: HttpError | None) -> None:
        if failure:
            self._doubts.failed(choice.name, failure, began, trial=choice.trial)
        else:
            self._doubts.answered(choice.name, had_row=choice.name in self._rests)


class Reserved(NamedTuple):
    """A turn of an address, or (`at` is the choice's `ready_at`) a moment to ask again for one."""

    choice: Choice
    at: float


def clients(
    addresses: Sequence[str],
    headers: Mapping[str, str],
    timeouts: tuple[float, float],
    check: Callable[[], None],
) -> dict[str, Callable[[], HttpClient]]:
    """What makes the client of each address, by its name."""

    def client(address: EgressAddress) -> HttpClient:
        if address.proxy:
            return ThroughProxy(address.proxy, address.login, headers, timeouts, check)
        return FromAddress(address.name, headers, timeouts, check)

    return {one.name: partial(client, one) for one in parse_addresses(addresses)}


def _media_rest(name: str) -> str:
    return f"telegram-media-rest/{name}"
