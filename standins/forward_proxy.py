"""A forward proxy on loopback: CONNECT, and requests in the clear, with the ways in which one goes wrong.

    with ForwardProxy("127.0.0.11") as proxy:
        requests.get(url, proxies={"http": proxy.url, "https": proxy.url})
        proxy.asked                     # what it was asked for
        proxy.answer(407); proxy.hang(); proxy.break_off(); proxy.die(); proxy.revive()

Its own connections come from the address it is given, so that a server can tell proxies apart. Never keeps a
connection between two requests in the clear.
"""

from __future__ import annotations

import base64
import socket
import struct
import threading
from contextlib import suppress
from http.client import responses
from typing import NamedTuple
from urllib.parse import urlsplit


class Asked(NamedTuple):
    """`login`: `user:password` as it came, "" without one."""

    method: str
    target: str
    login: str


class ForwardProxy:
    """Listens on 127.0.0.1; a context manager. `source`: a loopback address; `login`: the `user:password`
    that everybody must send, if any."""

    def __init__(self, source: str = "127.0.0.1", *, login: str = "") -> None:
        self._source, self._login = source, login
        self._status = 0
        self._breaks_off = False
        self._may_go_on = threading.Event()
        self._may_go_on.set()
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._address = self._listener.getsockname()
        self._alive = False
        self.asked: list[Asked] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._address[1]}"

    # how it goes wrong ---------------------------------------------------------------------------

    def serve(self) -> None:
        """Rightly, from now on."""
        self._status, self._breaks_off = 0, False
        self._may_go_on.set()

    def answer(self, status: int) -> None:
        """Every request with this status, until `serve`."""
        self._status = status

    def hang(self) -> None:
        """Take requests and say nothing, until `serve`."""
        self._may_go_on.clear()

    def break_off(self) -> None:
        """Reset the connection after the first bytes of each answer, until `serve`."""
        self._breaks_off = True

    def die(self) -> None:
        """Break every connection and refuse new ones."""
        self._alive = False
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)

    def revive(self) -> None:
        """Listen on the same port again."""
        self._listener = socket.create_server(self._address)
        self._listen()

    # how it works --------------------------------------------------------------------------------

    def __enter__(self) -> ForwardProxy:
        self._listen()
        return self

    def __exit__(self, *_: object) -> None:
        self._may_go_on.set()
        if self._alive:
            self.die()
        for thread in self._threads:
            thread.join(10)

    def _listen(self) -> None:
        self._alive = True
        self._in_thread(self._accept, self._listener)

    def _in_thread(self, *call: object) -> None:
        thread = threading.Thread(target=call[0], args=call[1:], daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self, listener: socket.socket) -> None:
        while self._alive:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            self._in_thread(self._exchange, connection)

    def _exchange(self, near: socket.socket) -> None:
        with near, suppress(OSError):
            with self._lock:
                self._open.add(near)
            try:
                self._serve_one(near)
            finally:
                with self._lock:
                    self._open.discard(near)

    def _serve_one(self, near: socket.socket) -> None:
        head = _head_of(near)
        if not head:
            return
        method, target, _ = head.split("\r\n")[0].split(" ")
        login = _login_of(head)
        self.asked.append(Asked(method, target, login))
        self._may_go_on.wait(60)
        refused = 407 if login != self._login else 0
        if status := self._status or refused:
            near.sendall(f"HTTP/1.1 {status} {responses[status]}\r\nContent-Length: 0\r\n\r\n".encode())
            return
        host, port = _server_of(method, target)
        try:
            far = socket.create_connection((host, port), 10, source_address=(self._source, 0))
        except OSError:
            near.sendall(b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n")
            return
        with far:
            if method == "CONNECT":
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                self._in_thread(_pump, near, far)
            else:
                far.sendall(_forwarded(head, target).encode("latin-1"))
            self._relay(far, near)

    def _relay(self, far: socket.socket, near: socket.socket) -> None:
        while data := far.recv(65536):
            if self._breaks_off:
                near.sendall(data[: len(data) // 2])
                near.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                return
            near.sendall(data)
        near.shutdown(socket.SHUT_WR)


def _pump(source: socket.socket, sink: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)


def _head_of(connection: socket.socket) -> str:
    """Up to the empty line; a GET has nothing behind it."""
    head = b""
    while b"\r\n\r\n" not in head:
        chunk = connection.recv(65536)
        if not chunk:
            return ""
        head += chunk
    return head.decode("latin-1")


def _login_of(head: str) -> str:
    for line in head.split("\r\n")[1:]:
        name, _, value = line.partition(": ")
        if name.lower() == "proxy-authorization":
            return base64.b64decode(value.removeprefix("Basic ")).decode()
    return ""


def _server_of(method: str, target: str) -> tuple[str, int]:
    parts = urlsplit(f"//{target}" if method == "CONNECT" else target)
    return parts.hostname or "", parts.port or 80


def _forwarded(head: str, target: str) -> str:
    """The request as the server gets it: without what is meant for the proxy, on a connection of its own."""
    parts = urlsplit(target)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    lines = head.rstrip("\r\n").split("\r\n")
    kept = [line for line in lines[1:] if not line.lower().startswith(("proxy-", "connection:"))]
    return "\r\n".join([f"GET {path} HTTP/1.1", *kept, "Connection: close", "", ""])
