"""What workers count for /metrics, and that counting costs no line of its own."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
import requests
from responses import RequestsMock

from disgram.addresses import Destination
from disgram.discord.client import DiscordClient
from disgram.discord.message import DiscordMessage, RateLimitHeaders, Upload
from disgram.errors import MessageRejected, TelegramUnavailable
from disgram.report import CountingReporter, Level
from disgram.rules.texts import RuleTexts
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.client import TelegramClient
from disgram.telegram.egress.direct import open_egress
from rate_limiter import DiscordRateLimiter, Route
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, sent_before
from tests.builders.discord_clock import Clock, announced

HOOK = Destination("https://discord.com", "1", "secret")
PAGE = "https://t.me/s/durov"


class Lines:
    """A reporter that keeps the facts of each line."""

    def __init__(self) -> None:
        self.facts: list[dict[str, Any]] = []

    def __call__(self, level: Level | None, text: str, **facts: Any) -> None:
        self.facts.append(facts)


@pytest.fixture
def lines() -> Lines:
    return Lines()


@pytest.fixture
def counting(lines: Lines) -> CountingReporter:
    return CountingReporter(lines)


@pytest.fixture
def web() -> Iterator[RequestsMock]:
    with RequestsMock() as mock:
        yield mock


def counted(counting: CountingReporter, lines: Lines) -> dict[str, float]:
    counting.flush()
    total: Counter[str] = Counter()
    for facts in lines.facts:
        total.update(facts.get("counts", {}))
    return dict(total)


# --- the reporter ---------------------------------------------------------------------------------------


def test_counts_travel_with_the_next_line_and_only_once(counting: CountingReporter, lines: Lines) -> None:
    counting.count("telegram_requests", "ok")
    counting.count("telegram_requests", "ok")
    counting.count("upload_bytes", by=10)
    assert lines.facts == []
    counting(Level.INFO, "Checked", polled=True)
    counting(None, "", reason=None)
    counts = {"telegram_requests ok": 2, "upload_bytes": 10}
    assert lines.facts == [{"polled": True, "counts": counts}, {"reason": None}]


def test_counts_of_a_report_are_added_to_those_before_it(counting: CountingReporter, lines: Lines) -> None:
    counting.count("posts", "sent")
    counting(Level.INFO, "", counts={"posts sent": 1, "posts edited": 1})
    assert lines.facts == [{"counts": {"posts sent": 2, "posts edited": 1}}]


def test_flush_writes_a_line_only_where_something_was_counted(
    counting: CountingReporter, lines: Lines
) -> None:
    counting.flush()
    assert lines.facts == []
    counting.count("upload_bytes", by=1)
    counting.flush()
    counting.flush()
    assert lines.facts == [{"counts": {"upload_bytes": 1}}]


# --- requests -------------------------------------------------------------------------------------------


def telegram(folder: Path, counting: CountingReporter) -> TelegramClient:
    clock = Clock()
    store = LimitStore(folder / "limits.db", boot="test")
    egress = open_egress(
        store, 1000.0, lambda seconds: setattr(clock, "now", clock.now + seconds), clock=clock
    )
    return TelegramClient("https://t.me", egress, count=counting.count)


@pytest.mark.parametrize(
    ("status", "outcome"), [(200, "ok"), (403, "refused"), (429, "rate_limited"), (502, "server_error")]
)
def test_requests_to_telegram_are_counted_by_outcome(
    tmp_path: Path, web: RequestsMock, counting: CountingReporter, lines: Lines, status: int, outcome: str
) -> None:
    web.get(PAGE, "page", status=status)
    client = telegram(tmp_path, counting)
    try:
        client.page("durov")
    except TelegramUnavailable:
        assert status != 200
    assert counted(counting, lines) == {f"telegram_requests {outcome}": 1}


def test_request_to_telegram_without_an_answer_is_counted(
    tmp_path: Path, web: RequestsMock, counting: CountingReporter, lines: Lines
) -> None:
    web.get(PAGE, body=requests.ConnectionError("refused"))
    with pytest.raises(TelegramUnavailable):
        telegram(tmp_path, counting).page("durov")
    assert counted(counting, lines) == {"telegram_requests no_answer": 1}


def test_requests_to_discord_are_counted_by_status_and_scope(
    web: RequestsMock, counting: CountingReporter, lines: Lines
) -> None:
    client = DiscordClient(count=counting.count)
    web.post(HOOK.execute_url, json={"id": "5"})
    limit = {"X-RateLimit-Scope": "shared", "Retry-After": "1"}
    web.post(HOOK.execute_url, json={"retry_after": 1.0}, status=429, headers=limit)
    web.post(HOOK.execute_url, body=requests.ConnectionError("refused"))
    for _ in range(3):
        client.execute(HOOK, DiscordMessage({"content": "x"}), {})
    assert counted(counting, lines) == {
        "discord_requests 200 none": 1,
        "discord_requests 429 shared": 1,
        "discord_requests none none": 1,
    }


def test_scope_that_is_not_discords_makes_no_label(
    web: RequestsMock, counting: CountingReporter, lines: Lines
) -> None:
    headers = {"X-RateLimit-Scope": 'secret"} evil 1'}
    web.post(HOOK.execute_url, json={"retry_after": 1.0}, status=429, headers=headers)
    DiscordClient(count=counting.count).execute(HOOK, DiscordMessage({"content": "x"}), {})
    assert counted(counting, lines) == {"discord_requests 429 none": 1}


def test_bytes_of_requests_with_files_are_counted(
    web: RequestsMock, counting: CountingReporter, lines: Lines
) -> None:
    web.post(HOOK.execute_url, json={"id": "5"})
    message = DiscordMessage({"content": "x"}, (Upload(0, "a.jpg", "image/jpeg"),))
    DiscordClient(count=counting.count).execute(HOOK, message, {0: io.BytesIO(b"x" * 5000)})
    assert 5000 < counted(counting, lines)["upload_bytes"] < 6000


# --- waits for Discord ----------------------------------------------------------------------------------


CLOUDFLARE = RateLimitHeaders(cloudflare=True)
GLOBAL = RateLimitHeaders(answered=True, retry_after=3.0, is_global=True)
BUCKET = announced(5, 0, 2.0, refused=False)
SHARED = RateLimitHeaders(answered=True, retry_after=9.0, scope="shared", channel_id="7")


@pytest.mark.parametrize(
    ("answer", "lane"),
    [(CLOUDFLARE, "cloudflare"), (GLOBAL, "host"), (BUCKET, "bucket"), (SHARED, "channel")],
    ids=["cloudflare", "host", "bucket", "channel"],
)
def test_wait_is_counted_for_what_caused_it(tmp_path: Path, answer: RateLimitHeaders, lane: str) -> None:
    clock, waited = Clock(), Counter[str]()

    def wait(seconds: float) -> None:
        clock.now += seconds

    def on_wait(cause: str, seconds: float) -> None:
        waited[cause] += seconds  # type: ignore[assignment]

    limiter = DiscordRateLimiter(LimitStore(tmp_path / "limits.db", boot="test"), clock, on_wait)
    route = Route.to("POST", "job/a", HOOK)
    limiter.observe(route, limiter.acquire(route, wait), answer)
    began = clock.now
    limiter.acquire(route, wait)
    assert set(waited) == {lane}
    assert waited[lane] == pytest.approx(clock.now - began)
    assert clock.now > began + 1


# --- posts ----------------------------------------------------------------------------------------------


def test_posts_are_counted_by_what_became_of_them(tmp_path: Path) -> None:
    bench = Bench(tmp_path, rules=RuleTexts(exclude="spam"))
    bench.telegram.fill(1, 2)
    bench.telegram.write(4, "spam")
    bench.poll()
    assert bench.said.counts == {"posts sent": 2, "posts filtered": 1}
    bench.telegram.write(2, "edited")
    bench.poll(3)
    assert bench.said.counts == {"posts sent": 2, "posts filtered": 1, "posts edited": 1}


def test_refused_post_is_counted_as_failed(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.discord.refuses = lambda message: MessageRejected("400 Bad Request")
    bench.telegram.fill(1, 1)
    bench.poll()
    assert bench.said.counts == {"posts failed": 1}


@pytest.mark.parametrize("policy", ["mark", "delete"])
def test_deleted_post_is_counted(tmp_path: Path, policy: str) -> None:
    bench = Bench(tmp_path, follow_deletions=policy)
    sent_before(bench, 1, 4, payload='{"content": "post"}')
    del bench.telegram.posts[3]
    bench.poll(3)
    assert bench.said.counts == {"posts deleted": 1}


def test_markup_that_nobody_understands_is_counted(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    new = '<div class="tgme_widget_message_hologram">new</div>'
    bench.telegram.posts[1] = pages.post(1, new, pages.text("words"))
    bench.poll(2)
    assert bench.said.counts["parser_unknown_blocks"] == 1


# --- lag ------------------------------------------------------------------------------------------------


def dated(bench: Bench, number: int, published: float) -> None:
    date = datetime.fromtimestamp(published, timezone.utc).isoformat(timespec="seconds")
    bench.telegram.posts[number] = pages.post(number, pages.text(f"post {number}"), date=date)


def test_lag_is_the_time_from_publication_to_confirmation(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    dated(bench, 1, bench.today() - 1000)
    bench.poll()
    assert "lag" not in bench.said.facts
    bench.clock.now += 100
    dated(bench, 2, int(bench.today()))
    bench.clock.now += 40
    bench.poll()
    assert bench.said.facts["lag"] == pytest.approx(40, abs=1.5)


def test_posts_older_than_their_job_have_no_lag(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    for number in range(1, 6):
        dated(bench, number, bench.today() - 10_000 + number)
    bench.poll()
    assert bench.said.counts == {"posts sent": 5}
    assert "lag" not in bench.said.facts


def test_post_of_the_second_in_which_the_first_one_arrived_has_a_lag(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    dated(bench, 1, bench.today() - 1000)
    bench.poll()
    first = bench.ledger.dealt_with_at(1)
    assert first is not None
    dated(bench, 2, int(first[0]))
    bench.clock.now += 5
    bench.poll()
    assert bench.said.facts["lag"] == pytest.approx(5, abs=1.5)
