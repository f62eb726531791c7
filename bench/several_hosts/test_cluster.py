"""The benchmark's own counting: from which request for a page a message is counted."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import requests

from standins.discord.server import DiscordStandIn
from standins.telegram.server import TelegramStandIn
from standins.telegram.text_markup import post, words

if TYPE_CHECKING:
    from bench.several_hosts.cluster import Cluster


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    """One without hosts and without a database; the test does what a worker would."""
    pytest.importorskip("psycopg")
    from bench.several_hosts.cluster import Cluster

    database: Any = None
    with TelegramStandIn() as telegram, DiscordStandIn() as discord:
        one = Cluster(tmp_path, telegram, discord, database)
        one.channels = [telegram.add_channel("harbour"), telegram.add_channel("weather")]
        yield one


def _read(cluster: Cluster, channel: str) -> None:
    assert requests.get(f"{cluster.telegram.url}/s/{channel}", timeout=5).ok


def _send(cluster: Cluster, link: str) -> None:
    webhook = cluster.discord.add_webhook(cluster.discord.add_channel("room"))
    embeds = [{"description": "a post", "url": link}]
    assert requests.post(webhook.url, params={"wait": "true"}, json={"embeds": embeds}, timeout=5).ok


def test_the_delay_counts_from_the_last_request_of_its_own_channel_before_the_message(
    cluster: Cluster,
) -> None:
    _read(cluster, "harbour")
    _read(cluster, "harbour")
    _read(cluster, "weather")
    _send(cluster, "https://t.me/harbour/1")
    _read(cluster, "harbour")
    first, second, third = cluster.polls()["harbour"]
    (message,) = cluster.messages()
    assert first < second < message.created.timestamp() < third
    assert cluster.delays() == [pytest.approx(message.created.timestamp() - second, abs=0.001)]


def test_a_post_that_did_not_arrive_is_lost(cluster: Cluster) -> None:
    cluster.published["harbour"] = [
        cluster.telegram.channel("harbour").add(post(words("news"))) for _ in range(2)
    ]
    _send(cluster, "https://t.me/harbour/2")
    told = cluster.outcome()
    assert (told.posts, told.lost, told.repeated, told.disordered) == (2, 1, 0, 0)
    assert not cluster.limited()
    assert not cluster.refused()
