"""The account's process as workers see it: HTTP over a Unix socket, channels in memory, no Telethon.

Pages are cut as t.me cuts them; `refusals` and `files` say what else is answered.
"""

from __future__ import annotations

import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timezone
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from socketserver import ThreadingMixIn, UnixStreamServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from disgram.post import Media, Run, TelegramPost, Text
from disgram.telegram.account.post_json import write_post
from disgram.telegram.account.session import SOCKET

PUBLISHED = datetime(2026, 11, 1, 12, 0, tzinfo=timezone.utc)
PAGE = 20


def refusal(reason: str, message: str = "no", *, seconds: float | None = None) -> dict[str, Any]:
    until = None if seconds is None else "2026-11-28T12:00:00+00:00"
    return {"reason": reason, "message": message, "until": until, "retry_after": seconds}


class AccountServer(ThreadingMixIn, UnixStreamServer):
    """`posts`: by channel, the posts as the wire has them. `refusals`: the answer to a path, status first."""

    daemon_threads = True

    def __init__(self, folder: Path) -> None:
        self.posts: dict[str, list[dict[str, Any]]] = {}
        self.refusals: dict[str, tuple[int, dict[str, Any]]] = {}
        self.refuses_older: dict[str, Any] | None = None
        """The answer to every request for a page before a post."""
        self.files: dict[str, bytes] = {}
        self.invites: dict[str, str] = {}
        self.asked: list[str] = []
        self.cut_off_at: int | None = None
        """Of a file: how many bytes come before the connection ends."""
        self.release = threading.Event()
        """Answers wait for it."""
        self.release.set()
        self._folder = os.open(folder, os.O_RDONLY)
        super().__init__(f"/proc/self/fd/{self._folder}/{SOCKET}", _Requests)

    def server_close(self) -> None:
        super().server_close()
        os.close(self._folder)

    def get_request(self) -> tuple[socket.socket, Any]:
        connection, _ = super().get_request()
        return connection, ("unix", 0)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients leave in the midst of an answer; tests print nothing."""

    @contextmanager
    def running(self) -> Iterator[AccountServer]:
        thread = threading.Thread(target=self.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield self
        finally:
            self.release.set()
            self.shutdown()
            thread.join()
            self.server_close()

    def write(self, channel: str, number: int, words: str, *media: Media, protected: bool = False) -> None:
        post = TelegramPost(
            channel, number, (number,), "Harbour", (*media, Text((Run(words),))), date=PUBLISHED
        )
        self.put(post, fingerprint=words, protected=protected)

    def put(self, post: TelegramPost, fingerprint: str, *, protected: bool = False) -> None:
        """A new post, or an edited one in place of the old."""
        posts = [each for each in self.posts.setdefault(post.channel, []) if each["id"] != post.id]
        posts.append(
            {
                "id": post.id,
                "ids": list(post.ids),
                "fingerprint": fingerprint,
                "service": post.service,
                "protected": protected,
                "post": write_post(post),
            }
        )
        self.posts[post.channel] = sorted(posts, key=lambda each: int(each["id"]))

    def page(self, channel: str, before: int | None) -> dict[str, Any]:
        known = self.posts.get(channel, [])
        shown = [each for each in known if before is None or each["id"] < before][-PAGE:]
        older = shown[0]["id"] if shown and shown[0]["id"] > known[0]["id"] else None
        return {
            "channel": channel, "title": "Harbour", "photo": None, "description": "", "channel_id": 77,
            "older": older, "posts": shown,
        }  # fmt: skip


class _Requests(BaseHTTPRequestHandler):
    server: AccountServer

    def do_GET(self) -> None:
        self.server.asked.append(self.path)
        self.server.release.wait(10)
        url = urlsplit(self.path)
        asked = {name: values[-1] for name, values in parse_qs(url.query).items()}
        if url.path in self.server.refusals:
            self._json(*self.server.refusals[url.path])
        elif self.server.refuses_older and "before" in asked:
            self._json(503, self.server.refuses_older)
        elif url.path == "/page":
            before = asked.get("before")
            self._json(200, self.server.page(asked["channel"], int(before) if before else None))
        elif url.path == "/resolve":
            self._resolve(asked["invite"])
        else:
            self._file(asked["address"], int(asked["max_bytes"]))

    def _resolve(self, invite: str) -> None:
        if invite in self.server.invites:
            self._json(200, {"channel": self.server.invites[invite], "title": "Harbour"})
        else:
            self._json(404, refusal("not_a_member", "the account is not in it"))

    def _file(self, address: str, most: int) -> None:
        body = self.server.files.get(address)
        if body is None:
            return self._json(404, refusal("file_gone", "Telegram has no such file any more"))
        if len(body) > most:
            return self._json(413, refusal("file_too_large", "larger than MAX_UPLOAD_MB"))
        self.send_response(200)
        self.send_header("Content-Type", "audio/mpeg")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: self.server.cut_off_at])
        return None

    def _json(self, status: int, body: object) -> None:
        data = json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        """Tests print nothing."""
