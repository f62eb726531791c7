"""What polls and posts cost in CPU, beyond the HTTP request that nobody can save."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import requests

from bench.figures import Figure
from bench.processes import cpu_seconds
from bench.stage import Service, StandIn, eventually, staged

_WORKERS = 4
_KNOWN = 20
"""Posts of each page that were delivered before: a quiet poll compares them with the ledger."""
_ROWS = """WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ?)
    INSERT INTO post (job, channel, post_id, last_id, state, fingerprint, shape, at)
    SELECT 'job ' || (i / 4 % 2), 'channel_' || printf('%04d', i % 4), -i, -i, 'sent',
    '0123456789abcdef0123456789abcdef', '{"fallback": "files", "media": [], "fetched": {}}', 0 FROM n"""


def costs(polls: int, *, rows: int = 0) -> Iterator[Figure]:
    """Milliseconds; `rows`: how many posts the ledger already holds."""
    aged = f", ledger of {rows:,} posts" if rows else ""
    with staged(COOLDOWN="0.02", INITIAL_POSTS=str(_KNOWN)) as (stand_in, service):
        if rows:
            _age(service, stand_in, rows)
        service.write_jobs(_WORKERS)
        service.start()
        stand_in.await_messages(_KNOWN * _WORKERS, 60)
        request = _bare_request(stand_in, polls)
        asked = stand_in.counts()["pages"]
        eventually(lambda: stand_in.counts()["pages"] >= asked + 40 * _WORKERS, 120)
        poll = _per_poll(service, stand_in, polls)
        if not rows:
            yield Figure(
                "HTTP request of a page alone (requests, kept alive), CPU", f"{request * 1e3:.2f} ms"
            )
        extra = poll - request
        name = f"quiet poll beyond its HTTP request, CPU{aged}"
        yield Figure(name, f"{extra * 1e3:.2f} ms ({poll / request:.1f} x the request)", "3 ms")
        posts = _per_post(service, stand_in, poll, 40)
        yield Figure(f"new post without media, page to request, CPU{aged}", f"{posts * 1e3:.1f} ms", "25 ms")


def _bare_request(stand_in: StandIn, count: int) -> float:
    with requests.Session() as session:
        for _ in range(20):
            session.get(f"{stand_in.url}/s/channel", timeout=10)
        before = time.process_time()
        for _ in range(count):
            session.get(f"{stand_in.url}/s/channel", timeout=10)
        return (time.process_time() - before) / count


def _spent(service: Service) -> float:
    return sum(map(cpu_seconds, service.workers()))


def _per_poll(service: Service, stand_in: StandIn, polls: int) -> float:
    pages, spent = stand_in.counts()["pages"], _spent(service)
    eventually(lambda: stand_in.counts()["pages"] >= pages + polls, 120, every=0.2)
    return (_spent(service) - spent) / (stand_in.counts()["pages"] - pages)


def _per_post(service: Service, stand_in: StandIn, poll: float, count: int) -> float:
    before, spent = stand_in.counts(), _spent(service)
    for done in range(10, count + 1, 10):
        stand_in.publish(10, "text")
        stand_in.await_messages(before["messages"] + done * _WORKERS, 120)
    after, worked = stand_in.counts(), _spent(service) - spent
    polls = after["pages"] - before["pages"]
    return (worked - polls * poll) / (after["messages"] - before["messages"])


def _age(service: Service, stand_in: StandIn, rows: int) -> None:
    """Years of posts, half of them of the very channels that are polled, below the numbers on their pages."""
    service.write_jobs(_WORKERS)
    service.start()
    stand_in.await_messages(_KNOWN * _WORKERS, 60)
    service.stop()
    with sqlite3.connect(Path(service.folder) / "disgram.db") as ledger:
        ledger.execute(_ROWS, (rows,))
    ledger.close()
