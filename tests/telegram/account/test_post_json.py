"""Posts as JSON between the account's process and a worker: an exact round trip, and nothing else is read."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.errors import PageNotUnderstood
from disgram.post import Block, Media, MediaKind, Run, Style, TelegramPost, Text
from disgram.telegram.account.post_json import read_post, write_post

BLOCKS = get_args(Block)
IDS = st.lists(st.integers(1, 2**31), min_size=1, max_size=4, unique=True).map(lambda ids: tuple(sorted(ids)))
ZONES = st.timedeltas(timedelta(hours=-23), timedelta(hours=23)).map(timezone)
st.register_type_strategy(datetime, st.datetimes(timezones=ZONES))
POSTS = st.builds(TelegramPost, ids=IDS).map(lambda post: replace(post, id=post.ids[0]))

POST = TelegramPost(
    "news",
    5,
    (5, 6),
    "News",
    (
        Text((Run("a"), Run("b", frozenset({Style.BOLD, Style.QUOTE}), "https://a.example"))),
        Media(MediaKind.PHOTO, "https://t.me/news/5", url="account:news/5/file", spoiler=True),
    ),
    date=datetime(2026, 8, 6, tzinfo=timezone.utc),
)


@given(POSTS)
def test_post_is_read_as_it_was_written(post: TelegramPost) -> None:
    assert read_post(write_post(post)) == post


@pytest.mark.parametrize("kind", BLOCKS, ids=lambda kind: str(kind.__name__))
def test_every_kind_of_block_is_read_as_it_was_written(kind: type) -> None:
    @given(st.builds(kind))
    def check(block: Block) -> None:
        post = replace(POST, blocks=(block,))
        assert read_post(write_post(post)) == post

    check()


def test_fields_with_their_default_are_not_written() -> None:
    written = json.loads(write_post(POST))
    assert set(written) == {"channel", "id", "ids", "author", "blocks", "date"}
    assert written["blocks"][0]["runs"][0] == {"text": "a"}


def test_styles_are_written_in_one_order() -> None:
    assert '["bold","quote"]' in write_post(POST)


def test_lone_surrogates_and_line_breaks_arrive() -> None:
    post = replace(POST, author="\ud800\r\n\u2028\0")
    assert read_post(write_post(post)) == post


def changed(**fields: object) -> str:
    return json.dumps(json.loads(write_post(POST)) | fields)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "null",
        "[]",
        "5",
        '"a"',
        "{}",
        "[" * 100_000,
        '{"id":' + "9" * 5000 + "}",
        changed(id="5"),
        changed(id=True),
        changed(id=5.0),
        changed(id=-5, ids=[-5]),
        changed(id=6),
        changed(ids=[]),
        changed(ids=[5, 5]),
        changed(ids=[6, 5]),
        changed(ids="56"),
        changed(ids={"5": 6}),
        changed(author=None),
        changed(unknown=1),
        changed(__class__="x"),
        changed(date="yesterday"),
        changed(date="2026-08-06T00:00:00"),
        changed(date=5),
        changed(edited=1),
        changed(blocks={}),
        changed(blocks=[{}]),
        changed(blocks=[{"block": "TelegramPost"}]),
        changed(blocks=[{"block": ["Text"], "runs": []}]),
        changed(blocks=[{"block": "Text"}]),
        changed(blocks=[{"block": "Text", "runs": [{"text": 5}]}]),
        changed(blocks=[{"block": "Text", "runs": [{"text": "a", "styles": ["loud"]}]}]),
        changed(blocks=[{"block": "Text", "runs": [{"text": "a", "styles": "bold"}]}]),
        changed(blocks=[{"block": "Media", "link": "", "kind": "Picture"}]),
    ],
)
def test_anything_else_is_one_error(text: str) -> None:
    with pytest.raises(PageNotUnderstood, match="a post of the account cannot be read"):
        read_post(text)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    )
)
def test_any_json_is_a_post_or_an_error(value: object) -> None:
    with pytest.raises(PageNotUnderstood):
        read_post(json.dumps(value))
