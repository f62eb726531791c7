"""Who may change jobs: the bearer token, and the login throttle against guessing it.

Owns the comparison (in constant time), the address a failure is counted under, and how long that address
has to wait. Never knows what a job is, and never answers: it raises AccessRefused.
"""

from __future__ import annotations

import hmac
import ipaddress
import math
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Any

from fastapi import Request, Security
from fastapi.security import HTTPBearer

from config import LOOPBACK, IPNetwork
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
        record = self._records.get(_group(address))
        return max(0.0, record.wait_until - now) if record else 0.0

    def failed(self, address: str, now: float) -> None:
        """Count a wrong token."""
        group = _group(address)
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
        self._records.pop(_group(address), None)


class BearerGate:
    """Lets through whoever sends the password as a bearer token.

    `on_refusal` gets a log text for each failure, with the client's address. `peer_must_be_local`: the
    password is the published one, which is accepted from this machine only, however the service was started.
    """

    def __init__(
        self,
        password: str,
        *,
        clock: Callable[[], float],
        on_refusal: Callable[[str], None],
        peer_must_be_local: bool = False,
    ) -> None:
        self._password = password.encode("utf-8", "surrogateescape")
        self._clock, self._on_refusal, self._peer_must_be_local = clock, on_refusal, peer_must_be_local
        self._throttle = LoginThrottle()
        self._lock = threading.Lock()

    def check(self, authorization: Sequence[bytes], *, peer: str, client: str) -> None:
        """`authorization`: the values of all headers of this name. Raises AccessRefused. Thread-safe."""
        try:
            with self._lock:
                self._check(authorization, peer, client)
        except TooManyFailures:
            raise
        except AccessRefused as refusal:
            self._on_refusal(f"Login refused for {client}: {refusal.error}")
            raise

    def _check(self, authorization: Sequence[bytes], peer: str, client: str) -> None:
        token = bearer_token(authorization)
        if token is None:
            raise NotAuthenticated(_HOW)
        if wait := self._throttle.wait(client, self._clock()):
            seconds = math.ceil(wait)
            raise TooManyFailures(f"Wait {seconds} s, then try again.", retry_after=seconds)
        if self._peer_must_be_local and not _is_local(peer):
            raise WrongToken("The default password is accepted from this machine only: set AUTH_PASSWORD.")
        if not hmac.compare_digest(token, self._password):
            self._throttle.failed(client, self._clock())
            raise WrongToken(f"This is not the service's AUTH_PASSWORD. {_HOW}")
        self._throttle.succeeded(client)


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
    peer, client = _addresses(request, service.settings.trusted_proxies)
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


def _addresses(request: Request, trusted: Collection[IPNetwork]) -> tuple[str, str]:
    """(peer, client): who is connected, and who is behind it as far as `trusted` proxies say."""
    peer = request.client.host if request.client else ""
    forwarded = ", ".join(request.headers.getlist("x-forwarded-for"))
    return peer, client_address(peer, forwarded, trusted, rewritten=request.app.state.url is None)


def client_address(
    peer: str, forwarded: str, trusted: Collection[IPNetwork], *, rewritten: bool = False
) -> str:
    """The address a request comes from: the peer's, or what a trusted proxy says in X-Forwarded-For.

    Each proxy appends the address it saw, so the list is read from the right, as long as the proxy that
    appended an entry is trusted. `rewritten`: uvicorn's own proxy_headers may be on (it is when the service
    is started as `uvicorn main:app`): it trusts loopback, and replaces the peer by an address of the list.
    """
    hops = [_without_port(hop) for hop in forwarded.split(",") if hop.strip()]
    address = LOOPBACK if rewritten and peer in hops else peer
    while hops and _in(address, trusted):
        hop = hops.pop()
        if _parsed(hop) is None:
            break
        address = hop
    return address


def _without_port(hop: str) -> str:
    """Some proxies add the port: 192.0.2.1:443, [2001:db8::1]:443."""
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and _parsed(host) else hop


def _parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return None
    return (parsed.ipv4_mapped or parsed) if isinstance(parsed, ipaddress.IPv6Address) else parsed


def _in(address: str, networks: Collection[IPNetwork]) -> bool:
    parsed = _parsed(address)
    return parsed is not None and any(parsed in network for network in networks)


def _is_local(peer: str) -> bool:
    """A Unix socket has no peer address and is local, too."""
    parsed = _parsed(peer)
    return not peer or (parsed is not None and parsed.is_loopback)


def _group(address: str) -> str:
    """Addresses that are counted as one: whoever has an IPv6 address has the whole /64 around it."""
    parsed = _parsed(address)
    if isinstance(parsed, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((parsed, 64), strict=False))
    return str(parsed or address)
