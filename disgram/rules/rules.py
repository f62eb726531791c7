"""What a job says about its posts, and the verdict on one.

Pure: no verdict depends on other posts, on their order or on the clock. A verdict names the rule that left
the post out, as the ledger, GET /job/explain and GET /job/preview show it.
"""

from __future__ import annotations

from collections.abc import Iterator

from disgram.post import Block, Card, Location, Media, Poll, TelegramPost, Text, Unknown, plain
from disgram.rules.kinds import KindsRule, kinds_of
from disgram.rules.mention import Mention
from disgram.rules.pattern import Pattern
from disgram.rules.texts import RuleTexts

SERVICE_RULE = "FORWARD_SERVICE_MESSAGES"
"""What the ledger names as the rule that left out a service message: the setting that would forward it."""


class Rules:
    """Checked and compiled. Raises BadInput, which names the header of the wrong one."""

    def __init__(self, texts: RuleTexts) -> None:
        self._kinds = KindsRule.parse(texts.kinds) if texts.kinds else None
        self._include = _pattern("INCLUDE", texts.include)
        self._exclude = _pattern("EXCLUDE", texts.exclude)
        self._mention = Mention.parse(texts.mention) if texts.mention else None
        self._mention_if = _pattern("MENTION_IF", texts.mention_if)

    def takes_service(self, *, by_default: bool) -> bool:
        """Whether service messages are forwarded: as FORWARD_SERVICE_MESSAGES says, or because KINDS names
        them."""
        named = self._kinds is not None and not self._kinds.unwanted and "service" in self._kinds.words
        return by_default or named

    @property
    def any_verdict(self) -> bool:
        """Whether any post could be left out."""
        return any((self._kinds, self._include, self._exclude))

    def verdict(self, post: TelegramPost) -> str | None:
        """The rule that leaves the post out: `kinds`, `include` or `exclude`, the first that does in this
        order. None: the post is forwarded."""
        if self._kinds and not self._kinds.passes(kinds_of(post)):
            return "kinds"
        if not (self._include or self._exclude):
            return None
        text = searched_text(post)
        if self._include and not self._include.found_in(text):
            return "include"
        return "exclude" if self._exclude and self._exclude.found_in(text) else None

    def pings(self, post: TelegramPost) -> Mention | None:
        """Whom the post's first message pings."""
        if self._mention_if and not self._mention_if.found_in(searched_text(post)):
            return None
        return self._mention


def searched_text(post: TelegramPost) -> str:
    """The words of a post with the names of its files, one block a line. Not what others wrote: the post it
    answers, the name it is forwarded from, the preview of a link."""
    return "\n".join(line for block in post.blocks for line in _lines(block) if line)


def _lines(block: Block) -> Iterator[str]:
    match block:
        case Text() | Card():
            yield plain(block.runs)
        case Unknown(shown=True):
            yield plain(block.runs)
        case Media():
            yield from (block.performer, block.name)
        case Poll():
            yield block.question
            yield from (option.text for option in block.options)
        case Location():
            yield from (block.title, block.address)
        case _:
            pass


def _pattern(header: str, text: str | None) -> Pattern | None:
    return Pattern(header, text) if text else None


NO_RULES = Rules(RuleTexts())
"""Of a job that names none: everything passes, nobody is pinged."""
