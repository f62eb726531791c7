"""When a wait for Discord's limits is a reason in /health."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.delivery.limit_wait import LimitWait
from disgram.discord.message import RateLimitHeaders
from disgram.errors import InternalError, RateLimited
from disgram.storage.rate_limits import LimitStore
from rate_limiter import DiscordRateLimiter, Route
from tests.builders.delivery_fakes import HOOK, Bench, Said, refusal
from tests.builders.discord_clock import Clock


class Waiter:
    """A limit wait on a clock that it moves. `facts`: what was reported before each wait."""

    def __init__(self) -> None:
        self.clock, self.said, self.blocked = Clock(), Said(), False
        self.facts: list[tuple[str | None, float | None]] = []
        self.wait_for_limit = LimitWait(self.said, self.sleep, self.clock, lambda: self.blocked)

    def sleep(self, seconds: float) -> None:
        self.facts.append((self.said.facts.get("reason"), self.said.facts.get("lasts")))
        self.clock.now += seconds


def test_wait_of_three_minutes_is_shown_at_once_with_its_end() -> None:
    waiter = Waiter()
    waiter.wait_for_limit(180.0)
    assert waiter.facts == [("rate_limited", 180.0)]
    assert waiter.said.count("Waiting 180 s for the end of Discord's rate limit") == 1


def test_short_waits_are_shown_once_they_add_up_to_three_minutes() -> None:
    waiter = Waiter()
    for _ in range(4):
        waiter.wait_for_limit(50.0)
    assert waiter.facts == [(None, None), (None, None), (None, None), ("rate_limited", 50.0)]


def test_waits_before_different_messages_do_not_add_up() -> None:
    waiter = Waiter()
    for _ in range(10):
        waiter.wait_for_limit(50.0)
        waiter.wait_for_limit.over()
    assert set(waiter.facts) == {(None, None)}


def test_wait_for_cloudflare_is_shown_as_such() -> None:
    waiter = Waiter()
    waiter.blocked = True
    waiter.wait_for_limit(900.0)
    assert waiter.facts == [("blocked_by_cloudflare", 900.0)]


def test_wait_for_cloudflare_below_three_minutes_is_logged_as_such() -> None:
    waiter = Waiter()
    waiter.blocked = True
    waiter.wait_for_limit(60.0)
    assert waiter.said.count("Waiting 60 s for the end of Cloudflare's block") == 1
    assert waiter.facts == [(None, None)]


@pytest.mark.parametrize(
    ("headers", "blocked"),
    [
        (RateLimitHeaders(cloudflare=True, retry_after=1800.0), True),
        (RateLimitHeaders(answered=True, is_global=True, retry_after=600.0), False),
    ],
)
def test_limiter_knows_after_a_restart_who_makes_it_wait(
    tmp_path: Path, headers: RateLimitHeaders, blocked: bool
) -> None:
    clock, route = Clock(), Route.to("POST", "job/a", HOOK)
    limiter = DiscordRateLimiter(LimitStore(tmp_path / "limits.db", boot="test"), clock)
    limiter.observe(route, limiter.ask(route)[0], headers)
    limiter.close()
    again = DiscordRateLimiter(LimitStore(tmp_path / "limits.db", boot="test"), clock)
    assert again.blocked_by_cloudflare() is blocked
    clock.now += 3601.0
    assert not again.blocked_by_cloudflare()


class SlowTurns:
    """Lets the worker of a bench wait for each request."""

    def __init__(self, bench: Bench, waits: list[float]) -> None:
        acquire = bench.turns.acquire

        def wait_first(route: object, wait: object) -> int:
            if waits:
                wait(waits.pop(0))  # type: ignore[operator]
            return acquire(route, wait)  # type: ignore[arg-type]

        bench.turns.acquire = wait_first  # type: ignore[method-assign]


def test_worker_is_well_again_once_its_post_was_taken(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=5)
    bench.telegram.fill(1, 2)
    SlowTurns(bench, [1200.0])
    bench.poll()
    assert bench.discord.numbers == [1, 2]
    assert bench.said.reasons[0] == "rate_limited"
    assert bench.said.facts["reason"] is None
    assert bench.said.count("The wait for Discord's rate limit is over") == 1


def test_429s_that_go_on_are_one_wait(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=1)
    bench.telegram.fill(1, 1)
    bench.discord.script = [refusal(RateLimited("429", retry_after=100.0))] * 3
    SlowTurns(bench, [1.0, 100.0, 100.0, 100.0])
    bench.poll()
    assert bench.discord.numbers == [1]
    assert bench.said.reasons[0] == "rate_limited"
    assert bench.said.facts["reason"] is None


def test_wait_ends_also_with_an_answer_that_is_another_error(tmp_path: Path) -> None:
    bench = Bench(tmp_path, initial_posts=1)
    bench.telegram.fill(1, 1)
    bench.discord.script = [refusal(InternalError("500", ambiguous=True))]
    SlowTurns(bench, [1200.0])
    bench.poll()
    assert bench.said.reasons[:3] == ["rate_limited", "discord_unavailable", None]
