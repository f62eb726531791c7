"""Which webhook URLs are accepted."""

from __future__ import annotations

import pytest

from disgram.addresses import Destination
from disgram.errors import BadWebhookURL

TOKEN = "/api/webhooks/123/abc-DEF_1"
HOSTS = ("127.0.0.1:8080", "proxy-1.example.org", "::1", "[::1]:9")


def accepted(url: str) -> bool:
    try:
        Destination.parse(url, extra_hosts=HOSTS)
    except BadWebhookURL:
        return False
    return True


@pytest.mark.parametrize(
    ("url", "good"),
    [
        ("https://discord.com" + TOKEN, True),
        ("https://discordapp.com" + TOKEN, True),
        ("https://ptb.discord.com" + TOKEN, True),
        ("https://canary.discord.com/api/v10/webhooks/1/t/", True),
        ("http://127.0.0.1:8080" + TOKEN, True),
        ("https://proxy-1.example.org" + TOKEN, True),
        ("http://proxy-1.example.org:99" + TOKEN, True),
        ("http://[::1]" + TOKEN, True),
        ("http://[::1]:9" + TOKEN, True),
        ("http://discord.com" + TOKEN, False),
        ("https://discord.com.example.org" + TOKEN, False),
        ("https://discordxcom" + TOKEN, False),
        ("http://127.0.0.1:8081" + TOKEN, False),
        (r"http://evil.example\@127.0.0.1:8080" + TOKEN, False),
        ("http://me@127.0.0.1:8080" + TOKEN, False),
        ("http://127.0.0.1:8080\\" + TOKEN, False),
        ("http://proxy-1.example.org\t" + TOKEN, False),
        ("http://proxy-1.example.org:" + TOKEN, False),
        ("https://discord\u3002com" + TOKEN, False),
        ("https://discord.com\\" + TOKEN, False),
        ("https://discord.com/\n" + TOKEN, False),
        ("http://127.0.0.1" + TOKEN, False),
        ("https://proxy-1xexample.org" + TOKEN, False),
        ("https://discord.com/api/webhooks/1", False),
    ],
)
def test_webhook_url_names_discord_or_an_allowed_host(url: str, good: bool) -> None:
    assert accepted(url) == good
