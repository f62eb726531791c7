"""Rich messages as the API sends them (PageBlocks): the same words and lines as the page's HTML gives."""

from __future__ import annotations

from typing import Any

import pytest

from disgram.post import (
    Block,
    Button,
    Buttons,
    Location,
    Media,
    MediaKind,
    Run,
    Style,
    Text,
    Unsupported,
    plain,
)
from tests.builders import pages
from tests.telegram.page import reading

pytest.importorskip("telethon")

from telethon.tl import types as tl

from tests.telegram.account.message import making
from tests.telegram.account.message.making import message, photo, video
from tests.telegram.account.message.test_same_as_page import point

BOLD, QUOTE, CODE, PRE = Style.BOLD, Style.QUOTE, Style.CODE, Style.PRE


def t(text: str) -> Any:
    return tl.TextPlain(text)


def p(text: Any) -> Any:
    return tl.PageBlockParagraph(t(text) if isinstance(text, str) else text)


def caption(text: str = "", credit: str = "") -> Any:
    return tl.PageCaption(t(text) if text else tl.TextEmpty(), t(credit) if credit else tl.TextEmpty())


def item(text: str, **fields: Any) -> Any:
    return tl.PageListItemText(t(text), **fields)


def numbered(text: str, **fields: Any) -> Any:
    return tl.PageListOrderedItemText(t(text), **fields)


def row(*cells: Any) -> Any:
    return tl.PageTableRow(
        [tl.PageTableCell(text=t(cell) if isinstance(cell, str) else cell) for cell in cells]
    )


def blocks(*content: Any, photos: Any = (), documents: Any = (), **fields: Any) -> tuple[Block, ...]:
    rich = tl.RichMessage(list(content), list(photos), list(documents), **fields)
    return making.blocks(message(text="what old applications show", rich_message=rich))


def nested(*inner: Any) -> Any:
    return tl.PageListItemBlocks(list(inner))


SAME: list[tuple[tuple[Any, ...], str]] = [
    ((tl.PageBlockHeading1(t("Title")), p("First"), p("Second")), "<h1>Title</h1><p>First</p><p>Second</p>"),
    ((p("a"), tl.PageBlockHeading6(t("b")), p("c")), "a<h6>b</h6>c"),
    ((tl.PageBlockList([item("one"), item("two")]),), "<ul><li>one</li><li>two</li></ul>"),
    (
        (tl.PageBlockList([nested(p("one"), p("more"))]), p("after")),
        "<ul><li><p>one</p><p>more</p></li></ul>after",
    ),
    (
        (tl.PageBlockList([nested(p("one"), tl.PageBlockList([item("in")]))]),),
        "<ul><li>one<ul><li>in</li></ul></li></ul>",
    ),
    (
        (tl.PageBlockOrderedList([numbered("three"), numbered("four")], start=3),),
        '<ol start="3"><li>three</li><li>four</li></ol>',
    ),
    (
        (tl.PageBlockOrderedList([numbered("a"), numbered("b", value=7), numbered("c")]),),
        '<ol><li>a</li><li value="7">b</li><li>c</li></ol>',
    ),
    (
        (tl.PageBlockOrderedList([numbered("a"), numbered("b")], reversed=True),),
        "<ol reversed><li>a</li><li>b</li></ol>",
    ),
    (
        (tl.PageBlockList([item("done", checkbox=True, checked=True), item("open", checkbox=True)]),),
        '<ul><li><input type="checkbox" checked> done</li><li><input type="checkbox">open</li></ul>',
    ),
    (
        (tl.PageBlockTable(t("C"), [row("a", "", "b"), row("c", tl.TextBold(t("d")), "e")]), p("x")),
        "<table><caption>C</caption><tr><th>a</th><th></th><th>b</th></tr>"
        "<tr><td>c</td><td><b>d</b></td><td>e</td></tr></table>x",
    ),
    (
        (tl.PageBlockDetails([p("inside")], t("More")), p("after")),
        "<details open><summary>More</summary>inside</details>after",
    ),
    ((p("above"), tl.PageBlockDivider(), p("below")), "above<hr>below"),
    ((p("text"), tl.PageBlockFooter(t("foot"))), "text<footer>foot</footer>"),
    (
        (tl.PageBlockBlockquote(t("q"), tl.TextEmpty()), p("after")),
        "<blockquote>q</blockquote>after",
    ),
    (
        (tl.PageBlockBlockquoteBlocks([p("a"), p(tl.TextBold(t("b")))], t("who")),),
        "<blockquote><p>a</p><p><b>b</b></p>who</blockquote>",
    ),
    (
        (
            tl.PageBlockBlockquote(t("a"), tl.TextEmpty()),
            tl.PageBlockBlockquote(t("b"), tl.TextEmpty()),
        ),
        "<blockquote>a</blockquote><blockquote>b</blockquote>",
    ),
    (
        (p("x"), tl.PageBlockPreformatted(tl.TextFixed(t("a = 1\nb")), "python"), p("y")),
        'x<pre><code class="language-python">a = 1<br/>b</code></pre>y',
    ),
    (
        (
            p(
                tl.TextConcat(
                    [
                        tl.TextBold(tl.TextItalic(t("bi"))),
                        t(" "),
                        tl.TextUrl(tl.TextStrike(t("s")), "https://a.example", 0),
                        tl.TextSpoiler(tl.TextUnderline(t("u"))),
                        tl.TextFixed(t("c")),
                        tl.TextSubscript(t("2")),
                        tl.TextMention(t("@pier")),
                        tl.TextHashtag(t("#a")),
                    ]
                )
            ),
        ),
        '<p><b><i>bi</i></b> <a href="https://a.example"><s>s</s></a><tg-spoiler><u>u</u></tg-spoiler>'
        '<code>c</code><sub>2</sub><a href="https://t.me/pier">@pier</a><a href="?q=%23a">#a</a></p>',
    ),
]


