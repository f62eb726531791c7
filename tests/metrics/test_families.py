"""The names, labels and values of the metrics, by Prometheus' own parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from disgram.health.problems import Problem
from disgram.health.sentences import SENTENCES
from disgram.metrics.families import Known, families
from disgram.metrics.totals import Totals
from disgram.traffic import Traffic
from disgram.workers.spec import WorkerState, WorkerStatus
from tests.metrics.scrapes import Scrape

NOON = datetime(2026, 1, 1, 12, tzinfo=timezone.utc)
NAMES = {
    "disgram_build_info": {"version"},
    "disgram_workers": {"state"},
    "disgram_worker_restarts_total": {"disgram_job", "channel"},
    "disgram_channel_last_poll_timestamp_seconds": {"disgram_job", "channel"},
    "disgram_channel_last_post_timestamp_seconds": {"disgram_job", "channel"},
    "disgram_channel_lag_seconds": {"disgram_job", "channel"},
    "disgram_delivery_seconds_bucket": {"le"},
    "disgram_delivery_seconds_count": set(),
    "disgram_delivery_seconds_sum": set(),
    "disgram_posts_total": {"disgram_job", "result"},
    "disgram_posts_waiting": {"disgram_job"},
    "disgram_problems": {"reason"},
    "disgram_discord_requests_total": {"status", "scope"},
    "disgram_discord_wait_seconds_total": {"lane"},
    "disgram_discord_invalid_requests": set(),
    "disgram_telegram_requests_total": {"outcome"},
    "disgram_telegram_pace_ratio": set(),
    "disgram_upload_bytes_total": set(),
    "disgram_parser_unknown_blocks_total": set(),
    "disgram_gap_posts": {"disgram_job", "channel"},
}
"""Samples and their labels: a promise to whoever has a dashboard over them."""

WITH_EGRESS = {"disgram_telegram_egress_well": {"address"}}
"""What TELEGRAM_EGRESS adds."""


class Collected(Collector):
    def __init__(self, known: Known) -> None:
        self._known = known

    def collect(self) -> Iterator[Metric]:
        return families(self._known)


def scraped(known: Known) -> Scrape:
    return Scrape(generate_latest(Collected(known)).decode("utf-8"))


def worker(job: str = "news", channel: str = "Durov", **changes: Any) -> WorkerStatus:
    status = WorkerStatus.without_process(job, channel, "webhook.py", WorkerState.RUNNING, 0.0)
    return replace(status, cooldown=300.0, **changes)


def busy() -> Known:
    """Something of everything."""
    totals = Totals()
    counts = {"posts sent": 4, "discord_requests 429 shared": 2, "discord_wait_seconds host": 1.5}
    totals.add(
        "news", {"counts": counts | {"telegram_requests no_answer": 1, "upload_bytes": 9}, "lag": 70.0}
    )
    traffic = Traffic(waiting=3, last_forwarded_at=NOON, lag=70.0)
    return Known(
        version="9.9",
        jobs=["news", "quiet"],
        workers=[
            worker(restarts=2, last_poll_at=NOON, gaps=((3, 5), (9, 9)), traffic=traffic),
            worker("quiet", "durov", traffic=Traffic(waiting=1)),
        ],
        states={WorkerState.RUNNING: 2, WorkerState.PAUSED: 7},
        problems=[Problem("news", "durov", "gap", "…"), Problem("quiet", "durov", "gap", "…")],
        forwarded={("quiet", "durov"): NOON},
        sums=totals.sums(),
        deliveries=totals.deliveries,
        telegram_rate=0.005,
        invalid_requests=12,
    )


def test_exposition_has_the_promised_names_and_labels_and_no_other() -> None:
    scrape = scraped(busy())
    found = {name: labels for name in scrape.names for labels in map(set, scrape.labels(name))}
    assert found == NAMES


def test_addresses_towards_telegram_are_shown_where_there_are_several() -> None:
    scrape = scraped(replace(busy(), egress=[("192.0.2.7", True), ("http://proxy:3128", False)]))
    found = {name: labels for name in scrape.names for labels in map(set, scrape.labels(name))}
    assert found == NAMES | WITH_EGRESS
    assert scrape.value("disgram_telegram_egress_well", address="192.0.2.7") == 1
    assert scrape.value("disgram_telegram_egress_well", address="http://proxy:3128") == 0


def test_values_are_those_of_the_moment() -> None:
    scrape = scraped(busy())
    news = {"disgram_job": "news", "channel": "Durov"}
    assert scrape.value("disgram_build_info", version="9.9") == 1
    assert scrape.value("disgram_workers", state="paused") == 7
    assert scrape.value("disgram_workers", state="failed") == 0
    assert scrape.value("disgram_worker_restarts_total", **news) == 2
    assert scrape.value("disgram_channel_last_poll_timestamp_seconds", **news) == NOON.timestamp()
    assert scrape.value("disgram_channel_last_post_timestamp_seconds", **news) == NOON.timestamp()
    assert scrape.value("disgram_channel_lag_seconds", **news) == 70
    assert scrape.value("disgram_gap_posts", **news) == 4
    assert scrape.value("disgram_posts_total", disgram_job="news", result="sent") == 4
    assert scrape.value("disgram_posts_total", disgram_job="quiet", result="failed") == 0
    assert scrape.value("disgram_posts_waiting", disgram_job="quiet") == 1
    assert scrape.value("disgram_problems", reason="gap") == 2
    assert scrape.value("disgram_discord_requests_total", status="429", scope="shared") == 2
    assert scrape.value("disgram_discord_wait_seconds_total", lane="host") == 1.5
    assert scrape.value("disgram_discord_wait_seconds_total", lane="cloudflare") == 0
    assert scrape.value("disgram_discord_invalid_requests") == 12
    assert scrape.value("disgram_telegram_requests_total", outcome="no_answer") == 1
    assert scrape.value("disgram_telegram_pace_ratio") == pytest.approx(2 / 300 / 0.005)
    assert scrape.value("disgram_upload_bytes_total") == 9


def test_results_are_shown_from_the_start_where_an_alert_waits_for_the_first() -> None:
    shown = scraped(Known("1", jobs=["news"])).labels("disgram_posts_total")
    assert {labels["result"] for labels in shown} == {"sent", "failed"}


def test_last_post_before_the_start_of_the_service_is_known_from_the_ledger() -> None:
    labels = {"disgram_job": "quiet", "channel": "durov"}
    found = scraped(busy()).value("disgram_channel_last_post_timestamp_seconds", **labels)
    assert found == NOON.timestamp()


def test_histogram_is_cumulative_and_ends_with_all_posts() -> None:
    scrape = scraped(busy())
    assert scrape.types["disgram_delivery_seconds"] == "histogram"
    assert scrape.value("disgram_delivery_seconds_bucket", le="60.0") == 0
    assert scrape.value("disgram_delivery_seconds_bucket", le="120.0") == 1
    assert scrape.value("disgram_delivery_seconds_bucket", le="+Inf") == 1
    assert scrape.value("disgram_delivery_seconds_count") == 1
    assert scrape.value("disgram_delivery_seconds_sum") == 70


def test_every_reason_is_shown_also_where_nobody_has_it() -> None:
    reasons = {labels["reason"] for labels in scraped(Known("1")).labels("disgram_problems")}
    assert reasons == set(SENTENCES)


def test_worker_that_does_not_poll_needs_no_request() -> None:
    workers = [worker(state=WorkerState.FAILED), worker(channel="b", state=WorkerState.BACKOFF)]
    assert scraped(Known("1", workers=workers)).value("disgram_telegram_pace_ratio") == 0


def test_deleted_job_is_not_shown_and_its_counts_go_on_when_it_is_made_again() -> None:
    known = busy()
    labels = {"disgram_job": "news", "result": "sent"}
    assert scraped(replace(known, jobs=["quiet"])).value("disgram_posts_total", **labels) is None
    assert scraped(known).value("disgram_posts_total", **labels) == 4


HOSTILE = [
    'a"b',
    "a\\",
    "\\n",
    "a\nb",
    '"} 1\nevil{x="',
    "{}",
    "новости",
    "\u2028",
    "\x00",
    "\r",
    "a,b=c",
    " ",
    "#",
]


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_name_is_one_label_value_and_nothing_else(name: str) -> None:
    scrape = scraped(Known("1", jobs=[name], workers=[worker(name, name)]))
    assert scrape.labels("disgram_posts_waiting") == [{"disgram_job": name}]
    assert scrape.labels("disgram_worker_restarts_total") == [{"disgram_job": name, "channel": name}]
    assert scrape.names <= set(NAMES)


@given(name=st.text(max_size=30))
def test_any_name_comes_through_the_format_unchanged(name: str) -> None:
    scrape = scraped(Known("1", jobs=[name]))
    assert scrape.labels("disgram_posts_waiting") == [{"disgram_job": name}]


def test_readme_has_every_metric_with_its_labels() -> None:
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text("utf-8")
    rows = re.findall(r"^\| `(disgram_\w+)` \| (.*?) ?\| ", readme, re.MULTILINE)
    documented = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}
    assert documented == WITH_EGRESS | {
        re.sub("_(bucket|count|sum)$", "", name): labels - {"le"} for name, labels in NAMES.items()
    }
