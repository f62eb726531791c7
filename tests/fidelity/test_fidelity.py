"""Whole posts, from t.me's HTML to what is seen in Discord, judged by readers that know nothing of Disgram.

Pages of our own making of every kind, hostile ones, and whatever Hypothesis puts together; the real pages
where they are at hand. What is asserted is always the same: nothing lost, nothing added, nothing refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from html import escape

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from demo.posts import KINDS, Kind
from disgram.discord.message import DiscordMessage
from disgram.post import ChannelPage, TelegramPost
from disgram.telegram.page import parse_post, split_posts
from standins.telegram.pages import frame
from standins.telegram.text_markup import Scene
from tests.builders import pages
from tests.builders.odd_posts import ODD_POSTS
from tests.fidelity import seen_in_telegram
from tests.fidelity.comparison import Figures, judge
from tests.fidelity.judge import Judge, real_pages, rendered

COUNTED = ("words", "styles", "links", "line_breaks", "blanks", "media")


@pytest.fixture(scope="module")
def discord() -> Iterator[Judge]:
    with Judge() as one:
        yield one


def assert_whole(figures: Figures, *, but: tuple[str, ...] = ()) -> None:
    problems = "\n".join(figures.problems)
    for kind in COUNTED:
        if kind not in but:
            assert getattr(figures, f"{kind}_kept") == getattr(figures, kind), problems
    assert (figures.surplus, figures.refused) == (0, 0), problems
    assert figures.accidental == 0, problems


# --- the judge can fail -------------------------------------------------------------------------

SPECIMEN = pages.post(
    5,
    pages.photo(5),
    pages.text('One <b>bold</b> word,<br/>a <a href="https://a.b/c">link</a> and <i>more</i>.'),
)


def specimen() -> tuple[TelegramPost, list[DiscordMessage]]:
    (piece,) = split_posts(SPECIMEN)
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


@pytest.mark.parametrize(("words", "counted"), [("👩\u200d💻", 1), ("a\u200db", 1), ("\u200d", 0)])
def test_the_judge_misses_what_can_be_seen_alone(words: str, counted: int) -> None:
    (element,) = seen_in_telegram.elements(pages.post(5, pages.text(words)))
    post, (message,) = specimen()
    message.payload["embeds"][0]["description"] = words.replace("\u200d", "")
    figures = judge(seen_in_telegram.see(element, "harbour"), post, [message])
    assert (figures.words, figures.words_kept) == (counted, 0)


def test_the_judge_counts_files() -> None:
    _, (message,) = specimen()
    assert judged([message]).media_kept == 1
    assert judged([replace(message, uploads=())]).media_kept == 0
    assert judged([message, DiscordMessage({"content": ""}, message.uploads)]).media_kept == 0


# --- pages at hand ------------------------------------------------------------------------------

REAL = real_pages()


@pytest.mark.skipif(not REAL, reason="no real pages beside the repository")
def test_nothing_of_the_real_pages_is_lost(discord: Judge) -> None:
    whole = Figures()
    for path in REAL:
        whole.add(discord.page(path.read_text(encoding="utf-8")))
    assert whole.posts > 100
    assert_whole(whole)


@pytest.mark.parametrize("kind", KINDS, ids=[kind.name for kind in KINDS])
def test_nothing_of_any_kind_of_post_is_lost(discord: Judge, kind: Kind) -> None:
    scene = Scene("harbour", "Harbour", 9, lambda name: f"{pages.CDN}/{name}")
    assert_whole(discord.page(frame(kind.make(3, 4), scene)))


@pytest.mark.parametrize("name", ODD_POSTS)
def test_nothing_of_odd_and_hostile_posts_is_lost(discord: Judge, name: str) -> None:
    assert_whole(discord.page(ODD_POSTS[name]))


# --- anything -----------------------------------------------------------------------------------

MARKERS = ["**", "*", "_", "__", "~~", "||", "`", "```", "[", "](", "<@1>", "@everyone", "# ", "- ", "1. "]
SPECIALS = [*MARKERS, "> ", "https://x.y/a_b",
            "<t:1>", ":a:", "\\", "\n", "\n\n", "\n- ", "\n# ", "  ", "👍🏽", "🇷🇺",
            "é", "\u200d", "\u202e", "x_y", "&amp;", "<b>"]  # fmt: skip
# Zero-width spaces are the writer's own; what ends a line in Unicode alone, a browser does not break at.
ANY_CHARACTER = st.characters(exclude_categories=["Cs", "Cc"], exclude_characters="\u2028\u2029\ufeff\u200b")
ANY_TEXT = st.lists(st.sampled_from(SPECIALS) | st.text(ANY_CHARACTER, max_size=8), max_size=8).map("".join)
PLAIN_TEXT = st.text(st.characters(categories=["Lu", "Ll", "Lo", "Nd"]), min_size=1, max_size=8)
TARGETS = st.sampled_from(
    ["https://a.b/c_d*e", "http://x.y/?a=b&amp;c=d", "https://x.y/(z)", "?q=%23tag", "https://t.me/abc",
     "tg://x?y=1", "https://a.b/~~c__d||e"]
)  # fmt: skip


def marked_up(words: str) -> str:
    return escape(words).replace("\n", "<br/>")


def inline(label: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Nested formatting. `label`: what stands in links and code, where not every character can be shown."""
    leaves = (
        ANY_TEXT.map(marked_up)
        | st.sampled_from(["<br/>", "<br/><br/>", " ", pages.emoji("👍"), pages.custom_emoji("🤖")])
        | label.map(lambda words: f"<code>{marked_up(words)}</code>")
        | st.builds(lambda url, words: f'<a href="{url}">{marked_up(words)}</a>', TARGETS, label)
    )
    names = st.sampled_from(["b", "i", "u", "s", "tg-spoiler"])
    return st.recursive(
        leaves,
        lambda inner: st.builds(
            lambda name, parts: f"<{name}>{''.join(parts)}</{name}>", names, st.lists(inner, max_size=4)
        ),
        max_leaves=8,
    )


