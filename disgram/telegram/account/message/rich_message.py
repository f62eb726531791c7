"""A rich message (Bot API 10.1 of 2026-06: headings, lists, tables, details, pictures) -> blocks.

As telegram/page/ does with HTML: one text with all words, in which a table has a line for each row, and
behind it the files, places and buttons in their order.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from telethon.tl import types as tl

from disgram.post import Block, Buttons, Media, RichText, Run, Style, Text, Unsupported, plain
from disgram.telegram.account.message import cards, media
from disgram.telegram.account.message.buttons import button
from disgram.telegram.account.message.context import Item
from disgram.telegram.account.message.entities import merged, trimmed
from disgram.telegram.account.message.rich_text import PLAIN, runs, with_style
from disgram.telegram.list_marks import BULLET, CELL_SEPARATOR, CHECKED, INDENT, RULE, UNCHECKED

PHOTO, DOCUMENT = "photo-", "document-"
"""`which` of a rich message's files, before their ids."""

_HEADINGS = (
    tl.PageBlockTitle, tl.PageBlockSubtitle, tl.PageBlockHeader, tl.PageBlockSubheader, tl.PageBlockKicker,
    tl.PageBlockHeading1, tl.PageBlockHeading2, tl.PageBlockHeading3, tl.PageBlockHeading4,
    tl.PageBlockHeading5, tl.PageBlockHeading6,
)  # fmt: skip
_PARAGRAPHS = (tl.PageBlockParagraph, tl.PageBlockFooter, tl.PageBlockThinking)
_QUOTES = (tl.PageBlockBlockquote, tl.PageBlockPullquote)


def rich_message(message: tl.RichMessage, item: Item) -> Iterator[Block]:
    """Where Telegram has sent the beginning alone (`part`), a link to the whole message ends it."""
    reader = _Reader(message, item)
    text = trimmed(merged(reader.blocks(message.blocks)))
    if text:
        yield Text(text)
    yield from reader.behind
    if message.part:
        yield Unsupported("")