@pytest.mark.parametrize(("content", "html"), SAME)
def test_rich_message_gives_the_text_of_the_page(content: tuple[Any, ...], html: str) -> None:
    assert blocks(*content) == reading.blocks(pages.text(html))


def shown(*content: Any) -> str:
    (only,) = blocks(*content)
    assert isinstance(only, Text)
    return plain(only.runs)


@pytest.mark.parametrize(
    ("block", "text"),
    [
        (tl.PageBlockPullquote(t("q"), t("who")), "q\nwho"),
        (tl.PageBlockAuthorDate(t("Ann"), making.DATE), "Ann · 2026-08-06"),
        (tl.PageBlockAuthorDate(t("Ann"), None), "Ann"),
        (tl.PageBlockMath("x^2"), "x^2"),
        (p(tl.TextMath("x^2")), "x^2"),
        (p(tl.TextCustomEmoji(5, "🐦")), "🐦"),
        (tl.PageBlockThinking(t("hm")), "hm"),
        (tl.PageBlockEmbed(caption("cap"), url="https://a.example"), "https://a.example\ncap"),
        (
            tl.PageBlockEmbedPost("https://a.example", 0, 0, "Ann", making.DATE, [p("words")], caption()),
            "Ann\nwords",
        ),
        (tl.PageBlockChannel(making.PEOPLE[1]), "Pier"),
        (
            tl.PageBlockRelatedArticles(
                t("More"), [tl.PageRelatedArticle("https://a.example", 0, title="A")]
            ),
            "More\nA",
        ),
        (tl.PageBlockCover(p("in")), "in"),
        (tl.PageBlockCollage([p("in")], caption("cap", "who")), "in\ncap\nwho"),
        (
            tl.PageBlockOrderedList([tl.PageListOrderedItemBlocks([p("a")], num="iv"), numbered("b")]),
            "iv. a\n2. b",
        ),
    ],
)
def test_words_of_a_block_are_shown(block: Any, text: str) -> None:
    assert shown(block) == text


@pytest.mark.parametrize(
    ("text", "href"),
    [
        (tl.TextEmail(t("mail"), "a@b.example"), "mailto:a@b.example"),
        (tl.TextPhone(t("call"), "+1555"), "tel:+1555"),
        (tl.TextAutoUrl(t("a.example")), "http://a.example"),
        (tl.TextAutoEmail(t("a@b.example")), "mailto:a@b.example"),
        (tl.TextAutoPhone(t("+1 555")), "tel:+1555"),
        (
            tl.TextHashtag(tl.TextConcat([t("#a"), tl.TextCustomEmoji(5, "🐦")])),
            "https://t.me/s/harbour?q=%23a%F0%9F%90%A6",
        ),
        (tl.TextCashtag(t("$A")), "https://t.me/s/harbour?q=%24A"),
        (tl.TextButton(t("go"), tl.InlineButtonTypeUrl("https://a.example")), "https://a.example"),
        (tl.TextButton(t("go"), tl.InlineButtonTypeCopy("x")), None),
        (tl.TextMentionName(t("Ann"), 1), None),
        (tl.TextBankCard(t("4242")), None),
        (tl.TextMarked(t("x")), None),
        (tl.TextDate(t("noon"), making.DATE, short_time=True), "tg://time?unix=1786003198&format=t"),
    ],
)
def test_link_of_a_rich_text_leads_where_it_leads_in_telegram(text: Any, href: str | None) -> None:
    (only,) = blocks(p(text))
    assert isinstance(only, Text)
    assert [run.href for run in only.runs] == [href]


