"""Kinds of posts on a stage whose looks depend on more than their page: files, replies, service messages."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from standins.discord.messages import Message
from standins.stage import Stage, eventually, staged
from standins.telegram import media_markup as media
from standins.telegram.media_markup import Item
from standins.telegram.text_markup import Piece, Scene, post, reply_to, service, words


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("kinds"), MAX_UPLOAD_MB="1", FORWARD_SERVICE_MESSAGES="true") as one:
        one.start()
        yield one


def forwarded(stage: Stage, name: str, *posts: Any) -> list[Message]:
    """The messages of a channel of its own, with a message for each post at least."""
    room = stage.discord.add_channel(name)
    channel = stage.telegram.add_channel(name)
    for one in posts:
        channel.add(one)
    stage.add_job(name, f"{name}/1", stage.discord.add_webhook(room).url)
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
    assert (
        said(message)
        == "🎬 **[Watch in Telegram](https://t.me/opera/1)** · 1:42:07 · Media is too big\n\nLong"
    )
    assert [file.body for file in message.files] == bytes_of(stage, "opera-thumb")


@pytest.mark.parametrize("size", [1_200_000, 700_000], ids=["for MAX_UPLOAD_MB", "for Discord: 413"])
def test_a_video_too_large_shows_its_picture_and_a_link(stage: Stage, size: int) -> None:
    """And still does when its text is edited."""
    name = f"large{size}"
    film = media.video(f"{name}.mp4")
    stage.telegram.add_file(f"{name}.mp4", bytes(size), "video/mp4")
    stage.discord._upload_limit = 500_000
    room = stage.discord.add_channel(name)
    channel = stage.telegram.add_channel(name)
    channel.add(post(film, words("Long")))
    stage.add_job(name, f"{name}/1", stage.discord.add_webhook(room).url)
    line = f"🎬 **[Video](https://t.me/{name}/1)** · 0:02"

    def texts() -> list[str]:
        return [said(message) for message in stage.arrived(room)]

    eventually(lambda: texts() == [f"{line}\n\nLong"], of=stage.log)
    eventually(lambda: f"Forwarded https://t.me/{name}/1" in stage.log(), of=stage.log)
    channel.edit(1, post(film, words("Very long")))
    eventually(lambda: texts() == [f"{line}\n\nVery long"], of=stage.log)
    assert [file.body for one in stage.arrived(room) for file in one.files] == bytes_of(
        stage, f"{name}-thumb"
    )
    assert {refused.status for refused in stage.discord.violations} <= {413}  # nobody can know it before
    stage.discord.violations.clear()


def test_files_arrive_byte_for_byte(stage: Stage) -> None:
    pieces = {
        "p-64x40.jpg": media.photo("p-64x40.jpg"),
        "f.mp4": media.video("f.mp4"),
        "t.mp4": media.video("t.mp4", twice=True),
        "g.mp4": media.gif("g.mp4"),
        "r.mp4": media.round_video("r.mp4"),
        "v.ogg": media.voice("v.ogg"),
        "s.webp": media.sticker("s.webp"),
        "a.tgs": media.animated_sticker("a.tgs"),
        "m.webm": media.video_sticker("m.webm"),
    }
    messages = forwarded(stage, "files", *(post(piece) for piece in pieces.values()))
    assert [[file.body for file in message.files] for message in messages] == [
        bytes_of(stage, name) for name in pieces
    ]


def test_a_new_kind_is_forwarded_and_kept_for_a_bug_report(stage: Stage) -> None:
    def hologram(scene: Scene) -> str:
        player = f'<video src="{scene.file("hologram.mp4")}"></video>'
        return f'<div class="tgme_widget_message_hologram">{player}A <b>new</b> kind</div>'

    messages = forwarded(stage, "holograms", post(words("known")), post(Piece(hologram)))
    assert [said(message) for message in messages] == ["known", "A **new** kind"]
    assert [file.body for file in messages[1].files] == bytes_of(stage, "hologram.mp4")
    (kept,) = (stage.data / "layout").iterdir()
    assert "token=…" in kept.read_text()
    eventually(lambda: stage.health()["delivery"]["layout_changed"] == 1, of=stage.health)
    assert stage.workers("holograms")["holograms"]["reason"] is None
    assert stage.health("holograms")["status"] == "healthy"
