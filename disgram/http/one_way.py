"""HTTP through one way alone: from one local address, or through one proxy, whatever the environment says.

Owns what tells a failure of that way from one of the server behind it. Never knows of other ways.
"""

from __future__ import annotations

import base64
import errno
import re
import socket
from collections.abc import Callable, Iterable, Iterator, Mapping
from enum import Enum
from http import HTTPStatus
from http.client import responses
from typing import Any, ClassVar

from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import ConnectTimeoutError, NameResolutionError, NewConnectionError
from urllib3.util.connection import create_connection

from disgram.errors import HttpError
from disgram.http.client import Adapter, Body, HttpClient, HttpResponse
from disgram.http.interim import PlainConnection, TlsConnection
from disgram.origin import Origin

_NOT_OURS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT, errno.EINVAL, errno.EACCES, errno.EPERM})
"""What bind(2) or socket(2) says of an address that no interface has, or of a system without IPv6."""

_REFUSED_TUNNEL = re.compile(r"Tunnel connection failed: (?P<status>[0-9]{3})")
_GATEWAY_ERRORS = frozenset({502, 503, 504})


class Fault(str, Enum):
    """What is wrong with a way."""

    CANNOT_BIND = "cannot_bind"
    PROXY_UNREACHABLE = "proxy_unreachable"
    PROXY_REFUSES = "proxy_refuses"
    UNREACHABLE = "unreachable"
    """No answer: the way's fault or the server's, which only another way can tell."""


class WayFailed(HttpError):
    """No response of the server's, and `fault` says why. `certain`: it can only be this way's own, whatever
    else of the network is out of order."""

    def __init__(self, message: str, fault: Fault, *, certain: bool) -> None:
        super().__init__(message, sent=False)
        self.fault, self.certain = fault, certain


class FromAddress(HttpClient):
    """From a local address: `address`, IPv4 or IPv6. Raises WayFailed if it cannot be bound."""

    def __init__(
        self,
        address: str,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        self._address = address
        super().__init__(headers, timeout, on_chunk)

    def _adapter(self) -> Adapter:
        return _BoundAdapter(self._address)

    def _proxies(self, origin: Origin) -> Mapping[str, str]:
        return {}

    def _named(self, error: BaseException, *, sent: bool) -> HttpError:
        for cause in _causes(error):
            if isinstance(cause, _CannotBind):
                return WayFailed(
                    f"the address cannot be used: {cause.strerror}", Fault.CANNOT_BIND, certain=True
                )
        return super()._named(error, sent=sent)


class ThroughProxy(HttpClient):
    """Through a proxy: `proxy` is `http://host:port`, `login` its `user:password`, if it wants one. Raises
    WayFailed if the proxy cannot be reached or refuses to serve."""

    def __init__(
        self,
        proxy: str,
        login: str | None,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        on_chunk: Callable[[], None] = lambda: None,
    ) -> None:
        self._proxy, self._login = proxy, login
        super().__init__(headers, timeout, on_chunk)

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
    ) -> HttpResponse:
        answer = super().request(method, url, headers=headers, body=body)
        refused = answer.status == HTTPStatus.PROXY_AUTHENTICATION_REQUIRED
        in_the_clear = url.lower().startswith("http:")  # else the answer came through the proxy's tunnel
        if refused or (in_the_clear and answer.status in _GATEWAY_ERRORS):
            answer.close()
            text = f"the proxy answered {answer.status} {responses[answer.status]}"
            raise _refusal(text, its_own=refused)
        return answer

    def _adapter(self) -> Adapter:
        return _ProxyAdapter(self._login)

    def _proxies(self, origin: Origin) -> Mapping[str, str]:
        return {"http": self._proxy, "https": self._proxy}

    def _named(self, error: BaseException, *, sent: bool) -> HttpError:
        found = super()._named(error, sent=sent)
        for cause in _causes(error):
            if refused := _REFUSED_TUNNEL.match(f"{cause}"):
                return _refusal(f"{found}", its_own=refused["status"].startswith("4"))
            if isinstance(cause, NewConnectionError | ConnectTimeoutError | NameResolutionError):
                nobody_listens = any(isinstance(one, ConnectionRefusedError) for one in _causes(error))
                return WayFailed(f"the proxy: {found}", Fault.PROXY_UNREACHABLE, certain=nobody_listens)
        return found


class WatchedResponse(HttpResponse):
    """A response whose end is told: `on_end` is called when it is closed, with what broke its body off."""

    def __init__(self, answer: HttpResponse, on_end: Callable[[HttpError | None], None]) -> None:
        self._answer, self._on_end = answer, on_end
        self._failure: HttpError | None = None
        self.status, self.headers, self.is_redirect = answer.status, answer.headers, answer.is_redirect

    def iter_content(self, seconds: float) -> Iterator[bytes]:
        try:
            yield from self._answer.iter_content(seconds)
        except HttpError as error:
            self._failure = error
            raise

    def close(self) -> None:
        self._answer.close()
        self._on_end(self._failure)


class _CannotBind(OSError):
    """The local address is not this system's."""


class _Bound:
    """A connection from a local address, to such addresses of the host as are of its kind. urllib3 would try
    those of the other kind, too, and report their failure instead of the one that matters."""

    def _new_conn(self: Any) -> Any:
        source = self.source_address[0]
        family = socket.AF_INET6 if ":" in source else socket.AF_INET
        try:
            found = socket.getaddrinfo(self._dns_host, self.port, family, socket.SOCK_STREAM)
        except socket.gaierror as error:
            raise NameResolutionError(self.host, self, error) from error
        return self._connected({str(to[4][0]): None for to in found})

    def _connected(self: Any, hosts: Iterable[str]) -> socket.socket:
        """To the first of these that lets it."""
        for host in hosts:
            try:
                return create_connection(
                    (host, self.port), self.timeout, self.source_address, self.socket_options
                )
            except TimeoutError as error:
                failure: Exception = ConnectTimeoutError(self, "no connection within the time limit")
                failure.__cause__ = error
            except OSError as error:
                if error.errno in _NOT_OURS:
                    raise _CannotBind(error.errno, error.strerror) from None
                failure = NewConnectionError(self, "no connection")
                failure.__cause__ = error
        raise failure


class _BoundPlain(_Bound, PlainConnection):
    pass


class _BoundTls(_Bound, TlsConnection):
    pass


class _BoundAdapter(Adapter):
    connections: ClassVar[Mapping[Any, Any]] = {HTTPConnection: _BoundPlain, HTTPSConnection: _BoundTls}

    def __init__(self, address: str) -> None:
        self._address = address
        super().__init__()

    def init_poolmanager(self, *arguments: Any, **options: Any) -> Any:
        return super().init_poolmanager(*arguments, source_address=(self._address, 0), **options)


class _ProxyAdapter(Adapter):
    """The login stands in no address, so that none can be quoted with it."""

    def __init__(self, login: str | None) -> None:
        self._login = login
        super().__init__()

    def proxy_headers(self, proxy: str) -> dict[str, str]:
        if self._login is None:
            return {}
        return {"Proxy-Authorization": "Basic " + base64.b64encode(self._login.encode()).decode()}


def _refusal(text: str, *, its_own: bool) -> WayFailed:
    """A proxy says no. Not `its_own`: it may be that it cannot reach the server."""
    return WayFailed(text, Fault.PROXY_REFUSES if its_own else Fault.UNREACHABLE, certain=its_own)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__
