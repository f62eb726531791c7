"""The bearer token: which requests pass, what the others are told, and how guessing is slowed."""

from __future__ import annotations

from ipaddress import ip_network
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from auth import BearerGate, LoginThrottle, addresses, bearer_token
from disgram.api.client_address import client_address
from disgram.errors import AccessRefused, NotAuthenticated, TooManyFailures, WrongToken

PASSWORD = "hunter22"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Gate:
    """A gate with its clock and what it wrote to the log."""

    def __init__(self, password: str = PASSWORD, *, local_only: bool = False) -> None:
        self.clock = Clock()
        self.logged: list[str] = []
        self.gate = BearerGate(
            password, clock=self.clock, on_refusal=self._log, peer_must_be_local=local_only
        )

    def _log(self, client: str, refusal: AccessRefused) -> None:
        self.logged.append(f"{client}: {refusal.error}")

    def outcome(self, *headers: bytes, peer: str = "192.0.2.1") -> type[AccessRefused] | None:
        try:
            self.gate.check(headers, peer=peer, client=peer)
        except AccessRefused as refusal:
            assert "hunter22" not in str(refusal)
            return type(refusal)
        return None


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([b"Bearer hunter22"], None),
        ([b"bearer   hunter22 "], None),
        ([], NotAuthenticated),
        ([b""], NotAuthenticated),
        ([b"Bearer"], NotAuthenticated),
        ([b"Bearer  "], NotAuthenticated),
        ([b"Basic hunter22"], NotAuthenticated),
        ([b"hunter22"], NotAuthenticated),
        ([b"Bearer hunter22", b"Bearer hunter22"], NotAuthenticated),
        ([b"Bearer hunter2"], WrongToken),
        ([b"Bearer hunter222"], WrongToken),
        ([b"Bearer \xff\xfe"], WrongToken),
        ([b"Bearer " + b"x" * 100_000], WrongToken),
    ],
)
def test_only_one_well_formed_header_with_the_password_passes(
    headers: list[bytes], expected: type[AccessRefused] | None
) -> None:
    gate = Gate()
    assert gate.outcome(*headers) is expected
    assert len(gate.logged) == (expected is not None)
    assert all("192.0.2.1" in line and "hunter2" not in line for line in gate.logged)


def test_password_in_any_script() -> None:
    gate = Gate("пароль 日本")
    assert gate.outcome("Bearer пароль 日本".encode()) is None
    assert gate.outcome("Bearer пароль 日".encode()) is WrongToken


def test_default_password_is_refused_from_other_hosts() -> None:
    gate = Gate(local_only=True)
    assert gate.outcome(b"Bearer hunter22", peer="192.0.2.1") is WrongToken
    for peer in ("127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1", ""):
        assert gate.outcome(b"Bearer hunter22", peer=peer) is None


def test_repeated_failures_slow_only_their_own_address() -> None:
    gate = Gate()
    assert [gate.outcome(b"Bearer x") for _ in range(12)] == [WrongToken] * 10 + [TooManyFailures] * 2
    assert gate.outcome(b"Bearer hunter22") is TooManyFailures
    assert gate.outcome(b"Bearer hunter22", peer="192.0.2.2") is None
    gate.clock.now += 2
    assert gate.outcome(b"Bearer hunter22") is None
    assert [gate.outcome(b"Bearer x") for _ in range(10)] == [WrongToken] * 10


def test_requests_without_a_token_are_slowed_like_wrong_ones() -> None:
    gate = Gate()
    assert [gate.outcome() for _ in range(12)] == [NotAuthenticated] * 10 + [TooManyFailures] * 2
    assert gate.outcome(b"Basic hunter22") is TooManyFailures
    assert gate.outcome(peer="192.0.2.2") is NotAuthenticated


def test_right_token_passes_while_requests_without_one_have_to_wait() -> None:
    gate = Gate()
    for _ in range(20):
        gate.outcome()
    assert gate.outcome(b"Bearer hunter22") is None


def test_default_password_from_other_hosts_is_slowed_like_a_wrong_one() -> None:
    gate = Gate(local_only=True)
    outcomes = [gate.outcome(b"Bearer hunter22") for _ in range(12)]
    assert outcomes == [WrongToken] * 10 + [TooManyFailures] * 2


def test_retry_after_doubles_up_to_a_minute() -> None:
    gate = Gate()
    waits = []
    for _ in range(16):
        while gate.outcome(b"Bearer x") is not TooManyFailures:
            pass
        with pytest.raises(TooManyFailures) as refusal:
            gate.gate.check([b"Bearer x"], peer="192.0.2.1", client="192.0.2.1")
        waits.append(refusal.value.retry_after)
        gate.clock.now += refusal.value.retry_after
    assert waits[:5] == [1, 2, 4, 8, 16]
    assert waits[-1] == 60
    assert waits == sorted(waits)


def test_failures_are_reset_after_a_quiet_minute() -> None:
    throttle = LoginThrottle()
    for now in range(0, 4 * 61, 61):
        throttle.failed("a", float(now))
    for _ in range(8):
        throttle.failed("a", 200.0)
    assert throttle.wait("a", 200.0) == 0
    throttle.failed("a", 200.0)
    assert throttle.wait("a", 200.0) == 1


