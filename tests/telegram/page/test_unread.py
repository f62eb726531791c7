"""Parts inside known elements that no reader takes: their words arrive in order, and they are reported."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.post import (
    ChannelPage,
    LinkPreview,
    Media,
    Poll,
    PollOption,
    PollVotes,
    Reply,
    Unknown,
    plain,
)
from disgram.telegram.page import fingerprint, parse_post, split_page
from tests.builders import pages
from tests.discord.rendering import checked, words
from tests.telegram.page.reading import block, blocks, read

CASES = Path(__file__).parents[4] / "shared" / "cases"
NOVELTY = '<div class="tgme_widget_message_novelty">New <b>words</b></div>'
POLL = pages.poll("Tea?", "Anonymous Quiz", ("Yes", "60%"), ("No", "40%"))


def inside(element: str, part: str = NOVELTY) -> str:
    """The part as the last child of an element of the page."""
    opened, closed, after = element.rpartition("</")
    return opened + part + closed + after


def shown(*content: str) -> str:
    return words(checked(read(pages.post(5, *content)), {}))


KINDS = {
    "photo": pages.photo(5),
    "video": pages.video(5),
    "gif": pages.gif(5),
    "round video": pages.round_video(),
    "voice": pages.voice(5),
    "document": pages.document(5, "a.pdf", "2 KB"),
    "music": pages.document(5, "Song", "Ann", music=True),
    "poll": POLL,
    "location": pages.location(),
    "venue": pages.location("Cafe", "Main Street"),
    "reply": pages.reply("Ann", "quote"),
    "link preview": pages.link_preview('<div class="link_preview_title">T</div>'),
}


@pytest.mark.parametrize("kind", KINDS)
def test_known_elements_leave_nothing_unread(kind: str) -> None:
    assert not [each for each in blocks(KINDS[kind]) if isinstance(each, Unknown)]


@pytest.mark.parametrize("kind", KINDS)
def test_new_part_of_a_known_element_arrives_and_is_reported(kind: str) -> None:
    html = inside(KINDS[kind])
    (reported,) = [each for each in blocks(html) if isinstance(each, Unknown)]
    assert reported.css_class == "tgme_widget_message_novelty"
    assert plain(reported.runs) == "New words"
    assert shown(html, pages.text("after")).count("New words") == 1


@pytest.mark.parametrize("kind", ["voice", "document", "location", "poll"])
def test_new_words_outside_any_part_arrive(kind: str) -> None:
    html = inside(KINDS[kind], "bare words")
    assert "bare words" in shown(html)
    assert [each.html for each in blocks(html) if isinstance(each, Unknown)] == ["bare words"]


@pytest.mark.parametrize("kind", ["photo", "video", "voice", "document", "location", "poll"])
def test_part_of_another_element_inside_a_known_one_arrives(kind: str) -> None:
    part = '<div class="tgme_widget_message_text">words of its own</div>'
    assert shown(inside(KINDS[kind], part)).count("words of its own") == 1


def test_new_words_in_the_line_of_the_author_arrive_and_are_reported() -> None:
    line = (
        '<div class="tgme_widget_message_author"><a class="tgme_widget_message_owner_name">Harbour</a>'
        '<i class="verified-icon"> ✔</i> via <a class="tgme_widget_message_via_bot">@bot</a>{}</div>'
    )
    assert not [each for each in blocks(line.format("")) if isinstance(each, Unknown)]
    assert "New words" in shown(line.format(NOVELTY))
    assert [each.css_class for each in blocks(line.format(NOVELTY)) if isinstance(each, Unknown)]


def test_new_part_deep_inside_a_known_element_arrives() -> None:
    html = pages.document(5, "a.pdf", "2 KB").replace("2 KB</div>", f"2 KB</div>{NOVELTY}")
    _, part = blocks(html)
    assert isinstance(part, Unknown)


def test_part_before_the_question_of_a_poll_comes_before_it() -> None:
    before = '<div class="tgme_widget_message_poll_note">Read first</div>'
    first, vote, last = blocks(
        POLL.replace('js-poll">', f'js-poll">{before}').replace("</a></div>", f"</a>{NOVELTY}</div>")
    )
    assert isinstance(first, Unknown) and isinstance(vote, Poll) and isinstance(last, Unknown)
    assert (plain(first.runs), plain(last.runs)) == ("Read first", "New words")


def test_option_of_a_poll_keeps_its_other_words_and_its_picture() -> None:
    extra = '<span class="by">by Ann</span>' + pages.picture("tgme_widget_message_poll_option_image", "c.jpg")
    vote, by, picture = blocks(POLL.replace("Yes</div>", f"Yes</div>{extra}"))
    assert isinstance(vote, Poll)
    assert vote.options == (PollOption("Yes by Ann", "60%"), PollOption("No", "40%"))
    assert isinstance(by, Unknown) and isinstance(picture, Media)
    assert picture.url == f"{pages.CDN}/c.jpg"
    assert shown(POLL.replace("Yes</div>", f"Yes</div>{extra}")).count("by Ann") == 1


def test_right_answer_of_a_quiz_is_marked() -> None:
    mark = '<div class="tgme_widget_message_poll_option_correct"></div>'
    html = POLL.replace('dir="auto"', "").replace(
        '<div class="tgme_widget_message_poll_option_text">No',
        f'{mark}<div class="tgme_widget_message_poll_option_text">No',
    )
    vote = block(html)
    assert isinstance(vote, Poll)
    assert [option.correct for option in vote.options] == [False, True]
    assert "40% No ✅" in shown(html)


@pytest.mark.parametrize("votes", ["746 votes", "1 vote", "1.2K votes"])
def test_votes_inside_a_poll_are_shown_as_the_page_says_them(votes: str) -> None:
    html = inside(POLL, f'<div class="tgme_widget_message_poll_votes">{votes}</div>')
    assert blocks(html)[1] == PollVotes(votes)
    assert shown(html).split("\n").count(votes) == 1
    assert "voter" not in shown(html)


def test_votes_inside_a_poll_do_not_change_the_fingerprint() -> None:
    few, many = (
        inside(POLL, f'<div class="tgme_widget_message_poll_votes">{votes}</div>')
        for votes in ("1 vote", "2 votes")
    )
    assert fingerprint(few) == fingerprint(many)


def test_reply_shows_its_date_and_the_bot_of_its_author() -> None:
    html = pages.reply("Ann", "quote").replace(
        "</span></div>",
        '</span>&nbsp;via&nbsp;<span class="tgme_widget_message_via_bot">@gif</span></div>'
        '<div class="tgme_widget_message_reply_date">Nov 1</div>',
    )
    answered = block(html)
    assert isinstance(answered, Reply)
    assert (answered.author.replace("\xa0", " "), answered.date) == ("Ann via @gif", "Nov 1")
    assert "Nov 1" in shown(html)


def test_words_of_a_link_preview_stay_in_the_order_of_the_page() -> None:
    inner = (
        '<div class="top">First</div><div class="link_preview_title">T</div>'
        '<div class="link_preview_description">D</div><div class="low">Last</div>'
    )
    card = blocks(pages.link_preview(inner))[0]
    assert isinstance(card, LinkPreview)
    assert plain(card.description) == "First\nD\nLast"


def test_sticker_with_an_effect_is_the_sticker_alone() -> None:
    effect = (
        '<picture class="tgme_widget_message_tgsticker_effect"><source type="application/x-tgsticker" '
        f'srcset="{pages.CDN}/eff.tgs?token=1"></picture>'
    )
    html = pages.animated_sticker().replace('<div class="tgme_widget_message_tgsticker_wrap">', effect)
    assert [type(each) for each in blocks(html)] == [Media]


@pytest.mark.skipif(not CASES.is_dir(), reason="no cases beside the repository")
def test_poll_case_is_shown_whole() -> None:
    html = (CASES / "poll_parts.html").read_text(encoding="utf-8")
    lines = [
        "Please read all rules",
        "",
        "📊 Which one?",
        "Anonymous Quiz",
        "▰▰▰▰▰▱▱▱▱▱ 50% A ✅",
        "12 votes",
    ]
    assert "\n".join(lines) in shown(html)
    assert [each.css_class for each in blocks(html) if isinstance(each, Unknown)] == [
        "tgme_widget_message_poll_description"
    ]


REPORTED = {
    1: "Because water boils at 100 °C, see why",
    2: "Pick your pet",
    6: "Hello this is the transcript",
    7: "Expires in 3 days",
    8: "Live location\nupdated 5 minutes ago",
}


@pytest.mark.skipif(not CASES.is_dir(), reason="no cases beside the repository")
def test_unclaimed_words_case_arrives_and_is_reported() -> None:
    page: ChannelPage = split_page((CASES / "unclaimed_words.html").read_text(encoding="utf-8"), "probe_chan")
    posts = {each.id: parse_post(each, page) for each in page.slices}
    for post_id, said in REPORTED.items():
        assert said in words(checked(posts[post_id], {})).replace(" (https://example.com/why)", "")
        assert said in [plain(each.runs) for each in posts[post_id].blocks if isinstance(each, Unknown)]
