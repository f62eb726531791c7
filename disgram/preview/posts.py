"""The process that makes a preview: `python -m disgram.preview.posts`, started by process.py.

Reads one line of JSON (request.py) from standard input and prints one of JSON; ends when its input is closed.
Reads pages, parses and renders as a worker does, and keeps the pace towards Telegram; it downloads no file,
sends nothing, and writes nothing but that pace.

A process of its own, so that the service never holds the libraries that parse, and so that no page, however
odd, takes more of it than time and memory can be limited to.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Any

from disgram.addresses import ChannelRef
from disgram.delivery.message_options import MessageOptions
from disgram.delivery.reply_link import reply_link_of
from disgram.discord.color import stable_color
from disgram.discord.message import DiscordMessage
from disgram.discord.render import render
from disgram.errors import (
    ChannelHasNoPreview,
    ChannelNotFound,
    StorageUnavailable,
    TelegramError,
    TelegramUnavailable,
)
from disgram.post import ChannelPage, PostSlice, TelegramPost
from disgram.preview.request import PreviewRequest
from disgram.replay import as_if_fetched
from disgram.report import Level
from disgram.rules.rules import SERVICE_RULE, Rules
from disgram.storage.channel_ledger import ChannelLedger
from disgram.storage.ledger import Ledger
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.account.choice import account_client, choose_reader
from disgram.telegram.channel import ChannelReader
from disgram.telegram.client import TelegramClient
from disgram.telegram.throttle import TelegramThrottle
from disgram.telegram.unknown_markup import UnknownMarkup

ANSWER_WITHIN = 20.0
"""Seconds for Telegram, waiting for a turn and all tries included."""

END_WITHIN = 30
"""Seconds after which the process ends whatever it does; parsing is over long before."""

MEMORY = 256 * 1024 * 1024
"""Bytes of address space; a page of 20 usual posts took 58 MB (2026-11)."""

FORWARD, FILTERED = "forward", "filtered"


class PostNotFound(TelegramError):
    """The channel has no post of this number."""


class _NothingSaved(UnknownMarkup):
    """Leaves it to the workers to report what is not understood."""

    def save(self, name: str, html: str) -> Path | None:
        return None


class Preview:
    """Makes one. `wait` raises TelegramError once it has taken too long. `ledger`: of the job, if there is
    one; it is only read."""

    def __init__(
        self,
        request: PreviewRequest,
        client: TelegramClient,
        wait: Callable[[float], None],
        ledger: ChannelLedger | None = None,
    ) -> None:
        settings, channel = request.settings, request.channel
        self._request = request
        self._ledger = ledger
        self._rules, self._options = Rules(request.rules), MessageOptions.of(request.rules)
        markup = _NothingSaved(settings.data_dir, channel.key)
        preview = ChannelReader(client, channel.name, markup, report=_not_reported, wait=wait)
        account = account_client(settings.data_dir, settings.request_timeout) if settings.account else None
        self._reader = choose_reader(channel, preview, account, report=_not_reported, wait=wait)

    def posts(self) -> list[dict[str, Any]]:
        """Oldest first. Raises TelegramError, and PostNotFound if the only post asked for is not there."""
        number = self._request.channel.start
        page = self._reader.read(None if number is None else number + 1)
        chosen = [one for one in page.slices if number is None or number in one.ids]
        if number is not None and not chosen:
            raise PostNotFound(f"Telegram shows no post {number} of this channel")
        return [self._post(one, page) for one in chosen]

    def _post(self, post_slice: PostSlice, page: ChannelPage) -> dict[str, Any]:
        rule, messages = self._judged(post_slice, page)
        return {
            "url": ChannelRef(page.channel, post_slice.id).address,
            "verdict": FILTERED if rule else FORWARD,
            "rule": rule,
            "messages": [
                {"payload": message.payload, "files": [upload.filename for upload in message.uploads]}
                for message in messages
            ],
        }

    def _judged(self, post_slice: PostSlice, page: ChannelPage) -> tuple[str | None, list[DiscordMessage]]:
        """The rule that leaves the post out, or its messages."""
        by_default = self._request.settings.forward_service_messages
        if post_slice.service and not self._rules.takes_service(by_default=by_default):
            return SERVICE_RULE, []
        post = self._reader.parse(post_slice, page)
        rule = self._rules.verdict(post)
        return (rule, []) if rule else (None, self._messages(post))

    def _messages(self, post: TelegramPost) -> list[DiscordMessage]:
        color = self._request.color
        messages = render(
            post,
            color=stable_color(self._request.channel.key) if color is None else color,
            fetched=as_if_fetched(post) if self._request.settings.max_upload_bytes else {},
            reply_link=reply_link_of(post, self._ledger, self._guild_id) if self._ledger else None,
        )
        return self._options.added_to(messages, post, self._rules.pings(post))

    def _guild_id(self) -> str:
        """As far as a worker has asked for it."""
        return (self._ledger and self._ledger.guild(self._request.webhook_id)) or ""


def _not_reported(level: Level | None, text: str, **facts: Any) -> None:
    """No line in the log: the answer says what happened."""


# --- the process ----------------------------------------------------------------------------------------


def main() -> None:
    """Print `{"posts": […]}`, or `{"refusal": {"error", "message", "missing"}}`."""
    signal.alarm(END_WITHIN)
    with suppress(OSError, ValueError):  # what the system refuses stays unchanged
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    request = PreviewRequest.decode(sys.stdin.readline())
    threading.Thread(target=_end_with_the_service, daemon=True).start()
    try:
        print(json.dumps(_answer(request)), flush=True)
    except MemoryError:
        os._exit(1)  # without a traceback of thousand lines: the service says what happened


def _answer(request: PreviewRequest) -> dict[str, Any]:
    try:
        with closing(LimitStore(request.settings.data_dir / "limits.db")) as limits:
            return {"posts": _posts(request, limits)}
    except (TelegramError, StorageUnavailable) as error:
        return {"refusal": refusal(request.channel, error)}


def _posts(request: PreviewRequest, limits: LimitStore) -> list[dict[str, Any]]:
    settings, wait = request.settings, _waiting_until(time.monotonic() + ANSWER_WITHIN)
    throttle = TelegramThrottle(limits, settings.telegram_requests_per_second, wait)
    client = TelegramClient(
        settings.telegram_base_url, throttle, timeout=settings.request_timeout, check=lambda: wait(0)
    )
    with closing(client), _ledger(request) as ledger:
        return Preview(request, client, wait, ledger).posts()


@contextmanager
def _ledger(request: PreviewRequest) -> Iterator[ChannelLedger | None]:
    path = request.settings.data_dir / "disgram.db"
    if request.job is None or not path.exists():  # there is none with DATABASE_URL
        yield None
    else:
        with closing(Ledger(path)) as ledger:
            yield ledger.of(request.job, request.channel.key)


def _waiting_until(deadline: float) -> Callable[[float], None]:
    def wait(seconds: float) -> None:
        if time.monotonic() + seconds > deadline:
            raise TelegramUnavailable(
                f"no usable answer within {ANSWER_WITHIN:.0f} s, waiting for a turn "
                "(TELEGRAM_REQUESTS_PER_SECOND) included"
            )
        time.sleep(seconds)

    return wait


def refusal(channel: ChannelRef, error: TelegramError | StorageUnavailable) -> dict[str, Any]:
    """What the service answers instead. `missing`: there is no such thing; else it may come."""
    titles: dict[type[Exception], str] = {
        ChannelNotFound: "Channel not found",
        ChannelHasNoPreview: "Channel has no preview",
        PostNotFound: "Post not found",
    }
    title = titles.get(type(error))
    why = f"{error} ({error.reason})" if error.reason else f"{error}"
    message = f"{channel.address}: {why}."
    return {"error": title or "Preview unavailable", "message": message, "missing": title is not None}


def _end_with_the_service() -> None:
    """Its end of the pipe is closed when it has ended, or has no use for the answer any more."""
    sys.stdin.read()
    os._exit(1)


if __name__ == "__main__":
    main()
