"""The page reader on pages that t.me really served, compared with a second reading by lxml.

The pages are other people's and stay outside the repository; without them these tests are skipped.
"""

from __future__ import annotations

import re
from collections import Counter
from pathlib import Path

import pytest
from lxml import html as lxml_html  # type: ignore[import-untyped]

from disgram.errors import ChannelHasNoPreview, ChannelNotFound, DisgramError, PageNotUnderstood
from disgram.post import (
    Block,
    Buttons,
    Card,
    ChannelPage,
    Forward,
    LinkPreview,
    Location,
    Media,
    Poll,
    Reply,
    TelegramPost,
    Text,
    Unknown,
    Unsupported,
    ViaBot,
    plain,
)
from disgram.telegram.page import parse_post, split_page, split_posts
from disgram.telegram.page.fingerprint import compute, without_volatile
from tests.builders import pages

REAL = Path(__file__).parents[4] / "shared" / "telegram-pages"
pytestmark = pytest.mark.skipif(not REAL.is_dir(), reason="no real pages beside the repository")

FEEDS = {
    "DUCKS_POKER__feed-14-posts-2026-08__DelureDev.html": 14,
    "air_alert_ua__feed-20-posts-2023-07__felsidian.html": 20,
    "infoscape_test__feed-6-posts-2022__bikulov.html": 6,
    "prstnk_eprst__feed-2-posts-2026-05__bregeadmin.html": 2,
    "telegram__feed-20-posts-2026-07__NUKI1223.html": 20,
    "topwar_official__feed-12-posts-2023-02__Apkawa.html": 12,
}
VERBATIM = [name for name in FEEDS if "topwar" not in name]
WITHOUT_POSTS = ("channel-info", "no-posts-found", "landing", "nonexistent", "not-found", "2018")


def content(name: str) -> str:
    return (REAL / name).read_text(encoding="utf-8")


def all_slices() -> list[tuple[str, str]]:
    """(source, one post's HTML) for every post at hand; a fragment without a frame gets one."""
    found = []
    for path in sorted(REAL.glob("**/*.html")):
        if any(mark in path.name for mark in WITHOUT_POSTS):
            continue
        html = path.read_text(encoding="utf-8")
        history = html[max(html.find("tgme_channel_history"), 0) :].partition("</section>")[0]
        posts = [post_slice.source for post_slice in split_posts(history)] or [pages.post(5, html)]
        found += [(f"{path.stem}#{position}", post) for position, post in enumerate(posts)]
    return found


SLICES = all_slices() if REAL.is_dir() else []
every_post = pytest.mark.parametrize("html", [html for _, html in SLICES], ids=[name for name, _ in SLICES])


def parsed(html: str) -> TelegramPost:
    (post_slice,) = split_posts(html)
    return parse_post(post_slice, ChannelPage("harbour", "Harbour", None, (post_slice,)))


# --- whole pages --------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "posts"), FEEDS.items())
def test_real_feed_is_read_without_unknown_elements(name: str, posts: int) -> None:
    page = split_page(content(name), "asked")
    assert len(page.slices) == posts
    assert page.title
    assert "Unknown" not in {
        type(block).__name__ for each in page.slices for block in parse_post(each, page).blocks
    }


