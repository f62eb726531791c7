"""What TELEGRAM_EGRESS may hold, and what is said of what it may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.telegram.egress.address import MOST, EgressAddress, parse_addresses, passwords


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("192.0.2.7", EgressAddress("192.0.2.7")),
        ("127.0.0.2", EgressAddress("127.0.0.2")),
        ("2001:DB8::0:7", EgressAddress("2001:db8::7")),
        ("[2001:db8::7]", EgressAddress("2001:db8::7")),
        (
            "http://proxy.example:3128",
            EgressAddress("http://proxy.example:3128", "http://proxy.example:3128"),
        ),
        ("HTTP://Proxy.Example", EgressAddress("http://proxy.example:80", "http://proxy.example:80")),
        ("http://[::1]:8080/", EgressAddress("http://[::1]:8080", "http://[::1]:8080")),
        ("http://me:s%40cret@h:1", EgressAddress("http://h:1", "http://h:1", "me:s@cret")),
        ("http://me@h:1", EgressAddress("http://h:1", "http://h:1", "me:")),
        ("http://me:a:b@h:1", EgressAddress("http://h:1", "http://h:1", "me:a:b")),
        ("http://@h:1", EgressAddress("http://h:1", "http://h:1")),
    ],
)
def test_accepted_forms(text: str, expected: EgressAddress) -> None:
    assert parse_addresses([text]) == (expected,)


@pytest.mark.parametrize(
    "text",
    [
        "x", "198.51.100", "198.51.100.256", "198.51.100.7:80", "198.51.100.0/24", "proxy.example:3128",
        "0.0.0.0", "::", "224.0.0.1", "ff02::1", "255.255.255.255", "::ffff:198.51.100.7", "fe80::1%eth0",
        "eth0", "[::1", "1", "[198.51.100.7]",
        "https://proxy.example:3128", "socks5://proxy.example:1080", "http://", "http://h:0", "http://h:65536",
        "http://h:x", "http://h/path", "http://h?q", "http://h#f", "http://me:s@cret@h:1", "http://me:a/b@h:1",
        "http://me:100%@h:1", "http://a%3Ab:c@h:1", "http://me:a%0Ab@h:1", "http://me:a%FFb@h:1",
        "http://h\\evil:1", "http://h h:1", "http://[::1:80",
        "http://пример:1", "//h:1", "",
    ],
)  # fmt: skip
def test_refused_forms_are_named_by_their_number_and_never_repeated(text: str) -> None:
    with pytest.raises(
        ValueError, match=r"^must be local addresses or http:// proxies; number 2 .*\.$"
    ) as found:
        parse_addresses(["192.0.2.1", text])
    assert len(text) < 8 or text not in str(found.value)


@pytest.mark.parametrize(
    "texts",
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:db8::7", "2001:DB8:0::7"),
        ("http://h", "http://H:80/"),
        ("http://a:b@h:1", "http://%61:b@h:1"),
    ],
)
def test_an_address_named_twice_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="number 2 stood there before"):
        parse_addresses(texts)


def test_one_proxy_with_different_logins_is_several_ways_out() -> None:
    """Providers of proxies tell the way out by the user's name."""
    texts = ["http://one:x@h:1", "http://two:x@h:1", "http://h:1", "http://h:2"]
    assert [one.name for one in parse_addresses(texts)] == [
        "http://h:1",
        "http://h:1 (2)",
        "http://h:1 (3)",
        "http://h:2",
    ]
    with pytest.raises(ValueError, match="number 5 stood there before"):
        parse_addresses([*texts, "http://two:x@h:1"])


def test_more_addresses_than_a_request_should_look_at_are_refused() -> None:
    texts = [f"192.0.2.{number}" for number in range(1, MOST + 2)]
    assert len(parse_addresses(texts[:MOST])) == MOST
    with pytest.raises(ValueError, match=f"more than {MOST}"):
        parse_addresses(texts)


def test_passwords_are_secret_as_they_are_and_as_they_are_written() -> None:
    texts = ["http://me:s%40cret@h:1", "http://me:plain@h:2", "192.0.2.7", "http://h:4"]
    assert set(passwords(texts)) == {"s%40cret", "s@cret", "plain"}
    assert passwords(["http://token@h:1"]) == ("token",), "a user without a password is the secret"
    assert "s@cret" not in repr(parse_addresses(texts))


@given(st.lists(st.text(max_size=30) | st.ip_addresses().map(str), max_size=5))
def test_whatever_is_written_is_understood_or_refused_in_words(texts: list[str]) -> None:
    try:
        found = parse_addresses(texts)
    except ValueError as error:
        assert str(error).startswith(("must ", "names "))
    else:
        assert len({one.name for one in found}) == len(texts)
