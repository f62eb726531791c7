"""A worker's requests over several addresses, on a simulated clock, with clients that fail as told."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from disgram.errors import HttpError
from disgram.http.client import HttpClient, HttpResponse
from disgram.http.one_way import Fault, WayFailed
from disgram.report import Level
from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress.rests import FIRST_REST, TRIAL, ranked
from disgram.telegram.egress.several import SeveralAddresses
from disgram.telegram.egress.states import AddressState, SeenAddresses
from tests.builders.discord_clock import Clock

NAMES = ["192.0.2.1", "192.0.2.2", "192.0.2.3"]
A, B, C = ranked("news", NAMES)
"""In the order in which the channel `news` uses them."""

LOST = HttpError("no answer within the time limit")
NOT_OURS = WayFailed(
    "the address cannot be used: Cannot assign requested address", Fault.CANNOT_BIND, certain=True
)


class _Answer:
    """As far as WatchedResponse looks at it."""

    status, is_redirect = 200, False

    def __init__(self) -> None:
        self.headers: dict[str, str] = {}

    def iter_content(self, seconds: float) -> Any:
        yield b"page"

    def close(self) -> None:
        pass


class Network:
    """Telegram behind several addresses. `broken`: what fails and how; each failure takes `lasts` seconds."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.broken: dict[str, HttpError] = {}
        self.lasts = 0.0
        self.meanwhile: Callable[[], object] = lambda: None
        """What happens while a request gets no answer."""
        self.asked: list[tuple[str, float]] = []
        self.open: list[str] = []

    def client(self, name: str) -> HttpClient:
        self.open.append(name)
        return cast("HttpClient", _Client(self, name))

    def names(self) -> list[str]:
        """Which addresses were used since the last call."""
        names, self.asked = [name for name, _ in self.asked], []
        return names


class _Client:
    def __init__(self, network: Network, name: str) -> None:
        self._network, self._name = network, name

    def request(self, method: str, url: str) -> HttpResponse:
        self._network.asked.append((self._name, self._network.clock.now))
        if error := self._network.broken.get(self._name):
            self._network.meanwhile()
            self._network.clock.now += self._network.lasts
            raise error
        return cast("HttpResponse", _Answer())

    def close(self) -> None:
        self._network.open.remove(self._name)


