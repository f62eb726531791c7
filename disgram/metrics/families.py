"""The metrics: their names, labels and meaning, made from what is known at one moment.

Owns the names, which dashboards and alert rules of users rely on. Pure: asks nobody and reads no clock; is
given no secret and no text of a post. A label's value may be any text that a job's name may be.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric

from disgram.health.problems import Problem
from disgram.health.sentences import SENTENCES
from disgram.metrics.totals import DELAYS, LABELS, LANES, NO_DELIVERIES, Deliveries
from disgram.workers.spec import WorkerState, WorkerStatus

CHANNEL = ("disgram_job", "channel")
FROM_THE_START = ("sent", "failed")
"""Results that every job shows as 0 first, so that an alert rule sees the first post that fails."""
POLLING = frozenset({WorkerState.STARTING, WorkerState.RUNNING})

_Row = tuple[Sequence[str], float]


@dataclass(frozen=True)
class Known:
    """`workers`: one for each channel at work that the monitor knows. `states`: how many channels are in each
    state, those of paused jobs and of jobs that cannot run included. `forwarded`: when the newest post of
    a channel (job, name in lower case) was confirmed before the service started. `sums`: see Totals.
    `invalid_requests`: in the last ten minutes; None: not known now."""

    version: str
    jobs: Sequence[str] = ()
    workers: Sequence[WorkerStatus] = ()
    states: Mapping[WorkerState, int] = field(default_factory=dict)
    problems: Iterable[Problem] = ()
    forwarded: Mapping[tuple[str, str], datetime] = field(default_factory=dict)
    sums: Mapping[tuple[str, ...], float] = field(default_factory=dict)
    deliveries: Deliveries = NO_DELIVERIES
    telegram_rate: float = 2.0
    egress: Sequence[tuple[str, bool]] = ()
    """Addresses of TELEGRAM_EGRESS, and whether they are well."""
    invalid_requests: int | None = None


def families(known: Known) -> Iterator[Metric]:
    """Every metric, in the order of the exposition."""
    yield _gauge("build_info", "The version that runs; always 1.", ("version",), [((known.version,), 1)])
    yield from _of_workers(known)
    yield from _of_posts(known)
    yield from _of_discord(known)
    yield from _of_telegram(known)


def _of_workers(known: Known) -> Iterator[Metric]:
    states = [((state.value,), known.states.get(state, 0)) for state in WorkerState]
    yield _gauge("workers", "Channels by the state of their worker.", ("state",), states)
    yield _counter(
        "worker_restarts",
        "Starts of a channel's worker after its first.",
        CHANNEL,
        [(_channel(one), one.restarts) for one in known.workers],
    )
    problems = Counter(problem.reason for problem in known.problems)
    yield _gauge(
        "problems",
        "Problems that /health names, by reason; one for each channel.",
        ("reason",),
        [((reason,), problems[reason]) for reason in sorted({*SENTENCES, *problems})],
    )


def _of_posts(known: Known) -> Iterator[Metric]:
    posts = {(job, result): 0.0 for job in known.jobs for result in FROM_THE_START}
    jobs = set(known.jobs)
    posts |= {
        (key[1], key[2]): number for key, number in known.sums.items() if key[0] == "posts" and key[1] in jobs
    }
    yield _counter(
        "posts",
        "Posts by what became of them: sent, edited or deleted in Discord, failed (refused in every form), "
        "filtered (left out by a rule of the job).",
        LABELS["posts"],
        posts.items(),
    )
    waiting = Counter(dict.fromkeys(known.jobs, 0))
    for one in known.workers:
        waiting[one.job] += one.traffic.waiting
    yield _gauge(
        "posts_waiting",
        "Posts seen at Telegram and not confirmed by Discord yet.",
        ("disgram_job",),
        [((job,), number) for job, number in waiting.items()],
    )
    yield _gauge(
        "channel_last_post_timestamp_seconds",
        "When Discord last confirmed a post of the channel.",
        CHANNEL,
        _moments(known.workers, [_last_forwarded(one, known) for one in known.workers]),
    )
    yield _gauge(
        "channel_lag_seconds",
        "Of the newest post: from its publication to Discord's confirmation.",
        CHANNEL,
        [(_channel(one), one.traffic.lag) for one in known.workers if one.traffic.lag is not None],
    )
    yield _delivery_seconds(known.deliveries)
    yield _gauge(
        "gap_posts",
        "Numbers of posts that could not be read so far.",
        CHANNEL,
        [(_channel(one), _gap_posts(one)) for one in known.workers if one.gaps],
    )


def _of_discord(known: Known) -> Iterator[Metric]:
    yield _summed(
        known, "discord_requests", "Requests to webhooks by status (none: no answer) and scope of the limit."
    )
    yield _summed(
        known,
        "discord_wait_seconds",
        "Time that messages waited for limits, of all workers together.",
        [(lane,) for lane in LANES],
    )
    invalid = [] if known.invalid_requests is None else [((), known.invalid_requests)]
    yield _gauge(
        "discord_invalid_requests",
        "Answers 401, 403, 404 and 429 in the last ten minutes; Discord bans an address at 10,000.",
        (),
        invalid,
    )
    yield _summed(known, "upload_bytes", "Bytes of requests with files sent to Discord.", [()])


def _of_telegram(known: Known) -> Iterator[Metric]:
    yield _gauge(
        "channel_last_poll_timestamp_seconds",
        "When the channel's newest page was last asked for.",
        CHANNEL,
        _moments(known.workers, [one.last_poll_at for one in known.workers]),
    )
    yield _summed(known, "telegram_requests", "Requests to Telegram by outcome.", [("ok",)])
    needed = sum(1 / one.cooldown for one in known.workers if one.state in POLLING and one.cooldown > 0)
    yield _gauge(
        "telegram_pace_ratio",
        "Polls that the channels need over those that TELEGRAM_REQUESTS_PER_SECOND allows.",
        (),
        [((), needed / known.telegram_rate)],
    )
    if known.egress:
        yield _gauge(
            "telegram_egress_well",
            "Addresses of TELEGRAM_EGRESS: 1 well, 0 resting.",
            ("address",),
            [((address,), int(well)) for address, well in known.egress],
        )
    yield _summed(
        known,
        "parser_unknown_blocks",
        "Parts of pages that no reader understood, saved for a bug report.",
        [()],
    )


def _summed(known: Known, name: str, text: str, always: Iterable[tuple[str, ...]] = ()) -> Metric:
    """A counter without a job; `always`: label values that are shown from the start, as 0."""
    sums = dict.fromkeys(always, 0.0)
    sums |= {key[1:]: number for key, number in known.sums.items() if key[0] == name}
    return _counter(name, text, LABELS[name], sums.items())


def _delivery_seconds(deliveries: Deliveries) -> Metric:
    buckets, number = [], 0
    for end, more in zip((*map(str, DELAYS), "+Inf"), deliveries.numbers, strict=True):
        number += more
        buckets.append((end, float(number)))
    text = "From a post's publication in Telegram to Discord's confirmation."
    return HistogramMetricFamily(
        "disgram_delivery_seconds", text, buckets=buckets, sum_value=deliveries.seconds
    )


def _gauge(name: str, text: str, labels: Sequence[str], rows: Iterable[_Row]) -> Metric:
    family = GaugeMetricFamily(f"disgram_{name}", text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _counter(name: str, text: str, labels: Sequence[str], rows: Iterable[_Row]) -> Metric:
    family = CounterMetricFamily(f"disgram_{name}", text, labels=labels)
    for values, number in rows:
        family.add_metric(values, number)
    return family


def _channel(worker: WorkerStatus) -> tuple[str, str]:
    return worker.job, worker.channel


def _moments(workers: Sequence[WorkerStatus], moments: Sequence[datetime | None]) -> list[_Row]:
    """In seconds since 1970."""
    both = zip(workers, moments, strict=True)
    return [(_channel(worker), round(at.timestamp(), 3)) for worker, at in both if at is not None]


def _last_forwarded(worker: WorkerStatus, known: Known) -> datetime | None:
    return worker.traffic.last_forwarded_at or known.forwarded.get((worker.job, worker.channel.lower()))


def _gap_posts(worker: WorkerStatus) -> int:
    return sum(last - first + 1 for first, last in worker.gaps)
