"""Verdicts on posts: which rule leaves out which post, and whom a post pings."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.errors import BadInput
from disgram.post import (
    Block,
    Button,
    Buttons,
    Card,
    Forward,
    LinkPreview,
    Location,
    Media,
    MediaKind,
    Poll,
    PollOption,
    Reply,
    Run,
    TelegramPost,
    Text,
    Unknown,
    Unsupported,
)
from disgram.rules.kinds import KINDS, KindsRule, kinds_of
from disgram.rules.mention import Mention
from disgram.rules.rules import Rules, searched_text
from disgram.rules.texts import RuleTexts

LINK = "https://t.me/news/7"
TEXT = Text((Run("Storm warning"),))
PHOTO = Media(MediaKind.PHOTO, LINK)
DOCUMENT = Media(MediaKind.DOCUMENT, LINK, name="Report-2026.pdf")


def post(*blocks: Block, service: bool = False) -> TelegramPost:
    return TelegramPost("news", 7, (7,), "News", blocks, service=service)


def runs(text: str, href: str | None = None) -> Text:
    return Text((Run(text, href=href),))


@pytest.mark.parametrize(
    ("blocks", "kinds"),
    [
        ((TEXT,), {"text"}),
        ((PHOTO,), {"photo"}),
        ((PHOTO, TEXT), {"photo"}),
        ((PHOTO, DOCUMENT), {"photo", "document"}),
        ((Media(MediaKind.ROUND_VIDEO, LINK),), {"round"}),
        ((Media(MediaKind.GIF, LINK),), {"gif"}),
        ((TEXT, LinkPreview("https://a.example", media=(PHOTO,))), {"text", "link"}),
        ((runs("here", "https://a.example"),), {"text", "link"}),
        ((runs("@name", "https://t.me/name"),), {"text"}),
        ((runs("#tag", "https://t.me/news?q=%23tag"),), {"text"}),
        ((runs("call", "tel:+1555"),), {"text"}),
        ((Forward("Other"), PHOTO), {"forward", "photo"}),
        ((Reply(None, "A", ()), TEXT), {"reply", "text"}),
        ((Poll("Q?", "Quiz", (PollOption("a", ""),)),), {"poll"}),
        ((Location("https://maps.example"),), {"location"}),
        ((Card("Contact", (Run("Ann"),)),), {"contact"}),
        ((Card("Giveaway results", (Run("Ann"),)),), {"giveaway"}),
        ((Unsupported("Please open Telegram"),), {"unsupported"}),
        ((Unknown("new", (Run("x"),), "<p>"),), {"unsupported"}),
        ((Buttons(((Button("Go"),),)), TEXT), {"text"}),
        ((), set()),
    ],
)
def test_a_post_is_of_every_kind_it_contains(blocks: tuple[Block, ...], kinds: set[str]) -> None:
    assert kinds_of(post(*blocks)) == kinds
    assert kinds_of(post(*reversed(blocks))) == kinds


def test_every_kind_of_media_has_its_word() -> None:
    words = {word for kind in MediaKind for word in kinds_of(post(Media(kind, LINK)))}
    assert len(words) == len(MediaKind)
    assert words < set(KINDS)


def test_a_service_message_is_of_no_other_kind() -> None:
    assert kinds_of(post(PHOTO, TEXT, service=True)) == {"service"}


@pytest.mark.parametrize(
    ("texts", "blocks", "rule"),
    [
        (RuleTexts(), (TEXT,), None),
        (RuleTexts(kinds="photo,video"), (TEXT,), "kinds"),
        (RuleTexts(kinds="photo,video"), (PHOTO, TEXT), None),
        (RuleTexts(kinds="-forward"), (Forward("B"), TEXT), "kinds"),
        (RuleTexts(kinds="-forward"), (TEXT,), None),
        (RuleTexts(include="storm"), (TEXT,), None),
        (RuleTexts(include="STORM"), (TEXT,), None),
        (RuleTexts(include="flood"), (TEXT,), "include"),
        (RuleTexts(include="flood|warning"), (TEXT,), None),
        (RuleTexts(exclude="warn"), (TEXT,), "exclude"),
        (RuleTexts(include="storm", exclude="warn"), (TEXT,), "exclude"),
        (RuleTexts(include="flood", exclude="warn"), (TEXT,), "include"),
        (RuleTexts(include=r"\.pdf$"), (DOCUMENT,), None),
        (RuleTexts(include="шторм"), (runs("ШТОРМ"),), None),
        (RuleTexts(include="storm"), (PHOTO,), "include"),
        (RuleTexts(exclude="storm"), (Forward("Storm"), runs("calm")), None),
        (RuleTexts(exclude="storm"), (runs("calm"), LinkPreview("https://a.example", title="Storm")), None),
        (RuleTexts(include="which"), (Poll("Which?", "Quiz", ()),), None),
        (RuleTexts(include="second"), (Poll("?", "Quiz", (PollOption("Second", ""),)),), None),
        (RuleTexts(include="a.b"), (runs("a\nb"),), "include"),
        (RuleTexts(include="(?s)a.b"), (runs("a\nb"),), None),
        (RuleTexts(include="x"), (runs("\ud800x"),), None),
    ],
)
def test_verdict_names_the_rule_that_leaves_a_post_out(
    texts: RuleTexts, blocks: tuple[Block, ...], rule: str | None
) -> None:
    assert Rules(texts).verdict(post(*blocks)) == rule


@pytest.mark.parametrize(
    ("texts", "text", "content"),
    [
        (RuleTexts(), "storm", None),
        (RuleTexts(mention="12,34"), "calm", "<@&12> <@&34>"),
        (RuleTexts(mention="12", mention_if="storm"), "calm", None),
        (RuleTexts(mention="here", mention_if="storm"), "Storm", "@here"),
        (RuleTexts(mention_if="storm"), "storm", None),
    ],
)
def test_a_post_pings_whom_the_job_names_if_the_condition_holds(
    texts: RuleTexts, text: str, content: str | None
) -> None:
    mention = Rules(texts).pings(post(runs(text)))
    assert (mention.content if mention else None) == content


@pytest.mark.parametrize(
    ("text", "names", "allowed"),
    [
        ("12", ("12",), {"parse": [], "roles": ["12"]}),
        ("<@&12>, 34, 12", ("12", "34"), {"parse": [], "roles": ["12", "34"]}),
        ("everyone", ("everyone",), {"parse": ["everyone"]}),
        (" @Here ", ("here",), {"parse": ["everyone"]}),
    ],
)
def test_mention_allows_exactly_what_it_names(
    text: str, names: tuple[str, ...], allowed: dict[str, object]
) -> None:
    mention = Mention.parse(text)
    assert (mention.names, mention.allowed) == (names, allowed)
    assert Mention.parse(str(mention)) == mention


@pytest.mark.parametrize("text", ["", ",", "role", "12,everyone", "0", "-1", "9" * 20, "<@12>", "1,2,x"])
def test_a_senseless_mention_is_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        Mention.parse(text)
    assert refused.value.error == "Invalid MENTION"


def test_more_roles_than_a_message_should_ping_are_refused() -> None:
    with pytest.raises(BadInput):
        Mention.parse(",".join(str(number) for number in range(1, 22)))


@pytest.mark.parametrize("text", ["", ",", "pictures", "photo,-video", "--photo", "-"])
def test_senseless_kinds_are_refused(text: str) -> None:
    with pytest.raises(BadInput) as refused:
        KindsRule.parse(text)
    assert refused.value.error == "Invalid KINDS"


@pytest.mark.parametrize("text", ["photo", "-photo", "photo,video", "-forward,-service", " Video , PHOTO "])
def test_kinds_read_back_as_they_were_written(text: str) -> None:
    rule = KindsRule.parse(text)
    assert KindsRule.parse(str(rule)) == rule


@given(st.lists(st.sampled_from(KINDS), min_size=1), st.frozensets(st.sampled_from(KINDS)))
def test_kinds_let_pass_either_those_named_or_all_others(words: list[str], kinds: frozenset[str]) -> None:
    wanted, unwanted = (
        KindsRule.parse(",".join(words)),
        KindsRule.parse(",".join(f"-{word}" for word in words)),
    )
    assert wanted.passes(kinds) != unwanted.passes(kinds)
    assert wanted.passes(kinds) == any(word in kinds for word in words)


@given(st.lists(st.text(st.characters(codec="utf-8"), max_size=30), max_size=5), st.text(max_size=20))
def test_every_word_of_a_post_is_searched(texts: list[str], name: str) -> None:
    searched = searched_text(post(*map(runs, texts), Media(MediaKind.DOCUMENT, LINK, name=name)))
    assert all(text in searched for text in (*texts, name))


@given(st.text(max_size=30), st.text(max_size=30))
def test_a_verdict_is_the_same_each_time(pattern: str, text: str) -> None:
    try:
        rules = Rules(RuleTexts(exclude=pattern))
    except BadInput:
        return
    first = [rules.verdict(post(runs(each))) for each in (text, pattern)]
    assert [rules.verdict(post(runs(each))) for each in (pattern, text)] == first[::-1]
