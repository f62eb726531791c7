"""A stand-in for Discord's webhook API on loopback, which refuses what Discord refuses.

    with DiscordStandIn() as discord:
        channel = discord.add_channel("news")
        webhook = discord.add_webhook(channel)
        ... requests.post(webhook.url.replace("/api/", "/api/v10/"), params={"wait": "true"}, json=...) ...
        assert [m.content for m in discord.messages(channel)] == [...] and not discord.violations

Owns the routes and the order in which a request is judged: Cloudflare, global limit, webhook, its bucket, the
channel, the hidden limit, the body. Never knows a limit's number (rules.py, rate_limits.py).
"""

from __future__ import annotations

import re
import secrets
import time
from collections.abc import Callable
from copy import deepcopy
from dataclasses import dataclass, replace
from datetime import datetime, timezone
from typing import Any

from standins.discord import errors, rules
from standins.discord.body import read
from standins.discord.errors import Refusal, Refuse
from standins.discord.guild import Guild
from standins.discord.messages import Channel, Message, Webhook, apply, as_json
from standins.discord.rate_limits import Headers, Limiter, Rates, Refused, refusal
from standins.loopback import LoopbackServer, Request, Response

_ROUTE = re.compile(r"/api(?:/v(\d+))?/webhooks/(\d+)/([^/]+)(?:/messages/(\d+))?/?")
_ATTACHMENT = re.compile(r"/attachments/(\d+)/(\d+)/([^/]+)")
_VIA = ("Via", "1.1 google")


@dataclass(frozen=True, slots=True)
class Violation:
    """A request that Discord refuses: `time` is monotonic, `body` the payload as far as it was readable."""

    time: float
    reason: str
    status: int
    code: int
    body: Any = None


class _Limited(Exception):
    def __init__(self, refused: Refused) -> None:
        super().__init__(refused.scope)
        self.refused = refused


