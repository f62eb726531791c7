"""What is done to every request before a route sees it: HEAD, and refusals that no route could make.

Owns no limit and no route.
"""

from __future__ import annotations

from collections.abc import Collection

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from disgram.api.errors import answer

_LENGTHS = {b"content-length", b"transfer-encoding"}


class HeadAsGet:
    """ASGI middleware: HEAD is answered like GET, without the body (RFC 9110, 9.3.2).

    Monitors ask this way; FastAPI's routes do not know it.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            await self._app(scope, receive, send)
            return

        async def send_no_body(message: Message) -> None:
            if message["type"] == "http.response.body":
                message = {**message, "body": b""}
            await send(message)

        await self._app({**scope, "method": "GET"}, receive, send_no_body)


class RequestGuard:
    """ASGI middleware: refuses a request of two lengths, and one to a host that is not among `hosts`.

    With Content-Length and Transfer-Encoding, a proxy and we could disagree where the request ends, and take
    its rest for another one (RFC 9112, 6.1). `hosts`: None for any. While the password is the published
    one, only names of this machine may be called: a web page that its owner visits could let a name of its
    own point to us, and its scripts would then be allowed to read our answers and to change jobs.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str] | None) -> None:
        self._app, self._hosts = app, hosts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        refusal = self._refusal(scope["headers"]) if scope["type"] == "http" else None
        await (refusal or self._app)(scope, receive, send)

    def _refusal(self, headers: Collection[tuple[bytes, bytes]]) -> ASGIApp | None:
        if {name for name, _ in headers} >= _LENGTHS:
            message = "A request has either Content-Length or Transfer-Encoding, not both."
            return answer(400, "Bad request", message, {"Connection": "close"})
        if self._hosts is not None and _host(headers) not in self._hosts:
            message = (
                "While AUTH_PASSWORD is the published default, the service answers only to "
                f"{', '.join(sorted(self._hosts))}: use one of them in the address, or set AUTH_PASSWORD."
            )
            return answer(403, "Host not allowed", message)
        return None


def _host(headers: Collection[tuple[bytes, bytes]]) -> str:
    """The name in `Host`, without its port; "" if there is none, or if there are several."""
    hosts = [value.decode("latin-1").strip().lower() for name, value in headers if name == b"host"]
    if len(hosts) != 1:
        return ""
    name, colon, port = hosts[0].rpartition(":")
    return name if colon and (port.isdigit() or not port) else hosts[0]
