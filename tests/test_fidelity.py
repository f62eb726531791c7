"""Whole posts, from t.me's HTML to what is seen in Discord, judged by bench.fidelity's readers.

Pages of our own making of every kind, hostile ones, and whatever Hypothesis puts together; the real pages
where they are at hand. What is asserted is always the same: nothing lost, nothing added, nothing refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bench import seen_in_telegram
from bench.comparison import Figures, judge
from bench.fidelity import REAL_PAGES, Judge, pages_under, rendered, report
from demo.markup import Scene
from demo.pages import frame
from demo.posts import KINDS, Kind
from disgram.models import ChannelPage, DiscordMessage, TelegramPost
from disgram.telegram_page import parse_post, slices
from tests import pages

COUNTED = ("words", "styles", "links", "line_breaks", "blanks", "media")


@pytest.fixture(scope="module")
def discord() -> Iterator[Judge]:
    with Judge() as one:
        yield one


def assert_whole(figures: Figures, *, but: tuple[str, ...] = ()) -> None:
    told = "\n".join(figures.problems)
    for kind in COUNTED:
        if kind not in but:
            assert getattr(figures, f"{kind}_kept") == getattr(figures, kind), told
    assert (figures.surplus, figures.refused) == (0, 0), told
    assert figures.accidental == 0, told


# --- the judge can fail -------------------------------------------------------------------------

SPECIMEN = pages.post(
    5,
    pages.photo(5),
    pages.text('One <b>bold</b> word,<br/>a <a href="https://a.b/c">link</a> and <i>more</i>.'),
)


def specimen() -> tuple[TelegramPost, list[DiscordMessage]]:
    (piece,) = slices(SPECIMEN)
    post = parse_post(piece, ChannelPage("harbour", "Harbour", None, (piece,)))
    return post, rendered(post)


def judged(messages: list[DiscordMessage]) -> Figures:
    (element,) = seen_in_telegram.elements(SPECIMEN)
    return judge(seen_in_telegram.see(element, "harbour"), specimen()[0], messages)


@pytest.mark.parametrize(
    ("old", "new", "kind"),
    [
        ("word,", "", "words"),
        ("**bold**", "bold", "styles"),
        ("https://a.b/c", "https://a.b/d", "links"),
        ("\n", " ", "line_breaks"),
        ("and *more*", "and*more*", "blanks"),
    ],
)
def test_the_judge_sees_what_is_lost(old: str, new: str, kind: str) -> None:
    _, (message,) = specimen()
    embed = message.payload["embeds"][0]
    assert old in embed["description"]
    embed["description"] = embed["description"].replace(old, new)
    figures = judged([message])
    assert [one for one in COUNTED if getattr(figures, one) != getattr(figures, f"{one}_kept")] == [kind]


def test_the_judge_sees_what_is_added() -> None:
    _, (message,) = specimen()
    message.payload["embeds"][0]["description"] += " and **more**."
    figures = judged([message])
    assert figures.surplus == len("andmore.")
    _, (message,) = specimen()
    message.payload["embeds"][0]["description"] = message.payload["embeds"][0]["description"].replace(
        "word", "~~word~~"
    )
    assert judged([message]).accidental == len("word")


def test_the_judge_counts_files() -> None:
    _, (message,) = specimen()
    assert judged([message]).media_kept == 1
    assert judged([replace(message, uploads=())]).media_kept == 0
    assert judged([message, DiscordMessage({"content": ""}, message.uploads)]).media_kept == 0


def test_the_report_names_every_figure() -> None:
    told = report(judged(specimen()[1]))
    for word in (*COUNTED, "posts", "accidental", "surplus", "refused"):
        assert word.replace("_", " ") in told
    assert "100.0 %" in told


# --- pages at hand ------------------------------------------------------------------------------

REAL = pages_under([REAL_PAGES]) if REAL_PAGES.is_dir() else []


@pytest.mark.skipif(not REAL, reason="no real pages beside the repository")
def test_real_pages(discord: Judge) -> None:
    whole = Figures()
    for path in REAL:
        whole.add(discord.page(path.read_text(encoding="utf-8")))
    assert whole.posts > 100
    assert_whole(whole)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_every_kind_of_the_demo(discord: Judge, kind: Kind) -> None:
    scene = Scene("harbour", "Harbour", 9, lambda name: f"{pages.CDN}/{name}")
    assert_whole(discord.page(frame(kind.make(3, 4), scene)))
