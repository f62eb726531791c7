r"""The origin of a web address: scheme, host and port, which decide whom we connect to. No I/O.

Parsers disagree about unusual addresses: in `https://localhost\.t.me/` urllib sees a name below t.me, and
urllib3 connects to localhost. Only an address that every parser reads alike has an origin here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_ORIGIN = re.compile(
    r"(?P<scheme>https?)://(?P<netloc>(?P<host>[a-z0-9_][a-z0-9._-]*|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?)"
    r"(?=[/?#]|\Z)",
    re.ASCII | re.IGNORECASE,
)
_DEFAULT_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True, slots=True)
class Origin:
    """In lower case; `host` without the brackets of an IPv6 address."""

    scheme: str
    host: str
    port: int
    netloc: str
    """As it is written: the default port may be named."""

    @classmethod
    def of(cls, url: str) -> Origin | None:
        """None if it is no http or https address, names a user or password, or is unusual in another way:
        a host is ASCII letters, digits, `.`, `-` and `_`, or an IPv6 address in brackets."""
        found = _ORIGIN.match(url)
        if not found:
            return None
        scheme = found["scheme"].lower()
        port = int(found["port"] or _DEFAULT_PORTS[scheme])
        if not 0 < port <= 65535:
            return None
        return cls(scheme, found["host"].lower().strip("[]"), port, found["netloc"].lower())

    def same_server(self, other: Origin | None) -> bool:
        """Whether a connection to both is one to the same server."""
        return other is not None and (self.scheme, self.host, self.port) == (
            other.scheme, other.host, other.port,
        )  # fmt: skip
