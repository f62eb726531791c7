"""The demo's page: what the stand-in for Discord holds, shown as Discord's client would, live.

Owns the page's address and what it is sent: texts are sent as they look, read by the stand-in's reader of
Discord's Markdown. Never changes a message.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from disgram.dashboard.page_files import FILES, STATIC
from standins.discord.markdown import read, runs_of
from standins.discord.messages import Message
from standins.discord.server import DiscordStandIn
from standins.loopback import LoopbackServer, Request, Response

_HERE = Path(__file__).parent
_FILES = {
    "/": (_HERE / "page.html", "text/html; charset=utf-8"),
    "/page.css": (_HERE / "page.css", "text/css; charset=utf-8"),
    "/page.js": (_HERE / "page.js", "text/javascript; charset=utf-8"),
    **{f"/{name}": (STATIC / name, FILES[name]) for name in ("elements.js", "message.js", "message.css")},
}
"""Messages look as in a preview of the dashboard."""
# Content is hostile: no script and no style but the page's own, no address but this computer's.
_POLICY = (
    "Content-Security-Policy",
    "default-src 'self'; img-src 'self' data: http://127.0.0.1:*; media-src http://127.0.0.1:*",
)


class Viewer(LoopbackServer):
    """Serves the page for some channels of a stand-in (ids); threads among them get a column of their own."""

    def __init__(self, discord: DiscordStandIn, channels: list[str], *, port: int = 0) -> None:
        self._discord = discord
        self._channels = channels
        super().__init__(self._answer, port=port)

    @classmethod
    def on_first_free(cls, discord: DiscordStandIn, channels: list[str], ports: Sequence[int]) -> Viewer:
        """On the first port that nobody has. Raises OSError if all are taken."""
        for port in ports[:-1]:
            with suppress(OSError):
                return cls(discord, channels, port=port)
        return cls(discord, channels, port=ports[-1])

    def _answer(self, request: Request) -> Response:
        if request.path == "/events":
            return Response(200, b"", "text/event-stream", (("Cache-Control", "no-store"),), self._events())
        if request.path == "/state":
            return Response.of_json(200, self._news(self._discord.messages()))
        if request.path not in _FILES:
            return Response(404, b"Not Found", "text/plain")
        path, kind = _FILES[request.path]
        return Response(200, path.read_bytes(), kind, (_POLICY, ("Cache-Control", "no-store")))

    def _events(self) -> Iterator[bytes]:
        """Everything so far, then every change; a comment now and then notices that the browser has gone."""
        serial, changed = self._discord.changes(0, 0)
        yield self._event(changed)
        while not self.stopping.is_set():
            serial, changed = self._discord.changes(serial, 0.5)
            yield self._event(changed) if changed else b":\n\n"

    def _event(self, changed: list[Message]) -> bytes:
        return b"data: " + json.dumps(self._news(changed)).encode() + b"\n\n"

    def _news(self, changed: list[Message]) -> dict[str, Any]:
        shown = [self._message(message) for message in changed if message.channel_id in self._channels]
        return {"places": self._places(), "messages": shown, "figures": self._figures()}

    def _message(self, message: Message) -> dict[str, Any]:
        whole = self._discord.as_json(message) | {"shown": runs(message.content)}
        veiled = {file.id for file in message.files if file.spoiler}
        for attachment in whole["attachments"]:
            attachment["spoiler"] = attachment["id"] in veiled
        for embed in whole["embeds"]:
            embed["title"] = runs(embed.get("title", ""), title=True)
            embed["description"] = runs(embed.get("description", ""))
            for field in embed.get("fields", []):
                field["name"], field["value"] = runs(field["name"], title=True), runs(field["value"])
        return whole | {"avatar_url": message.avatar_url, "deleted": message.deleted}

    def _places(self) -> list[dict[str, Any]]:
        channels = [self._discord.channel(number) for number in self._channels]
        return [{"id": one.id, "name": one.name, "parent": one.parent_id} for one in channels]

    def _figures(self) -> dict[str, int]:
        requests = [logged for logged in self._discord.requests if "/webhooks/" in logged.path]
        return {
            "requests": len(requests),
            "messages": len(self._discord.messages()),
            "refused by Discord": len(self._discord.violations),
            "too fast (429)": len(self._discord.limited),
        }


_BLOCKS = {"quote", "pre", "heading", "subtext"}


def runs(markdown: str, *, title: bool = False) -> list[dict[str, Any]]:
    """Neighbouring characters that look the same: their text, and a key for each style and for a link."""
    shown: list[dict[str, Any]] = []
    for text, styles, href in runs_of(read(markdown, title=title)):
        parted = (style.partition(":") for style in sorted(styles))
        look: dict[str, Any] = {name: value or True for name, _, value in parted}
        if href and href.startswith(("http://", "https://")):
            look["link"] = href
        if shown and _BLOCKS & (shown[-1].keys() - look.keys()):
            text = text.removeprefix("\n")  # a block ends its line itself
        shown.append({"text": text, **look})
    return shown