@pytest.mark.parametrize("kind", [tl.TextMarked, tl.TextAutoUrl, tl.TextHashtag])
def test_deeply_nested_link_is_read_in_no_time(kind: type) -> None:
    text = t("a.example")
    for _ in range(60):
        text = kind(text)
    assert shown(p(text)) == "a.example"


def test_picture_and_video_stand_behind_the_text_with_their_captions_in_it() -> None:
    text, picture, clip = blocks(
        p("Intro"),
        tl.PageBlockPhoto(76, caption("cap"), spoiler=True),
        tl.PageBlockVideo(80, caption()),
        photos=[photo(76).photo],
        documents=[video().document],
    )
    assert text == Text((Run("Intro\ncap"),))
    assert isinstance(picture, Media)
    assert isinstance(clip, Media)
    assert (picture.url, picture.spoiler) == ("account:harbour/5/photo-76", True)
    assert (clip.kind, clip.url) == (MediaKind.VIDEO, "account:harbour/5/document-80")


def test_picture_that_telegram_did_not_send_is_named() -> None:
    (picture,) = blocks(tl.PageBlockPhoto(76, caption()))
    assert isinstance(picture, Media)
    assert picture.url is None


def test_picture_inside_a_line_is_a_file_of_the_post() -> None:
    text, picture = blocks(
        p(tl.TextConcat([t("a"), tl.TextImage(80, 8, 8), t("b")])), documents=[video().document]
    )
    assert text == Text((Run("ab"),))
    assert isinstance(picture, Media)


def test_map_and_buttons_stand_behind_the_text() -> None:
    button = tl.PageButton(t("Go"), tl.InlineButtonTypeUrl("https://a.example"))
    found = blocks(
        tl.PageBlockMap(point(), 16, 8, 8, caption("here")), tl.PageBlockButtonRow([button]), p("end")
    )
    assert found == (
        Text((Run("here\nend"),)),
        Location("https://maps.google.com/maps?q=-23.93,-44.08&ll=-23.93,-44.08&z=16"),
        Buttons(((Button("Go", "https://a.example"),),)),
    )


def test_code_in_a_table_stays_in_its_row() -> None:
    (only,) = blocks(tl.PageBlockTable(tl.TextEmpty(), [row(tl.TextFixed(t("a\nb")), "c")]))
    assert only == Text((Run("a b", frozenset({CODE})), Run(" │ c")))


def test_list_in_a_quote_stays_in_the_quote() -> None:
    (only,) = blocks(tl.PageBlockBlockquoteBlocks([tl.PageBlockList([item("a"), item("b")])], tl.TextEmpty()))
    assert only == Text((Run("• a\n• b", frozenset({QUOTE})),))


def test_message_that_telegram_sent_in_part_ends_with_a_link() -> None:
    assert blocks(p("a"), part=True) == (Text((Run("a"),)), Unsupported(""))
    rich = tl.RichMessage([p("a")], [], [], part=True)
    (post,) = making.read(message(rich_message=rich))
    assert post.cut


def test_unsupported_blocks_leave_one_link() -> None:
    found = blocks(p("a"), tl.PageBlockUnsupported(), tl.PageBlockUnsupported())
    assert found == (Text((Run("a"),)), Unsupported(""))


def test_every_kind_of_block_has_a_reader() -> None:
    from disgram.telegram.account.message import rich_message

    kinds = {getattr(tl, name) for name in dir(tl) if name.startswith("PageBlock")}
    read = {*rich_message._READERS, *rich_message._HEADINGS, *rich_message._PARAGRAPHS, *rich_message._QUOTES}
    assert kinds - read == {tl.PageBlockUnsupported}


def test_every_kind_of_message_media_has_a_reader() -> None:
    from disgram.telegram.account.message import blocks as reader

    kinds = {getattr(tl, name) for name in dir(tl) if name.startswith("MessageMedia")}
    assert kinds - {*reader._READERS, *reader._WITHOUT_BLOCKS} == {tl.MessageMediaUnsupported}
