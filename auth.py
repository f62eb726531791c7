"""Who may change jobs: the bearer token, and the login throttle against guessing it.

Owns the comparison (in constant time), the address a failure is counted under, and how long that address
has to wait. Never knows what a job is, and never answers: it raises AccessRefused.
"""

from __future__ import annotations

import hmac
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPBearer

from disgram.api.client_address import IPNetwork, client_address, is_local, network_of
from disgram.errors import AccessRefused, NotAuthenticated, TooManyFailures, WrongToken

_HOW = "Send the header `Authorization: Bearer <AUTH_PASSWORD>`."


@dataclass
class _Record:
    failures: int
    last_at: float
    wait_until: float = 0.0


class LoginThrottle:
    """Failed logins per address. Pure: `now` is monotonic seconds.

    After ten failures less than a minute apart an address must wait a second, after each further one twice
    as long, up to a minute. Tokens sent during the wait are not compared, so they reveal nothing, and do not
    lengthen it. If there are too many addresses, those with the oldest failures are dropped.
    """

    FREE_FAILURES = 10
    RESET_AFTER = 60.0
    MAX_WAIT = 60.0
    MAX_ADDRESSES = 10_000
    _MAX_DOUBLINGS = 6  # 2^6 s are more than MAX_WAIT; 2.0^1024 would be an OverflowError

    def __init__(self) -> None:
        self._records: OrderedDict[str, _Record] = OrderedDict()

    def wait(self, address: str, now: float) -> float:
        """Seconds this address still has to wait; 0 if it need not."""
        record = self._records.get(network_of(address))
        return max(0.0, record.wait_until - now) if record else 0.0

    def failed(self, address: str, now: float) -> None:
        """Count a refused request."""
        group = network_of(address)
        record = self._records.pop(group, None)
        if record is None or now > max(record.last_at, record.wait_until) + self.RESET_AFTER:
            record = _Record(0, now)
        record.failures, record.last_at = record.failures + 1, now
        if record.failures >= self.FREE_FAILURES:
            doublings = min(record.failures - self.FREE_FAILURES, self._MAX_DOUBLINGS)
            record.wait_until = now + min(2.0**doublings, self.MAX_WAIT)
        self._records[group] = record
        if len(self._records) > self.MAX_ADDRESSES:
            self._records.popitem(last=False)

    def succeeded(self, address: str) -> None:
        """The right token came: the failures of this address no longer count."""
        self._records.pop(network_of(address), None)


class BearerGate:
    """Lets through whoever sends the password as a bearer token.

    `on_refusal` gets the client's address and the refusal, for each. `peer_must_be_local`: the password is
    the published one, which is accepted from this machine only, however the service was started. Requests
    without a token are counted apart: they guess nothing, so they do not keep out who sends the right one.
    """

    def __init__(
        self,
        password: str,
        *,
        clock: Callable[[], float],
        on_refusal: Callable[[str, AccessRefused], None],
        peer_must_be_local: bool = False,
    ) -> None:
        self._password = password.encode("utf-8", "surrogateescape")
        self._clock, self._on_refusal, self._peer_must_be_local = clock, on_refusal, peer_must_be_local
        self._wrong, self._missing = LoginThrottle(), LoginThrottle()
        self._lock = threading.Lock()

    def check(self, authorization: Sequence[bytes], *, peer: str, client: str) -> None:
        """`authorization`: the values of all headers of this name. Raises AccessRefused. Thread-safe."""
        try:
            with self._lock:
                self._check(authorization, peer, client)
        except AccessRefused as refusal:
            self._on_refusal(client, refusal)
            raise

    def _check(self, authorization: Sequence[bytes], peer: str, client: str) -> None:
        token, now = bearer_token(authorization), self._clock()
        throttle = self._missing if token is None else self._wrong
        if wait := throttle.wait(client, now):
            seconds = math.ceil(wait)
            raise TooManyFailures(f"Wait {seconds} s, then try again.", retry_after=seconds)
        if token is not None and self._accepts(token, peer):
            throttle.succeeded(client)
            return
        throttle.failed(client, now)
        if token is None:
            raise NotAuthenticated(_HOW)
        if self._peer_must_be_local and not is_local(peer):
            raise WrongToken("The default password is accepted from this machine only: set AUTH_PASSWORD.")
        raise WrongToken(f"This is not the service's AUTH_PASSWORD. {_HOW}")

    def _accepts(self, token: bytes, peer: str) -> bool:
        right = hmac.compare_digest(token, self._password)
        return right and (is_local(peer) or not self._peer_must_be_local)


def bearer_token(authorization: Sequence[bytes]) -> bytes | None:
    """The token of the one header of this name; None if there is none, or another form."""
    if len(authorization) != 1:
        return None
    scheme, _, token = authorization[0].strip().partition(b" ")
    return token.strip() or None if scheme.lower() == b"bearer" else None


BEARER = Annotated[object, Security(HTTPBearer(auto_error=False, description="AUTH_PASSWORD"))]
"""Declares the scheme in the OpenAPI document; the header itself is read by `authorization`."""


def authenticated(request: Request, _scheme: BEARER) -> Any:
    """A dependency of routes: the app's service, for callers with the password. Raises AccessRefused."""
    service = request.app.state.service
    peer, client = addresses(request, service.settings.trusted_proxies)
    service.gate.check(authorization(request), peer=peer, client=client)
    return service


def trusted_reader(request: Request, scheme: BEARER) -> bool:
    """Whether a valid bearer was sent. Raises AccessRefused for a wrong one, or none where reads need it."""
    if bearer_token(authorization(request)) is None and not request.app.state.service.settings.protect_reads:
        return False
    authenticated(request, scheme)
    return True


def authorization(request: Request) -> list[bytes]:
    """The values of all `Authorization` headers, as they were sent."""
    return [value for name, value in request.headers.raw if name.lower() == b"authorization"]


def addresses(request: Request, trusted: Collection[IPNetwork]) -> tuple[str, str]:
    """(peer, client): who is connected, and who is behind it as far as `trusted` proxies say."""
    peer = request.client.host if request.client else ""
    named = request.headers.getlist("x-forwarded-for") or request.headers.getlist("x-real-ip")
    forwarded = ", ".join(named)
    return peer, client_address(peer, forwarded, trusted, rewritten=request.app.state.url is None)
