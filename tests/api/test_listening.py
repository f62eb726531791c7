"""Binding the service's sockets: which failures may pass by themselves."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import closing

import pytest

from disgram.api.listener import listen
from disgram.errors import StartFailed, StartRefused
from tests.api.test_start_and_stop import free_port


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "0.0.0.0"])
def test_a_client_can_connect_at_once(host: str) -> None:
    port = free_port()
    sockets = listen(host, port)
    socket.create_connection(("127.0.0.1", port), timeout=5).close()
    for bound in sockets:
        bound.close()


def test_a_taken_port_may_become_free(taken: int) -> None:
    with pytest.raises(StartFailed, match=f"127.0.0.1 port {taken}: Address already in use"):
        listen("127.0.0.1", taken)


def test_an_address_of_no_interface_may_come_up() -> None:
    with pytest.raises(StartFailed, match="Cannot assign"):
        listen("192.0.2.1", free_port())


def test_an_unknown_host_needs_a_person(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(StartRefused, match=r"HOST nowhere\.invalid is not known"):
        listen("nowhere.invalid", 1)


def test_sockets_of_a_failed_start_are_closed(taken: int) -> None:
    """ResourceWarnings are errors here."""
    with pytest.raises(StartFailed):
        listen("127.0.0.1", taken)
    with closing(socket.create_connection(("127.0.0.1", taken), timeout=5)):
        pass
