"""HTTP for both clients, over requests: one request at a time, its response read in chunks.

Never follows a redirect, keeps a cookie, reads .netrc or repeats a request. Proxies come from HTTP_PROXY,
HTTPS_PROXY, ALL_PROXY and NO_PROXY, certificates from REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or SSL_CERT_FILE,
else from certifi, and those in SSL_CERT_DIR. Errors never hold a text of a library, which may quote a URL and
with it a token.

A body has a time limit, however slowly it arrives. What yields no data has none but the timeout between two
bytes: a head or a chunk's size that drips for minutes is ended by LOG_STALE_AFTER and the supervisor. Interim
responses (1xx) are skipped.
"""

from __future__ import annotations

import logging
import os
import ssl
import time
import urllib.request
import zlib
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from http.client import HTTPException, IncompleteRead
from pathlib import Path
from typing import Any, ClassVar, Protocol

import requests
import urllib3
from requests.adapters import HTTPAdapter
from requests.exceptions import InvalidSchema, InvalidURL
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.connection import HTTPConnection, HTTPSConnection

from disgram.errors import HttpError, RequestCutOff
from disgram.http.gzip_body import GzipBody
from disgram.http.interim import OnlyInterimResponses, PlainConnection, TlsConnection
from disgram.origin import Origin

CHUNK_SIZE = 16 * 1024
"""Bytes of a body in memory at once, in either direction; the connect timeout counts for each one sent."""

MAX_IDLE_CONNECTIONS = 4
"""Kept open between requests, one for each host: t.me's or Discord's own, and a few hosts of media."""

_ENCODINGS = frozenset({"", "identity", "gzip", "x-gzip"})
_NOT_HTTP = "the answer is not HTTP"
_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, zlib.error, OSError, ValueError)


class Body(Protocol):
    """A request body in chunks that knows its length in bytes."""

    def __len__(self) -> int: ...
    def __iter__(self) -> Iterator[bytes]: ...


class HttpClient:
    """For one thread. `timeout`: seconds to connect, and between two bytes of a response. `on_chunk` is
    called after each chunk sent or read; what it raises ends the exchange."""

    def __init__(
        self,
        headers: Mapping[str, str],
        timeout: tuple[float, float],
        on_chunk: Callable[[], None] = lambda: None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        logging.getLogger("urllib3").setLevel(logging.CRITICAL)  # its warnings quote URLs
        self._headers = {"Accept": "*/*", "Accept-Encoding": "gzip", **headers}
        self._timeout, self._on_chunk, self._clock = timeout, on_chunk, clock
        self._session = requests.Session()
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, self._adapter())

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Body | None = None,
    ) -> HttpResponse:
        """Send a request and read the head of its response. Raises HttpError; RequestCutOff for a body that
        was not sent whole (no server acts on less than the announced length)."""
        upload = None if body is None else _Upload(body, self._on_chunk)
        try:
            if not (origin := Origin.of(url)):
                raise ValueError
            named = {**self._headers, **(headers or {})}
            request = requests.Request(method, url, named, data=upload).prepare()
            if not origin.same_server(Origin.of(request.url or "")):
                raise ValueError  # requests reads another host in it than those who checked it
            adapter = self._session.get_adapter(request.url or "")
            proxies = self._proxies(origin)
        except (requests.RequestException, ValueError):
            raise HttpError("not a web address", sent=False) from None
        try:
            # Session.send would read the whole body of a redirect, without any limit.
            response = adapter.send(request, stream=True, timeout=self._timeout, proxies=proxies)
        except _ERRORS as error:
            if upload and upload.begun and not upload.complete:
                raise RequestCutOff("the request was cut off while it was being sent") from None
            raise self._named(error, sent=upload is None or upload.complete) from None
        return HttpResponse(response, self._on_chunk, self._clock)

    def _adapter(self) -> Adapter:
        return Adapter()

    def _named(self, error: BaseException, *, sent: bool) -> HttpError:
        return named(error, sent=sent)

    def _proxies(self, origin: Origin) -> Mapping[str, str]:
        """Of the environment. requests overlooks names in NO_PROXY with capitals or with the default port."""
        netloc = f"{origin.host}:{origin.port}"
        if urllib.request.proxy_bypass_environment(netloc):  # type: ignore[attr-defined]
            return {}
        url = f"{origin.scheme}://{origin.netloc}/"
        return dict(self._session.merge_environment_settings(url, {}, None, None, None)["proxies"])

    def close(self) -> None:
        self._session.close()


