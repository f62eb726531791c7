"""The listening sockets, and how many connections they may bring.

Owns what happens when accept() finds no descriptor: a few are kept for that, and without them new
connections wait in the kernel for a second.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import logging
import socket
import time
from dataclasses import dataclass
from typing import Any

from disgram.descriptors import DescriptorReserve
from disgram.errors import StartFailed, StartRefused

MAX_CONNECTIONS = 500
"""A person, a proxy and a monitor need a dozen."""

_OWN_DESCRIPTORS = 64
"""What the service itself has open: databases, log, reserves, the first workers' pipes."""
_RESERVED = 8
_RETRY = 0.9
"""Seconds; asyncio tries again after one."""
_WARN_EVERY = 60.0
_BACKLOG = 128
"""Connections that wait in the kernel until the service runs; uvicorn sets its own then."""
_MAY_PASS = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL})
"""Another program has the port; or the interface with this address is not up yet."""
_NO_SUCH_ADDRESS = frozenset({errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})
"""A system without IPv6 has no ::1 and makes no socket for it."""


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
    """A socket for each address of `host`, bound before anything else is started; for `::` also one of IPv4.

    Raises StartFailed for what may pass by itself, StartRefused for the rest.
    """
    everywhere = host == "" or is_unspecified_ipv6(host)
    try:
        found = socket.getaddrinfo(
            None if everywhere else host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror as error:
        kind = StartFailed if error.errno == socket.EAI_AGAIN else StartRefused
        raise kind(f"HOST {host} is not known: {error.strerror}") from None
    sockets: list[socket.socket] = []
    failures: list[OSError] = []
    with contextlib.ExitStack() as undo:
        for family, kind_of_socket, protocol, _, address in dict.fromkeys(found):
            try:
                bound = undo.enter_context(Listener(family, kind_of_socket, protocol))
                _bind(bound, address)
            except OSError as error:
                failures.append(error)
            else:
                sockets.append(bound)
        # `localhost` may name an address that this machine lacks (::1), but none of its may be taken.
        serious = [error for error in failures if error.errno not in _NO_SUCH_ADDRESS or not sockets]
        if serious:
            raise _refusal(host, port, serious[0])
        undo.pop_all()
    return sockets


def _bind(unbound: socket.socket, address: tuple[object, ...]) -> None:
    unbound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if unbound.family == socket.AF_INET6:
        unbound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    unbound.bind(address)
    unbound.listen(_BACKLOG)


def _refusal(host: str, port: int, error: OSError) -> StartFailed | StartRefused:
    text = f"cannot listen on {host} port {port}: {error.strerror}"
    return StartFailed(text) if error.errno in _MAY_PASS else StartRefused(text)


def is_unspecified_ipv6(host: str) -> bool:
    """Whether it is `::`, in any form."""
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