@pytest.mark.parametrize("name", FEEDS)
def test_real_feed_cut_off_raises_page_not_understood(name: str) -> None:
    html = content(name)
    start, end = (
        html.index("tgme_channel_history"),
        html.index("</section>", html.index("tgme_channel_history")),
    )
    for length in [*range(start, end, (end - start) // 60), end]:
        with pytest.raises(PageNotUnderstood):
            split_page(html[:length], "asked")


@pytest.mark.parametrize(
    ("pattern", "error"),
    [
        ("*channel-landing*", ChannelHasNoPreview),
        ("*group-landing*", ChannelHasNoPreview),
        ("*bot-landing*", ChannelHasNoPreview),
        ("*nonexistent-username*", ChannelNotFound),
        ("*embed*", PageNotUnderstood),
    ],
)
def test_real_page_that_is_no_feed_raises_the_right_error(pattern: str, error: type[DisgramError]) -> None:
    found = list(REAL.glob(pattern))
    assert found
    for path in found:
        with pytest.raises(error):
            split_page(path.read_text(encoding="utf-8"), "asked")


def test_older_link_and_album_ids_of_real_feeds() -> None:
    ducks = split_page(content("DUCKS_POKER__feed-14-posts-2026-08__DelureDev.html"), "ducks_poker")
    assert ducks.older == 284
    assert [each.ids for each in ducks.slices if len(each.ids) > 1] == [
        (286, 287, 288),
        (289, 290, 291),
        (297, 298, 299),
    ]
    assert sum(len(each.ids) for each in ducks.slices) == 20
    assert split_page(content("prstnk_eprst__feed-2-posts-2026-05__bregeadmin.html"), "x").older is None


def test_only_one_real_post_is_unsupported() -> None:
    page = split_page(content("DUCKS_POKER__feed-14-posts-2026-08__DelureDev.html"), "ducks_poker")
    posts = [parse_post(each, page) for each in page.slices]
    assert [post.id for post in posts if any(isinstance(block, Unsupported) for block in post.blocks)] == [
        295
    ]


# --- posts, read a second time -------------------------------------------------------------------

FRAME = (
    "tgme_widget_message_user",
    "tgme_widget_message_bubble_tail",
    "tgme_widget_message_bubble_logo",
    "tgme_widget_message_owner_name",
    "tgme_widget_message_reactions",
    "tgme_widget_message_footer",
    "tgme_widget_message_service_date_wrap",
    "message_media_not_supported_wrap",
    "verified-icon",
)


def with_class(name: str) -> str:
    return f"contains(concat(' ', normalize-space(@class), ' '), ' {name} ')"


def body(html: str) -> lxml_html.HtmlElement:
    """The post without its frame."""
    root = lxml_html.fromstring(f"<html><body>{html}</body></html>")
    unwanted = " or ".join(map(with_class, FRAME))
    for element in root.xpath(f"//*[{unwanted}] | //script"):
        element.drop_tree()
    return root


def shown(block: Block) -> str:
    """The text of a block in the order of the page."""
    if isinstance(block, Text):
        return plain(block.runs)
    if isinstance(block, Reply):
        return block.author + plain(block.runs)
    if isinstance(block, Forward):
        return f"Forwarded from {block.name}{block.author}"
    if isinstance(block, Media):
        return block.name + block.size + block.performer + block.duration
    if isinstance(block, Poll):
        options = "".join(option.percent + option.text for option in block.options)
        return block.question + block.kind + options
    if isinstance(block, LinkPreview):
        times = "".join(media.duration for media in block.media)
        return block.site + times + block.title + plain(block.description)
    if isinstance(block, Location):
        return block.title + block.address
    assert isinstance(block, Unsupported)
    return ""


def letters(text: str) -> str:
    return "".join(text.split())


@every_post
def test_real_post_keeps_every_visible_word_once_and_in_order(html: str) -> None:
    assert letters("".join(map(shown, parsed(html).blocks))) == letters(body(html).text_content())


@every_post
def test_real_post_has_every_file_once(html: str) -> None:
    root = body(html)
    styled = [
        "tgme_widget_message_photo_wrap",
        "link_preview_image",
        "link_preview_right_image",
    ]
    styles = root.xpath(f"//*[{' or '.join(map(with_class, styled))}]/@style")
    expected = [match[1] for style in styles if (match := re.search(r"url\('([^']*)'\)", style))]
    expected += root.xpath(f"//*[{with_class('tgme_widget_message_service_photo')}]//img/@src")
    expected += root.xpath(
        "//audio/@src | //*/@data-webp | //source[@type='application/x-tgsticker']/@srcset"
    )
    expected += [
        video.get("src")
        for video in root.xpath("//video[@src]")
        if "blured" not in (video.get("class") or "").split()
    ]
    assert Counter(media.url for media in parsed(html).media if media.url) == Counter(expected)


def targets(block: Block) -> list[str | None]:
    if isinstance(block, Text):
        return [run.href for run in block.runs]
    if isinstance(block, Reply):
        return [block.url, *(run.href for run in block.runs)]
    if isinstance(block, LinkPreview):
        return [block.url, *(run.href for run in block.description)]
    if isinstance(block, Media):
        return [block.link]
    if isinstance(block, Forward | Location | ViaBot | Card):
        return [block.url]
    if isinstance(block, Buttons):
        return [button.url for row in block.rows for button in row]
    assert isinstance(block, Poll | Unsupported | Unknown)
    return []


@every_post
def test_real_post_keeps_every_link_target(html: str) -> None:
    """The parent of a poll's options and the frame link to the post itself: they are left out."""
    post = parsed(html)
    found = {target for block in post.blocks for target in targets(block)}
    skipped = with_class("tgme_widget_message_poll_options")
    for href in body(html).xpath(f"//a[not({skipped})]/@href"):
        href = href.replace("&amp;", "&").removesuffix("?single")
        assert (f"https://t.me/s/harbour{href}" if href.startswith("?") else href) in found


@pytest.mark.parametrize("name", VERBATIM)
def test_real_post_keeps_every_line_break(name: str) -> None:
    """Every <br> is a newline, also beside a block, and there are no other newlines."""
    for post_slice in split_page(content(name), "harbour").slices:
        root = body(post_slice.source)
        for br in root.xpath("//br"):
            br.tail = "\n" + (br.tail or "")
        marked = root.xpath(f"//*[{with_class('js-message_text')}]")
        expected = "\n".join(element.text_content().strip() for element in marked)
        texts = [plain(block.runs) for block in parsed(post_slice.source).blocks if isinstance(block, Text)]
        tidy = [re.sub(r"[ \t]+", " ", line).strip(" ") for line in expected.split("\n")]
        assert "\n".join(texts).split("\n") == tidy


@pytest.mark.parametrize("name", VERBATIM)
def test_second_capture_of_a_real_page_has_the_same_fingerprints(name: str) -> None:
    """The second capture is made by changing tokens, CDN addresses and counts, and nothing visible."""
    html = content(name)
    again = re.sub(r"\?token=[\w-]+", "?token=other", html)
    again = re.sub(r"https://cdn[0-9]\.([\w.-]+)/file/[\w-]+", r"https://cdn2.\1/file/other", again)
    again = re.sub(r'data-view="[^"]*"', 'data-view="other"', again)
    again = re.sub(r'(tgme_widget_message_views">)[^<]*', r"\g<1>9.9M", again)
    again = re.sub(r'<span class="tgme_reaction.*?</span>', "", again)
    marks = [(each.id, each.fingerprint) for each in split_page(html, "x").slices]
    assert [(each.id, each.fingerprint) for each in split_page(again, "x").slices] == marks
    assert len({mark for _, mark in marks}) == len(marks)


@pytest.mark.parametrize("name", FEEDS)
def test_cutting_volatile_markup_keeps_the_fingerprints_of_real_posts(name: str) -> None:
    for post_slice in split_page(content(name), "x").slices:
        assert len(without_volatile(post_slice.source)) < len(post_slice.source)
        assert (
            compute(without_volatile(post_slice.source))
            == compute(post_slice.source)
            == post_slice.fingerprint
        )


@pytest.mark.parametrize("name", FEEDS)
def test_mutilated_real_post_is_parsed_without_an_error(name: str) -> None:
    page = split_page(content(name), "asked")
    for post_slice in page.slices:
        html = post_slice.source
        for at in range(0, len(html), max(1, len(html) // 7)):
            for broken in (html[:at], html[:at] + html[at + 150 :], html[at:] + html[:at]):
                for one in split_posts(broken):
                    parse_post(one, page)
