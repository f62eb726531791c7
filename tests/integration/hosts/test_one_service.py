"""Several hosts as one service: whichever is asked answers for all, and all act on what one was told."""

from __future__ import annotations

import signal
import time
from collections import Counter
from functools import partial
from typing import Any

import pytest

pytest.importorskip("psycopg")

from standins.discord.errors import Refusal
from standins.discord.faults import refuse
from standins.outcome import outcome
from standins.stage import Service, ServiceDied, eventually
from tests.integration.hosts.cluster import Cluster, fill

NAMES = ("alpha", "bravo", "charlie", "delta", "echo", "foxtrot")


def fields(service: Service, name: str) -> dict[str, Any]:
    jobs: dict[str, dict[str, Any]] = service.call("GET", "/jobs").json()
    return jobs.get(name, {})


def runs(cluster: Cluster, service: Service, *jobs: str) -> bool:
    return all(cluster.running(service, job) for job in jobs)


def healthy(service: Service) -> bool:
    return bool(service.health()["status"] == "healthy")


def unknown(service: Service, job: str) -> bool:
    return not fields(service, job)


def tells_of_a_refused_post(service: Service) -> bool:
    return bool(service.health()["delivery"]["failed"] == 1)


def within(seconds: float, began: float) -> bool:
    return time.monotonic() - began < seconds


def test_any_host_answers_for_all_jobs_and_says_where_they_run(cluster: Cluster) -> None:
    for name in NAMES[:4]:
        cluster.channel(name, 2)
    north, south = cluster.start("north", "south")
    for name, service in zip(NAMES[:4], (north, north, south, south), strict=True):
        service.add_job(f"job {name}", f"{name}/1", cluster.room(name))
    for service in (north, south):
        eventually(partial(runs, cluster, service, *(f"job {name}" for name in NAMES[:4])), of=cluster.logs)
    eventually(lambda: len(cluster.all_links()) == 8, of=cluster.logs)
    where = [{name: cluster.running(one, f"job {name}") for name in NAMES[:4]} for one in (north, south)]
    assert where[0] == where[1]
    eventually(lambda: spread(cluster, north) == {"north": 2, "south": 2}, of=cluster.logs)
    for service in (north, south):
        eventually(partial(healthy, service), of=lambda: f"{north.health()}")
        health = service.health()
        assert health["processes"] == {"total": 4, "running": 4}
        assert [(one["name"], one["alive"], one["channels"]) for one in health["hosts"]] == [
            ("north", True, 2),
            ("south", True, 2),
        ]
        assert counted_as_running(service) == 2


def counted_as_running(service: Service) -> float:
    """What Prometheus would see of this host."""
    return next(
        float(line.rpartition(" ")[2])
        for line in service.call("GET", "/metrics").text.splitlines()
        if line.startswith('disgram_workers{state="running"}')
    )


def spread(cluster: Cluster, service: Service) -> Counter[str]:
    jobs = service.call("GET", "/jobs").json()
    return Counter(host for job in jobs for host in cluster.running(service, job).values())


def test_a_change_on_one_host_is_acted_on_by_all_at_once(cluster: Cluster) -> None:
    """Long before their MONITOR_INTERVAL of 20 s."""
    cluster.channel("alpha", 1)
    cluster.channel("bravo", 1)
    north, south = cluster.start("north", "south")
    north.add_job("job", "alpha/1", cluster.room("alpha"))
    eventually(lambda: cluster.running(south, "job"), of=cluster.logs)
    (holder,) = cluster.running(south, "job").values()
    other = south if holder == "north" else north
    began = time.monotonic()
    assert other.call("PATCH", "/job", JOB_NAME="job", TELEGRAM_CHANNELS="alpha,bravo/1").status_code == 200
    eventually(lambda: cluster.running(other, "job").keys() == {"alpha", "bravo"}, of=cluster.logs)
    eventually(lambda: len(cluster.links("alpha")) == 2, of=cluster.logs)
    assert within(10, began)
    began = time.monotonic()
    assert other.call("POST", "/job/pause", JOB_NAME="job").status_code == 200
    assert within(10, began)
    for service in (north, south):
        assert fields(service, "job")["paused"]
    titles = [Service.title(one) for service in (north, south) for one in service.processes()]
    assert not [title for title in titles if title.startswith("webhook.py")]


def test_deleted_job_is_gone_on_all_hosts_with_its_progress(cluster: Cluster) -> None:
    cluster.channel("alpha", 3)
    north, south = cluster.start("north", "south")
    north.add_job("job", "alpha/1", cluster.room("alpha"))
    eventually(lambda: len(cluster.links("alpha")) == 3, of=cluster.logs)
    (holder,) = eventually(lambda: cluster.running(south, "job"), of=cluster.logs).values()
    other = south if holder == "north" else north
    assert other.call("DELETE", "/job", JOB_NAME="job").status_code == 200
    titles = [Service.title(one) for service in (north, south) for one in service.processes()]
    assert not [title for title in titles if title.startswith("webhook.py")]
    for service in (north, south):
        eventually(partial(unknown, service, "job"))
        assert service.call("DELETE", "/job", JOB_NAME="job").status_code == 404
    north.add_job("job", "alpha/1", cluster.webhooks["alpha"].url)  # begins anew: its progress was deleted
    eventually(lambda: len(cluster.links("alpha")) == 6, of=cluster.logs)


