"""The address a request comes from, and which addresses count as one client.

Owns what X-Forwarded-For means; X-Real-IP, where a proxy sends that alone, is a list of one. Pure:
never looks at a request or a connection.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Collection

LOOPBACK = "127.0.0.1"

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network


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
    while hops and in_networks(address, trusted):
        hop = hops.pop()
        if parsed(hop) is None:
            break
        address = hop
    return address


def _without_port(hop: str) -> str:
    """Some proxies add the port: 192.0.2.1:443, [2001:db8::1]:443."""
    hop = hop.strip()
    if hop.startswith("["):
        return hop[1:].partition("]")[0]
    host, colon, _ = hop.partition(":")
    return host if colon and parsed(host) else hop


def parsed(address: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """An IPv4 address in IPv6 form is IPv4; None if it is no address."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return None
    return (found.ipv4_mapped or found) if isinstance(found, ipaddress.IPv6Address) else found


def in_networks(address: str, networks: Collection[IPNetwork]) -> bool:
    """Whether one of the networks has this address."""
    found = parsed(address)
    return found is not None and any(found in network for network in networks)


def is_local(peer: str) -> bool:
    """A Unix socket has no peer address and is local, too."""
    found = parsed(peer)
    return not peer or (found is not None and found.is_loopback)


def network_of(address: str) -> str:
    """Addresses that are counted as one: whoever has an IPv6 address has the whole /64 around it."""
    found = parsed(address)
    if isinstance(found, ipaddress.IPv6Address):
        return str(ipaddress.ip_network((found, 64), strict=False))
    return str(found or address)