def test_throttle_keeps_a_limited_number_of_addresses() -> None:
    throttle = LoginThrottle()
    for _ in range(10):
        throttle.failed("first", 0.0)
    for number in range(throttle.MAX_ADDRESSES):
        throttle.failed(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}", 0.0)
    assert len(throttle._records) == throttle.MAX_ADDRESSES
    assert throttle.wait("first", 0.0) == 0


def test_ipv6_addresses_of_one_64_network_count_together() -> None:
    throttle = LoginThrottle()
    for number in range(10):
        throttle.failed(f"2001:db8::{number}", 0.0)
    assert throttle.wait("2001:db8::ffff", 0.0) == 1
    assert throttle.wait("2001:db8:0:1::1", 0.0) == 0


@given(st.lists(st.floats(0, 400), max_size=60))
def test_wait_never_exceeds_its_maximum(gaps: list[float]) -> None:
    throttle, now = LoginThrottle(), 0.0
    for gap in gaps:
        now += gap
        if not throttle.wait("a", now):
            throttle.failed("a", now)
        assert 0 <= throttle.wait("a", now) <= throttle.MAX_WAIT


def test_thousands_of_failures_still_wait_a_minute() -> None:
    throttle, now = LoginThrottle(), 0.0
    for _ in range(2000):
        now += throttle.MAX_WAIT
        throttle.failed("a", now)
    assert throttle.wait("a", now) == throttle.MAX_WAIT


LOCAL, TEN = ip_network("127.0.0.1"), ip_network("10.0.0.0/8")


@pytest.mark.parametrize(
    ("peer", "forwarded", "trusted", "expected"),
    [
        ("192.0.2.1", "", (), "192.0.2.1"),
        ("192.0.2.1", "203.0.113.9", (), "192.0.2.1"),
        ("127.0.0.1", "203.0.113.9", (), "127.0.0.1"),
        ("127.0.0.1", "203.0.113.9", (LOCAL,), "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7, 203.0.113.9", (LOCAL,), "203.0.113.9"),
        ("127.0.0.1", "198.51.100.7, 203.0.113.9, 10.0.0.2", (LOCAL, TEN), "203.0.113.9"),
        ("127.0.0.1", "10.0.0.1, 10.0.0.2", (LOCAL, TEN), "10.0.0.1"),
        ("127.0.0.1", "203.0.113.9, nonsense", (LOCAL,), "127.0.0.1"),
        ("127.0.0.1", "nonsense, 10.0.0.2", (LOCAL, TEN), "10.0.0.2"),
        ("127.0.0.1", "203.0.113.9:4431", (LOCAL,), "203.0.113.9"),
        ("127.0.0.1", "[2001:db8::1]:443", (LOCAL,), "2001:db8::1"),
        ("::ffff:127.0.0.1", "203.0.113.9", (LOCAL,), "203.0.113.9"),
        ("192.0.2.1", "127.0.0.1", (LOCAL,), "192.0.2.1"),
        ("", "203.0.113.9", (LOCAL,), ""),
    ],
)
def test_client_address_behind_trusted_and_other_proxies(
    peer: str, forwarded: str, trusted: tuple[object, ...], expected: str
) -> None:
    assert client_address(peer, forwarded, trusted) == expected  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("sent", "expected"),
    [
        ({"x-real-ip": "203.0.113.9"}, "203.0.113.9"),
        ({"x-real-ip": "203.0.113.9", "x-forwarded-for": "198.51.100.7"}, "198.51.100.7"),
        ({"x-real-ip": "nonsense"}, "127.0.0.1"),
        ({}, "127.0.0.1"),
    ],
)
def test_real_ip_of_a_trusted_proxy_counts_where_it_sends_no_list(
    sent: dict[str, str], expected: str
) -> None:
    headers = [(name.encode(), value.encode()) for name, value in sent.items()]
    app = SimpleNamespace(state=SimpleNamespace(url="http://127.0.0.1:5000"))
    scope: dict[str, Any] = {"type": "http", "client": ("127.0.0.1", 4431), "headers": headers, "app": app}
    assert addresses(Request(scope), (LOCAL,)) == ("127.0.0.1", expected)
    assert addresses(Request(scope), ()) == ("127.0.0.1", "127.0.0.1")


def test_peer_rewritten_by_uvicorn_is_not_trusted() -> None:
    assert client_address("203.0.113.9", "203.0.113.9", (), rewritten=True) == "127.0.0.1"
    assert client_address("203.0.113.9", "203.0.113.9", (LOCAL,), rewritten=True) == "203.0.113.9"
    assert client_address("192.0.2.1", "203.0.113.9", (), rewritten=True) == "192.0.2.1"


@given(st.lists(st.binary(max_size=40), max_size=3))
def test_any_header_bytes_give_a_token_or_none(headers: list[bytes]) -> None:
    token = bearer_token(headers)
    assert token is None or token.strip() == token
