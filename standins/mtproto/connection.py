"""One client's TCP connection: frames in and out, key exchange, containers, acknowledgements, pings, salts.

Owns the order of a conversation; asks the server what a request's answer is, and never knows what it means.
"""

from __future__ import annotations

import queue
import secrets
import socket
import struct
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any, Protocol

from telethon.tl import functions, types
from telethon.tl.core import MessageContainer

from standins.mtproto import tl, wire
from standins.mtproto.key_exchange import BadExchange, KeyExchange
from standins.mtproto.login import Authorization
from standins.mtproto.refusals import Refusal

_UNKNOWN_KEY = -404
_WRONG_SALT = 48
_WRAPPERS = (
    functions.InvokeWithLayerRequest, functions.InitConnectionRequest, functions.InvokeAfterMsgRequest,
    functions.InvokeWithoutUpdatesRequest,
)  # fmt: skip
_NOT_ANSWERED = (types.MsgsAck, types.MsgsStateReq, types.MsgResendReq)


class Service(Protocol):
    """What a connection asks the server; all of it may be called from any thread."""

    silent: bool
    salt: int
    lock: threading.RLock
    """Held over an answer and its sending, so that updates come in the order in which things happened."""

    def authorization(self, key_id: int) -> Authorization | None: ...
    def add_key(self, key: bytes) -> None: ...
    def delay_of(self, method: str) -> Callable[[], object] | None: ...
    def answer(self, login: Authorization, request: Any) -> bytes: ...


class Connection:
    """`serve` runs in the connection's own thread; `send` in any, and never waits for the client."""

    def __init__(self, sock: socket.socket, service: Service) -> None:
        self.login: Authorization | None = None
        self.follows = False
        """Whether updates are sent: after a call of somebody logged in that was not "without updates"."""
        self._socket = sock
        self._service = service
        self._exchange = KeyExchange()
        self._session_id = 0
        self._ids = wire.MessageIds()
        self._frames = self._contents = 0
        self._sending = threading.Lock()
        self._outgoing: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()

    def serve(self) -> None:
        """Until the client leaves or breaks the protocol."""
        writer = threading.Thread(target=self._write_outgoing, daemon=True)
        writer.start()
        with suppress(EOFError, OSError, wire.BadFrame, BadExchange):
            while True:
                payload = wire.read_frame(self._read)
                if not self._service.silent:
                    self._take(payload)
        self._outgoing.put(None)
        writer.join(1.0)

    def close(self) -> None:
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)

    def send(self, *bodies: bytes, answer: bool = False) -> None:
        """One encrypted message, a container if there is more than one body. Silently nothing once closed."""
        if not self.login or self._service.silent:
            return
        with self._sending:
            messages = [(self._ids.next(answer=answer), self._sequence(), body) for body in bodies]
            if len(messages) > 1:
                messages = [(self._ids.next(answer=answer), 2 * self._contents, tl.container(messages))]
            number, seq_no, body = messages[0]
            packet = wire.Packet(self._service.salt, self._session_id, number, seq_no, body)
            self._write(wire.encrypt(packet, self.login.key))

    # --- in ---

    def _read(self, count: int) -> bytes:
        data = bytearray()
        while len(data) < count:
            part = self._socket.recv(count - len(data))
            if not part:
                raise EOFError
            data += part
        return bytes(data)

    def _take(self, payload: bytes) -> None:
        (key_id,) = struct.unpack_from("<q", payload)
        if not key_id:
            return self._take_plain(payload)
        self.login = self._service.authorization(key_id)
        if self.login is None:
            with self._sending:
                self._write(struct.pack("<i", _UNKNOWN_KEY))
            return self._outgoing.put(None)
        packet = wire.decrypt(payload, self.login.key)
        self._session(packet)
        if packet.salt != self._service.salt:
            wrong = types.BadServerSalt(packet.msg_id, packet.seq_no, _WRONG_SALT, self._service.salt)
            return self.send(bytes(wrong), answer=True)
        for msg_id, thing in _messages(packet):
            self._take_message(msg_id, thing)
        return None

    def _session(self, packet: wire.Packet) -> None:
        if packet.session_id != self._session_id:
            self._session_id = packet.session_id
            created = types.NewSessionCreated(packet.msg_id, secrets.randbits(62), self._service.salt)
            self.send(bytes(created))

    def _take_plain(self, payload: bytes) -> None:
        """A step of the key exchange; its messages are not encrypted."""
        reply = bytes(self._exchange.answer(tl.read(payload[20:])))
        if self._exchange.key:
            self._service.add_key(self._exchange.key)
        with self._sending:
            self._write(struct.pack("<qqi", 0, self._ids.next(answer=True), len(reply)) + reply)

    def _take_message(self, msg_id: int, thing: Any) -> None:
        if isinstance(thing, _NOT_ANSWERED):
            return None
        if isinstance(thing, (functions.PingRequest, functions.PingDelayDisconnectRequest)):
            return self.send(bytes(types.Pong(msg_id, thing.ping_id)), answer=True)
        request, follows = _unwrapped(thing)
        wait = self._service.delay_of(tl.method_name(request))
        if not wait:
            return self._answer(msg_id, request, follows)

        def later() -> None:
            wait()
            self._answer(msg_id, request, follows)

        threading.Thread(target=later, daemon=True).start()
        return None

    def _answer(self, msg_id: int, request: Any, follows: bool) -> None:
        login = self.login
        if login is None:
            return
        with self._service.lock:
            body = self._result(login, request)
            self.follows = login.logged_in and (self.follows or follows)
            self.send(bytes(types.MsgsAck([msg_id])), tl.result(msg_id, body), answer=True)

    def _result(self, login: Authorization, request: Any) -> bytes:
        try:
            return self._service.answer(login, request)
        except Refusal as refusal:
            return bytes(refusal.as_tl())
        except Exception:  # noqa: BLE001  # otherwise the client would come back and ask the same for ever
            traceback.print_exc()
            return bytes(Refusal("STAND_IN_FAILED").as_tl())

    # --- out ---

    def _sequence(self) -> int:
        self._contents += 1
        return 2 * self._contents - 1

    def _write(self, payload: bytes) -> None:
        self._outgoing.put(wire.frame(payload, self._frames))
        self._frames += 1

    def _write_outgoing(self) -> None:
        """In a thread of its own, until None comes; then the connection ends."""
        with suppress(OSError):
            while data := self._outgoing.get():
                self._socket.sendall(data)
        self.close()


def _messages(packet: wire.Packet) -> Iterator[tuple[int, Any]]:
    thing = tl.read(packet.body)
    if not isinstance(thing, MessageContainer):
        yield packet.msg_id, thing
        return
    for message in thing.messages:
        yield message.msg_id, tl.unpacked(message.obj)


def _unwrapped(request: Any) -> tuple[Any, bool]:
    """The request itself, and whether who asks wants to hear of updates."""
    follows = True
    while isinstance(request, _WRAPPERS):
        follows = follows and not isinstance(request, functions.InvokeWithoutUpdatesRequest)
        request = request.query
    return request, follows
