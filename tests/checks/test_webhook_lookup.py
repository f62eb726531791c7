"""What the service learns of a webhook from Discord, over the stand-in and the real limiter."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from disgram.addresses import Destination
from disgram.checks import webhook_lookup
from disgram.checks.webhook_lookup import WebhookLookup
from disgram.discord.message import RateLimitHeaders
from disgram.storage.rate_limits import LimitStore
from rate_limiter import DiscordRateLimiter, Route
from standins.discord.server import DiscordStandIn


@pytest.fixture
def discord() -> Iterator[DiscordStandIn]:
    with DiscordStandIn() as one:
        yield one


@pytest.fixture
def limiter(tmp_path: Path) -> DiscordRateLimiter:
    return DiscordRateLimiter(LimitStore(tmp_path / "limits.db"))


@pytest.fixture
def lookup(limiter: DiscordRateLimiter) -> WebhookLookup:
    return WebhookLookup(limiter, lambda method, goal: Route.to(method, "service", goal))


def destination(discord: DiscordStandIn, url: str = "", thread: str | None = None) -> Destination:
    url = url or discord.add_webhook(discord.add_channel(), "Captain").url
    return Destination.parse(url, thread, extra_hosts=[discord.host])


def test_known_webhook_says_where_it_posts(discord: DiscordStandIn, lookup: WebhookLookup) -> None:
    room = discord.add_channel()
    webhook = destination(discord, discord.add_webhook(room, "Captain").url)
    (answer,) = lookup.ask([webhook, replace(webhook, thread_id="5")]).values()
    assert (answer.ok, answer.name, answer.channel_id) == (True, "Captain", room)
    assert answer.guild_id
    assert answer.message == f"Posts go to the channel {room} (webhook 'Captain')."
    assert [request.method for request in discord.requests] == ["GET"]


def test_deleted_webhook_and_wrong_token_are_unknown(discord: DiscordStandIn, lookup: WebhookLookup) -> None:
    gone, mistyped = destination(discord), destination(discord)
    discord.delete_webhook(gone.webhook_id)
    mistyped = replace(mistyped, token=mistyped.token[:-1])
    answers = lookup.ask([gone, mistyped])
    assert [answers[one.webhook_key].ok for one in (gone, mistyped)] == [False, False]
    assert "Unknown Webhook" in answers[gone.webhook_key].message
    assert mistyped.token not in answers[mistyped.webhook_key].message


def test_what_is_not_discords_own_refusal_is_no_verdict(
    discord: DiscordStandIn, lookup: WebhookLookup
) -> None:
    outage = replace(destination(discord), origin=f"http://{discord.host}/nothing")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        refusing = replace(outage, origin=f"http://127.0.0.1:{unused.getsockname()[1]}")
        answers = lookup.ask([outage, refusing])
    assert {answer.ok for answer in answers.values()} == {None}


def test_server_that_never_answers_is_given_up_in_time(
    lookup: WebhookLookup, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_lookup, "ANSWER_WITHIN", 0.3)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        webhook = Destination(f"http://127.0.0.1:{silent.getsockname()[1]}", "1", "t")
        started = time.monotonic()
        (answer,) = lookup.ask([webhook]).values()
    assert (answer.ok, time.monotonic() - started < 3) == (None, True)


def test_pause_of_the_host_is_no_verdict_and_sends_nothing(
    discord: DiscordStandIn, lookup: WebhookLookup, limiter: DiscordRateLimiter
) -> None:
    route = Route("x", "GET", "1")
    ticket, _ = limiter.ask(route)
    limiter.observe(route, ticket, RateLimitHeaders(cloudflare=True, retry_after=60.0))
    (answer,) = lookup.ask([destination(discord)]).values()
    assert (answer.ok, answer.message) == (None, "Discord's rate limits let no request through now.")
    assert discord.requests == []


def test_many_webhooks_are_asked_within_the_time(discord: DiscordStandIn, lookup: WebhookLookup) -> None:
    many = [destination(discord) for _ in range(30)]
    started = time.monotonic()
    answers = lookup.ask(many)
    assert {answer.ok for answer in answers.values()} == {True}
    assert (len(answers), time.monotonic() - started < 5) == (30, True)


def test_test_message_is_marked_and_goes_to_the_thread(
    discord: DiscordStandIn, lookup: WebhookLookup
) -> None:
    room = discord.add_channel()
    thread = discord.add_thread(room)
    goal = destination(discord, discord.add_webhook(room).url, thread)
    assert lookup.send_test(goal).ok is True
    (message,) = discord.messages(thread)
    assert "test of Disgram" in message.content
    assert discord.messages(room) == []


def test_test_message_is_left_to_the_host_that_keeps_the_limit(
    discord: DiscordStandIn, limiter: DiscordRateLimiter
) -> None:
    ours, theirs = destination(discord), destination(discord)
    lookup = WebhookLookup(
        limiter,
        lambda method, goal: Route.to(method, "service", goal),
        {theirs.webhook_id: "south"}.get,
    )
    answer = lookup.send_test(theirs)
    assert (answer.ok, "host south" in answer.message) == (None, True)
    assert discord.requests == []
    assert lookup.send_test(ours).ok is True


def test_refused_test_message_says_why(discord: DiscordStandIn, lookup: WebhookLookup) -> None:
    forum = destination(discord, discord.add_webhook(discord.add_channel(forum=True)).url)
    answer = lookup.send_test(forum)
    assert (answer.ok, "thread_name or thread_id" in answer.message) == (False, True)


def test_test_message_to_a_forum_opens_a_thread(discord: DiscordStandIn, lookup: WebhookLookup) -> None:
    forum = destination(discord, discord.add_webhook(discord.add_channel(forum=True)).url)
    assert lookup.send_test(forum, new_thread=True).ok is True