def test_job_moved_to_a_webhook_of_another_host_is_handed_over_in_order(cluster: Cluster) -> None:
    channels = {name: cluster.channel(name, 5) for name in NAMES[:2]}
    north, _ = cluster.start("north", "south")
    for name in NAMES[:2]:
        north.add_job(f"job {name}", f"{name}/1", cluster.room(name))
    eventually(lambda: set(spread(cluster, north)) == {"north", "south"}, of=cluster.logs)
    eventually(lambda: len(cluster.all_links()) == 10, of=cluster.logs)
    numbers = channels["alpha"].numbers + fill(channels["alpha"], 12)
    eventually(lambda: len(cluster.links("alpha")) > 6, of=cluster.logs)
    url = cluster.webhooks["bravo"].url
    assert north.call("PATCH", "/job", JOB_NAME="job alpha", DISCORD_WEBHOOK_URL=url).status_code == 200
    eventually(lambda: len(cluster.all_links()) == 22, of=cluster.logs)
    links = [*cluster.links("alpha"), *(link for link in cluster.links("bravo") if "/alpha/" in link)]
    result = outcome(links, {"alpha": numbers}, cluster.logs())
    assert (result.lost, result.repeated, result.disordered) == (0, 0, 0), str(result)
    assert len(cluster.links("bravo")) > 5
    assert cluster.discord.limited == []


def test_one_webhooks_jobs_on_all_hosts_meet_no_429(cluster: Cluster) -> None:
    expected = {name: cluster.channel(name, 8).numbers for name in NAMES[:6]}
    hosts = cluster.start("north", "south", "west")
    url = cluster.room("room")
    for number, name in enumerate(expected):
        hosts[number % 3].add_job(f"job {name}", f"{name}/1", url)
    eventually(lambda: len(cluster.links("room")) == 48, 60, of=cluster.logs)
    result = outcome(cluster.links("room"), expected, cluster.logs())
    assert (result.lost, result.repeated, result.disordered) == (0, 0, 0), str(result)
    assert cluster.discord.limited == []
    assert len(spread(cluster, hosts[0])) == 1


def test_failed_posts_are_retried_wherever_they_are_asked_for(cluster: Cluster) -> None:
    cluster.channel("alpha", 1)
    north, south = cluster.start("north", "south")
    cluster.discord.fail(refuse(Refusal(400, 50035, "no")), times=20)
    north.add_job("job", "alpha/1", cluster.room("alpha"))
    for service in (north, south):
        eventually(partial(tells_of_a_refused_post, service), 30, of=cluster.logs)
    cluster.discord.faults.clear()
    (holder,) = cluster.running(south, "job").values()
    other = south if holder == "north" else north
    assert other.call("POST", "/job/retry", JOB_NAME="job").json()["retried"] == 1
    eventually(lambda: len(cluster.links("alpha")) == 1, of=cluster.logs)


def test_two_services_of_one_name_are_refused_by_name(cluster: Cluster) -> None:
    (north,) = cluster.start("north")
    second = cluster.host("copy", HOST_NAME="north")
    with pytest.raises(ServiceDied, match=r"(?s)exit code 2\..*the name north"):
        second.start()
    assert north.health()["hosts"][0]["alive"]


def test_host_that_is_killed_and_started_again_goes_on(cluster: Cluster) -> None:
    channel = cluster.channel("alpha", 2)
    (north,) = cluster.start("north")
    north.add_job("job", "alpha/1", cluster.room("alpha"))
    eventually(lambda: len(cluster.links("alpha")) == 2, of=cluster.logs)
    north.stop(signal.SIGKILL)
    fill(channel, 2)
    north.start()
    eventually(lambda: len(set(cluster.links("alpha"))) == 4, of=cluster.logs)


def test_host_that_is_stopped_hands_over_at_once(cluster: Cluster) -> None:
    channel = cluster.channel("alpha", 2)
    north, south = cluster.start("north", "south")
    north.add_job("job", "alpha/1", cluster.room("alpha"))
    eventually(lambda: len(cluster.links("alpha")) == 2, of=cluster.logs)
    (holder,) = eventually(lambda: cluster.running(south, "job"), of=cluster.logs).values()
    leaving, staying = (north, south) if holder == "north" else (south, north)
    assert leaving.stop() == 0
    fill(channel, 2)
    eventually(lambda: len(cluster.links("alpha")) == 4, of=cluster.logs)
    assert cluster.alive(staying) == {"north", "south"} - {holder}
