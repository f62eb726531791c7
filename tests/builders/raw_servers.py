"""Servers on loopback that write raw bytes: answers that break off, drip or come early.

Each serves a fixed script of connections in a thread that has ended when the `with` block is left.
"""

from __future__ import annotations

import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

WHOLE = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@contextmanager
def serving(serve: Callable[[socket.socket], None], host: str = "127.0.0.1") -> Iterator[str]:
    """The URL of a listener that `serve` is given; who never comes is awaited 10 seconds."""
    with socket.create_server((host, 0)) as listener:
        listener.settimeout(10)
        thread = threading.Thread(target=serve, args=(listener,))
        thread.start()
        yield f"http://{host}:{listener.getsockname()[1]}/"
        thread.join()


@contextmanager
def answering(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """One connection for each answer, closed behind it; the list holds the requests."""
    requests: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        for answer in answers:
            connection, _ = listener.accept()
            with connection:
                requests.append(connection.recv(65536))
                connection.sendall(answer)

    with serving(serve) as url:
        yield url, requests


@contextmanager
def answering_and_staying_open(answer: bytes) -> Iterator[str]:
    """Gives the first connection that answer and keeps it open; the second one gets WHOLE."""
    left = threading.Event()

    def serve(listener: socket.socket) -> None:
        first, _ = listener.accept()
        with first:
            first.recv(1024)
            first.sendall(answer)
            second, _ = listener.accept()
            with second:
                second.recv(1024)
                second.sendall(WHOLE)
                left.wait(5)

    with serving(serve) as url:
        yield url
        left.set()


def _whole_request(connection: socket.socket) -> bytes:
    """What has come by the time the client closes the connection, if it is not whole."""
    request = b""
    while chunk := connection.recv(65536):
        request += chunk
        head, end, body = request.partition(b"\r\n\r\n")
        length = re.search(rb"content-length: ([0-9]+)", head, re.IGNORECASE)
        if end and len(body) >= int(length[1] if length else 0):
            break
    return request


@contextmanager
def answering_twice(answer: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """Gives that answer to two requests of one connection; a second connection is refused after ten seconds.
    The list holds the requests."""
    requests: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.settimeout(10)
            for _ in range(2):
                requests.append(_whole_request(connection))
                connection.sendall(answer)

    with serving(serve) as url:
        yield url, requests


@contextmanager
def dripping(start: bytes, drop: bytes = b"a") -> Iterator[str]:
    """Serves one connection: `start` at once, then `drop` every 20 ms until the reader leaves."""
    over, endless = threading.Event(), threading.Event()

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(65536)
            connection.sendall(start)
            for _ in range(200):
                if over.wait(0.02):
                    return
                try:
                    connection.sendall(drop)
                except OSError:
                    return
        endless.set()

    with serving(serve) as url:
        yield url
        over.set()
    assert not endless.is_set(), "the reader never gave up"


@contextmanager
def answering_early(answer: bytes, certificate: tuple[Path, Path] | None = None) -> Iterator[str]:
    """Answers at the beginning of a request, reads on for a while, and resets the connection."""

    def serve(listener: socket.socket) -> None:
        connection, _ = listener.accept()
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            connection = context.wrap_socket(connection, server_side=True)
        with connection:
            connection.recv(1024)
            connection.sendall(answer)
            for _ in range(100):
                connection.recv(16_384)

    with serving(serve) as url:
        yield url.replace("http:", "https:") if certificate else url


class KeepAliveServer(ThreadingHTTPServer):
    """Answers every GET with 100,000 bytes, keeps connections open and counts them; over TLS if given a
    certificate and its key."""

    def __init__(self, certificate: tuple[Path, Path] | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _KeepAlive)
        self.block_on_close = False
        self.connections = 0
        self.url = f"http{'s' if certificate else ''}://127.0.0.1:{self.server_port}/"
        if certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*certificate)
            self.socket = context.wrap_socket(self.socket, server_side=True)

    def process_request(self, *request: object) -> None:
        self.connections += 1
        super().process_request(*request)  # type: ignore[arg-type]

    @contextmanager
    def running(self) -> Iterator[KeepAliveServer]:
        """Until the end of the block."""
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        yield self
        self.shutdown()
        thread.join()
        self.server_close()


class _KeepAlive(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "100000")
        self.end_headers()
        self.wfile.write(b"x" * 100_000)

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""


@contextmanager
def connect_proxy() -> Iterator[tuple[str, list[bytes]]]:
    """A proxy for one CONNECT; the list holds what it was asked in the clear."""
    requests: list[bytes] = []

    def serve(listener: socket.socket) -> None:
        near, _ = listener.accept()
        with near:
            requests.append(near.recv(65536))
            host, _, port = requests[0].split()[1].decode().rpartition(":")
            with socket.create_connection((host, int(port))) as far:
                near.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
                back = threading.Thread(target=_copy, args=(far, near))
                back.start()
                _copy(near, far)
                back.join()

    with serving(serve) as url:
        yield url, requests


def _copy(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        pass