class DiscordStandIn(LoopbackServer, Guild):
    """The server and everything in it; thread-safe.

    `upload_limit` is bytes per file. `unknown_thread_status`: 404 or 400, as both were seen. `clock` is the
    monotonic one the limits run on.
    """

    def __init__(
        self,
        *,
        port: int = 0,
        rates: Rates | None = None,
        upload_limit: int = rules.UPLOAD_LIMIT,
        unknown_thread_status: int = 404,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        LoopbackServer.__init__(self, self._answer, port=port)
        Guild.__init__(self, self.url)
        self._clock = clock
        self._limiter = Limiter(rates or Rates(), wall=time.time() - clock())
        self._upload_limit = upload_limit
        self._unknown_thread_status = unknown_thread_status
        self.takes_components = True
        """False: as before 2025-01-25, buttons of a webhook are left out without a word."""
        self.violations: list[Violation] = []
        self.limited: list[tuple[float, str]] = []
        """Every 429: (monotonic time, scope)."""

    @property
    def host(self) -> str:
        """As WEBHOOK_HOSTS names it."""
        return f"127.0.0.1:{self.port}"

    @property
    def rates(self) -> Rates:
        """May be changed while it runs."""
        return self._limiter.rates

    @rates.setter
    def rates(self, rates: Rates) -> None:
        self._limiter.rates = rates

    def as_json(self, message: Message) -> dict[str, Any]:
        return as_json(message, self.url)

    def count(self, status: int) -> int:
        """How many requests got that status (0: were broken off)."""
        return sum(logged.status == status for logged in self.requests)

    # --- answers ---

    def _answer(self, request: Request) -> Response:
        if file := _ATTACHMENT.fullmatch(request.path):
            return self._attachment(file[1], file[2])
        now = self._clock()
        with self._changed:
            if blocked := self._at_the_edge(request, now):
                return blocked
            return self._judge(request, now)

    def _at_the_edge(self, request: Request, now: float) -> Response | None:
        """Cloudflare's part: its answers have no Via header."""
        agent = request.headers.get("user-agent", "")
        if not agent or agent.startswith("Python-urllib"):
            self._note_violation(request, Refusal(403, 1010, "Cloudflare: browser signature"), None)
            return Response(403, b"error code: 1010", "text/plain; charset=UTF-8")
        if self._limiter.banned(now):
            return Response(429, b"error code: 1015", "text/plain; charset=UTF-8", (("Retry-After", "3600"),))
        return None

    def _judge(self, request: Request, now: float) -> Response:
        route = _ROUTE.fullmatch(request.path)
        version = int(route[1] or 6) if route else 10
        headers: Headers = ()
        try:
            if limited := self._limiter.globally(now):
                raise _Limited(limited)
            webhook = self._webhook(route)
            message_id = route[4] if route else None
            if request.method != "GET":  # looking is not limited; sending and changing messages are, apart
                kind = "message" if message_id else "execute"
                headers, limited = self._limiter.webhook(kind, webhook.id, now)
            if limited:
                raise _Limited(limited)
            if message_id:
                answer = self._on_message(request, webhook, message_id)
            else:
                answer = self._on_webhook(request, webhook, headers, now)
        except Refuse as refused:
            self._note_violation(request, refused.refusal, refused.body)
            if refused.refusal.status in (401, 403):
                self._limiter.note_invalid(now)
            body = refused.refusal.body(version=version)
            answer = Response.of_json(refused.refusal.status, body)
        except _Limited as limit:
            return self._too_many(limit.refused, version, now)
        return replace(answer, headers=(*answer.headers, *_for_version(headers, version), _VIA))

    def _webhook(self, route: re.Match[str] | None) -> Webhook:
        if not route:
            raise Refuse(Refusal(404, 0, "404: Not Found"))
        if route[1] and not 6 <= int(route[1]) <= 10:
            raise Refuse(errors.BAD_VERSION)
        webhook = self._webhooks.get(route[2])
        if not webhook:
            raise Refuse(errors.UNKNOWN_WEBHOOK)
        if not secrets.compare_digest(webhook.token.encode(), route[3].encode()):
            raise Refuse(errors.BAD_TOKEN)
        return webhook

    def _too_many(self, refused: Refused, version: int, now: float) -> Response:
        self.limited.append((now, refused.scope))
        if refused.scope != "shared":
            self._limiter.note_invalid(now)
        body, headers = refusal(refused, milliseconds=version < 8)
        return Response.of_json(429, body, (*_for_version(headers, version), _VIA))

    def _note_violation(self, request: Request, refused: Refusal, body: Any) -> None:
        self.violations.append(Violation(request.time, str(refused), refused.status, refused.code, body))

    def _on_message(self, request: Request, webhook: Webhook, message_id: str) -> Response:
        message = self._messages.get(message_id)
        thread = request.query.get("thread_id") or webhook.channel_id
        if not message or message.deleted or message.webhook_id != webhook.id or message.channel_id != thread:
            raise Refuse(errors.UNKNOWN_MESSAGE)
        if request.method == "GET":
            return Response.of_json(200, self.as_json(message))
        if self._channels[message.channel_id].archived:
            raise Refuse(errors.ARCHIVED)
        if request.method == "PATCH":
            return self._edit(request, message)
        if request.method == "DELETE":
            message.deleted = True
            self._note_change(message)
            return Response(204)
        raise Refuse(Refusal(405, 0, "405: Method Not Allowed"))

    def _on_webhook(self, request: Request, webhook: Webhook, headers: Headers, now: float) -> Response:
        if request.method == "POST":
            return self._execute(request, webhook, headers, now)
        if request.method == "DELETE":
            del self._webhooks[webhook.id]
            return Response(204)
        if request.method != "GET":
            raise Refuse(Refusal(405, 0, "405: Method Not Allowed"))
        return Response.of_json(200, _webhook_json(webhook))

    # --- sending and editing ---

    def _execute(self, request: Request, webhook: Webhook, headers: Headers, now: float) -> Response:
        payload, files = read(request, upload_limit=self._upload_limit, new_id=self._new_id)
        if refused := rules.check(payload, filenames=[file.filename for file in files]):
            raise Refuse(refused, payload)
        where = self._target(request, webhook, payload)
        if limited := self._limiter.channel(where.id, headers, now):
            raise _Limited(limited)
        where.archived = False
        message = Message(self._new_id(), where.id, webhook.id, payload)
        message.username = str(payload.get("username") or webhook.name).strip()
        message.avatar_url = payload.get("avatar_url")
        message.components = self._components(request, payload, message.components)
        apply(message, payload, files)
        self._messages[message.id] = message
        self._note_change(message)
        if request.query.get("wait", "").lower() in ("true", "1") or files:
            return Response.of_json(200, self.as_json(message))
        return Response(204)

    def _target(self, request: Request, webhook: Webhook, payload: dict[str, Any]) -> Channel:
        """Where a message goes: the webhook's channel, a thread of it, or a new post of a forum."""
        home, thread = self._channels[webhook.channel_id], request.query.get("thread_id")
        title = payload.get("thread_name")
        if thread is not None and not thread.isdigit():
            error = (("thread_id",), "NUMBER_TYPE_COERCE", f'Value "{thread}" is not snowflake.')
            raise Refuse(errors.bad_form(error), payload)
        if title and thread:
            raise Refuse(errors.ONE_THREAD, payload)
        if home.forum and not (title or thread):
            raise Refuse(errors.NEEDS_THREAD, payload)
        if title and not home.forum:
            raise Refuse(errors.NO_FORUM, payload)
        if title:
            return self._channels[self.add_thread(home.id, str(title))]
        found = self._channels.get(thread) if thread else home
        if not found or found.deleted or (thread and found.parent_id != home.id):
            raise Refuse(replace(errors.UNKNOWN_CHANNEL, status=self._unknown_thread_status), payload)
        if found.locked:
            raise Refuse(errors.LOCKED, payload)
        return found

    def _edit(self, request: Request, message: Message) -> Response:
        payload, files = read(request, upload_limit=self._upload_limit, new_id=self._new_id)
        names = [file.filename for file in files]
        if refused := rules.check(payload, filenames=names, sends=False):
            raise Refuse(refused, payload)
        trial = replace(message, embeds=deepcopy(message.embeds), oddities=[])
        apply(trial, payload, files)
        if len(trial.files) > rules.FILES:
            raise Refuse(errors.TOO_MANY_FILES, payload)
        if not (trial.content or trial.embeds or trial.files):
            raise Refuse(errors.EMPTY, payload)
        message.content, message.embeds, message.files = trial.content, trial.embeds, trial.files
        message.flags, message.edited = trial.flags, datetime.now(timezone.utc)
        message.components = self._components(request, payload, message.components)
        message.oddities += trial.oddities
        message.edits.append(payload)
        self._note_change(message)
        return Response.of_json(200, self.as_json(message))

    def _components(
        self, request: Request, payload: dict[str, Any], before: list[dict[str, Any]]
    ) -> list[dict[str, Any]]:
        """A webhook of no application has them only with `with_components` (discord-api-docs PR #7368)."""
        asked = request.query.get("with_components", "").lower() in ("true", "1") and self.takes_components
        return list(payload["components"] or []) if asked and "components" in payload else before

    def _attachment(self, channel_id: str, file_id: str) -> Response:
        for message in self.messages(channel_id):
            for file in message.files:
                if file.id == file_id:
                    return Response(200, file.body, file.content_type)
        return Response(404, b"This content is no longer available.", "text/plain")


def _for_version(headers: Headers, version: int) -> Headers:
    """Until v7 the epoch seconds of X-RateLimit-Reset were whole."""
    if version >= 8:
        return headers
    return tuple((name, str(int(float(v)) + 1) if name == "X-RateLimit-Reset" else v) for name, v in headers)


def _webhook_json(webhook: Webhook) -> dict[str, Any]:
    return {
        "id": webhook.id,
        "name": webhook.name,
        "token": webhook.token,
        "url": webhook.url,
        "type": 1,
        "guild_id": "1300000000000000000",
        "channel_id": webhook.channel_id,
        "avatar": None,
        "application_id": None,
    }
