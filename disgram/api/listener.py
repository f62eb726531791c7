"""The listening sockets, and how many connections they may bring.

Owns what happens when accept() finds no descriptor: a few are kept for that, and without them new
connections wait in the kernel for a second.
"""

from __future__ import annotations

import asyncio
import ipaddress
import logging
import socket
import time
from dataclasses import dataclass
from typing import Any

from disgram.descriptors import DescriptorReserve

MAX_CONNECTIONS = 500
"""A person, a proxy and a monitor need a dozen."""

_OWN_DESCRIPTORS = 64
"""What the service itself has open: databases, log, reserves, the first workers' pipes."""
_RESERVED = 8
_RETRY = 0.9
"""Seconds; asyncio tries again after one."""
_WARN_EVERY = 60.0


@dataclass(frozen=True)
class ConnectionLimits:
    """`total`: connections; `at_once`: how many of them asyncio accepts before it looks at any."""

    total: int = MAX_CONNECTIONS
    at_once: int = 64

    @classmethod
    def within(cls, descriptors: int) -> ConnectionLimits:
        """The rest of the descriptors is for workers' log pipes."""
        total = min(MAX_CONNECTIONS, max(8, (descriptors - _OWN_DESCRIPTORS) // 2))
        return cls(total, min(64, max(2, total // 8)))


class Listener(socket.socket):
    """A listening socket for asyncio, which would try accept() a hundred times in vain, and report each."""

    _reserve: DescriptorReserve | None = None
    _closed_until = 0.0

    def accept(self) -> tuple[socket.socket, Any]:
        """Raises BlockingIOError while there is nothing to accept, or no descriptor."""
        now = time.monotonic()
        if now < self._closed_until:
            raise BlockingIOError
        self._reserve = self._reserve or DescriptorReserve(_RESERVED)
        try:
            return self._reserve.get(super().accept)
        except (BlockingIOError, InterruptedError, ConnectionAbortedError):
            raise
        except OSError:
            self._closed_until = now + _RETRY
            raise

    def close(self) -> None:
        if self._reserve:
            self._reserve.close()
        super().close()


def listen(host: str, port: int) -> list[socket.socket]:
    """The sockets of a host: for `::` also one of IPv4. Raises OSError."""
    everywhere = host == "" or _is_unspecified_ipv6(host)
    families = socket.getaddrinfo(
        None if everywhere else host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )
    listeners: list[socket.socket] = []
    try:
        for family, kind, protocol, _, address in dict.fromkeys(families):
            listeners += _bound(family, kind, protocol, address, optional=everywhere)
    except OSError:
        for one in listeners:
            one.close()
        raise
    return listeners


def _bound(family: int, kind: int, protocol: int, address: Any, *, optional: bool) -> list[socket.socket]:
    try:
        one = Listener(family, kind, protocol)
    except OSError:
        if optional:  # a system without IPv6
            return []
        raise
    try:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            one.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        one.bind(address)
    except OSError:
        one.close()
        raise
    return [one]


def _is_unspecified_ipv6(host: str) -> bool:
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.version == 6 and address.is_unspecified


def report_quietly(loop: asyncio.AbstractEventLoop) -> None:
    """Let the loop report a failed accept() in a sentence, and once a minute."""
    warned_at = float("-inf")

    def handle(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        nonlocal warned_at
        if "accept()" not in context["message"]:
            loop.default_exception_handler(context)
        elif loop.time() - warned_at >= _WARN_EVERY:
            warned_at = loop.time()
            reason = getattr(context.get("exception"), "strerror", "")
            logging.getLogger("disgram.api").error("New connections have to wait: %s", reason)

    loop.set_exception_handler(handle)
