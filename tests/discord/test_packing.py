"""Long posts in several messages within Discord's limits, and any post at all."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.discord.render import Fallback, render
from disgram.post import (
    Block,
    Button,
    Buttons,
    Card,
    Forward,
    LinkPreview,
    Location,
    Media,
    MediaFile,
    MediaKind,
    Poll,
    PollOption,
    PollVotes,
    Reply,
    Run,
    TelegramPost,
    Text,
    Unknown,
    Unsupported,
    ViaBot,
)
from standins.discord.markdown import read, text_of
from standins.discord.rules import MEBIBYTE
from tests.discord.rendering import (
    COLOR,
    FEW,
    PHOTO,
    PREVIEW,
    checked,
    embeds,
    fetched,
    media,
    post,
    text,
    words,
)
from tests.discord.rich_texts import RICH_TEXTS


def test_long_text_continues_in_further_messages() -> None:
    long = " ".join(f"word{n}" for n in range(1300))
    messages = checked(post(PHOTO, text(long), signature="Tom"))
    assert len(messages) == 3
    assert [len(message.uploads) for message in messages] == [1, 0, 0]
    assert [embed.get("footer") for embed in embeds(messages)] == [None, None, {"text": "Tom"}]
    assert ["author" in embed for embed in embeds(messages)] == [True, False, False]
    assert all(
        embed["url"] == "https://t.me/cats_daily/7" and embed["color"] == COLOR for embed in embeds(messages)
    )
    assert " ".join(embed["description"] for embed in embeds(messages)).split() == long.split()


def test_long_text_is_split_by_processed_bytes() -> None:
    messages = checked(post(text("カ" * 4096)))
    assert "".join(embed["description"] for embed in embeds(messages)) == "カ" * 4096
    assert len(messages) == 2


def test_more_than_ten_files_continue_in_further_messages() -> None:
    messages = checked(post(*[PHOTO] * 23, text("Hi")))
    assert [[one.media for one in message.uploads] for message in messages] == [
        list(range(10)),
        list(range(10, 20)),
        [20, 21, 22],
    ]
    assert [message.payload.keys() & {"embeds"} for message in messages] == [{"embeds"}, set(), set()]


def test_files_of_one_message_stay_below_25_mib() -> None:
    album = post(PHOTO, media(MediaKind.VIDEO), media(MediaKind.VIDEO), text("word " * 1200))
    messages = checked(album, fetched(album, 10 * MEBIBYTE))
    assert [len(message.uploads) for message in messages] == [2, 1]
    huge = post(media(MediaKind.VIDEO))
    [line] = render(huge, color=COLOR, fetched={0: MediaFile(40 * MEBIBYTE, "video/mp4")})
    assert not line.uploads and "Video" in words([line])


@pytest.mark.parametrize("fallback", [Fallback.FILES, Fallback.TEXT])
def test_thousands_of_newlines_give_no_blank_embed(fallback: Fallback) -> None:
    messages = checked(post(text("a" + "\n" * 9000 + "b")), fallback=fallback)
    assert words(messages).split()[-3:-1] == ["a", "b"] or words(messages).split()[-2:] == ["a", "b"]
    assert all(embed.get("description") for embed in embeds(messages))


def test_invisible_text_after_a_card_gives_no_embed() -> None:
    messages = checked(post(text("Hi"), PREVIEW, text("\x00\x01")))
    assert len(embeds(messages)) == 2


@pytest.mark.parametrize("blocks", [[], [text(" \n ")], [text("\u2060")], [text("\x00")], [Buttons(())]])
def test_post_without_text_links_to_telegram(blocks: list[Block]) -> None:
    [message] = checked(post(*blocks))
    assert message.payload["embeds"][0]["description"] == "[Open in Telegram](https://t.me/cats_daily/7)"


ANYTHING = st.builds(lambda text, times: text * times, st.text(max_size=15), st.sampled_from([1, 1, 1, 20]))
"""Of any length up to more than what any field holds."""
URLS = st.sampled_from(
    [
        "https://a.b/c_d",
        "http://x.y/(z)",
        "tg://x",
        "",
        "javascript:1",
        "https://",
        "https://a.b/" + "x" * 2500,
    ]
)
MEDIA = st.builds(
    Media,
    st.sampled_from(MediaKind),
    URLS,
    st.none(),
    st.none(),
    ANYTHING,
    ANYTHING,
    ANYTHING,
    ANYTHING,
    ANYTHING,
    st.booleans(),
)
BLOCKS = st.one_of(
    st.builds(Text, RICH_TEXTS),
    st.builds(lambda runs: Text(runs * 20), RICH_TEXTS),
    MEDIA,
    st.builds(Forward, ANYTHING, st.none() | URLS, ANYTHING),
    st.builds(Reply, st.none() | URLS, ANYTHING, RICH_TEXTS),
    st.builds(ViaBot, ANYTHING, URLS),
    st.builds(
        Poll,
        ANYTHING,
        ANYTHING,
        st.lists(st.builds(PollOption, ANYTHING, ANYTHING), max_size=10).map(tuple),
        ANYTHING,
    ),
    st.builds(PollVotes, ANYTHING),
    st.builds(Location, URLS, ANYTHING, ANYTHING),
    st.builds(
        LinkPreview,
        URLS,
        ANYTHING,
        ANYTHING,
        RICH_TEXTS,
        st.lists(MEDIA, max_size=2).map(tuple),
        st.booleans(),
    ),
    st.builds(Card, ANYTHING, RICH_TEXTS, st.none() | URLS),
    st.builds(
        Buttons,
        st.lists(
            st.lists(st.builds(Button, ANYTHING, st.none() | URLS), max_size=3).map(tuple), max_size=3
        ).map(tuple),
    ),
    st.builds(Unsupported, ANYTHING),
    st.builds(Unknown, ANYTHING, RICH_TEXTS, ANYTHING),
)
POSTS = st.builds(
    lambda blocks, author, signature, photo: post(
        *blocks, author=author, signature=signature, photo_url=photo
    ),
    st.lists(BLOCKS, max_size=6),
    ANYTHING,
    ANYTHING,
    URLS,
)


@given(POSTS, st.sampled_from(Fallback), st.integers(0, 20 * MEBIBYTE))
@FEW
def test_any_post_keeps_discords_limits(of: TelegramPost, fallback: Fallback, size: int) -> None:
    files = fetched(of, size)
    messages = checked(of, files, fallback=fallback)
    uploaded = [one.media for message in messages for one in message.uploads]
    assert sorted(uploaded) == (sorted(files) if fallback is Fallback.FILES else [])


@given(RICH_TEXTS, st.integers(1, 30), st.sampled_from([Fallback.FILES, Fallback.LINKS, Fallback.TEXT]))
@FEW
def test_rendering_keeps_every_character_of_a_text(
    runs: tuple[Run, ...], times: int, fallback: Fallback
) -> None:
    unlinked = (Run("Ж"), *(replace(run, href=None) for run in runs)) * times
    shown = "".join(
        text_of(read(part))
        for message in checked(post(Text(unlinked)), fallback=fallback)
        for part in [
            message.payload.get("content", ""),
            *(e.get("description", "") for e in embeds([message])),
        ]
    )
    kept = "".join(run.text for run in unlinked)
    assert _letters(shown.removesuffix("https://t.me/cats_daily/7")) == _letters(kept)


def _letters(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char not in "\u200b\ufeff")
