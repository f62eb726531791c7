"""The simulation of hosts: its tables must behave as the database does where it counts."""

from __future__ import annotations

from bench.hosts import Cluster, Rows, simulated
from disgram.hosts.units import worker


def test_every_channel_runs_on_one_host_through_death_and_joining() -> None:
    cluster = Cluster(3, 60)
    assert cluster.run_until(cluster.all_run, 60) < 60
    cluster.hosts.pop()
    assert 30 < cluster.run_until(cluster.all_run, 120) < 80
    new = cluster.join("new")
    assert cluster.run_until(lambda: new.channels >= 15, 300) < 300
    cluster.run_until(lambda: False, 60)
    keys = [key for host in cluster.hosts for key in host.keeper.holdings.grants.epochs]
    assert len(keys) == len({*keys}) == 60


def test_lease_of_a_valid_host_is_claimed_by_nobody_else() -> None:
    cluster = Cluster(1, 5)
    cluster.run_until(cluster.all_run, 10)
    (holder,), tables = cluster.hosts, cluster.tables
    with tables.transaction():
        other = Rows(tables, "other/1")  # type: ignore[arg-type]
        other.register("other", 60, 1, False, again=True)
        assert other.claim(dict.fromkeys(holder.keeper.holdings.held, 0)) == {}
        assert other.claim_workers([*holder.keeper.holdings.grants.epochs]) == {}
        assert worker(next(iter(holder.keeper.holdings.grants.epochs))) in tables.workers[holder.keeper.me]


def test_figures_tell_of_each_size_how_long_everything_takes() -> None:
    figures = [*simulated((2, 30))]
    assert figures[0].name.startswith("2 hosts, 30 channels") and len(figures) == 8
    assert all(figure.value for figure in figures)
