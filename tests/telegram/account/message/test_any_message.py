"""Whatever the types of Telegram's API allow is a post: random messages, and messages from the wire."""

from __future__ import annotations

import random
from datetime import datetime, timedelta
from typing import Any, ForwardRef, Union, get_args, get_origin, get_type_hints

import pytest

from disgram.discord.text import sections
from tests.telegram.account.message.test_same_as_page import SAME

pytest.importorskip("telethon")

from telethon.extensions import BinaryReader
from telethon.tl import types as tl

from disgram.telegram.account.message.files import find_file, parse_address
from disgram.telegram.account.message.posts import posts_of
from disgram.telegram.account.post_json import read_post, write_post
from tests.telegram.account.message import making
from tests.telegram.account.message.making import message, service
from tests.telegram.account.message.test_kinds import CARDS
from tests.telegram.account.message.test_posts import FILES

MEDIA = [
    kind for kind in map(tl.__dict__.get, dir(tl)) if getattr(kind, "__name__", "").startswith("MessageMedia")
]
ACTIONS = [
    kind
    for kind in map(tl.__dict__.get, dir(tl))
    if getattr(kind, "__name__", "").startswith("MessageAction")
]
DEPTH = 6


class Maker:
    """Makes values of the API's types; the deeper, the more of what may be left out is."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def value(self, kind: Any, depth: int = 0) -> Any:
        if isinstance(kind, (str, ForwardRef)):
            kind = getattr(tl, kind.__forward_arg__ if isinstance(kind, ForwardRef) else kind, None)
        if get_origin(kind) is Union:
            return self._one_of(get_args(kind), depth)
        if get_origin(kind) is list:
            return [self.value(get_args(kind)[0], depth + 1) for _ in range(self._random.choice((0, 1, 2)))]
        if kind in (None, type(None)):
            return None
        plain = {int: self._int, str: self._str, bytes: self._bytes, bool: self._bool, float: self._float}
        if kind in plain:
            return plain[kind]()
        if kind is datetime:
            return making.DATE + timedelta(seconds=self._random.randrange(10**6))
        return self.made(kind, depth + 1)

    def made(self, kind: Any, depth: int = 0) -> Any:
        hints = _hints(kind)
        return kind(**{name: self.value(hint, depth) for name, hint in hints.items() if name != "return"})

    def _one_of(self, kinds: tuple[Any, ...], depth: int) -> Any:
        """Deep inside nothing where it may be missing, else what has no parts itself."""
        if type(None) in kinds and (depth > DEPTH or self._random.random() < 0.3):
            return None
        kinds = tuple(kind for kind in kinds if kind is not type(None))
        kinds = tuple(kind for kind in kinds if not _is_for_sending(kind)) or kinds
        flat = [kind for kind in kinds if isinstance(kind, type) and _is_flat(kind)]
        return self.value(self._random.choice(flat if flat and depth > DEPTH else kinds), depth)

    def _int(self) -> int:
        return self._random.choice((0, 1, 5, 70, -1, 2**31 - 1))

    def _float(self) -> float:
        return self._random.choice((0.0, 1.5, -90.0, 1e9))

    def _str(self) -> str:
        return self._random.choice(("", "a", "a\nb", "😀 b", "https://a.example", "+1"))

    def _bytes(self) -> bytes:
        return self._random.choice((b"", b"\0", b"ab"))

    def _bool(self) -> bool:
        return self._random.random() < 0.5


def _is_for_sending(kind: Any) -> bool:
    return getattr(kind, "__name__", "").startswith("Input")


def _is_flat(kind: type) -> bool:
    return all(hint in (int, str, bytes, bool, float, type(None)) for hint in _hints(kind).values())


def _hints(kind: Any) -> dict[str, Any]:
    """The types of a constructor's arguments. Telethon lacks the names of some types."""
    return get_type_hints(kind.__init__, vars(tl), _Names(vars(tl)))


class _Names(dict[str, Any]):
    def __missing__(self, name: str) -> type:
        if name.startswith("Type"):
            return type(None)
        raise KeyError(name)


def check(one: Any) -> None:
    for found in posts_of([one], making.channel()):
        assert found.post.blocks
        assert read_post(write_post(found.post)) == found.post
        sections(found.post, lines_for=range(len(found.post.media)), reply_link=None)
        for url in (url for each in found.post.media for url in (each.url, each.preview_url) if url):
            address = parse_address(url)
            assert address is None or find_file(one, address.which), url


@pytest.mark.parametrize("kind", MEDIA, ids=lambda kind: str(kind.__name__))
def test_media_of_any_content_is_a_post(kind: Any) -> None:
    for seed in range(8):
        check(message(text="a", media=Maker(seed).made(kind)))


@pytest.mark.parametrize("kind", ACTIONS, ids=lambda kind: str(kind.__name__))
def test_action_of_any_content_is_a_post(kind: Any) -> None:
    for seed in range(4):
        check(service(Maker(seed).made(kind), post=seed % 2 == 0))


def test_rich_message_of_any_content_is_a_post() -> None:
    for seed in range(30):
        check(message(rich_message=Maker(seed).made(tl.RichMessage)))


def test_headers_of_any_content_are_read() -> None:
    for seed in range(30):
        maker = Maker(seed)
        check(
            message(
                text="😀 text",
                entities=[maker.value("TypeMessageEntity") for _ in range(4)],
                fwd_from=maker.made(tl.MessageFwdHeader),
                reply_to=maker.value("TypeMessageReplyHeader"),
                reply_markup=maker.value("TypeReplyMarkup"),
                restriction_reason=maker.value(list[tl.RestrictionReason]),
                factcheck=maker.made(tl.FactCheck),
            )
        )


WIRE = [*FILES, *(case[1] for case in SAME), *(message(media=case[1]) for case in CARDS)]


@pytest.mark.parametrize("one", WIRE, ids=[str(number) for number in range(len(WIRE))])
def test_message_from_the_wire_is_the_same_post(one: Any) -> None:
    received = BinaryReader(bytes(one)).tgread_object()
    assert posts_of([received], making.channel()) == posts_of([one], making.channel())
