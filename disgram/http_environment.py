"""What the environment says of the way to a host: proxies, and whose certificates are trusted.

Owns HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY, REQUESTS_CA_BUNDLE and CURL_CA_BUNDLE, as they stand when
a host is first asked. Certificates are read once per process, and a forked worker shares them. It never
connects.
"""

from __future__ import annotations

import os
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import getproxies_environment
from urllib.request import proxy_bypass_environment as bypassed  # type: ignore[attr-defined]

import certifi

from disgram.errors import NoAnswer

_PROXY_PORT = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `headers` are for it alone, and hold its password: not shown."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@lru_cache(maxsize=256)
def proxy_for(scheme: str, netloc: str) -> Proxy | None:
    """The way to a host; None: straight. Raises NoAnswer for a proxy that is not spoken to over HTTP."""
    named = getproxies_environment()
    address = named.get(scheme) or named.get("all")
    if not address or bypassed(netloc):
        return None
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme != "http" or not parts.hostname:
        raise NoAnswer(f"{scheme}: the proxy of the environment must be an http:// address", sent=False)
    return Proxy(parts.hostname, parts.port or _PROXY_PORT, _authorization(parts.username, parts.password))


def _authorization(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    credentials = f"{unquote(username)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(credentials).decode()}"}


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """Verifies servers against REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or certifi's certificates."""
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    bundle = Path(named or certifi.where())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    if bundle.is_dir():
        context.load_verify_locations(capath=bundle)
    else:
        context.load_verify_locations(cafile=bundle)
    return context