def texts(label: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    """Telegram trims blocks: they begin and end with something to see."""
    lines = st.lists(inline(label), max_size=5).map("".join)
    blocks = (
        lines
        | lines.map(lambda html: f"<blockquote>Q{html}Q</blockquote>")
        | lines.map(lambda html: f"<blockquote expandable>Q{html}Q</blockquote>")
        | ANY_TEXT.map(lambda words: f"<pre>P{escape(words)}P</pre>")
        | ANY_TEXT.map(lambda words: f'<pre><code class="language-py">P{escape(words)}P</code></pre>')
    )
    return st.lists(blocks, max_size=5).map(lambda found: pages.text("".join(found)))


PARTS = st.one_of(
    texts(PLAIN_TEXT),
    st.integers(5, 9).map(lambda number: pages.photo(number, f"p{number}")),
    st.integers(5, 9).map(lambda number: pages.video(number, f"v{number}")),
    st.sampled_from([pages.round_video(), pages.voice(5), pages.sticker(), pages.too_big_video(5)]),
    ANY_TEXT.map(lambda words: pages.document(5, f"D{escape(words)}", "1 KB")),
    ANY_TEXT.map(
        lambda words: pages.poll(f"Q{escape(words)}", "Anonymous Poll", (f"A{escape(words)}", "7%"))
    ),
    ANY_TEXT.map(lambda words: pages.location(f"L{escape(words)}", "x")),
    ANY_TEXT.map(lambda words: pages.forward(f"F{escape(words)}", "https://t.me/a/1")),
    ANY_TEXT.map(lambda words: pages.reply(f"R{escape(words)}", f"r{marked_up(words)}")),
    ANY_TEXT.map(lambda words: f'<div class="hologram">H{marked_up(words)}</div>'),
    st.builds(
        lambda site, title: pages.link_preview(
            f'<div class="link_preview_site_name">S{escape(site)}</div>'
            f'<div class="link_preview_title">T{escape(title)}</div>'
        ),
        ANY_TEXT,
        ANY_TEXT,
    ),
)
MANY = settings(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(html=texts(PLAIN_TEXT))
@MANY
def test_any_text_looks_the_same_in_discord(discord: Judge, html: str) -> None:
    assert_whole(discord.page(pages.post(5, html)))


@given(html=texts(ANY_TEXT))
@example(pages.text("<code>\u200d</code>"))
@example(pages.text('<tg-spoiler>\u202e\u200d</tg-spoiler><a href="https://a.b/c">\u200d</a>'))
@MANY
def test_links_and_code_may_hold_any_character(discord: Judge, html: str) -> None:
    """A label cannot show every character as a link, nor code every marker in its style."""
    assert_whole(discord.page(pages.post(5, html)), but=("styles", "links"))


@given(parts=st.lists(PARTS, min_size=1, max_size=6))
@MANY
def test_nothing_of_any_parts_in_any_order_is_lost(discord: Judge, parts: list[str]) -> None:
    assert_whole(discord.page(pages.post(5, *parts)))
