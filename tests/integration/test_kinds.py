"""Kinds of posts on a stage whose looks depend on more than their page: files, replies, service messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from demo import media_markup as media
from demo.discord_messages import Message
from demo.markup import Piece, Scene, post, reply_to, service, words
from demo.media_markup import Item
from tests.integration.stage import Stage, eventually, staged


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("kinds"), MAX_UPLOAD_MB="1", FORWARD_SERVICE_MESSAGES="true") as one:
        yield one.start()


def forwarded(stage: Stage, name: str, *posts: Any) -> list[Message]:
    """The messages of a channel of its own, with a message for each post at least."""
    room = stage.discord.add_channel(name)
    channel = stage.telegram.add_channel(name)
    for one in posts:
        channel.add(one)
    stage.add_job(name, f"{name}/1", stage.discord.add_webhook(room))
    last = f"https://t.me/{name}/{channel.numbers[-1]}"
    eventually(lambda: f"Forwarded {last}" in stage.log(), of=stage.log)
    assert stage.discord.violations == []
    return stage.arrived(room)


def said(message: Message) -> str:
    return "\n".join(str(embed.get("description", "")) for embed in message.embeds)


def names(message: Message) -> list[str]:
    return [file.filename for file in message.files]


def bytes_of(stage: Stage, *files: str) -> list[bytes]:
    return [stage.telegram.file_bytes(name) for name in files]


def test_a_reply_links_the_discord_copy_of_what_it_answers(stage: Stage) -> None:
    first, answer, other = forwarded(
        stage, "replies", post(words("A question")), post(reply_to(1, "A question"), words("An answer")),
        post(reply_to(77, "older"), words("To what never came")),
    )  # fmt: skip
    copy = f"https://discord.com/channels/1300000000000000000/{first.channel_id}/{first.id}"
    assert said(answer) == f"> **[replies]({copy})**\n> A question\nAn answer"
    assert "(https://t.me/replies/77)" in said(other)


def test_service_messages_are_forwarded_where_asked_for(stage: Stage) -> None:
    created, photo = forwarded(
        stage, "service", post(service("Channel created")),
        post(service("Channel photo updated", photo="new-160x160.jpg")),
    )  # fmt: skip
    assert (said(created), said(photo)) == ("Channel created", "Channel photo updated")
    assert [file.body for file in photo.files] == bytes_of(stage, "new-160x160.jpg")


def test_an_album_of_ten_with_a_video_is_one_message(stage: Stage) -> None:
    items = [Item(f"ten-{n}-64x40.jpg") for n in range(9)] + [Item("ten.mp4", "video")]
    (message,) = forwarded(stage, "album", post(media.album(*items), words("Ten of them")))
    assert [file.body for file in message.files] == bytes_of(stage, *(item.name for item in items))
    assert names(message)[-1] == "album-1-10.mp4"
    assert said(message) == "Ten of them"


def test_spoilered_media_stay_hidden(stage: Stage) -> None:
    """Not seen in a real page; any class with the word counts."""

    def hidden(scene: Scene) -> str:
        return (
            media.photo("secret-64x40.jpg")
            .html(scene)
            .replace("_photo_wrap ", "_photo_wrap tgme_spoiler ", 1)
        )

    (message,) = forwarded(stage, "spoilers", post(Piece(hidden), words("Do not look")))
    assert names(message) == ["SPOILER_spoilers-1-1.jpg"]
    assert "image" not in message.embeds[0]


def test_documents_and_music_are_lines(stage: Stage) -> None:
    (message,) = forwarded(
        stage, "papers",
        post(media.document("a *b*.pdf", "1.2 MB"), media.music("Blues", "The Band"), words("Read them")),
    )  # fmt: skip
    link = "(https://t.me/papers/1)"
    assert said(message) == (
        f"📎 File: **[a]{link} \\*[b]{link}\\*[.pdf]{link}** · 1.2 MB\n"
        f"🎵 Audio: **[Blues]{link}** · The Band\n\nRead them"
    )


def test_a_video_without_a_file_shows_its_picture(stage: Stage) -> None:
    (message,) = forwarded(stage, "opera", post(media.too_big_video("opera.mp4"), words("Long")))
    assert said(message) == "🎬 **[Video](https://t.me/opera/1)** · 1:42:07 · Media is too big\n\nLong"
    assert [file.body for file in message.files] == bytes_of(stage, "opera-thumb")


@pytest.mark.parametrize("size", [1_200_000, 700_000], ids=["for MAX_UPLOAD_MB", "for Discord: 413"])
def test_a_video_too_large_shows_its_picture_and_a_link(stage: Stage, size: int) -> None:
    name = f"large{size}"
    stage.telegram.add_file(f"{name}.mp4", bytes(size), "video/mp4")
    stage.discord._upload_limit = 500_000
    messages = forwarded_despite(stage, name, post(media.video(f"{name}.mp4"), words("Long")))
    stage.discord.violations.clear()
    assert [said(one) for one in messages] == [f"🎬 **[Video](https://t.me/{name}/1)** · 0:02\n\nLong"]
    assert [file.body for one in messages for file in one.files] == bytes_of(stage, f"{name}-thumb")


def forwarded_despite(stage: Stage, name: str, one: Any) -> list[Message]:
    """As `forwarded`; Discord may refuse what is too large for it, which nobody can know before."""
    room = stage.discord.add_channel(name)
    stage.telegram.add_channel(name).add(one)
    stage.add_job(name, f"{name}/1", stage.discord.add_webhook(room))
    eventually(lambda: f"Forwarded https://t.me/{name}/1" in stage.log(), of=stage.log)
    assert {one.status for one in stage.discord.violations} <= {413}
    return stage.arrived(room)
