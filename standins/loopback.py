"""A threaded HTTP/1.1 server on 127.0.0.1 that can be told to misbehave.

Owns sockets, keep-alive, request bodies, the request log and the faults. Never knows what is served: an
application is one function from `Request` to `Response`.
"""

from __future__ import annotations

import gzip
import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from http.client import responses
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from math import inf
from typing import Any, TypeVar
from urllib.parse import parse_qsl, unquote, urlsplit

MAX_BODY = 64 * 1024 * 1024
IDLE_SECONDS = 30.0


@dataclass(frozen=True, slots=True)
class Request:
    """One request. `headers` has lower-case names; `time` is monotonic seconds at the request line; `peer` is
    the address it came from."""

    method: str
    path: str
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    time: float = 0.0
    peer: str = ""


@dataclass(frozen=True, slots=True)
class Response:
    status: int = 200
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: tuple[tuple[str, str], ...] = ()
    stream: Iterable[bytes] | None = None
    """Sent after the headers without a length, until it ends; the connection closes then."""

    @classmethod
    def of_json(cls, status: int, value: Any, headers: Iterable[tuple[str, str]] = ()) -> Response:
        return cls(status, json.dumps(value).encode(), "application/json", tuple(headers))


@dataclass(frozen=True, slots=True)
class Fault:
    """How one request goes wrong. Without `accepted` the application never sees the request."""

    delay: float = 0.0
    answer: Response | None = None
    accepted: bool = False
    reset: bool = False
    keep: float | None = None
    """The share of the body that is sent before the connection breaks."""
    headers: tuple[tuple[str, str], ...] = ()
    """Take the place of the right answer's of the same names."""
    interim: int = 0
    """How many 103s come before the answer."""
    packed: float | None = None
    """The share that is sent of the body packed with gzip, as if that were all."""

    @classmethod
    def status(cls, status: int, body: str = "", *, retry_after: object = None) -> Fault:
        """That status instead of an answer."""
        headers = () if retry_after is None else (("Retry-After", str(retry_after)),)
        return cls(answer=Response(status, body.encode(), headers=headers))

    @classmethod
    def reset_before(cls) -> Fault:
        """The connection breaks before the body is read."""
        return cls(reset=True)

    @classmethod
    def reset_after(cls) -> Fault:
        """The request is carried out, but its confirmation never arrives."""
        return cls(reset=True, accepted=True)

    @classmethod
    def hang(cls, seconds: float) -> Fault:
        """Silence for so long, then the right answer."""
        return cls(delay=seconds, accepted=True)

    @classmethod
    def truncated(cls, keep: float = 0.5) -> Fault:
        """The announced length is right, but the body stops early."""
        return cls(accepted=True, keep=keep)

    @classmethod
    def early_hints(cls, count: int = 1) -> Fault:
        """Interim responses, then the right answer."""
        return cls(accepted=True, interim=count)

    @classmethod
    def gzip_cut_off(cls, share: float = 0.5) -> Fault:
        """The announced length is that of what is sent, so that only gzip itself tells."""
        return cls(accepted=True, packed=share)

    @classmethod
    def garbled(cls, body: bytes = b'{"id": "12') -> Fault:
        """Carried out and answered 200, with a body nobody can read."""
        return cls(accepted=True, answer=Response(200, body, "application/json"))


class Faults:
    """A queue of faults; each is used up by the requests it hits. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._waiting: list[tuple[Fault, str, str, float]] = []

    def add(self, fault: Fault, *, path: str = "", peer: str = "", times: int | None = 1) -> None:
        """Hit the next `times` requests whose path contains `path`, of this peer if it is given; None: all
        until `clear`."""
        with self._lock:
            self._waiting.append((fault, path.lower(), peer, times or inf))

    def clear(self) -> None:
        with self._lock:
            self._waiting.clear()

    def take(self, request: Request) -> Fault | None:
        """The first waiting fault that concerns this request."""
        with self._lock:
            for place, (fault, path, peer, times) in enumerate(self._waiting):
                if path in request.path.lower() and peer in {"", request.peer}:
                    left = [(fault, path, peer, times - 1)] if times > 1 else []
                    self._waiting[place : place + 1] = left
                    return fault
        return None


@dataclass(frozen=True, slots=True)
class Logged:
    """A line of the request log: status 0 means that the connection was broken on purpose."""

    time: float
    method: str
    path: str
    query: dict[str, str]
    status: int
    peer: str = ""


Own = TypeVar("Own", bound="LoopbackServer")


class LoopbackServer:
    """Serves `answer` on 127.0.0.1 until `stop`; a context manager. `port` 0 takes a free one."""

    def __init__(self, answer: Callable[[Request], Response], *, port: int = 0) -> None:
        self.answer = answer
        self.faults = Faults()
        self.stopping = threading.Event()
        self._log: list[Logged] = []
        self._server = _Server(("127.0.0.1", port), _Exchange)
        self._server.owner = self
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)

    @property
    def port(self) -> int:
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def requests(self) -> list[Logged]:
        """What was asked so far, oldest first (a copy)."""
        return list(self._log)

    def note(self, request: Request, status: int) -> None:
        self._log.append(
            Logged(request.time, request.method, request.path, request.query, status, request.peer)
        )

    def fail(self, fault: Fault, *, path: str = "", peer: str = "", times: int | None = 1) -> None:
        """Let the next requests go wrong whose path contains `path`: `/s/news`, a webhook's id."""
        self.faults.add(fault, path=path, peer=peer, times=times)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        """Break every connection and return once all threads are gone."""
        self.stopping.set()
        if self._thread.is_alive():
            self._server.shutdown()
            self._thread.join()
        self._server.hang_up()
        self._server.server_close()

    def __enter__(self: Own) -> Own:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = False  # server_close() then waits for the threads
    request_queue_size = 256
    owner: LoopbackServer

    def __init__(self, address: tuple[str, int], exchange: type[BaseHTTPRequestHandler]) -> None:
        self._open: set[socket.socket] = set()
        self._open_lock = threading.Lock()
        super().__init__(address, exchange)

    def process_request(self, request: Any, client_address: Any) -> None:
        with self._open_lock:
            self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        with self._open_lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def hang_up(self) -> None:
        with self._open_lock:
            for connection in self._open:
                with suppress(OSError):  # the other side was faster
                    connection.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that leave mid-way are everyday life; anything else is a bug and shows its traceback."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


