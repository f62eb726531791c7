"""One address that requests to Telegram can go out through: a local one, or an HTTP proxy. No I/O.

`parse_addresses` is the only parser of TELEGRAM_EGRESS.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from urllib.parse import unquote

from disgram.origin import Origin

MOST = 64
"""Addresses; each request looks at all of them."""

_PROXY = re.compile(r"http://(?:(?P<login>[^/?#\s]*)@)?(?P<server>[^/?#@\s]+)/?", re.IGNORECASE | re.ASCII)
_SCHEME = re.compile(r"(?P<scheme>[a-z][a-z0-9+.-]*)://", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class EgressAddress:
    """`name`: how logs, /health and limits.db call it; it holds no login. `proxy`: `http://host:port`, None
    for a local address, of which `name` is all. `login`: the proxy's `user:password`."""

    name: str
    proxy: str | None = None
    login: str | None = field(default=None, repr=False)


def parse_addresses(texts: Sequence[str]) -> tuple[EgressAddress, ...]:
    """Raises ValueError, which says what to write and repeats none of them: a password may stand there.

    Proxies of the same host and port with different logins are different ways out: they get a number.
    """
    if len(texts) > MOST:
        raise ValueError(f"must not hold more than {MOST} addresses.")
    found: list[EgressAddress] = []
    for number, text in enumerate(texts, 1):
        try:
            address = _parsed(text)
        except ValueError as error:
            raise ValueError(
                f"must be local addresses or http:// proxies; number {number} {error}."
            ) from None
        if any((address.name, address.login) == (other.proxy or other.name, other.login) for other in found):
            raise ValueError(f"names an address twice: number {number} stood there before.")
        same = sum(other.proxy == address.proxy is not None for other in found)
        found.append(replace(address, name=f"{address.name} ({same + 1})") if same else address)
    return tuple(found)


def passwords(texts: Sequence[str]) -> tuple[str, ...]:
    """Those of the proxies, as they are and as they are written: none must be in a log. A user without a
    password is one, too."""
    logins = [found["login"] for text in texts if (found := _PROXY.match(text)) and found["login"]]
    secrets = [password or user for user, _, password in (login.partition(":") for login in logins)]
    return tuple({form for secret in secrets for form in (secret, unquote(secret)) if form})


def _parsed(text: str) -> EgressAddress:
    """Raises ValueError, whose text goes on after "number 2 "."""
    if scheme := _SCHEME.match(text):
        return _proxy(text, scheme["scheme"].lower())
    try:
        address = ipaddress.ip_address(text[1:-1] if re.fullmatch(r"\[.*:.*\]", text) else text)
    except ValueError:
        raise ValueError("is neither (an address without port or mask, such as 192.0.2.7)") from None
    if address.is_unspecified or address.is_multicast or f"{address}" == "255.255.255.255":
        raise ValueError("is no address that a connection can come from")
    if isinstance(address, ipaddress.IPv6Address) and (address.ipv4_mapped or address.scope_id):
        raise ValueError("must be written without ::ffff: in front and without % behind")
    return EgressAddress(f"{address}")


def _proxy(text: str, scheme: str) -> EgressAddress:
    if scheme != "http":
        raise ValueError(
            "has another scheme (the connection to a proxy is plain HTTP; TLS to t.me goes through)"
        )
    parts = _PROXY.fullmatch(text)
    origin = Origin.of(f"http://{parts['server']}/") if parts else None
    if not parts or not origin:
        raise ValueError(
            "is no proxy such as http://user:password@host:3128 (within a login, @ : / ? # % and , are "
            "written %40 %3A %2F %3F %23 %25 %2C)"
        )
    host = f"[{origin.host}]" if ":" in origin.host else origin.host
    server, login = f"http://{host}:{origin.port}", parts["login"]
    return EgressAddress(server, server, _decoded(login) if login else None)


def _decoded(login: str) -> str:
    """A login without password has an empty one. Its encoding is checked, so that none is sent garbled."""
    if re.search(r"%(?![0-9a-fA-F]{2})", login) or "@" in login:
        raise ValueError("has a login with a character that must be written as %40 (for @) or %25 (for %)")
    user, _, password = login.partition(":")
    if not unquote(login).isprintable() or "\ufffd" in unquote(login):
        raise ValueError("has a login that is no text in UTF-8")
    if ":" in unquote(user):
        raise ValueError("has a user name with a colon, which no proxy can be told")
    return f"{unquote(user)}:{unquote(password)}"
