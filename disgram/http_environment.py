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
from contextlib import suppress
from dataclasses import dataclass, field
from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from pathlib import Path
from urllib.parse import unquote, urlsplit
from urllib.request import proxy_bypass_environment as bypassed  # type: ignore[attr-defined]

import certifi

from disgram.errors import HttpError

_PROXY_PORT = 80


@dataclass(frozen=True, slots=True)
class Proxy:
    """An HTTP proxy. `headers` are for it alone, and hold its password: not shown."""

    host: str
    port: int
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


@lru_cache(maxsize=256)
def proxy_for(scheme: str, netloc: str) -> Proxy | None:
    """The way to a host; None: straight. Raises HttpError for a proxy that is not spoken to over HTTP."""
    address, no_proxy = _variable(f"{scheme}_proxy") or _variable("all_proxy"), _variable("no_proxy")
    if not address or bypassed(netloc, {"no": no_proxy}) or _within(netloc, no_proxy):
        return None
    try:
        return _proxy(address)
    except ValueError:  # its words may quote the password
        told = f"{scheme}: the proxy of the environment must be an http:// address"
        raise HttpError(told, sent=False) from None


def _within(netloc: str, networks: str) -> bool:
    """Whether a host is an address that NO_PROXY names, or in a network of its, such as 10.0.0.0/8."""
    with suppress(ValueError):
        address = ip_address(urlsplit(f"//{netloc}").hostname or "")
        return any(address in network for network in map(_network, networks.split(",")) if network)
    return False


def _network(item: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(item.strip(), strict=False)
    except ValueError:  # a name
        return None


def _proxy(address: str) -> Proxy:
    parts = urlsplit(address if "://" in address else f"http://{address}")
    if parts.scheme != "http" or not parts.hostname:
        raise ValueError
    return Proxy(parts.hostname, parts.port or _PROXY_PORT, _authorization(parts.username, parts.password))


def _variable(name: str) -> str:
    """Lower case goes first, as everywhere (an empty one, too)."""
    return os.environ.get(name, os.environ.get(name.upper(), ""))


def _authorization(username: str | None, password: str | None) -> dict[str, str]:
    if username is None:
        return {}
    credentials = f"{unquote(username)}:{unquote(password or '')}".encode()
    return {"Proxy-Authorization": f"Basic {b64encode(credentials).decode()}"}


@lru_cache(maxsize=1)
def trust() -> ssl.SSLContext:
    """Verifies servers against REQUESTS_CA_BUNDLE, CURL_CA_BUNDLE or certifi's certificates.

    Reading them takes 16 ms and a megabyte: the template does it for all. Raises HttpError.
    """
    named = os.environ.get("REQUESTS_CA_BUNDLE") or os.environ.get("CURL_CA_BUNDLE")
    bundle = Path(named or certifi.where())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)  # checks certificate and name
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["http/1.1"])
    try:
        if bundle.is_dir():
            context.load_verify_locations(capath=bundle)
        else:
            context.load_verify_locations(cafile=bundle)
    except OSError as error:  # an ssl.SSLError is one, too
        raise HttpError(f"no certificates can be read from {bundle}: {error.strerror}", sent=False) from error
    return context
