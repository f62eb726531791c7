"""Edits and deletions, end to end: the messages in Discord become what the posts in Telegram are."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from standins.discord.errors import Refusal
from standins.discord.faults import refuse
from standins.stage import Stage, eventually, staged
from standins.telegram import media_markup as media
from standins.telegram.text_markup import post, words

LONG = " ".join(f"word{number}" for number in range(900))
FAST = (50, 1.0)


def shown(stage: Stage) -> list[str]:
    """The text of each message, in order."""
    return [
        "\n".join(filter(None, [one.content, *(embed.get("description", "") for embed in one.embeds)]))
        for one in stage.arrived()
    ]


@pytest.fixture(scope="module")
def service_of_all(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("service"), per_webhook=FAST, COOLDOWN="0.2") as one:
        one.start()
        yield one


@pytest.fixture
def stage(running: Stage) -> Stage:
    return running


def test_thirty_edited_posts_change_in_place(stage: Stage) -> None:
    channels = [stage.telegram.add_channel(f"news_{n}") for n in range(2)]
    for channel in channels:
        for number in range(15):
            channel.add(post(words(LONG if number % 3 == 0 else f"post {number}")))
    stage.add_job("job", "news_0/1,news_1/1")
    eventually(lambda: len(stage.arrived()) == 40, of=stage.numbers)
    after = [LONG[:200], f"{LONG} changed", "short again"]
    for channel in channels:
        for number in channel.numbers:
            channel.edit(number, post(words(after[number % 3])))
    wanted = sorted(" ".join(after[number % 3].split()) for number in range(1, 16)) * 2

    def texts() -> list[str]:
        parts: dict[str, str] = {}
        for message, text in zip(stage.arrived(), shown(stage), strict=True):
            link = message.embeds[0]["url"]
            parts[link] = f"{parts[link]} {text}" if link in parts else text
        return sorted(" ".join(text.split()) for text in parts.values())

    eventually(lambda: texts() == sorted(wanted), 30, of=lambda: str([t[:40] for t in texts()]))
    assert stage.discord.violations == []


def test_edited_captions_polls_and_media_change_in_place(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    items = [media.Item(f"album-{n}-640x400.jpg") for n in range(3)]
    album = channel.add(post(media.album(*items), words("before")))
    poll = channel.add(post(media.poll("Which?", {"this": 50, "that": 50})))
    photo = channel.add(post(media.photo("one-640x400.jpg"), words("a photo")))
    stage.add_job("job", "news/1")
    eventually(lambda: len(stage.arrived()) == 3)
    kept = [file.body for file in stage.arrived()[0].files]
    channel.edit(album, post(media.album(*items), words("after")))
    channel.edit(poll, post(media.poll("Which?", {"this": 90, "that": 10})))
    channel.edit(photo, post(words("no photo any more")))
    eventually(
        lambda: "after" in shown(stage)[0] and "90" in shown(stage)[1] and "no photo" in shown(stage)[2],
        of=lambda: str(shown(stage)),
    )
    assert [file.body for file in stage.arrived()[0].files] == kept
    assert stage.arrived()[2].files == []
    assert stage.discord.violations == []


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        ("keep", ["one", "two", "three", "four"]),
        ("mark", ["one", "*deleted in Telegram*\n~~two~~", "three", "four"]),
        ("delete", ["one", "three", "four"]),
    ],
)
def test_deleted_posts_are_kept_marked_or_deleted_as_configured(
    tmp_path: Path, policy: str, expected: list[str]
) -> None:
    with staged(tmp_path, FOLLOW_DELETIONS=policy, COOLDOWN="0.2") as stage:
        channel = stage.telegram.add_channel("news")
        for text in ("one", "two", "three"):
            channel.add(post(words(text)))
        stage.start()
        stage.add_job("job", "news/1")
        eventually(lambda: len(stage.arrived()) == 3)
        channel.delete(2)
        asked = len(stage.telegram.requests)
        eventually(lambda: len(stage.telegram.requests) > asked + 3)
        channel.add(post(words("four")))
        eventually(lambda: shown(stage) == expected, of=lambda: str(shown(stage)))


def test_a_failed_post_is_listed_and_sent_again_on_retry(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    channel.add(post(words("one")))
    stage.discord.fail(refuse(Refusal(400, 240000, "harmful link")), times=4)  # once for every form
    channel.add(post(words("two")))
    stage.add_job("job", "news/1")
    eventually(lambda: stage.numbers() == [2])
    (failed,) = stage.call("GET", "/job/failed").json()["failed"]
    assert (failed["post_id"], failed["job"]) == (1, "job")
    assert "240000" in failed["reason"]
    assert stage.call("POST", "/job/retry", JOB_NAME="job", POST_ID="1").status_code == 200
    eventually(lambda: stage.numbers() == [2, 1], of=stage.numbers)
    eventually(lambda: stage.call("GET", "/job/failed").json()["failed"] == [])


def test_edit_in_a_thread_that_archived_itself_waits_for_the_next_post(stage: Stage) -> None:
    channel = stage.telegram.add_channel("news")
    channel.add(post(words("one")))
    thread = stage.discord.add_thread(stage.room)
    stage.add_job("job", "news/1", DISCORD_THREAD_ID=thread)
    eventually(lambda: stage.numbers(thread) == [1])
    stage.discord.archive(thread)
    channel.edit(1, post(words("one, corrected")))
    eventually(lambda: stage.discord.violations)
    asked = len(stage.telegram.requests)
    eventually(lambda: len(stage.telegram.requests) > asked + 3)
    assert len(stage.discord.violations) == 1
    assert stage.health()["status"] == "healthy"
    channel.add(post(words("two")))
    eventually(lambda: stage.numbers(thread) == [1, 2], of=stage.last_lines)
    eventually(lambda: stage.arrived(thread)[0].embeds[0]["description"] == "one, corrected")


@pytest.mark.parametrize("changed", ["thread", "webhook"])
def test_edit_after_a_change_of_webhook_or_thread_does_not_stop_the_new_one(
    stage: Stage, changed: str
) -> None:
    channel = stage.telegram.add_channel("news")
    channel.add(post(words("one")))
    stage.add_job("job", "news/1")
    eventually(lambda: stage.numbers() == [1])
    room = stage.discord.add_thread(stage.room)
    new = {"DISCORD_THREAD_ID": room}
    if changed == "webhook":
        room = stage.discord.add_channel("other")
        new = {"DISCORD_WEBHOOK_URL": stage.discord.add_webhook(room).url}
    assert stage.call("PATCH", "/job", JOB_NAME="job", **new).status_code == 200
    channel.edit(1, post(words("one, corrected")))
    channel.add(post(words("two")))
    eventually(lambda: stage.numbers(room) == [2], of=stage.last_lines)
    edited = ["one, corrected" if changed == "thread" else "one"]
    eventually(lambda: shown(stage) == edited, of=lambda: str(shown(stage)))
    assert stage.discord.violations == []
    assert stage.health("job")["workers"][0]["reason"] is None
