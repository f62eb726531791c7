"""HTTP/1.1 for both clients: one request at a time over the standard library, its connection kept.

Owns connections, their reuse, the unpacking of bodies, and the one name under which a failed exchange is
known (HttpError). Never follows a redirect, keeps a cookie, sends credentials that the caller did not give,
or asks twice.

It stands on `http.client` alone because a worker pays in memory for whatever it runs through: the objects a
call touches are copied into each of a thousand processes (docs/scaling.md).
"""

from __future__ import annotations

import contextlib
import select
import ssl
import zlib
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection, IncompleteRead
from typing import Any, NamedTuple, Protocol
from urllib.parse import quote, urlsplit

from disgram.errors import HttpError
from disgram.http_environment import Proxy, proxy_for, trust
from disgram.http_patience import Patience, PatientResponse

KEPT = 4
"""Connections that stay open between requests: t.me's or Discord's own, and a few hosts of media."""

PIECE = 64 * 1024
"""Bytes of a body that are in memory at once, unpacked."""

_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_UNESCAPED = "!#$%&'()*+,/:;=?@[]~"
"""What may stand in an address as it is (RFC 3986); % too, since what is escaped already stays so."""

_GZIP = 16 + zlib.MAX_WBITS
_FOREIGN = (OSError, HTTPException, ValueError, zlib.error)
"""All that sockets, TLS and `http.client` raise; UnicodeError is a ValueError."""


class _Way(NamedTuple):
    """Where a request goes."""

    scheme: str
    netloc: str
    host: str
    port: int
    target: str
    proxy: Proxy | None


class Body(Protocol):
    """A request body in pieces, that knows how many bytes they are together."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...


class HttpClient:
    """For one thread; an answer is left (closed) before the next request.

    `timeout`: seconds to connect, and between two bytes.
    """

    def __init__(
        self, headers: Mapping[str, str], timeout: tuple[float, float], patience: Patience | None = None
    ) -> None:
        self.patience = patience or Patience()
        self._timeout = timeout
        self._headers = {"Accept": "*/*", "Accept-Encoding": "gzip", **headers}
        self._kept: dict[tuple[str, str], HTTPConnection] = {}

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
    ) -> HttpResponse:
        """Ask, and read the answer's head. Raises HttpError, and what the patience's tick raises."""
        way = _way(url)
        connection = self._still_open(way) or self._connect(way)
        sent = {**self._headers, **(headers or {})}
        if body is not None:
            sent["Content-Length"] = str(len(body))
        if way.proxy and way.scheme == "http":
            sent.update(way.proxy.headers)
        return HttpResponse(self, way, connection, _exchange(connection, method, way.target, body, sent))

    def close(self) -> None:
        while self._kept:
            self._kept.popitem()[1].close()

    def keep(self, way: _Way, connection: HTTPConnection) -> None:
        """For HttpResponse: the connection is ready for another request."""
        self._kept[way.scheme, way.netloc] = connection
        if len(self._kept) > KEPT:
            self._kept.pop(next(iter(self._kept))).close()

    def _still_open(self, way: _Way) -> HTTPConnection | None:
        connection = self._kept.pop((way.scheme, way.netloc), None)
        if connection is not None and _dropped(connection):
            connection.close()
            return None
        return connection

    def _connect(self, way: _Way) -> HTTPConnection:
        try:
            connection = _connection(way, self._timeout[0])
            patient: Any = partial(PatientResponse, self.patience)
            connection.response_class = patient
            with _or_closed(connection):
                connection.connect()
                connection.sock.settimeout(self._timeout[1])
        except _FOREIGN as error:
            told = _told_connecting(error)
            # Under Python 3.10, the frames of a tunnel that failed keep its socket open.
            raise HttpError(told, sent=False) from error.with_traceback(None)
        return connection


class HttpResponse:
    """Status and headers (names in lower case), and the body as long as it is not closed."""

    def __init__(
        self, client: HttpClient, way: _Way, connection: HTTPConnection, response: HTTPResponse
    ) -> None:
        self._client, self._way, self._connection, self._response = client, way, connection, response
        self._whole = False
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}

    @property
    def is_redirect(self) -> bool:
        return self.status in _REDIRECTS and "location" in self.headers

    def pieces(self) -> Iterator[bytes]:
        """The body, unpacked, at most PIECE bytes at a time. Raises HttpError if it breaks off or is late."""
        packing = self.headers.get("content-encoding", "identity").strip().lower()
        if packing not in {"", "identity", "gzip", "x-gzip"}:
            raise HttpError("packed in a way that was not asked for")
        raw = self._raw()
        try:
            yield from _unpacked(raw) if packing.endswith("gzip") else raw
        except _FOREIGN as error:
            raise HttpError(_told_reading(error)) from error

    def _raw(self) -> Iterator[bytes]:
        while piece := self._response.read(PIECE):
            yield piece
        if self._response.length:  # `read` does not mind a body that ends early
            raise IncompleteRead(b"", self._response.length)
        self._whole = True

    def close(self) -> None:
        """Keeps the connection if the whole answer has been read."""
        if self._whole and not self._response.will_close:
            self._client.keep(self._way, self._connection)
        else:
            self._response.close()
            self._connection.close()

    def __enter__(self) -> HttpResponse:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _way(url: str) -> _Way:
    try:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError
        port = parts.port or (443 if parts.scheme == "https" else 80)
        target = quote(parts.path or "/", _UNESCAPED)
        if parts.query:
            target += f"?{quote(parts.query, _UNESCAPED)}"
    except ValueError as error:  # a UnicodeError for half a surrogate
        raise HttpError("not a web address", sent=False) from error
    proxy = proxy_for(parts.scheme, parts.netloc)
    if proxy and parts.scheme == "http":
        target = f"http://{parts.netloc}{target}"
    return _Way(parts.scheme, parts.netloc, parts.hostname, port, target, proxy)


def _connection(way: _Way, timeout: float) -> HTTPConnection:
    """Not connected yet. Raises InvalidURL for a host with a space in it, and HttpError."""
    host, port = (way.proxy.host, way.proxy.port) if way.proxy else (way.host, way.port)
    if way.scheme == "http":
        return HTTPConnection(host, port, timeout=timeout)
    connection = HTTPSConnection(host, port, timeout=timeout, context=trust())
    if way.proxy:
        connection.set_tunnel(way.host, way.port, dict(way.proxy.headers))
    return connection


def _dropped(connection: HTTPConnection) -> bool:
    """Between two requests nothing is to be read but the other side's goodbye."""
    if isinstance(connection.sock, ssl.SSLSocket) and connection.sock.pending():
        return True
    poll = select.poll()
    poll.register(connection.sock, select.POLLIN)
    return bool(poll.poll(0))


