"""The sockets the service listens on, bound before anything else is started.

Owns the binding, and what a failure means: a start that may succeed later, or one that needs a person.
Never accepts a connection: uvicorn does.
"""

from __future__ import annotations

import contextlib
import errno
import socket

from disgram.errors import StartFailed, StartRefused

_BACKLOG = 2048
"""uvicorn's own default."""
_MAY_PASS = frozenset({errno.EADDRINUSE, errno.EADDRNOTAVAIL})
"""Another program has the port; or the interface with this address is not up yet."""


def listening_sockets(host: str, port: int) -> list[socket.socket]:
    """A socket for each address of `host`.

    Raises StartFailed for what may pass by itself, StartRefused for the rest.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except socket.gaierror as error:
        kind = StartFailed if error.errno == socket.EAI_AGAIN else StartRefused
        raise kind(f"HOST {host} is not known: {error.strerror}") from None
    sockets: list[socket.socket] = []
    failures: list[OSError] = []
    with contextlib.ExitStack() as undo:
        for family, kind_of_socket, protocol, _, address in dict.fromkeys(found):
            bound = undo.enter_context(socket.socket(family, kind_of_socket, protocol))
            try:
                _bind(bound, address)
            except OSError as error:
                failures.append(error)
            else:
                sockets.append(bound)
        # `localhost` may name an address that this machine lacks (::1), but none of its may be taken.
        serious = [error for error in failures if error.errno != errno.EADDRNOTAVAIL or not sockets]
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
