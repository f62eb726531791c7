"""What is divided among hosts: destinations, with the channels that write there."""

from __future__ import annotations

from pathlib import Path

from disgram.addresses import ChannelRef, Destination
from disgram.hosts.units import Unit, channels_of, destination, units_of, worker
from disgram.workers.spec import WorkerSettings, WorkerSpec

FOLDER = Path("/data")


def spec(
    job: str, channel: str, webhook: str, *, thread: str | None = None, cooldown: float = 300
) -> WorkerSpec:
    target = Destination("https://discord.com", webhook, "token", thread)
    return WorkerSpec(job, ChannelRef.parse(channel), target, None, WorkerSettings(FOLDER, cooldown))


def test_channels_of_one_webhook_belong_together_whatever_their_job_or_thread() -> None:
    units = units_of([spec("a", "one", "1"), spec("b", "two", "1", thread="7"), spec("b", "three", "2")])
    assert {name: unit.keys for name, unit in units.items()} == {
        "destination:1": {("a", "one"), ("b", "two")},
        "destination:2": {("b", "three")},
    }


def test_weight_is_the_requests_a_second_that_the_channels_need() -> None:
    units = units_of([spec("a", "one", "1", cooldown=10), spec("a", "two", "1", cooldown=40)])
    assert units[destination("1")].weight == 0.1 + 0.025


def test_channel_that_is_seldom_polled_weighs_as_much_as_one_of_five_minutes() -> None:
    units = units_of([spec("a", "one", "1", cooldown=86400), spec("b", "one", "2", cooldown=300)])
    assert units[destination("1")].weight == units[destination("2")].weight > 0


def test_one_private_channel_makes_its_whole_destination_private() -> None:
    units = units_of([spec("a", "one", "1"), spec("a", "t.me/c/55", "1"), spec("a", "two", "2")])
    assert units[destination("1")].private and not units[destination("2")].private


def test_two_spellings_of_a_channel_have_one_lease() -> None:
    assert {worker(spec("a", name, "1").key) for name in ("News", "@news", "https://t.me/NEWS/5")} == {
        "worker:a/news"
    }


def test_a_unit_that_is_gone_has_no_channels() -> None:
    units = {"destination:1": Unit("destination:1", 1.0, frozenset({("a", "one"), ("a", "two")}))}
    assert channels_of(units, ["destination:1", "destination:9", "alerts"]) == 2
