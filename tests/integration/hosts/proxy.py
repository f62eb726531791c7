"""The way to PostgreSQL, as a test can cut or block it: a TCP port in front of the server's Unix socket."""

from __future__ import annotations

import contextlib
import socket
import threading
from pathlib import Path

_PATIENCE = 0.1


class DatabaseProxy:
    """`url`: DATABASE_URL that leads through it. Close it."""

    def __init__(self, folder: Path, database: str) -> None:
        """`folder`: of the server's socket."""
        self._socket = folder / ".s.PGSQL.5432"
        self._listening = socket.create_server(("127.0.0.1", 0))
        port = self._listening.getsockname()[1]
        self.url = f"postgresql://disgram@127.0.0.1:{port}/{database}"
        self._cut = self._closed = False
        self._open_way = threading.Event()
        self._open_way.set()
        self._ends: set[socket.socket] = set()
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def cut(self) -> None:
        """Connections break, and new ones are refused at once."""
        self._cut = True
        self._break()

    def block(self) -> None:
        """Nothing passes any more, and nobody is told."""
        self._open_way.clear()

    def mend(self) -> None:
        """What was on its way passes on; what was cut connects again."""
        self._cut = False
        self._open_way.set()

    def close(self) -> None:
        self._closed = True
        self._open_way.set()
        self._break()
        self._listening.close()
        for thread in self._threads:
            thread.join(5)
        for end in self._ends:
            end.close()

    def _break(self) -> None:
        for end in list(self._ends):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)

    def _accept(self) -> None:
        self._listening.settimeout(_PATIENCE)
        while not self._closed:
            with contextlib.suppress(OSError):
                client, _ = self._listening.accept()
                if self._cut:
                    client.close()
                    continue
                server = socket.socket(socket.AF_UNIX)
                self._ends |= {client, server}
                server.connect(str(self._socket))
                self._pump(client, server)
                self._pump(server, client)

    def _pump(self, source: socket.socket, sink: socket.socket) -> None:
        thread = threading.Thread(target=self._carry, args=(source, sink), daemon=True)
        self._threads.append(thread)
        thread.start()

    def _carry(self, source: socket.socket, sink: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                self._open_way.wait()
                sink.sendall(data)
        self._open_way.wait()
        for end in (source, sink):
            with contextlib.suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