class _Exchange(BaseHTTPRequestHandler):
    """One connection: reads requests, asks the application, writes answers, or does as the fault says."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = IDLE_SECONDS
    server: _Server

    def do_GET(self) -> None:
        owner, request = self.server.owner, self._head()
        fault = owner.faults.take(request) or Fault(accepted=True)
        if fault.reset and not fault.accepted:
            owner.note(request, 0)
            return self._reset()
        body = self._read_body()
        if body is None:
            return self._send(Response(413, b"Payload Too Large", "text/plain"))
        owner.stopping.wait(fault.delay)
        response = self._response(replace(request, body=body), fault)
        owner.note(request, 0 if fault.reset else response.status)
        if fault.reset:
            return self._reset()
        self.wfile.write(b"HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" * fault.interim)
        return self._send(response, keep=fault.keep)

    do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = do_GET

    def log_message(self, format: str, *args: object) -> None:
        """The request log is kept by the server, not printed."""

    def _head(self) -> Request:
        parts = urlsplit(self.path)
        headers = {name.lower(): value for name, value in self.headers.items()}
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        now, peer = time.monotonic(), self.client_address[0]
        return Request(self.command, unquote(parts.path), query, headers, time=now, peer=peer)

    def _response(self, request: Request, fault: Fault) -> Response:
        right = self.server.owner.answer(request) if fault.accepted else None
        response = fault.answer or (_ranged(request, right) if right else Response(500))
        replaced = {name.lower() for name, _ in fault.headers}
        kept = tuple(each for each in response.headers if each[0].lower() not in replaced)
        response = replace(response, headers=kept + fault.headers)
        return response if fault.packed is None else _packed(response, fault.packed)

    def _read_body(self) -> bytes | None:
        """None when it is longer than any service would take."""
        if "chunked" in self.headers.get("Transfer-Encoding", "").lower():
            return self._read_chunks()
        length = int(self.headers.get("Content-Length") or 0)
        return self.rfile.read(length) if length <= MAX_BODY else None

    def _read_chunks(self) -> bytes | None:
        body = bytearray()
        while size := int(self.rfile.readline().split(b";")[0] or b"0", 16):
            body += self.rfile.read(size)
            self.rfile.readline()
            if len(body) > MAX_BODY:
                return None
        self.rfile.readline()
        return bytes(body)

    def _send(self, response: Response, *, keep: float | None = None) -> None:
        phrase = responses.get(response.status, "Unknown")
        head = [f"HTTP/1.1 {response.status} {phrase}", f"Date: {self.date_time_string()}"]
        head += [f"{name}: {value}" for name, value in response.headers]
        if response.stream is not None:
            return self._send_stream(head, response)
        if response.status != HTTPStatus.NO_CONTENT:
            head += [f"Content-Type: {response.content_type}", f"Content-Length: {len(response.body)}"]
        body = b"" if self.command == "HEAD" else response.body
        if keep is not None:
            body = body[: int(len(body) * keep)]
        self.wfile.write("\r\n".join([*head, "", ""]).encode() + body)
        self.close_connection = self.close_connection or keep is not None or response.status == 413
        return None

    def _send_stream(self, head: list[str], response: Response) -> None:
        self.close_connection = True
        head += [f"Content-Type: {response.content_type}", "Connection: close", "", ""]
        self.wfile.write("\r\n".join(head).encode())
        for piece in response.stream or ():
            self.wfile.write(piece)

    def _reset(self) -> None:
        """Closing with a zero linger time sends RST instead of FIN."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.connection.close()
        self.close_connection = True


def _packed(response: Response, share: float) -> Response:
    packed = gzip.compress(response.body)
    headers = (*response.headers, ("Content-Encoding", "gzip"))
    return replace(response, body=packed[: int(len(packed) * share)], headers=headers)


def _ranged(request: Request, whole: Response) -> Response:
    """A part of a file, for players that seek; anything but `bytes=A-[B]` gets the whole."""
    asked = re.fullmatch(r"bytes=(\d+)-(\d*)", request.headers.get("range", ""))
    if not asked or whole.status != HTTPStatus.OK or whole.stream is not None:
        return whole
    start, size = int(asked[1]), len(whole.body)
    end = min(int(asked[2] or size - 1), size - 1)
    if start > end:
        return Response(416, headers=(("Content-Range", f"bytes */{size}"),))
    named = ("Content-Range", f"bytes {start}-{end}/{size}")
    return replace(whole, status=206, body=whole.body[start : end + 1], headers=(*whole.headers, named))
