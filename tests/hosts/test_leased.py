"""Which workers a host runs: those it has leases for, once it has read the jobs after it got them."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.addresses import ChannelRef, Destination
from disgram.hosts.shared.leased import LeasedSpecs
from disgram.hosts.units import Key
from disgram.workers.spec import Lease, WorkerSettings, WorkerSpec


class Jobs:
    """When they were read, by a clock that the test sets."""

    def __init__(self) -> None:
        self.now, self.read_at, self.asked = 10.0, 0.0, 0

    def ask(self) -> None:
        self.asked += 1

    def read(self) -> None:
        self.now += 1
        self.read_at = self.now


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def leased(jobs: Jobs) -> LeasedSpecs:
    return LeasedSpecs(lambda: jobs.read_at, jobs.ask, lambda: jobs.now)


def spec(channel: str, color: int | None = None) -> WorkerSpec:
    where = Destination.parse("https://discord.com/api/webhooks/123/aToken")
    return WorkerSpec("news", ChannelRef(channel), where, color, WorkerSettings(Path("/nowhere")))


def specs(*channels: str) -> dict[Key, WorkerSpec]:
    return {one.key: one for one in map(spec, channels)}


def test_only_workers_with_a_lease_run_here_and_carry_its_epoch(leased: LeasedSpecs, jobs: Jobs) -> None:
    epochs = {("news", "alpha"): 7}
    for _ in range(2):
        found = leased.of(specs("alpha", "bravo"), lambda key, unit: epochs.get(key))
        jobs.read()
    assert {key: one.lease for key, one in found.items()} == {("news", "alpha"): Lease(7)}
    assert {*leased.keys()} == {("news", "alpha"), ("news", "bravo")}


def test_no_worker_starts_under_a_lease_before_the_jobs_were_read_after_it(
    leased: LeasedSpecs, jobs: Jobs
) -> None:
    """The job may have been deleted while this host slept."""
    jobs.read()
    jobs.now += 1
    assert leased.of(specs("alpha"), lambda *_: 7) == {}
    assert leased.of(specs("alpha"), lambda *_: 7) == {}
    assert jobs.asked == 2
    jobs.read()
    assert leased.of(specs("alpha"), lambda *_: 7).keys() == {("news", "alpha")}
    assert leased.of(specs("alpha"), lambda *_: 8) == {}
    jobs.read()
    assert leased.of({}, lambda *_: 8) == {}
    assert jobs.asked == 3


def test_changed_job_does_not_stop_its_worker_until_the_jobs_are_read_again(
    leased: LeasedSpecs, jobs: Jobs
) -> None:
    leased.of(specs("alpha"), lambda *_: 7)
    jobs.read()
    changed = {("news", "alpha"): spec("alpha", 255)}
    (found,) = leased.of(changed, lambda *_: 7).values()
    assert (found.embed_color, found.lease) == (255, Lease(7))


def test_worker_is_asked_for_with_the_destination_its_job_has_now(leased: LeasedSpecs, jobs: Jobs) -> None:
    asked: list[tuple[Key, str]] = []
    leased.of(specs("alpha"), lambda key, unit: asked.append((key, unit)))
    assert asked == [(("news", "alpha"), "destination:123")]


def test_what_did_not_change_is_not_made_anew(leased: LeasedSpecs, jobs: Jobs) -> None:
    leased.of(specs("alpha"), lambda *_: 7)
    jobs.read()
    (first,), (second,) = (leased.of(specs("alpha"), lambda *_: 7).values() for _ in range(2))
    assert first is second
