"""What the OpenAPI document promises is what is accepted: Swagger UI sends nothing that a pattern forbids."""

from __future__ import annotations

import re

import pytest
from pydantic import Field

from disgram.addresses import ChannelRef, Destination
from disgram.api.headers import JOB_FIELDS
from disgram.api.openapi import job_parameters, webhook_pattern
from disgram.errors import BadWebhookURL
from jobs import Job

TOKEN = "/api/webhooks/123/abc-DEF_1"
HOSTS = ("127.0.0.1:8080", "proxy-1.example.org", "::1", "[::1]:9")


def pattern_of(name: str) -> str:
    parameters = {one["name"]: one["schema"] for one in job_parameters(Job, creating=True)}
    return str(parameters[name]["pattern"])


@pytest.mark.parametrize(
    "address",
    ["news", "@news", "t.me/news", "https://t.me/news", "http://t.me/s/news", "https://telegram.me/news"],
)
@pytest.mark.parametrize("number", ["", "/123"])
def test_channel_pattern_allows_every_accepted_address(address: str, number: str) -> None:
    assert ChannelRef.parse(address + number).name == "news"
    channels = pattern_of("TELEGRAM_CHANNELS")
    assert re.search(channels, address + number)
    assert re.search(channels, f"{address}{number}, other ,@third/7")


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
        ("https://discord.com" + TOKEN + "?wait=true&thread_id=123", True),
        ("https://discord.com" + TOKEN + "?thread_name=x", False),
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
def test_webhook_pattern_allows_exactly_the_accepted_urls(url: str, good: bool) -> None:
    assert (accepted(url), bool(re.search(webhook_pattern(HOSTS), url))) == (good, good)


def test_webhook_pattern_escapes_only_what_browsers_accept() -> None:
    """With the `v` flag they refuse to escape what needs no escaping."""
    assert re.findall(r"\\(.)", webhook_pattern(("a-b.example",))) == [".", ".", ".", "."]


def test_each_header_of_a_job_is_described_by_its_field() -> None:
    for creating in (True, False):
        parameters = {one["name"]: one for one in job_parameters(Job, creating=creating)}
        assert list(parameters) == list(JOB_FIELDS)
        for name, field_name in JOB_FIELDS.items():
            field = Job.model_fields[field_name]
            assert parameters[name]["description"].startswith(str(field.description))
            assert parameters[name]["required"] == (name == "JOB_NAME" or (creating and field.is_required()))


class JobWithANewField(Job):
    lifetime: float | None = Field(None, description="Seconds.")


def test_new_optional_field_needs_only_its_header_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(JOB_FIELDS, "LIFETIME", "lifetime")
    new = job_parameters(JobWithANewField, creating=False)[-1]
    assert (new["name"], new["description"]) == ("LIFETIME", "Seconds. Sent empty, it is cleared.")