def _exchange(
    connection: HTTPConnection, method: str, target: str, body: bytes | Body | None, headers: dict[str, str]
) -> HTTPResponse:
    """A request that breaks off is not sent: no server acts on less than the announced length."""
    sent = False
    try:
        with _or_closed(connection):
            # Who breaks off the sending may have answered before: a file too large, for one.
            with contextlib.suppress(OSError):
                connection.request(method, target, body, headers)
                sent = True
            response = connection.getresponse()
    except _FOREIGN as error:
        told = _told_reading(error) if sent else "the request could not be sent"
        raise HttpError(told, sent=sent) from error
    response.will_close |= not sent
    return response


@contextlib.contextmanager
def _or_closed(connection: HTTPConnection) -> Iterator[None]:
    try:
        yield
    except BaseException:
        connection.close()
        raise


def _unpacked(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """Bounded on both sides: a few bytes of gzip may unpack to gigabytes. Of no bytes, none come.

    A body may be several members, one after another (RFC 1952, 2.2), with padding behind them.
    """
    unpack = None
    for piece in pieces:
        while piece:
            if unpack is None or (unpack.eof and piece.startswith(b"\x1f")):
                unpack = zlib.decompressobj(_GZIP)
            elif unpack.eof:
                break
            yield unpack.decompress(piece, PIECE)
            piece = unpack.unconsumed_tail or unpack.unused_data
    if unpack is not None:
        yield unpack.flush()
        if not unpack.eof:
            raise IncompleteRead(b"")


def _told_connecting(error: Exception) -> str:
    """One short line; none of a library's own texts but the system's, since they quote addresses."""
    match error:
        case TimeoutError():
            return "no connection within the time limit"
        case ssl.SSLCertVerificationError():
            return f"connection failed: certificate not trusted ({error.verify_message})"
        case OSError():
            return f"connection failed: {error.strerror or error}"[:200]
        case _:
            return f"connection failed: {type(error).__name__}"


def _told_reading(error: Exception) -> str:
    match error:
        case TimeoutError():
            return "no answer within the time limit"
        case IncompleteRead() | ConnectionError() | ssl.SSLError() | zlib.error():
            return "the answer was cut off"
        case OSError():
            return f"connection failed: {error.strerror or type(error).__name__}"
        case _:
            return f"the answer is not HTTP ({type(error).__name__})"
