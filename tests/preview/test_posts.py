"""What the process that makes a preview answers, over a Telegram in memory."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from disgram.addresses import ChannelRef
from disgram.discord.color import stable_color
from disgram.errors import ChannelHasNoPreview, PageNotUnderstood, TelegramUnavailable
from disgram.preview.posts import PostNotFound, Preview, refusal
from disgram.preview.request import PreviewRequest
from disgram.storage.channel_ledger import ChannelLedger
from disgram.workers.spec import WorkerSettings
from tests.builders import pages
from tests.builders.delivery_fakes import Bench, Telegram
from tests.builders.discord_clock import Clock


@pytest.fixture
def telegram() -> Telegram:
    return Telegram(Clock())


@pytest.fixture
def previewed(tmp_path: Path, telegram: Telegram) -> Callable[..., list[dict[str, Any]]]:
    def make(start: int | None = None, color: int | None = None, **settings: Any) -> list[dict[str, Any]]:
        channel = ChannelRef(pages.CHANNEL, start)
        request = PreviewRequest(channel, color, WorkerSettings(tmp_path, **settings))
        return Preview(request, telegram, lambda _: None).posts()  # type: ignore[arg-type]

    return make


Previewed = Callable[..., list[dict[str, Any]]]


def test_preview_is_what_a_worker_sends(tmp_path: Path, telegram: Telegram, previewed: Previewed) -> None:
    bench = Bench(tmp_path)
    for channel in (telegram, bench.telegram):
        channel.write(1, "one <b>bold</b>")
        channel.posts[2] = pages.post(2, pages.text("<a href='https://example.org'>link</a>"))
        channel.write(3, "words " * 2000)
    bench.poll()
    posts = previewed(color=0)
    assert [message["payload"] for post in posts for message in post["messages"]] == list(
        bench.discord.shown.values()
    )
    assert [post["url"] for post in posts] == [f"https://t.me/{pages.CHANNEL}/{n}" for n in (1, 2, 3)]
    assert {post["verdict"] for post in posts} == {"forward"}


def test_reply_leads_to_the_jobs_message_once_the_server_is_known(tmp_path: Path) -> None:
    bench = Bench(tmp_path)
    bench.telegram.fill(7, 7)
    bench.telegram.posts[8] = pages.post(8, pages.reply("Harbour News", "post 7", 7), pages.text("eight"))
    bench.poll()
    job, webhook_id = bench.spec.job, bench.spec.destination.webhook_id
    request = PreviewRequest(bench.spec.channel, 0, bench.spec.settings, job, webhook_id)

    def shown(ledger: ChannelLedger | None) -> dict[str, Any]:
        posts = Preview(request, bench.telegram, bench.wait, ledger).posts()  # type: ignore[arg-type]
        payload: dict[str, Any] = posts[-1]["messages"][0]["payload"]
        return payload

    sent = list(bench.discord.shown.values())[-1]
    assert "discord.com/channels/55/9/" in sent["embeds"][0]["description"]
    assert shown(bench.ledger) == sent
    assert "discord.com" not in shown(None)["embeds"][0]["description"]


def test_files_are_named_without_being_downloaded(telegram: Telegram, previewed: Previewed) -> None:
    telegram.posts[4] = pages.post(4, pages.album(pages.photo(4, "a"), pages.video(5, "b")))
    (post,) = previewed()
    (message,) = post["messages"]
    assert message["files"] == ["harbour-4-1.jpg", "harbour-4-2.mp4"]
    assert [one["filename"] for one in message["payload"]["attachments"]] == message["files"]
    assert telegram.fetched == []


def test_files_become_links_where_nothing_is_uploaded(telegram: Telegram, previewed: Previewed) -> None:
    telegram.posts[4] = pages.post(4, pages.photo(4, "a"))
    (post,) = previewed(max_upload_bytes=0)
    assert post["messages"][0]["files"] == []
    assert "[Photo](https://t.me/harbour/4)" in post["messages"][0]["payload"]["embeds"][0]["description"]


def test_colour_is_the_channels_own_unless_one_is_named(telegram: Telegram, previewed: Previewed) -> None:
    telegram.fill(1, 1)
    assert previewed()[0]["messages"][0]["payload"]["embeds"][0]["color"] == stable_color(pages.CHANNEL)
    assert previewed(color=0x89A7D9)[0]["messages"][0]["payload"]["embeds"][0]["color"] == 0x89A7D9


def test_one_post_is_previewed_by_any_id_of_its_album(telegram: Telegram, previewed: Previewed) -> None:
    telegram.fill(1, 3)
    telegram.posts[4] = pages.post(4, pages.album(pages.photo(4, "a"), pages.photo(5, "b")))
    telegram.fill(6, 40)
    assert [post["url"] for post in previewed(start=5)] == ["https://t.me/harbour/4"]
    with pytest.raises(PostNotFound, match="no post 50"):
        previewed(start=50)


def test_service_message_is_filtered_unless_it_would_be_sent(
    telegram: Telegram, previewed: Previewed
) -> None:
    telegram.posts[1] = pages.post(1, pages.text("pinned"), extra_class="service_message")
    assert [(post["verdict"], post["messages"]) for post in previewed()] == [("filtered", [])]
    (post,) = previewed(forward_service_messages=True)
    assert (post["verdict"], len(post["messages"])) == ("forward", 1)


def test_what_is_not_understood_is_not_saved(
    tmp_path: Path, telegram: Telegram, previewed: Previewed
) -> None:
    telegram.posts[1] = pages.post(1, '<div class="tgme_widget_message_hologram">?</div>', pages.text("one"))
    assert len(previewed()) == 1
    telegram.posts[1] = "<html>not a page"
    telegram.page = lambda channel, before=None: "<html>not a page"  # type: ignore[method-assign]
    with pytest.raises(PageNotUnderstood):
        previewed()
    assert list(tmp_path.iterdir()) == []


def test_channel_without_posts_has_an_empty_preview(previewed: Previewed) -> None:
    assert previewed() == []


def test_request_is_the_same_after_the_wire(tmp_path: Path) -> None:
    request = PreviewRequest(ChannelRef("durov", 5), 0x123456, WorkerSettings(tmp_path), "news", "7")
    assert PreviewRequest.decode(request.encode().decode()) == request


@pytest.mark.parametrize(
    ("error", "title", "missing"),
    [
        (ChannelHasNoPreview("it is a group"), "Channel has no preview", True),
        (PostNotFound("no post 5"), "Post not found", True),
        (TelegramUnavailable("Telegram answered 502"), "Preview unavailable", False),
    ],
)
def test_refusal_says_which_channel_and_why(error: Any, title: str, missing: bool) -> None:
    told = refusal(ChannelRef("durov"), error)
    assert (told["error"], told["missing"]) == (title, missing)
    assert told["message"].startswith(f"https://t.me/durov: {error}")
    assert (error.reason or "") in told["message"]
