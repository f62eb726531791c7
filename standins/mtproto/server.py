"""A stand-in for Telegram's MTProto servers on loopback, for unpatched Telethon clients.

    with MtprotoStandIn() as telegram:
        channel = telegram.channel("News")                      # private: it has no username
        number = channel.post("hello", media=telegram.photo(b"…"))
        client = TelegramClient(StringSession(telegram.session_string()), 1, "hash")
        ...
        channel.edit(number, "hello again")                     # pushed to whoever follows
        telegram.fail("messages.getHistory", "FLOOD_WAIT_30")

Owns the sockets, the order in which a request is judged and who hears of an update. Never knows what there is
(world.py), how a method answers (reading.py, login.py), what goes wrong (faults.py) or bytes (connection.py).

What happened while a client was away is not sent to it by itself (Telegram does that now and then): it has to
ask for the difference. Only members of a channel hear of its updates.
"""

from __future__ import annotations

import secrets
import socket
import socketserver
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

from telethon.crypto import AuthKey
from telethon.sessions import StringSession
from telethon.tl import types

from standins.mtproto import login, reading, tl
from standins.mtproto.channels import Channel
from standins.mtproto.connection import Connection
from standins.mtproto.faults import Faults
from standins.mtproto.login import Authorization, Logins
from standins.mtproto.numbers import PUBLIC_KEY
from standins.mtproto.refusals import Refusal
from standins.mtproto.world import DC, World

ADDRESS = "127.0.0.1"


@dataclass(frozen=True, slots=True)
class Call:
    """One request: `time` is monotonic, `method` as in the schema, `error` the refusal's name or ''."""

    time: float
    method: str
    request: Any
    error: str = ""


class MtprotoStandIn(World, Faults):
    """The server, what there is and how it goes wrong; thread-safe. `port` 0: any that is free."""

    def __init__(self, *, port: int = 0) -> None:
        World.__init__(self)
        Faults.__init__(self)
        self.logins = Logins(self)
        self.calls: list[Call] = []
        """Every request, in the order of the answers."""
        self.accepted = 0
        """Connections so far, refused ones too."""
        self.salt = secrets.randbits(62)
        self._connections: set[Connection] = set()
        self._server: _Server | None = None
        self.port = port

    def __enter__(self) -> MtprotoStandIn:
        self.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()

    def start(self) -> None:
        """Listen, after `stop` on the same port again; keys and channels are kept."""
        self._server = _Server((ADDRESS, self.port), self._serve)
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self) -> None:
        """Refuse and close connections."""
        if self._server:
            self._server.shutdown()
            self._server.server_close()
            self._server = None
        self.drop_connections()

    # --- sessions ---

    @property
    def public_key(self) -> str:
        """PEM of the RSA key, for `telethon.crypto.rsa.add_key`: who has no session string needs it."""
        return str(PUBLIC_KEY.save_pkcs1().decode())

    def session_string(self, *, logged_in: bool = True) -> str:
        """A Telethon string session of this server, each with a key of its own."""
        session = StringSession()
        session.set_dc(DC, ADDRESS, self.port)
        key = secrets.token_bytes(256)
        with self.lock:
            self.logins.add(key, logged_in=logged_in)
        session.auth_key = AuthKey(key)
        return str(session.save())

    def revoke(self, error: str = "SESSION_REVOKED") -> None:
        """Void every session there is: SESSION_REVOKED, AUTH_KEY_DUPLICATED, USER_DEACTIVATED_BAN, …"""
        with self.lock:
            self.logins.void(error)

    def scan(self, qr_address: str) -> None:
        """Accept the QR code whose `tg://login?token=…` this is, as the account's phone would."""
        with self.lock:
            waiting = self.logins.scan(login.token_of(qr_address))
        update = bytes(types.UpdateShort(types.UpdateLoginToken(), datetime.now(timezone.utc)))
        for connection in self._open():
            if connection.login is waiting:
                connection.send(update)

    # --- connections ---

    def drop_connections(self) -> None:
        """Close every connection; clients may come back at once."""
        for connection in self._open():
            connection.close()

    def change_salt(self) -> None:
        """From now on the old server salt is refused, as Telegram does every half hour."""
        self.salt = secrets.randbits(62)

    @property
    def followers(self) -> int:
        """Connections to which updates are sent."""
        return sum(connection.follows for connection in self._open())

    def count(self, method: str) -> int:
        """How often a method was called."""
        return sum(call.method == method for call in list(self.calls))

    # --- what connections ask ---

    def authorization(self, key_id: int) -> Authorization | None:
        with self.lock:
            return self.logins.get(key_id)

    def add_key(self, key: bytes) -> None:
        with self.lock:
            self.logins.add(key)

    def answer(self, login: Authorization, request: Any) -> bytes:
        """The result of a request, as bytes; raises Refusal."""
        method = tl.method_name(request)
        with self.lock:
            error = ""
            try:
                return self._answer(login, method, request)
            except Refusal as refusal:
                error = refusal.name
                raise
            finally:
                self.calls.append(Call(time.monotonic(), method, request, error))

    def _answer(self, authorization: Authorization, method: str, request: Any) -> bytes:
        needs_account = method not in login.WITHOUT_ACCOUNT
        if (refusal := authorization.void) and (needs_account or refusal.code == 406):
            raise refusal
        if planned := self.planned_for(method, any_method=needs_account):
            raise planned
        if needs_account and not authorization.logged_in:
            raise Refusal("AUTH_KEY_UNREGISTERED")
        result = self._result(authorization, method, request)
        self.files.refresh(result)
        return tl.as_bytes(result)

    def _result(self, authorization: Authorization, method: str, request: Any) -> Any:
        if method == "help.getConfig":
            return reading.config(ADDRESS, self.port)
        if method == "upload.getFile":
            return self.files.read(request, authorization.dc)
        if method in login.METHODS:
            return login.METHODS[method](self.logins, authorization, request)
        if method in reading.METHODS:
            return reading.METHODS[method](self, request)
        raise Refusal("INPUT_METHOD_INVALID")

    def _publish(self, channel: Channel, update: Any) -> None:
        hears = channel.member or isinstance(update, types.UpdateChannel)
        if not hears or self.loses(update):
            return
        body = self._pushed(channel, update)
        for connection in self._open():
            if connection.follows and connection.login and not connection.login.void:
                connection.send(body)

    def _pushed(self, channel: Channel, update: Any) -> bytes:
        chats, users = self.named_in(channel.peer, update)
        self.files.refresh(update)
        return bytes(types.Updates([update], users, chats, datetime.now(timezone.utc), seq=0))

    # --- sockets ---

    def _open(self) -> list[Connection]:
        with self.lock:
            return list(self._connections)

    def _serve(self, sock: socket.socket) -> None:
        self.accepted += 1
        if self.refuses_connections:
            return
        connection = Connection(sock, self)
        with self.lock:
            self._connections.add(connection)
        try:
            connection.serve()
        finally:
            with self.lock:
                self._connections.discard(connection)


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], serve: Callable[[socket.socket], None]) -> None:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                self.request.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                with suppress(OSError):
                    serve(self.request)

        super().__init__(address, Handler)