class _Reader:
    """Used once. `behind`: what stands behind the text. Of files of one id the first counts: see files.py."""

    def __init__(self, message: tl.RichMessage, item: Item) -> None:
        self.behind: list[Block] = []
        self._item = item
        self._photos = {each.id: each for each in reversed(message.photos)}
        self._documents = {each.id: each for each in reversed(message.documents)}
        self._depth = 0

    def blocks(self, blocks: Iterable[tl.TypePageBlock], look: Run = PLAIN) -> RichText:
        """The words of the blocks, each on a line of its own."""
        return _on_lines([self._block(block, look) for block in blocks], look)

    def _block(self, block: tl.TypePageBlock, look: Run) -> RichText:
        if isinstance(block, _HEADINGS):
            return self._runs(block.text, with_style(look, Style.BOLD))
        if isinstance(block, _PARAGRAPHS):
            return self._runs(block.text, look)
        if isinstance(block, _QUOTES):
            return self._quote(block, look)
        read = _READERS.get(type(block))
        if read is None:
            self._unsupported(block)
            return ()
        return read(self, block, look)

    def _runs(self, text: tl.TypeRichText | None, look: Run) -> RichText:
        return tuple(runs(text, self._item.channel.name, look, self._picture))

    def _lines(self, look: Run, *texts: tl.TypeRichText | None) -> RichText:
        return _on_lines([self._runs(text, look) for text in texts], look)

    def _quote(self, block: tl.PageBlockBlockquote | tl.PageBlockPullquote, look: Run) -> RichText:
        return self._lines(with_style(look, Style.QUOTE), block.text, block.caption)

    def quote_of_blocks(self, block: tl.PageBlockBlockquoteBlocks, look: Run) -> RichText:
        inner = with_style(look, Style.QUOTE)
        return _on_lines([self.blocks(block.blocks, inner), self._runs(block.caption, inner)], inner)

    def code(self, block: tl.PageBlockPreformatted, look: Run) -> RichText:
        language = block.language if block.language.replace("-", "").isalnum() else None
        return self._runs(block.text, replace(with_style(look, Style.PRE), language=language or None))

    def formula(self, block: tl.PageBlockMath, look: Run) -> RichText:
        return (replace(with_style(look, Style.CODE), text=block.source),)

    def rule(self, block: tl.PageBlockDivider, look: Run) -> RichText:
        return (replace(look, text=RULE),)

    def author(self, block: tl.PageBlockAuthorDate, look: Run) -> RichText:
        date = f"{block.published_date:%Y-%m-%d}" if block.published_date else ""
        words = self._runs(block.author, look)
        return (*words, replace(look, text=f" · {date}" if date and words else date))

    def details(self, block: tl.PageBlockDetails, look: Run) -> RichText:
        title = self._runs(block.title, with_style(look, Style.BOLD))
        return _on_lines([title, self.blocks(block.blocks, look)], look)

    def bullets(self, block: tl.PageBlockList, look: Run) -> RichText:
        return self._list([(item, BULLET) for item in block.items], look)

    def numbers(self, block: tl.PageBlockOrderedList, look: Run) -> RichText:
        return self._list(list(_numbered(block)), look)

    def _list(self, items: list[tuple[tl.TypePageListItem, str]], look: Run) -> RichText:
        indent = INDENT * self._depth
        self._depth += 1
        lines = [
            (replace(look, text=indent + _mark(item, mark)), *self._of_item(item, look))
            for item, mark in items
        ]
        self._depth -= 1
        return _on_lines(lines, look)

    def _of_item(self, item: tl.TypePageListItem, look: Run) -> RichText:
        blocks = getattr(item, "blocks", None)
        return self._runs(item.text, look) if blocks is None else self.blocks(blocks, look)

    def table(self, block: tl.PageBlockTable, look: Run) -> RichText:
        rows = [self._row(row, look) for row in block.rows]
        return _on_lines([self._runs(block.title, look), *rows], look)

    def _row(self, row: tl.PageTableRow, look: Run) -> RichText:
        cells = [tuple(_on_one_line(self._runs(cell.text, look))) for cell in row.cells]
        separated: list[Run] = []
        for index, cell in enumerate(cells):
            after_empty = index > 0 and not _shows(cells[index - 1])
            mark = CELL_SEPARATOR.lstrip() if after_empty else CELL_SEPARATOR
            separated += [replace(look, text=mark), *cell] if index else cell
        return tuple(separated)

    def photo(self, block: tl.PageBlockPhoto, look: Run) -> RichText:
        which = f"{PHOTO}{block.photo_id}"
        found = self._photos.get(block.photo_id)
        self.behind.append(media.photo(found, self._item, which, spoiler=bool(block.spoiler)))
        return self._caption(block.caption, look)

    def video(self, block: tl.PageBlockVideo, look: Run) -> RichText:
        file = self._document(block.video_id)
        self.behind.append(replace(file, spoiler=bool(block.spoiler)))
        return self._caption(block.caption, look)

    def audio(self, block: tl.PageBlockAudio, look: Run) -> RichText:
        self.behind.append(self._document(block.audio_id))
        return self._caption(block.caption, look)

    def document(self, block: tl.PageBlockDocument, look: Run) -> RichText:
        self.behind.append(self._document(block.document_id))
        return self._caption(block.caption, look)

    def _picture(self, document_id: int) -> None:
        self.behind.append(self._document(document_id))

    def _document(self, document_id: int) -> Media:
        found = self._documents.get(document_id)
        return media.document(found, self._item, f"{DOCUMENT}{document_id}")

    def _caption(self, caption: tl.PageCaption, look: Run) -> RichText:
        return self._lines(look, caption.text, caption.credit)

    def cover(self, block: tl.PageBlockCover, look: Run) -> RichText:
        return self.blocks([block.cover], look)

    def collage(self, block: tl.PageBlockCollage | tl.PageBlockSlideshow, look: Run) -> RichText:
        return _on_lines([self.blocks(block.items, look), self._caption(block.caption, look)], look)

    def map(self, block: tl.PageBlockMap, look: Run) -> RichText:
        self.behind.extend(cards.location(tl.MessageMediaGeo(block.geo), self._item))
        return self._caption(block.caption, look)

    def embed(self, block: tl.PageBlockEmbed, look: Run) -> RichText:
        link = (replace(look, text=block.url, href=block.url),) if block.url else ()
        return _on_lines([link, self._caption(block.caption, look)], look)

    def embedded_post(self, block: tl.PageBlockEmbedPost, look: Run) -> RichText:
        author = replace(with_style(look, Style.BOLD), text=block.author or block.url, href=block.url)
        return _on_lines(
            [(author,), self.blocks(block.blocks, look), self._caption(block.caption, look)], look
        )

    def channel(self, block: tl.PageBlockChannel, look: Run) -> RichText:
        name = getattr(block.channel, "username", None)
        title = getattr(block.channel, "title", None) or name or ""
        return (replace(look, text=title, href=f"https://t.me/{name}" if name else None),)

    def related(self, block: tl.PageBlockRelatedArticles, look: Run) -> RichText:
        links = [(replace(look, text=each.title or each.url, href=each.url),) for each in block.articles]
        return _on_lines([self._runs(block.title, with_style(look, Style.BOLD)), *links], look)

    def buttons(self, block: tl.PageBlockButtonRow, look: Run) -> RichText:
        row = [button(plain(self._runs(each.text, PLAIN)), each.type) for each in block.buttons]
        self.behind.append(Buttons((tuple(row),)))
        return ()

    def nothing(self, block: tl.TypePageBlock, look: Run) -> RichText:
        return ()

    def _unsupported(self, block: tl.TypePageBlock) -> None:
        if Unsupported("") not in self.behind:
            self.behind.append(Unsupported(""))


