"""What three hosts cost with a thousand channels: memory, CPU, connections, transactions, and delays."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import NamedTuple

from bench.figures import Figure
from bench.processes import children, cpu_seconds, pss
from bench.several_hosts import writer
from bench.several_hosts.cluster import Cluster, clustered
from disgram.postgres.fence import worker_lease
from disgram.storage.remote.wire import SOCKET
from standins.stage import Service

HOSTS = ("north", "south", "west")
_PACE = 5
"""Requests a second of each host to Telegram."""

_CONNECTIONS = (
    "SELECT count(*) FROM pg_stat_activity WHERE backend_type = 'client backend' AND pid <> pg_backend_pid()"
)
_TRANSACTIONS = "SELECT xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()"
_OWN_LEASE = "INSERT INTO lease (name, holder) VALUES (%s, 'bench') RETURNING epoch"
_TICK = 0.1


class Processes(NamedTuple):
    """Their ids."""

    services: list[int]
    workers: list[int]
    postgres: list[int]

    @classmethod
    def of(cls, cluster: Cluster) -> Processes:
        below = [pid for host in cluster.hosts for pid in _descendants(host)]
        database = cluster.database.pid
        return cls([host.pid for host in cluster.hosts], below, [database, *children(database)])


def _descendants(host: Service) -> list[int]:
    """The process that forks, and the workers."""
    return [pid for parent in children(host.pid) for pid in (parent, *children(parent))]


class Watched(NamedTuple):
    """What a while has shown. `writes`: seconds of each, ascending; `transactions`: a second, without those
    of the benchmark itself; `cpu`: share of a core of services, workers and PostgreSQL."""

    seconds: float
    connections: int
    transactions: float
    writes: list[float]
    cpu: tuple[float, ...]


def three(channels: int, seconds: float, cooldown: float, posts_per_second: float) -> Iterator[Figure]:
    """Posts come in the first three fifths of the `seconds`, which begin when all channels were polled."""
    paced = {"COOLDOWN": f"{cooldown:g}", "TELEGRAM_REQUESTS_PER_SECOND": f"{_PACE}"}
    with clustered() as cluster:
        for name in HOSTS:
            cluster.start(name, **paced)
        began = time.monotonic()
        cluster.add_jobs(channels)
        cluster.await_polls(180 + 2 * channels / _PACE / len(HOSTS))
        what = f"{len(HOSTS)} hosts, {channels:,} channels, COOLDOWN={cooldown:g}"
        yield Figure(f"{what}: until all were added and polled", f"{time.monotonic() - began:.0f} s")
        polled = _polls(cluster)
        watched = _watch(cluster, seconds, posts_per_second)
        yield from _cost(cluster, watched)
        share = (_polls(cluster) - polled) / channels
        yield Figure("… polls per channel", f"{share:.2f}", f"{watched.seconds / cooldown:.2f}")
        cluster.await_posts(1.2 * cooldown + 60)
        yield from _delivered(cluster)


def _polls(cluster: Cluster) -> int:
    return sum(map(len, cluster.polls().values()))


def _watch(cluster: Cluster, seconds: float, posts_per_second: float) -> Watched:
    epoch = cluster.database.ask(_OWN_LEASE, worker_lease(*writer.NAME))
    before, began = _cpu(cluster), time.monotonic()
    transactions = cluster.database.ask(_TRANSACTIONS)
    with writer.writing(cluster.hosts[0].data / SOCKET, epoch) as writes:
        asked = _publish(cluster, seconds, posts_per_second)
        passed = time.monotonic() - began
        cpu = tuple((after - at) / passed for at, after in zip(before, _cpu(cluster), strict=True))
    spent = cluster.database.ask(_TRANSACTIONS) - transactions - len(asked) - len(writes)
    return Watched(passed, max(asked), spent / passed, writes, cpu)


def _publish(cluster: Cluster, seconds: float, posts_per_second: float) -> list[int]:
    """The number of connections, asked every ten seconds."""
    began = due = time.monotonic()
    connections = [cluster.database.ask(_CONNECTIONS)]
    while (now := time.monotonic()) < began + seconds:
        while due < min(now, began + seconds * 0.6):
            cluster.publish()
            due += 1 / posts_per_second
        if now > began + 10 * len(connections):
            connections.append(cluster.database.ask(_CONNECTIONS))
        time.sleep(_TICK)
    return connections


def _cpu(cluster: Cluster) -> tuple[float, ...]:
    return tuple(sum(map(cpu_seconds, pids)) for pids in Processes.of(cluster))


def _cost(cluster: Cluster, watched: Watched) -> Iterator[Figure]:
    yield Figure("… channels of each host", ", ".join(map(str, cluster.spread())))
    services, workers, database = (sum(map(pss, pids)) for pids in Processes.of(cluster))
    yield Figure("… memory of the services, PSS", f"{services:.0f} MB")
    yield Figure("… of fork servers and workers", f"{workers / 1024:.2f} GB")
    yield Figure("… of PostgreSQL", f"{database:.0f} MB")
    for name, share in zip(("services", "fork servers and workers", "PostgreSQL"), watched.cpu, strict=True):
        yield Figure(f"… CPU of {name}, over {watched.seconds:.0f} s", f"{share:.1%} of a core")
    yield Figure("… connections to PostgreSQL, most at once", str(watched.connections))
    yield Figure("… transactions a second", f"{watched.transactions:.1f}")
    yield Figure(f"… write of a message, median and p99 of {len(watched.writes)}", _spread(watched.writes))


def _delivered(cluster: Cluster) -> Iterator[Figure]:
    delays = cluster.delays()
    yield Figure(f"… from the page to the message, median and p99 of {len(delays)}", _spread(delays))
    yield Figure("… what became of the posts", str(cluster.outcome()))
    refused = ", ".join(f"{reason} x {count}" for reason, count in cluster.refused().items())
    yield Figure("… 429s; what else Discord refused", f"{cluster.limited()}; {refused or 'nothing'}")


def _spread(ordered: list[float]) -> str:
    """Median, 99th percentile and the longest."""
    middle, late = (ordered[int(len(ordered) * share)] for share in (0.5, 0.99))
    return f"{middle * 1e3:.1f} ms, {late * 1e3:.1f} ms (longest: {ordered[-1] * 1e3:.0f})"