class Host:
    """Workers over one limits.db."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock()
        self.store = LimitStore(path, boot="test")
        self.network = Network(self.clock)
        self.lines: list[str] = []
        self.reasons: list[str | None] = []
        self.at_wait: Callable[[], None] = lambda: None

    def worker(self, channel: str = "news", names: Sequence[str] = NAMES) -> SeveralAddresses:
        connect = {name: partial(self.network.client, name) for name in names}
        return SeveralAddresses(
            self.store, channel, connect, 2.0, self.wait, patience=30.0, report=self.report, clock=self.clock
        )

    def wait(self, seconds: float) -> None:
        self.at_wait()
        self.clock.now += seconds

    def report(self, level: Level | None, text: str, **facts: Any) -> None:
        if level:
            self.lines.append(text)
        if "reason" in facts:
            self.reasons.append(facts["reason"])

    def resting(self) -> dict[str, str]:
        return {one.address: one.reason for one in self.states() if one.reason}

    def states(self, *channels: str) -> list[AddressState]:
        return SeenAddresses(self.store, NAMES, self.clock)(channels)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path / "limits.db")


def poll(worker: SeveralAddresses) -> None:
    with worker.get("https://t.me/s/news", paced=True):
        pass


def refused(worker: SeveralAddresses, seconds: float) -> float | None:
    with worker.get("https://t.me/s/news", paced=True):
        return worker.refused(seconds, media=False)


def other_channels(count: int) -> list[str]:
    return [f"channel{number}" for number in range(count)]


# --- all is well ----------------------------------------------------------------------------------------


def test_channel_keeps_its_address(host: Host) -> None:
    workers = [host.worker(), host.worker("News".lower())]
    for _ in range(3):
        for worker in workers:
            poll(worker)
    assert set(host.network.names()) == {A}
    assert not host.lines


def test_each_address_has_a_pace_of_its_own(host: Host) -> None:
    workers = [host.worker(channel) for channel in other_channels(60)]
    for worker in workers:
        before = host.clock.now
        poll(worker)
        host.clock.now = before  # they all ask at once
    by_address: dict[str, list[float]] = {}
    for name, at in host.network.asked:
        by_address.setdefault(name, []).append(at)
    assert set(by_address) == set(NAMES)
    for times in by_address.values():
        assert times == [times[0] + 0.5 * turn for turn in range(len(times))]


def test_one_client_is_open_at_a_time(host: Host) -> None:
    worker = host.worker()
    poll(worker)
    host.network.broken[A] = NOT_OURS
    poll(worker)
    assert host.network.open == [B]
    worker.close()
    assert host.network.open == []


# --- refused --------------------------------------------------------------------------------------------


def test_address_that_telegram_refuses_rests_alone_and_its_channels_move(host: Host) -> None:
    worker = host.worker()
    assert refused(worker, 60.0) is None
    assert host.resting() == {A: "refused"}
    assert host.lines == [f"Telegram asked {A} to stay away for 60 s: its channels use other addresses"]
    poll(worker)
    assert host.network.names() == [A, B]
    host.clock.now += 60.0
    poll(worker)
    assert host.network.names() == [A]
    assert host.resting() == {}


def test_channel_that_waits_for_its_turn_moves_when_its_address_is_refused(host: Host) -> None:
    for _ in range(20):
        host.worker()._reserve([])
    host.at_wait = lambda: refuse_once()
    asked: list[None] = []

    def refuse_once() -> None:
        if not asked:
            asked.append(None)
            other = host.worker()
            other.refused(600.0, media=False)

    poll(host.worker())
    assert host.network.names() == [B]


def test_every_address_refused_is_waited_for_and_shown(host: Host) -> None:
    worker = host.worker()
    assert [refused(worker, seconds) for seconds in (900.0, 600.0, 1200.0)] == [None, None, 1200.0]
    began = host.clock.now
    poll(worker)
    assert host.network.names()[3:] == [B]
    assert host.clock.now == pytest.approx(began + 600.0)
    assert host.reasons == ["telegram_unavailable", None]


def test_refusal_of_a_media_host_holds_up_neither_pages_nor_other_addresses(host: Host) -> None:
    worker = host.worker()
    with worker.get("https://telesco.pe/file", paced=False):
        assert worker.refused(60.0, media=True) is None
    with worker.get("https://telesco.pe/file", paced=False):
        assert not worker.media_rests()
    poll(worker)
    assert host.network.names() == [A, B, A]
    assert host.resting() == {}
    for name in (B, C):
        with worker.get("https://telesco.pe/file", paced=False):
            last = worker.refused(60.0, media=True)
        assert (last is None) == (name == B)
    assert worker.media_rests()
    host.clock.now += 61.0
    assert not worker.media_rests()


# --- faults ---------------------------------------------------------------------------------------------


def test_request_that_gets_no_answer_goes_through_another_address_at_once(host: Host) -> None:
    host.network.broken[A] = LOST
    poll(host.worker())
    assert host.network.names() == [A, B]


def test_address_that_cannot_be_bound_rests_at_once(host: Host) -> None:
    host.network.broken[A] = NOT_OURS
    poll(host.worker())
    assert host.resting() == {A: "cannot_bind"}
    assert host.lines == [
        f"{A} rests 30 s, its channels use other addresses: the address cannot be used: "
        "Cannot assign requested address"
    ]
    poll(host.worker())
    assert host.network.names() == [A, B, B]


def test_lost_answer_counts_the_second_time_in_a_row_whoever_asks(host: Host) -> None:
    host.network.broken[A] = LOST
    poll(host.worker())
    assert host.resting() == {}
    poll(host.worker())
    assert host.resting() == {A: "unreachable"}


def test_answer_between_two_lost_ones_makes_good_for_the_first(host: Host) -> None:
    for _ in range(3):
        host.network.broken[A] = LOST
        poll(host.worker())
        host.network.broken.clear()
        poll(host.worker())
    assert host.resting() == {}
    assert not host.lines


def test_outage_of_telegram_blames_no_address(host: Host) -> None:
    host.network.broken = dict.fromkeys(NAMES, LOST)
    worker = host.worker()
    for _ in range(5):
        with pytest.raises(HttpError, match=rf"^no answer within the time limit \(through {A}, "):
            poll(worker)
        host.clock.now += 70.0
    assert host.resting() == {}
    host.network.broken.clear()
    poll(worker)
    assert host.resting() == {}
    assert not host.lines


def test_end_of_an_outage_blames_no_address_for_requests_that_began_within_it(host: Host) -> None:
    """Many workers wait for an answer through one address when Telegram comes back, and then ask another."""
    host.network.broken, host.network.lasts = {A: LOST}, 5.0
    others = iter([host.worker(), host.worker(), host.worker()])
    host.network.meanwhile = lambda: next(map(poll, others), None)
    poll(host.worker())
    assert host.network.names() == [A, A, A, A, B, B, B, B]
    assert host.resting() == {}
    poll(host.worker())
    assert host.resting() == {A: "unreachable"}


def test_dead_network_blames_no_address_though_each_could_only_be_its_own_fault(host: Host) -> None:
    host.network.broken = dict.fromkeys(NAMES, NOT_OURS)
    for _ in range(3):
        with pytest.raises(HttpError):
            poll(host.worker())
    assert host.resting() == {}


def test_silent_addresses_are_given_up_in_time_and_the_next_request_begins_with_others(host: Host) -> None:
    host.network.broken, host.network.lasts = {A: LOST, B: LOST}, 20.0
    worker = host.worker()
    with pytest.raises(HttpError):
        poll(worker)
    assert host.network.names() == [A, B]
    poll(worker)
    assert host.network.names() == [C]


def test_one_request_tries_an_address_anew_and_brings_its_channels_back(host: Host) -> None:
    host.network.broken[A] = NOT_OURS
    poll(host.worker())
    host.clock.now += FIRST_REST
    workers = [host.worker() for _ in range(3)]
    host.network.names()
    for worker in workers:
        poll(worker)
    assert host.network.names() == [A, B, B, B]  # the trial failed
    assert "rests 60 s" in host.lines[-1]
    host.network.broken.clear()
    host.clock.now += 60.0
    poll(host.worker("another"))
    assert host.network.names() == [A]  # whoever asks first tries it
    assert host.lines[-1] == f"Telegram answers through {A} again"
    poll(host.worker())
    assert host.network.names() == [A]
    assert host.resting() == {}


def test_trial_during_an_outage_of_telegram_is_repeated_later(host: Host) -> None:
    host.network.broken[A] = NOT_OURS
    poll(host.worker())
    host.clock.now += FIRST_REST
    host.network.broken = dict.fromkeys(NAMES, LOST)
    with pytest.raises(HttpError):
        poll(host.worker())
    host.network.broken.clear()
    assert host.network.names()[2:3] == [A]
    poll(host.worker())
    assert host.network.names() == [B]
    host.clock.now += TRIAL
    poll(host.worker())
    assert host.network.names() == [A]
    assert host.resting() == {}


def test_body_that_breaks_off_is_a_lost_answer(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut_off(self: _Answer, seconds: float) -> Any:
        raise HttpError("the answer was cut off")

    worker = host.worker()
    monkeypatch.setattr(_Answer, "iter_content", cut_off)
    for _ in range(2):
        with (
            pytest.raises(HttpError, match="cut off"),
            host.worker().get("https://t.me/s/news", paced=True) as answer,
        ):
            list(answer.iter_content(5))
    with pytest.raises(HttpError), worker.get("https://t.me/s/news", paced=True) as answer:
        list(answer.iter_content(5))
    poll(worker)  # whose failure was of A, so that it asks B
    assert host.network.names() == [A, A, A, B]


def test_failure_of_a_minute_ago_says_nothing_any_more(host: Host) -> None:
    worker = host.worker()
    host.network.broken = dict.fromkeys(NAMES, NOT_OURS)
    with pytest.raises(HttpError):
        poll(worker)
    host.network.broken.clear()
    host.clock.now += 61.0
    poll(worker)
    assert host.network.names()[3:] == [A]
    assert host.resting() == {}


def test_one_address_alone_behaves_as_none_at_all(host: Host) -> None:
    worker = host.worker(names=[A])
    assert refused(worker, 60.0) == 60.0
    before = host.clock.now
    poll(worker)
    assert host.clock.now == before + 60.0
    host.network.broken[A] = NOT_OURS
    for _ in range(3):
        with pytest.raises(HttpError, match=rf"Cannot assign requested address \(through {A}\)"):
            poll(worker)
    assert host.resting() == {}
    assert not host.lines


# --- what the service sees ------------------------------------------------------------------------------


def test_states_count_the_channels_of_each_address(host: Host) -> None:
    channels = other_channels(300)
    assert sum(one.channels for one in host.states(*channels)) == 300
    assert all(one.reason is None and one.channels > 60 for one in host.states(*channels))
    host.worker("news").refused(60.0, media=False)
    by_address = {one.address: one for one in host.states(*channels)}
    assert [one.address for one in host.states()] == NAMES
    assert by_address[A].channels == 0
    assert by_address[A][1:4] == ("refused", 0.0, 60.0)
    assert by_address[B].channels + by_address[C].channels == 300


def test_rests_end_with_the_boot(host: Host, tmp_path: Path) -> None:
    host.worker().refused(3600.0, media=False)
    host.store.close()
    host.store = LimitStore(tmp_path / "limits.db", boot="another")
    assert host.resting() == {}
