"""An installation moves into a database and back: what was sent is not sent again."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("psycopg")

from standins.outcome import outcome
from standins.stage import ROOT, Service, eventually
from standins.telegram.server import Channel
from tests.integration.hosts.cluster import Cluster, fill

NAMES = ("alpha", "bravo")


def import_sqlite(service: Service, *options: str) -> str:
    done = subprocess.run(
        [sys.executable, "cli.py", "import-sqlite", *options],
        cwd=ROOT,
        env=os.environ | service.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def grow(channels: dict[str, Channel]) -> None:
    for channel in channels.values():
        fill(channel, 3)


def test_installation_moves_into_the_database_and_back_without_a_repeat(cluster: Cluster) -> None:
    channels = {name: cluster.channel(name, 3) for name in NAMES}
    service = cluster.host("north")
    url = service.environment.pop("DATABASE_URL")
    service.start()
    for name in NAMES:
        service.add_job(f"job {name}", f"{name}/1", cluster.room(name))
    eventually(lambda: len(cluster.all_links()) == 6, of=cluster.logs)
    assert "hosts" not in service.health()
    assert service.stop() == 0

    service.environment["DATABASE_URL"] = url
    service.start()
    assert service.call("GET", "/jobs").json() == {}
    assert "`disgram import-sqlite` takes jobs and progress over" in cluster.log(service)
    assert service.stop() == 0
    grow(channels)
    import_sqlite(service)

    service.start()
    eventually(lambda: len(cluster.all_links()) == 12, of=cluster.logs)
    (south,) = cluster.start("south")
    assert list(south.call("GET", "/jobs").json()) == [f"job {name}" for name in NAMES]
    grow(channels)
    eventually(lambda: len(cluster.all_links()) == 18, of=cluster.logs)
    eventually(lambda: all(one.health()["status"] == "healthy" for one in (service, south)))
    assert south.stop() == service.stop() == 0

    for path in service.data.glob("disgram.db*"):
        path.unlink()
    (service.data / "jobs.json").unlink(missing_ok=True)
    import_sqlite(service, "--back")
    del service.environment["DATABASE_URL"]
    grow(channels)
    service.start()
    eventually(lambda: len(cluster.all_links()) == 24, of=cluster.logs)
    expected = {name: channel.numbers for name, channel in channels.items()}
    result = outcome(cluster.all_links(), expected, cluster.logs())
    assert (result.lost, result.repeated, result.disordered) == (0, 0, 0), str(result)
