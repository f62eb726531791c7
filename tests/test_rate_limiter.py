"""The rate limiter against servers that count in different latencies, on a simulated clock."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from disgram.addresses import Destination
from disgram.discord.limits.bucket import GUESSED_FOR, HEARSAY_FOR, learn_hidden_limit
from disgram.discord.limits.host_pause import LONGEST_PAUSE, cloudflare_pause
from disgram.discord.message import RateLimitHeaders
from disgram.errors import StorageUnavailable
from disgram.storage.rate_limits import LimitStore
from rate_limiter import (
    HOST_LIMIT,
    INVALID_LIMIT,
    DiscordRateLimiter,
    RateLimitBucket,
    Route,
)
from tests.builders.discord_clock import (
    Clock,
    FixedWindow,
    HiddenLimit,
    Server,
    SlidingWindow,
    announced,
    play,
)

HOOK = Destination("https://discord.com", "1", "secret")
POST = Route.to("POST", "job/a", HOOK)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def limiter(tmp_path: Path, clock: Clock) -> DiscordRateLimiter:
    return DiscordRateLimiter(LimitStore(tmp_path / "limits.db", boot="test"), clock)


def eight(posts: int) -> dict[str, int]:
    return {f"w{number}": posts for number in range(8)}


# --- full speed, no refusal ---------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FixedWindow, SlidingWindow])
def test_backlog_of_many_workers_uses_the_whole_announced_limit_without_a_429(
    tmp_path: Path, kind: type[FixedWindow] | type[SlidingWindow]
) -> None:
    seen = play(tmp_path / "limits.db", kind(), eight(40))
    assert seen.refused == 0
    assert len(seen.accepted) == 320
    ideal = (320 / 5 - 1) * 2.0
    assert ideal / seen.seconds >= 0.95


def test_one_worker_alone_uses_the_whole_announced_limit(tmp_path: Path) -> None:
    seen = play(tmp_path / "limits.db", FixedWindow(), {"w": 200})
    assert seen.refused == 0
    assert (200 / 5 - 1) * 2.0 / seen.seconds >= 0.95


def test_workers_of_one_webhook_take_turns(tmp_path: Path) -> None:
    seen = play(tmp_path / "limits.db", FixedWindow(), eight(40), until=60.0)
    counts = seen.by_worker
    assert len(counts) == 8
    assert max(counts.values()) - min(counts.values()) <= 2


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    latencies=st.lists(st.tuples(st.floats(0, 0.8), st.floats(0, 0.8)), min_size=1, max_size=20),
    size=st.integers(1, 10),
    window=st.floats(0.5, 5.0),
    sliding=st.booleans(),
)
@example(latencies=[(0.0, 0.0)], size=1, window=1.3125, sliding=False)  # headers say 1.312
def test_no_latency_of_the_network_leads_to_a_429(
    tmp_path_factory: pytest.TempPathFactory,
    latencies: list[tuple[float, float]],
    size: int,
    window: float,
    sliding: bool,
) -> None:
    server = SlidingWindow(size, window) if sliding else FixedWindow(size, window)
    path = tmp_path_factory.mktemp("limits") / "limits.db"
    seen = play(path, server, {f"w{n}": 6 for n in range(5)}, latency=lambda n: latencies[n % len(latencies)])
    assert seen.refused == 0
    assert len(seen.accepted) == 30


def test_webhooks_that_share_a_bucket_hash_do_not_wait_for_each_other(tmp_path: Path) -> None:
    servers = {f"w{n}": FixedWindow() for n in range(4)}

    class Four:
        def __init__(self) -> None:
            self.turn = ""

        def arrive(self, now: float) -> RateLimitHeaders:
            headers = servers[self.turn].arrive(now)
            return RateLimitHeaders(
                answered=True, bucket="hash", limit=headers.limit, remaining=headers.remaining,
                reset_after=headers.reset_after, retry_after=headers.retry_after, scope=headers.scope,
                channel_id=f"c{self.turn}",
            )  # fmt: skip

    four = Four()

    def destination(worker: str) -> Destination:
        four.turn = worker
        return Destination("https://discord.com", worker[1:], "t")

    seen = play(tmp_path / "limits.db", four, dict.fromkeys(servers, 20), destination=destination)
    assert seen.refused == 0
    assert seen.seconds < 8.0  # one after another it would take four times 6 s


# --- the hidden limit ---------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [FixedWindow, SlidingWindow])
@pytest.mark.parametrize(("scope", "room"), [("shared", True), ("user", True), ("user", False)])
def test_hidden_channel_limit_costs_one_429(
    tmp_path: Path, kind: type[FixedWindow] | type[SlidingWindow], scope: str, room: bool
) -> None:
    server = HiddenLimit(FixedWindow(), kind(30, 60.0), scope, claims_room=room)
    seen = play(tmp_path / "limits.db", server, eight(20))
    assert len(seen.accepted) == 160
    assert seen.refused == 1
    assert seen.seconds <= 5 * 60.0 * 1.02  # 30 at once in each of six windows


@pytest.mark.parametrize(("size", "window"), [(10, 10.0), (30, 60.0), (7, 30.0)])
def test_hidden_limit_of_any_size_is_learned_from_a_burst(size: int, window: float) -> None:
    done = [100.0 + n * 0.4 for n in range(size)]
    now = done[-1] + 0.4
    learned = learn_hidden_limit(done, now, retry_after=100.0 + window - now)
    assert learned[0] == size
    assert learned[1] == pytest.approx(window, abs=1.0)


def test_hidden_limit_of_a_minute_is_learned_in_spite_of_earlier_messages() -> None:
    trickle = [10.0, 40.0]
    burst = [100.0 + n * 0.4 for n in range(30)]
    now = 113.0
    assert learn_hidden_limit(trickle + burst, now, retry_after=160.0 - now) == (30, 60.0)


def test_nothing_is_learned_from_a_429_without_messages_of_our_own() -> None:
    assert learn_hidden_limit([], 100.0, 30.0)[0] == 0
    assert learn_hidden_limit([99.0], 100.0, 0.4)[0] == 0


def test_learned_limit_is_tested_again_after_a_day(limiter: DiscordRateLimiter) -> None:
    bucket = RateLimitBucket.unknown("channel:7").learned(0.0, [-10.0 + n * 0.3 for n in range(30)], 50.0)
    assert bucket.size == 30
    assert bucket.believed(23 * 3600.0).size == 30
    assert bucket.believed(25 * 3600.0).size is None


def test_one_message_a_minute_is_not_believed_for_a_day(limiter: DiscordRateLimiter) -> None:
    """A 429 that others caused, after one message of ours, looks like such a limit."""
    bucket = RateLimitBucket.unknown("channel:7").learned(0.0, [-10.0], 50.0)
    assert bucket.believed(590.0).size == 1
    assert bucket.believed(610.0).size is None


# --- pauses of the whole host -------------------------------------------------------------------


def start(limiter: DiscordRateLimiter, route: Route = POST) -> int:
    ticket, delay = limiter.ask(route)
    assert delay == 0.0
    return ticket


def test_global_429_pauses_every_webhook(limiter: DiscordRateLimiter, clock: Clock) -> None:
    limiter.observe(POST, start(limiter), RateLimitHeaders(answered=True, retry_after=3.0, is_global=True))
    other = Route.to("POST", "job/b", Destination("https://discord.com", "2", "x"))
    ticket, delay = limiter.ask(other)
    assert delay == pytest.approx(3.0)
    clock.now += 3.1
    assert limiter.ask(other, ticket)[1] == 0.0


def test_cloudflare_pauses_double_and_each_ends_in_one_probe(
    limiter: DiscordRateLimiter, clock: Clock
) -> None:
    other = Route.to("POST", "job/b", Destination("https://discord.com", "2", "x"))
    blocked = RateLimitHeaders(cloudflare=True, invalid=True)
    limiter.observe(POST, start(limiter), blocked)
    for pause in (60.0, 120.0, 240.0, 480.0, 900.0, 900.0):
        waiting, delay = limiter.ask(POST)
        assert delay == pytest.approx(pause)
        clock.now += pause + 0.01
        probe, delay = limiter.ask(POST, waiting)
        assert delay == 0.0
        assert limiter.ask(other)[1] > 0  # one probe at a time
        limiter.observe(POST, probe, blocked)
    waiting, delay = limiter.ask(POST)
    clock.now += delay
    assert limiter.ask(POST, waiting)[1] == 0.0
    limiter.observe(POST, waiting, announced(5, 4, 2.0, refused=False))
    assert limiter.ask(other)[1] == 0.0


def test_cloudflare_pause_lasts_as_long_as_its_retry_after_but_an_hour_at_most(
    limiter: DiscordRateLimiter,
) -> None:
    limiter.observe(POST, start(limiter), RateLimitHeaders(cloudflare=True, retry_after=81671.0))
    assert limiter.ask(POST)[1] == pytest.approx(3600.0)
    assert cloudflare_pause(2, 1800.0) == 1800.0
    assert cloudflare_pause(100_000, None) == 900.0


def test_answer_to_an_earlier_request_does_not_end_the_cloudflare_pause(
    limiter: DiscordRateLimiter, clock: Clock
) -> None:
    other = Route.to("POST", "job/b", Destination("https://discord.com", "2", "x"))
    first, second = start(limiter), start(limiter, other)
    limiter.observe(POST, first, RateLimitHeaders(cloudflare=True))
    limiter.observe(other, second, announced(5, 4, 2.0, refused=False))
    assert limiter.ask(other)[1] > 50


def test_sending_stops_well_before_discords_limit_of_invalid_requests(
    limiter: DiscordRateLimiter, clock: Clock
) -> None:
    with limiter._store.transaction() as rows:
        for _ in range(INVALID_LIMIT - 1):
            rows.count_invalid(int(clock.now // 60))
    ticket = start(limiter)
    limiter.observe(POST, ticket, RateLimitHeaders(answered=True, invalid=True))
    assert limiter.ask(POST)[1] > 0
    assert limiter.snapshot()["invalid_requests"]["last_10_minutes"] == INVALID_LIMIT
    clock.now += 11 * 60
    assert limiter.ask(POST)[1] == 0.0


def test_host_sends_at_most_fifty_requests_a_second(limiter: DiscordRateLimiter) -> None:
    for number in range(HOST_LIMIT):
        route = Route.to("POST", f"job/{number}", Destination("https://discord.com", str(number), "x"))
        limiter.observe(route, start(limiter, route), RateLimitHeaders(answered=True))
    route = Route.to("POST", "job/last", Destination("https://discord.com", "99", "x"))
    assert 0 < limiter.ask(route)[1] <= 1.0


# --- crashes, other processes, other boots ------------------------------------------------------


def test_unknown_bucket_lets_one_request_through_first(limiter: DiscordRateLimiter) -> None:
    first = start(limiter)
    second, delay = limiter.ask(POST)
    assert delay > 0
    limiter.observe(POST, first, announced(5, 4, 2.0, refused=False))
    assert limiter.ask(POST, second)[1] == 0.0


def test_request_of_a_killed_worker_counts_as_sent_when_the_worker_returns(
    limiter: DiscordRateLimiter, clock: Clock
) -> None:
    limiter.observe(POST, start(limiter), announced(1, 0, 0.1, refused=False))
    clock.now += 5
    start(limiter)
    limiter.finish_abandoned("job/a")
    assert 0 < limiter.ask(POST)[1] < 1.0


def test_ticket_of_a_dead_worker_does_not_block_the_others(limiter: DiscordRateLimiter, clock: Clock) -> None:
    under_way = start(limiter)
    limiter.ask(Route.to("POST", "job/dead", HOOK))
    mine, _ = limiter.ask(Route.to("POST", "job/b", HOOK))
    clock.now += 1
    limiter.observe(POST, under_way, announced(5, 4, 2.0, refused=False))
    assert limiter.ask(Route.to("POST", "job/b", HOOK), mine)[1] > 0  # the dead one is first
    clock.now += 1.5
    assert limiter.ask(Route.to("POST", "job/b", HOOK), mine)[1] == 0.0


def test_stop_while_waiting_leaves_no_ticket(limiter: DiscordRateLimiter) -> None:
    first = start(limiter)

    def stop(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        limiter.acquire(POST, stop)
    limiter.observe(POST, first, announced(5, 4, 2.0, refused=False))
    assert limiter.ask(POST)[1] == 0.0


def test_limits_of_an_earlier_boot_are_not_used(tmp_path: Path, clock: Clock) -> None:
    old = DiscordRateLimiter(LimitStore(tmp_path / "limits.db", boot="monday"), clock)
    old.observe(POST, start(old), RateLimitHeaders(cloudflare=True, retry_after=3000.0))
    assert DiscordRateLimiter(LimitStore(tmp_path / "limits.db", boot="monday"), clock).ask(POST)[1] > 2900
    assert DiscordRateLimiter(LimitStore(tmp_path / "limits.db", boot="tuesday"), clock).ask(POST)[1] == 0.0


def test_limits_in_a_missing_folder_raise_storage_unavailable(tmp_path: Path) -> None:
    with pytest.raises(StorageUnavailable, match=r"limits\.db"):
        LimitStore(tmp_path / "nowhere" / "limits.db")


def test_snapshot_shows_limits_and_no_secret(limiter: DiscordRateLimiter) -> None:
    limiter.observe(POST, start(limiter), announced(5, 4, 2.0, refused=False))
    shown = limiter.snapshot()
    assert shown["active_buckets"] == 1
    assert shown["buckets"]["POST:hash:1"]["limit"] == 5
    assert "secret" not in repr(shown)


def test_snapshot_counts_what_waits_and_what_ended_in_the_window_of_each_bucket(
    clock: Clock, limiter: DiscordRateLimiter
) -> None:
    other = Route.to("POST", "job/b", Destination("https://discord.com", "2", "secret"))
    for route in (POST, other):
        ticket, _ = limiter.ask(route)
        limiter.observe(route, ticket, announced(5, 0, 2.0, refused=False))
    for _ in range(3):
        limiter.ask(POST)
    counts = [(one["used"], one["waiting"]) for one in limiter.snapshot()["buckets"].values()]
    assert counts == [(1, 3), (1, 0)]
    clock.now += 2.1
    counts = [(one["used"], one["waiting"]) for one in limiter.snapshot()["buckets"].values()]
    assert counts == [(0, 3), (0, 0)]


def test_snapshot_takes_no_more_statements_for_many_webhooks(limiter: DiscordRateLimiter) -> None:
    """With a thousand that others waited for, each look at the dashboard took a quarter of a second."""
    numbers = []
    for webhooks in (range(1, 3), range(3, 30)):
        for number in webhooks:
            route = Route.to("POST", f"job/{number}", Destination("https://discord.com", str(number), "s"))
            limiter.observe(route, limiter.ask(route)[0], announced(5, 4, 2.0, refused=False))
            limiter.ask(route)
        statements: list[str] = []
        connection = limiter._store._database._connection
        connection.set_trace_callback(statements.append)
        limiter.snapshot()
        connection.set_trace_callback(None)
        numbers.append(len(statements))
    assert numbers[0] == numbers[1] > 0


def test_short_429s_of_another_limit_do_not_slow_a_channel_down_for_long(
    tmp_path: Path, clock: Clock, limiter: DiscordRateLimiter
) -> None:
    """Once, the smallest count and the longest window of several such 429s made one post a minute of them."""
    headers = RateLimitHeaders(
        answered=True, bucket="hash", limit=5, remaining=4, reset_after=2.0, channel_id="9"
    )
    passing = RateLimitHeaders(answered=True, retry_after=1.5, scope="shared")
    for number in range(60):
        ticket, delay = limiter.ask(POST)
        while delay > 0:
            clock.now += delay
            ticket, delay = limiter.ask(POST, ticket)
        limiter.observe(POST, ticket, passing if number % 6 == 5 else headers)
        clock.now += 0.4
    clock.now += HEARSAY_FOR + 1
    began = clock.now
    for _ in range(5):
        ticket, delay = limiter.ask(POST)
        assert delay <= 0
        limiter.observe(POST, ticket, headers)
    assert clock.now == began


def test_learned_limit_that_is_refused_again_becomes_stricter_by_one() -> None:
    bucket = RateLimitBucket.unknown("channel:9").learned(100.0, [90.0 + n for n in range(10)], 50.0)
    again = bucket.learned(400.0, [399.0], 59.0)
    assert (bucket.size, bucket.window) == (10, 60.0)
    assert (again.size, again.window) == (1, 60.0)
    looser = bucket.learned(400.0, [340.0 + n * 4 for n in range(14)], 1.0)
    assert (looser.size, looser.window) == (9, 60.0)


# --- a webhook that another host had -------------------------------------------------------------


@pytest.mark.parametrize("known", [False, True])
def test_webhook_to_which_another_host_has_just_sent_rests_for_longer_than_any_window_of_one(
    limiter: DiscordRateLimiter, clock: Clock, known: bool
) -> None:
    if known:
        limiter.observe(POST, limiter.ask(POST)[0], announced(5, 4, 2.0, refused=False))
    limiter.take_over(HOOK.webhook_id, "", [1.0, 3.0])
    ticket, delay = limiter.ask(POST)
    assert delay == pytest.approx(4.0, abs=0.1)
    clock.now += 4.1
    assert limiter.ask(POST, ticket)[1] == 0.0


def test_webhook_to_which_another_host_has_sent_a_while_ago_gets_the_next_post_at_once(
    limiter: DiscordRateLimiter,
) -> None:
    limiter.take_over(HOOK.webhook_id, "", [20.0, 21.0])
    assert limiter.ask(POST)[1] == 0.0


@pytest.mark.parametrize("channel_id", [None, "77"])
def test_what_another_host_has_sent_to_a_channel_counts_in_its_hidden_limit(
    limiter: DiscordRateLimiter, clock: Clock, channel_id: str | None
) -> None:
    """28 of 30 a minute: two may follow, and the next one when the oldest of them is a minute old."""
    limiter.take_over(HOOK.webhook_id, "", [10.0 + number for number in range(28)])
    answer = replace(announced(50, 49, 2.0, refused=False), channel_id=channel_id)
    for _ in range(2):
        ticket, delay = limiter.ask(POST)
        assert delay == 0.0
        limiter.observe(POST, ticket, answer)
    ticket, delay = limiter.ask(POST)
    assert delay == pytest.approx(60.0 - 37.0, abs=0.1)
    clock.now += delay
    assert limiter.ask(POST, ticket)[1] == 0.0


def test_limit_of_a_channel_taken_over_is_a_guess_for_ten_minutes(
    limiter: DiscordRateLimiter, clock: Clock
) -> None:
    def sent_at_once() -> int:
        for count in range(40):
            ticket, delay = limiter.ask(POST)
            if delay > 0.0:
                limiter.cancel(ticket)
                return count
            limiter.observe(POST, ticket, announced(50, 49, 2.0, refused=False))
        return 40

    limiter.take_over(HOOK.webhook_id, "", [10.0])
    clock.now += GUESSED_FOR - 1.0
    assert sent_at_once() == 30
    clock.now += 62.0
    assert sent_at_once() == 40


def test_channel_whose_limit_is_known_keeps_it_when_it_is_taken_over() -> None:
    known = RateLimitBucket.unknown("channel:9").learned(100.0, [90.0 + n for n in range(10)], 50.0)
    assert known.assumed(200.0) is known


def test_webhook_taken_over_holds_up_neither_its_edits_nor_other_webhooks(
    limiter: DiscordRateLimiter,
) -> None:
    limiter.take_over(HOOK.webhook_id, "", [0.0] * 40)
    other = Destination("https://discord.com", "2", "secret")
    assert limiter.ask(Route.to("PATCH", "job/a", HOOK))[1] == 0.0
    assert limiter.ask(Route.to("POST", "job/a", other))[1] == 0.0


# --- absurd answers and stored nonsense ---------------------------------------------------------

ODD_NUMBERS = (0.0, -1.0, 1e-320, 0.3, 86_400.0, 9_999_999.0, 1e308, float("inf"), float("nan"))
ODD_ANSWERS = st.builds(
    RateLimitHeaders,
    answered=st.just(True),
    bucket=st.sampled_from(["hash", "other", None]),
    limit=st.sampled_from([0, -5, 1, 5, 10**9, 2**63, None]),
    remaining=st.sampled_from([0, -1, 4, 10**9, None]),
    reset_after=st.sampled_from([*ODD_NUMBERS, 1.5, 300.0, None]),
    retry_after=st.sampled_from([*ODD_NUMBERS, 5.0, None, None, None]),
    scope=st.sampled_from(["shared", "user", None]),
    is_global=st.booleans(),
    cloudflare=st.booleans(),
    channel_id=st.sampled_from(["77", None]),
)


@dataclass
class Always:
    """A server with one answer."""

    answer: RateLimitHeaders

    def arrive(self, now: float) -> RateLimitHeaders:
        return self.answer


def send(limiter: DiscordRateLimiter, clock: Clock, server: Server) -> float:
    """One request as soon as it may start; returns the longest time it was told to wait."""
    ticket, delay = limiter.ask(POST)
    longest = delay
    while delay > 0:
        clock.now += delay
        ticket, delay = limiter.ask(POST, ticket)
        longest = max(longest, delay)
    limiter.observe(POST, ticket, server.arrive(clock.now))
    return longest


@settings(max_examples=60, deadline=None)
@given(answers=st.lists(ODD_ANSWERS, min_size=1, max_size=12))
@example(answers=[RateLimitHeaders(answered=True, bucket="hash", limit=0, remaining=0, reset_after=1.0)])
def test_absurd_answers_hold_no_request_longer_than_the_longest_pause_and_are_forgotten(
    tmp_path_factory: pytest.TempPathFactory, answers: list[RateLimitHeaders]
) -> None:
    clock, server = Clock(), FixedWindow()
    path = tmp_path_factory.mktemp("limits") / "limits.db"
    limiter = DiscordRateLimiter(LimitStore(path, boot="test"), clock)
    for answer in answers:
        assert send(limiter, clock, Always(answer)) <= LONGEST_PAUSE + 0.001
        limiter.snapshot()
    clock.now += 3600.0
    for _ in range(12):  # sane answers again; a learned channel limit is used for a while
        send(limiter, clock, server)
        clock.now += 120.0
    clock.now += 24 * 3600.0
    refused, began = 0, clock.now
    for _ in range(100):
        ticket, delay = limiter.ask(POST)
        while delay > 0:
            clock.now += delay
            ticket, delay = limiter.ask(POST, ticket)
        answer = server.arrive(clock.now)
        refused += answer.retry_after is not None
        limiter.observe(POST, ticket, answer)
    assert refused == 0
    assert clock.now - began <= (100 / 5) * 2.0 * 1.05


@pytest.mark.parametrize(
    ("limit", "reset_after"),
    [(0, 1.0), (-1, 1.0), (10**9, 1.0), (5, 86_400.0), (5, float("nan")), (5, float("inf"))],
)
def test_impossible_limit_is_neither_stored_nor_obeyed(
    tmp_path: Path, limiter: DiscordRateLimiter, clock: Clock, limit: int, reset_after: float
) -> None:
    odd = RateLimitHeaders(
        answered=True, bucket="hash", limit=limit, remaining=0, reset_after=reset_after, channel_id="77"
    )
    for _ in range(3):
        assert send(limiter, clock, Always(odd)) <= 1.0
    assert limiter.snapshot()["active_buckets"] == 0
    send(limiter, clock, Always(announced(5, 4, 2.0, refused=False)))
    assert limiter.snapshot()["buckets"]["POST:hash:1"]["limit"] == 5


def test_429_that_names_days_is_obeyed_for_twenty_minutes(limiter: DiscordRateLimiter) -> None:
    limiter.observe(POST, start(limiter), RateLimitHeaders(answered=True, retry_after=9_999_999.0))
    assert limiter.ask(POST)[1] == pytest.approx(1200.0)


@pytest.mark.parametrize("method", ["PATCH", "DELETE"])
@pytest.mark.parametrize("retry_after", [None, 1200.0])
def test_refusal_of_an_edit_by_cloudflare_holds_up_no_post(
    limiter: DiscordRateLimiter, method: str, retry_after: float | None
) -> None:
    change = Route.to(method, "edits", Destination("https://discord.com", "11", "token"))
    limiter.observe(
        change, start(limiter, change), RateLimitHeaders(cloudflare=True, retry_after=retry_after)
    )
    assert limiter.ask(POST)[1] == 0
    assert limiter.try_acquire(change) is None
    assert not limiter.blocked_by_cloudflare()


def test_429_of_an_edit_blocks_no_post_though_both_have_one_hash(limiter: DiscordRateLimiter) -> None:
    patch = Route.to("PATCH", "job/a", HOOK)
    limiter.observe(POST, start(limiter), announced(5, 4, 2.0, refused=False))
    edit = start(limiter, patch)
    limiter.observe(
        patch,
        edit,
        RateLimitHeaders(
            answered=True, bucket="hash", limit=5, remaining=4, reset_after=1.0, retry_after=1163.0,
            scope="shared",
        ),
    )  # fmt: skip
    assert limiter.ask(patch)[1] == pytest.approx(1163.0)
    assert limiter.ask(POST)[1] == 0.0


STORED = {
    "a limit of nothing": "INSERT INTO bucket VALUES ('POST:1', 0, 1.0, 0, 1001.0, -1e9, -1e9)",
    "a limit below nothing": "INSERT INTO bucket VALUES ('POST:1', -5, 1.0, 0, 1001.0, -1e9, -1e9)",
    "a reset in days": "INSERT INTO bucket VALUES ('POST:1', 5, 2.0, 0, 901000.0, -1e9, -1e9)",
    "a window of days": "INSERT INTO bucket VALUES ('POST:1', 5, 86400.0, 5, 900.0, -1e9, -1e9)",
    "a block of days": "INSERT INTO bucket VALUES ('POST:1', 5, 2.0, 5, 900.0, 901000.0, -1e9)",
    "a channel's block of days": "INSERT INTO bucket VALUES ('into:1:', NULL, 0, 0, 0, 901000.0, -1e9)",
    "a channel's limit of tomorrow": "INSERT INTO bucket VALUES ('into:1:', 0, 60, 0, 0, 0, 901000.0)",
    "a pause of days": "INSERT INTO pause VALUES ('global', 901000.0, 0)",
    "a pause of Cloudflare of days": "INSERT INTO pause VALUES ('cloudflare', 901000.0, 100000)",
    "a ticket that is due in days": "INSERT INTO request VALUES (1, 'job/b', 'POST:1', '', 901000.0, NULL)",
    "requests that are yet to begin": "INSERT INTO request VALUES (1, 'job/b', 'POST:1', '', 0, 101000.0)",
    "requests that have not been sent yet": "INSERT INTO done VALUES ('POST:1', 101000.0)",
    "invalid requests of tomorrow": "INSERT INTO invalid VALUES (1700, 9000)",
}


@pytest.mark.parametrize("statement", STORED.values(), ids=STORED.keys())
def test_nonsense_that_is_stored_delays_no_request(tmp_path: Path, clock: Clock, statement: str) -> None:
    """As an older Disgram stored it, or before the clock began anew."""
    store = LimitStore(tmp_path / "limits.db", boot="test")
    with store._database.transaction() as connection:
        connection.execute(statement)
    limiter = DiscordRateLimiter(store, clock)
    limiter.snapshot()
    for _ in range(6):
        assert send(limiter, clock, Always(announced(5, 4, 2.0, refused=False))) <= 2.1
    assert limiter.snapshot()["buckets"]["POST:hash:1"]["limit"] == 5


def test_window_that_was_announced_once_is_forgotten(limiter: DiscordRateLimiter, clock: Clock) -> None:
    server = FixedWindow()
    odd = RateLimitHeaders(
        answered=True, bucket="hash", limit=5, remaining=0, reset_after=599.0, channel_id="77"
    )
    send(limiter, clock, Always(odd))
    assert send(limiter, clock, server) == pytest.approx(599.0, abs=1.0)
    began = clock.now
    for _ in range(20):
        send(limiter, clock, server)
    assert clock.now - began < 10.0


def test_what_does_not_wait_gets_no_ticket_while_its_bucket_is_blocked(limiter: DiscordRateLimiter) -> None:
    patch = Route.to("PATCH", "job/a", HOOK)
    ticket = limiter.try_acquire(patch)
    assert ticket is not None
    limiter.observe(patch, ticket, RateLimitHeaders(answered=True, retry_after=1163.0))
    assert limiter.try_acquire(patch) is None
    assert limiter.try_acquire(POST) is not None
