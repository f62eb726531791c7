"""How an alert leaves, to a Discord webhook and to any other address."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from disgram.addresses import Destination
from disgram.alerts.senders import DiscordSender, PlainSender
from disgram.errors import HttpError, RateLimited, Stopping, WebhookGone
from standins.discord.server import DiscordStandIn
from standins.loopback import Fault, LoopbackServer, Request, Response
from tests.builders.delivery_fakes import Turns


class Full(Turns):
    """A limiter with no room."""

    def acquire(self, route: Any, wait: Callable[[float], None]) -> int:
        while True:
            wait(5.0)


def no_wait(seconds: float) -> None:
    return None


def test_webhook_gets_a_message_that_pings_nobody_through_the_limiter() -> None:
    with DiscordStandIn() as discord:
        room = discord.add_channel("ops")
        webhook = discord.add_webhook(room)
        turns = Turns()
        destination = Destination.parse(webhook.url, extra_hosts=[discord.host])
        DiscordSender(destination, turns, "alerts", no_wait)("@everyone **it** broke")
        (message,) = discord.messages(room)
    assert message.content == "@everyone **it** broke"
    assert message.payload["allowed_mentions"] == {"parse": []}
    assert not turns.open


def test_gone_webhook_is_a_discord_error_and_its_turn_is_given_back() -> None:
    with DiscordStandIn() as discord:
        destination = Destination(f"http://{discord.host}", "1", "token")
        turns = Turns()
        with pytest.raises(WebhookGone):
            DiscordSender(destination, turns, "alerts", no_wait)("text")
    assert not turns.open


def test_alert_waits_a_minute_for_its_turn_and_then_for_the_next_look() -> None:
    now = 0.0

    def wait(seconds: float) -> None:
        nonlocal now
        now += seconds

    destination = Destination("http://127.0.0.1:9", "1", "token")
    sender = DiscordSender(destination, Full(), "alerts", wait, clock=lambda: now)
    with pytest.raises(RateLimited):
        sender("text")
    assert now == 60.0


def test_stop_ends_the_wait_for_a_turn() -> None:
    def stop(seconds: float) -> None:
        raise Stopping("now")

    sender = DiscordSender(Destination("http://127.0.0.1:9", "1", "token"), Full(), "alerts", stop)
    with pytest.raises(Stopping):
        sender("text")


@pytest.mark.parametrize("status", [200, 204])
def test_other_address_gets_its_content_as_json(status: int) -> None:
    got: list[tuple[str, Any, str]] = []

    def answer(request: Request) -> Response:
        kind = request.headers.get("content-type", "")
        got.append((request.path, json.loads(request.body), kind))
        return Response(status, b"", "text/plain")

    with LoopbackServer(answer) as server:
        PlainSender(f"{server.url}/hook?key=1")("ñ broke")
    assert got == [("/hook", {"content": "ñ broke"}, "application/json")]


@pytest.mark.parametrize("status", [301, 400, 404, 500])
def test_answer_that_is_no_success_is_an_error_without_the_address(status: int) -> None:
    with (
        LoopbackServer(lambda _: Response(status, b"", "text/plain")) as server,
        pytest.raises(HttpError, match=f"answered with {status}") as error,
    ):
        PlainSender(f"{server.url}/secret")("text")
    assert "secret" not in str(error.value)


def test_address_that_breaks_off_is_an_error_without_the_address() -> None:
    with LoopbackServer(lambda _: Response(200, b"", "text/plain")) as server:
        server.fail(Fault.reset_before())
        with pytest.raises(HttpError) as error:
            PlainSender(f"{server.url}/secret")("text")
    assert "secret" not in str(error.value)
