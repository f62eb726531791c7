"""The words of a post that the preview does not show, from the post's own page."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.errors import PageNotUnderstood, TelegramError, TelegramUnavailable
from standins.stage import eventually, staged
from standins.telegram.text_markup import post, unsupported
from tests.builders import pages
from tests.builders.delivery_fakes import Bench

OPEN = "[Open in Telegram](https://t.me/harbour/1)"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.telegram.posts = {1: pages.post(1, pages.label(pages.OPEN_TELEGRAM))}
    return bench


def test_post_the_preview_does_not_show_has_the_words_of_its_own_page(bench: Bench) -> None:
    bench.telegram.words = {1: "First &amp; last\nline…"}
    bench.poll()
    assert bench.discord.texts == [f"First & last\nline…\n\n{OPEN}"]


def test_description_of_the_channel_is_not_taken_for_the_post(bench: Bench) -> None:
    bench.poll()
    assert bench.discord.texts == [f"*{pages.OPEN_TELEGRAM}*\n{OPEN}"]


def test_own_page_of_a_post_the_preview_shows_is_not_read(bench: Bench) -> None:
    bench.telegram.write(1, f"words {pages.custom_emoji('🤖')}")
    bench.telegram.fill(2, 3)
    bench.poll(2)
    assert bench.telegram.own_pages == []


def test_own_page_is_read_once_for_a_post(bench: Bench) -> None:
    bench.telegram.words = {1: "words"}
    bench.poll(3)
    assert bench.telegram.own_pages == [1]


@pytest.mark.parametrize("error", [TelegramUnavailable("502"), PageNotUnderstood("elsewhere")])
def test_post_whose_own_page_does_not_come_is_sent_as_a_link(bench: Bench, error: TelegramError) -> None:
    bench.telegram.fails_own = lambda _: error
    bench.telegram.fill(2, 2)
    bench.poll()
    assert bench.discord.texts == [f"*{pages.OPEN_TELEGRAM}*\n{OPEN}", "post 2"]


def test_own_page_is_asked_again_after_a_failure(bench: Bench) -> None:
    errors = iter([TelegramUnavailable("502")])
    bench.telegram.fails_own = lambda _: next(errors, None)
    bench.telegram.words = {1: "words"}
    bench.poll()
    assert bench.discord.texts == [f"words\n\n{OPEN}"]


def test_words_of_the_own_page_arrive_from_the_stand_in(tmp_path: Path) -> None:
    with staged(tmp_path, per_webhook=(50, 1.0)) as stage:
        channel = stage.telegram.add_channel("news", description="About")
        channel.words[channel.add(post(unsupported()))] = "What it <says>"
        channel.add(post(unsupported()))
        stage.start()
        stage.add_job("job", "news/1")
        eventually(lambda: len(stage.arrived()) == 2)
        first, second = (message.embeds[0]["description"] for message in stage.arrived())
        assert first == "What it \\<says>\n\n[Open in Telegram](https://t.me/news/1)"
        assert "About" not in second
