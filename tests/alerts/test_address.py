"""What ALERT_WEBHOOK_URL may be."""

from __future__ import annotations

import pytest

from config import read
from disgram.addresses import Destination
from disgram.errors import BadSetting

HOOK = "https://discord.com/api/webhooks/1/secret-token"


@pytest.mark.parametrize(
    ("address", "destination"),
    [
        (HOOK, Destination("https://discord.com", "1", "secret-token")),
        (f"{HOOK}?thread_id=77", Destination("https://discord.com", "1", "secret-token", "77")),
        (
            "http://relay:8080/api/webhooks/2/x",
            Destination("http://relay:8080", "2", "x"),
        ),
        ("http://relay:8080/other", "http://relay:8080/other"),
        ("https://ntfy.example/topic?key=secret", "https://ntfy.example/topic?key=secret"),
        ("http://127.0.0.1:9/x", "http://127.0.0.1:9/x"),
    ],
)
def test_address_is_a_webhook_or_any_other(address: str, destination: Destination | str) -> None:
    settings = read({"ALERT_WEBHOOK_URL": address, "WEBHOOK_HOSTS": "relay"})
    assert settings.alert_address == destination
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    "address",
    [
        "discord.com/api/webhooks/1/secret",
        "ftp://host/secret",
        "https://",
        "https://user:secret@host/x",
        "https://host/secret x",
        "https://discord.com/channels/1/secret",
        f"{HOOK}?thread_id=secret",
        f"{HOOK}/secret",
        "https://höst/secret",
    ],
)
def test_senseless_address_stops_the_start_and_is_not_repeated(address: str) -> None:
    with pytest.raises(BadSetting, match="must") as refused:
        read({"ALERT_WEBHOOK_URL": address})
    assert refused.value.error == "ALERT_WEBHOOK_URL"
    assert "secret" not in str(refused.value)


def test_without_an_address_there_are_no_alerts() -> None:
    assert read({}).alert_address is None
    assert read({}).alert_after == 300


@pytest.mark.parametrize("value", ["-1", "soon", "1e3", "700000"])
def test_senseless_time_stops_the_start(value: str) -> None:
    with pytest.raises(BadSetting):
        read({"ALERT_AFTER": value})
