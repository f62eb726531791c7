"""Every form of a channel's address, and what an invite link is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.addresses import ChannelRef, invite_hash
from disgram.errors import BadChannelAddress


@pytest.mark.parametrize(
    ("typed", "address"),
    [
        ("t.me/c/1234567890", "https://t.me/c/1234567890"),
        ("https://t.me/c/1234567890/5", "https://t.me/c/1234567890/5"),
        ("https://t.me/c/1234567890/7/5", "https://t.me/c/1234567890/5"),
        ("https://telegram.me/C/1/2?single", "https://t.me/c/1/2"),
        ("-1001234567890", "https://t.me/c/1234567890"),
        (" -1001234567890/5 ", "https://t.me/c/1234567890/5"),
    ],
)
def test_private_channel_is_named_by_its_id(typed: str, address: str) -> None:
    channel = ChannelRef.parse(typed)
    assert (channel.address, channel.private) == (address, True)
    assert ChannelRef.parse(channel.address) == channel


@pytest.mark.parametrize(
    "typed",
    [
        "t.me/c", "t.me/c/", "t.me/c/x", "t.me/c/0", "t.me/c/01/2", "t.me/c/1/x", "t.me/c/1/0",
        "t.me/c/1/2/3/4", "t.me/c/12345678901234567890", "-100", "-1000", "-99123", "-1001/2/3", "c/x",
    ],
)  # fmt: skip
def test_senseless_private_address_is_refused(typed: str) -> None:
    with pytest.raises(BadChannelAddress):
        ChannelRef.parse(typed)


def test_public_channel_is_not_private() -> None:
    assert not ChannelRef.parse("https://t.me/news/5").private


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("https://t.me/+AbC_d-9", "AbC_d-9"),
        ("t.me/joinchat/AbC", "AbC"),
        ("t.me/joinchat/", ""),
        ("t.me/+a b", ""),
        ("t.me/news", None),
        ("t.me/c/5", None),
        ("", None),
    ],
)
def test_invite_link_is_known_by_its_hash(typed: str, found: str | None) -> None:
    assert invite_hash(typed) == found
    if found is not None:
        with pytest.raises(BadChannelAddress, match="invite link"):
            ChannelRef.parse(typed)


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_refused(typed: str) -> None:
    invite_hash(typed)
    try:
        channel = ChannelRef.parse(typed)
    except BadChannelAddress:
        return
    assert ChannelRef.parse(channel.address) == channel
