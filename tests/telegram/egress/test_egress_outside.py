"""TELEGRAM_EGRESS from outside: which address t.me sees, what happens when one fails, what /health shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from disgram.storage.rate_limits import LimitStore
from disgram.telegram.egress.rests import ranked
from standins.forward_proxy import ForwardProxy
from standins.loopback import Fault, LoopbackServer
from standins.stage import Stage, eventually, staged
from standins.telegram.media_markup import photo
from standins.telegram.server import Channel
from standins.telegram.text_markup import post, words
from tests.metrics.scrapes import Scrape

HERE, THERE = "127.0.0.2", "127.0.0.3"
CHANNELS = [f"news_{number}" for number in range(6)]
PASSWORD = "s3cretlogin"


@contextmanager
def with_egress(folder: Path, *addresses: str) -> Iterator[Stage]:
    """A service with these addresses and a job of all CHANNELS, whose first posts have arrived."""
    egress = ",".join(addresses)
    with staged(folder, per_webhook=(50, 1.0), REQUEST_TIMEOUT="2", TELEGRAM_EGRESS=egress) as one:
        for name in CHANNELS:
            one.telegram.add_channel(name).add(post(words(f"the first of {name}")))
        one.start()
        one.add_job("job", ",".join(f"{name}/1" for name in CHANNELS))
        eventually(lambda: len(one.links()) == len(CHANNELS), 30, of=one.log)
        yield one


Proxies = tuple[ForwardProxy, ForwardProxy]


@pytest.fixture(scope="module")
def proxies() -> Iterator[Proxies]:
    """Two that share the channels: their ports, which the system chooses, decide who has which."""
    with ExitStack() as stack:
        one = other = stack.enter_context(ForwardProxy("127.0.0.11", login=f"me:{PASSWORD}"))
        while len({ranked(name, {one.url, other.url})[0] for name in CHANNELS}) < 2:
            other = stack.enter_context(ForwardProxy("127.0.0.12", login=f"me:{PASSWORD}"))
        yield one, other


@pytest.fixture(scope="module")
def behind_proxies(proxies: Proxies, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("behind_proxies")
    with with_egress(folder, *map(with_login, proxies)) as service:
        yield service


@pytest.fixture
def service(behind_proxies: Stage, proxies: Proxies) -> Stage:
    """Behind the proxies, both of which are well, and are used."""
    behind_proxies.telegram.faults.clear()
    for proxy in proxies:
        proxy.serve()
    end_rests(behind_proxies)
    eventually(lambda: {one["state"] for one in shown(behind_proxies).values()} == {"well"})
    seen = len(behind_proxies.telegram.requests)
    eventually(lambda: peers(behind_proxies.telegram, seen) == {"127.0.0.11", "127.0.0.12"}, 30)
    return behind_proxies


def with_login(proxy: ForwardProxy) -> str:
    return proxy.url.replace("//", f"//me:{PASSWORD}@")


def peers(server: LoopbackServer, since: int = 0) -> set[str]:
    return {request.peer for request in server.requests[since:]}


def peers_by_channel(stage: Stage, since: int = 0) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for request in stage.telegram.requests[since:]:
        if request.path.startswith("/s/"):
            found.setdefault(request.path.removeprefix("/s/"), set()).add(request.peer)
    return found


def shown(stage: Stage) -> dict[str, dict[str, Any]]:
    return {one["address"]: one for one in stage.health()["telegram_egress"]}


def state(stage: Stage, address: str) -> tuple[str, str | None]:
    one = shown(stage)[address]
    return one["state"], one["reason"]


def channel(stage: Stage, name: str) -> Channel:
    return stage.telegram.channel(name)


def publish_and_await(stage: Stage) -> None:
    """One more post in every channel, which must arrive."""
    count = len(stage.links())
    for name in CHANNELS:
        channel(stage, name).add(post(words("another")))
    eventually(lambda: len(stage.links()) == count + len(CHANNELS), 40, of=stage.log)


def end_rests(stage: Stage) -> None:
    """As if their time had come."""
    with closing(LimitStore(stage.data / "limits.db")) as store, store.transaction() as rows:
        for row in rows.rests().values():
            rows.put_rest(row._replace(until=row.since))


def test_channels_are_spread_over_local_addresses_and_each_keeps_its_own(tmp_path: Path) -> None:
    with with_egress(tmp_path, HERE, THERE) as service:
        publish_and_await(service)
        by_channel = peers_by_channel(service)
        assert set(by_channel) == set(CHANNELS)
        assert all(len(used) == 1 for used in by_channel.values())
        assert peers(service.telegram) == {HERE, THERE}
        assert peers(service.discord) == {"127.0.0.1"}
        counts = {name: one["channels"] for name, one in shown(service).items()}
        assert counts == {name: sum(used == {name} for used in by_channel.values()) for name in (HERE, THERE)}
        assert [one["state"] for one in shown(service).values()] == ["well", "well"]


def test_address_that_gets_a_429_rests_alone(tmp_path: Path) -> None:
    with with_egress(tmp_path, HERE, THERE) as service:
        service.telegram.fail(Fault.status(429, retry_after=600), peer=HERE, times=None)
        eventually(lambda: state(service, HERE) == ("resting", "refused"), of=service.log)
        eventually(lambda: shown(service)[THERE]["channels"] == len(CHANNELS))
        refused = [one for one in service.telegram.requests if one.status == 429]
        publish_and_await(service)
        assert len(refused) <= len(CHANNELS)  # those that were under way, and none after them
        assert [one for one in service.telegram.requests if one.status == 429] == refused
        health = service.health()
        assert {worker["reason"] for worker in service.workers("job").values()} == {None}
        assert [problem["reason"] for problem in health["problems"]] == ["egress_rests"]
        assert f"{HERE} (Telegram asks it to stay away)" in health["problems"][0]["message"]
        assert shown(service)[HERE]["until"] > health["timestamp"]
        end_rests(service)
        service.telegram.faults.clear()
        eventually(lambda: state(service, HERE) == ("well", None))
        seen = len(service.telegram.requests)
        eventually(lambda: HERE in peers(service.telegram, seen))


def test_address_that_this_host_does_not_have_holds_up_no_channel(tmp_path: Path) -> None:
    with with_egress(tmp_path, "192.0.2.7", THERE) as service:
        assert peers(service.telegram) == {THERE}
        assert state(service, "192.0.2.7") == ("resting", "cannot_bind")
        assert service.log().count("192.0.2.7 rests 30 s") == 1
        assert service.health()["problems"] == []


def test_pages_files_previews_and_lookups_go_through_the_proxies(service: Stage) -> None:
    channel(service, CHANNELS[0]).add(post(photo(), words("a picture")))
    eventually(lambda: any(message.files for message in service.arrived()), of=service.log)
    before = len(service.telegram.requests)
    answer = service.call("GET", "/job/preview", TELEGRAM_CHANNELS=CHANNELS[0])
    assert answer.ok, answer.text
    answer = service.call("POST", "/job/test", JOB_NAME="job")
    assert CHANNELS[0] in answer.text, answer.text
    assert len(service.telegram.requests) > before
    assert peers(service.telegram) == {"127.0.0.11", "127.0.0.12"}
    assert peers(service.discord) == {"127.0.0.1"}


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (ForwardProxy.die, "proxy_unreachable"),
        (lambda proxy: proxy.answer(407), "proxy_refuses"),
        (lambda proxy: proxy.answer(502), "unreachable"),
        (ForwardProxy.hang, "unreachable"),
        (ForwardProxy.break_off, "unreachable"),
    ],
    ids=["dies", "407", "502", "hangs", "breaks off"],
)
def test_channels_of_a_spoilt_proxy_move_over_and_come_back(
    service: Stage,
    proxies: Proxies,
    spoil: Callable[[ForwardProxy], None],
    reason: str,
) -> None:
    proxy, other = proxies
    told = f"Telegram answers through {proxy.url} again"
    before = service.log().count(told)
    spoil(proxy)
    eventually(lambda: state(service, proxy.url) == ("resting", reason), 30, of=service.log)
    publish_and_await(service)
    assert state(service, other.url) == ("well", None)
    assert {worker["reason"] for worker in service.workers("job").values()} == {None}
    if spoil is ForwardProxy.die:
        proxy.revive()
    proxy.serve()
    end_rests(service)
    eventually(lambda: state(service, proxy.url) == ("well", None), of=service.log)
    seen = len(service.telegram.requests)
    eventually(lambda: peers(service.telegram, seen) == {"127.0.0.11", "127.0.0.12"})
    assert service.log().count(told) == before + 1


def test_outage_of_telegram_blames_no_proxy(service: Stage) -> None:
    service.telegram.fail(Fault.reset_before(), times=None)
    eventually(lambda: service.health()["external_services"]["telegram_reachable"] is False, 40)
    assert [one["state"] for one in shown(service).values()] == ["well", "well"]
    service.telegram.faults.clear()
    publish_and_await(service)


def test_login_of_a_proxy_is_shown_nowhere(service: Stage, proxies: Proxies) -> None:
    proxies[0].hang()
    eventually(lambda: state(service, proxies[0].url)[0] == "resting")
    scrape = Scrape(service.call("GET", "/metrics").text)
    assert scrape.value("disgram_telegram_egress_well", address=proxies[0].url) == 0
    assert scrape.value("disgram_telegram_egress_well", address=proxies[1].url) == 1
    answers = [
        service.call("GET", path).text for path in ("/health", "/metrics", "/logs?lines=100000", "/jobs")
    ]
    files = [path.read_text("utf-8", "replace") for path in service.data.glob("*") if path.is_file()]
    for text in [*answers, *files, service.output.read_text("utf-8")]:
        assert PASSWORD not in text
    for process in service.processes():
        assert PASSWORD not in " ".join([*process.cmdline(), *process.environ().values()])


def test_without_the_setting_nothing_of_it_is_there(tmp_path: Path) -> None:
    with staged(tmp_path) as service:
        service.start()
        assert "telegram_egress" not in service.health()
        assert "telegram_egress" not in service.call("GET", "/metrics").text