class HttpResponse:
    """Status and headers (names in any case), and the body as long as it is not closed."""

    def __init__(
        self, response: requests.Response, on_chunk: Callable[[], None], clock: Callable[[], float]
    ) -> None:
        self._response, self._on_chunk, self._clock = response, on_chunk, clock
        self.status = response.status_code
        self.headers: Mapping[str, str] = response.headers
        self.is_redirect = response.is_redirect

    def iter_content(self, seconds: float) -> Iterator[bytes]:
        """The decoded body, at most CHUNK_SIZE bytes at a time. Raises HttpError if it breaks off or takes
        longer than `seconds`."""
        encoding = self.headers.get("content-encoding", "").strip().lower()
        if encoding not in _ENCODINGS:
            raise HttpError("the response is encoded in a way that was not asked for")
        deadline = self._clock() + seconds
        gzip = GzipBody(CHUNK_SIZE) if encoding.endswith("gzip") else None
        try:
            # Response.iter_content would wait for a whole chunk, however slowly it arrives.
            while raw := self._response.raw.read1(CHUNK_SIZE, decode_content=False):
                for chunk in gzip.decoded(raw) if gzip else [raw]:
                    yield chunk
                    self._on_chunk()
                if self._clock() > deadline:
                    raise TimeoutError
        except _ERRORS as error:
            raise named(error) from None
        if gzip and not gzip.whole:
            raise HttpError("the answer was cut off")

    def close(self) -> None:
        """Keeps the connection for the next request if the whole body was read."""
        self._response.close()

    def __enter__(self) -> HttpResponse:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


class Adapter(HTTPAdapter):
    """Shares one TLS context, since urllib3 would read the certificates anew for each connection, and skips
    interim responses."""

    connections: ClassVar[Mapping[Any, Any]] = {
        HTTPConnection: PlainConnection,
        HTTPSConnection: TlsConnection,
    }

    def __init__(self) -> None:
        super().__init__(pool_connections=MAX_IDLE_CONNECTIONS, pool_maxsize=1)

    def get_connection_with_tls_context(self, *arguments: Any, **options: Any) -> Any:
        pool: Any = super().get_connection_with_tls_context(*arguments, **options)
        pool.ConnectionCls = self.connections.get(pool.ConnectionCls, pool.ConnectionCls)
        return pool

    def build_connection_pool_key_attributes(
        self, request: Any, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        host, pool = super().build_connection_pool_key_attributes(request, True, cert)
        return host, {**pool, "ssl_context": ssl_context()} if host["scheme"] == "https" else pool

    def cert_verify(self, *arguments: Any, **options: Any) -> None:
        """Nothing: the context verifies."""


class _Upload:
    """A request body while it is sent. `begun`: connected, and the head is out; `complete`: all of it is."""

    def __init__(self, body: bytes | Body, on_chunk: Callable[[], None]) -> None:
        self._body, self._on_chunk = body, on_chunk
        self.begun = self.complete = False

    def __len__(self) -> int:
        return len(self._body)

    def __iter__(self) -> Iterator[bytes]:
        self.begun = True
        for chunk in [self._body] if isinstance(self._body, bytes) else self._body:
            yield chunk
            self._on_chunk()
        self.complete = True


@lru_cache(maxsize=1)
def ssl_context() -> ssl.SSLContext:
    """Verifies servers. Reading the certificates takes 16 ms and a megabyte: the fork server does it for all
    workers. Raises HttpError."""
    names = ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "SSL_CERT_FILE")
    bundle = Path(next(filter(None, map(os.environ.get, names)), DEFAULT_CA_BUNDLE_PATH))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    try:
        if bundle.is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
        if folders := os.environ.get("SSL_CERT_DIR"):
            context.load_verify_locations(capath=folders)  # OpenSSL reads a file of them when it needs it
    except OSError as error:  # an ssl.SSLError is one, too
        raise HttpError(f"no certificates can be read from {bundle}: {error.strerror}", sent=False) from None
    return context


def named(error: BaseException, *, sent: bool = True) -> HttpError:
    text = _describe(error)
    return HttpError(text, sent=sent, is_http=not text.startswith(_NOT_HTTP))


def _describe(error: BaseException) -> str:
    """One short line; of the texts of libraries only the system's and OpenSSL's, which quote no URL."""
    cause: BaseException | None = error
    while cause:
        match cause:
            case ssl.SSLCertVerificationError():
                return f"connection failed: certificate not trusted ({cause.verify_message})"
            case OnlyInterimResponses():
                return f"{_NOT_HTTP}: only interim responses came"
            case requests.ConnectTimeout():
                return "no connection within the time limit"
            case requests.ReadTimeout() | TimeoutError():
                return "no answer within the time limit"
            case InvalidURL() | InvalidSchema() | UnicodeError():
                return "not a web address, or that of the proxy in the environment is none"
            case ConnectionResetError() | BrokenPipeError() | IncompleteRead() | ssl.SSLError():
                return "the answer was cut off"
            case zlib.error():
                return "the answer is not the gzip that it claims to be"
            case HTTPException():
                return f"{_NOT_HTTP} ({type(cause).__name__})"
            case OSError(strerror=str()):
                return f"connection failed: {cause.strerror}"
            case OSError() if f"{cause}".startswith("Tunnel connection failed"):
                return f"connection failed: {cause}"[:100]
        error, cause = cause, cause.__cause__ or cause.__context__
    return f"the answer cannot be read ({type(error).__name__})"