_READERS: dict[type, Callable[[_Reader, tl.TypePageBlock, Run], RichText]] = {
    tl.PageBlockBlockquoteBlocks: _Reader.quote_of_blocks,
    tl.PageBlockPreformatted: _Reader.code,
    tl.PageBlockMath: _Reader.formula,
    tl.PageBlockDivider: _Reader.rule,
    tl.PageBlockAuthorDate: _Reader.author,
    tl.PageBlockDetails: _Reader.details,
    tl.PageBlockList: _Reader.bullets,
    tl.PageBlockOrderedList: _Reader.numbers,
    tl.PageBlockTable: _Reader.table,
    tl.PageBlockPhoto: _Reader.photo,
    tl.PageBlockVideo: _Reader.video,
    tl.PageBlockAudio: _Reader.audio,
    tl.PageBlockDocument: _Reader.document,
    tl.PageBlockCover: _Reader.cover,
    tl.PageBlockCollage: _Reader.collage,
    tl.PageBlockSlideshow: _Reader.collage,
    tl.PageBlockMap: _Reader.map,
    tl.PageBlockEmbed: _Reader.embed,
    tl.PageBlockEmbedPost: _Reader.embedded_post,
    tl.PageBlockChannel: _Reader.channel,
    tl.PageBlockRelatedArticles: _Reader.related,
    tl.PageBlockButtonRow: _Reader.buttons,
    tl.PageBlockAnchor: _Reader.nothing,
}


def _numbered(block: tl.PageBlockOrderedList) -> Iterator[tuple[tl.TypePageListOrderedItem, str]]:
    """As HTML counts: from `start`, on from the last `value`, and downwards in a `reversed` list."""
    step = -1 if block.reversed else 1
    number = block.start if block.start is not None else len(block.items) if block.reversed else 1
    for item in block.items:
        number = number if item.value is None else item.value
        yield item, f"{item.num or number}. "
        number += step


def _mark(item: tl.TypePageListItem, mark: str) -> str:
    if not item.checkbox:
        return mark
    return CHECKED if item.checked else UNCHECKED


def _on_lines(parts: Iterable[RichText], look: Run) -> RichText:
    """Those that show anything, each on a line of its own; the newlines have the formatting around them."""
    newline = replace(look, text="\n", href=None)
    shown = [part for part in parts if _shows(part)]
    return tuple(run for index, part in enumerate(shown) for run in ((newline,) if index else ()) + part)


def _on_one_line(cell: RichText) -> Iterator[Run]:
    for run in cell:
        code = {Style.CODE} if Style.PRE in run.styles else set()
        yield replace(run, text=" ".join(run.text.split("\n")), styles=(run.styles | code) - {Style.PRE})


def _shows(runs: RichText) -> bool:
    return any(run.text.strip() for run in runs)
