"""A link preview -> an embed of its own, if an embed can hold all of it.

Does not know which message the embed goes into.
"""

from __future__ import annotations

from dataclasses import dataclass

from disgram.discord import markdown, message_limits
from disgram.discord.draft import Embed, Files
from disgram.discord.text import media_line
from disgram.post import LinkPreview, Media, MediaKind, RichText, Run, TelegramPost, plain


@dataclass(frozen=True)
class LinkCard:
    """The embed, and the files (by index in `post.media`) that go into the same message."""

    embed: Embed
    files: tuple[int, ...]


def description_of(preview: LinkPreview, post: TelegramPost, files: Files) -> RichText:
    """The preview's description, and a line for each of its videos that is not at hand."""
    videos = [
        media_line(post.media[index])
        for index in _media_of(preview, post)
        if index in files.lines_for and post.media[index].kind is not MediaKind.PHOTO
    ]
    lines = [line for line in (preview.description, *videos) if line]
    return tuple(run for n, line in enumerate(lines) for run in ((Run("\n"),) if n else ()) + line)


def link_card(
    preview: LinkPreview, description: RichText, post: TelegramPost, files: Files, color: int
) -> LinkCard | None:
    """The card, or None if an embed cannot hold all of it: then it is sent as lines of text."""
    embed = _embed(preview, description, color)
    if not _complete(embed, preview, description):
        return None
    if embed["url"].rstrip("/") == post.url:
        del embed["url"]  # of two embeds with one URL only the first is shown (docs: Embed Object)
    indexes = [index for index in _media_of(preview, post) if index in files.uploads]
    return LinkCard(embed | _picture(preview, post, files, indexes), tuple(indexes))


def one_line(text: str) -> str:
    """For fields that are plain text of one line."""
    return " ".join(markdown.cleaned(text).split())


def _embed(preview: LinkPreview, description: RichText, color: int) -> Embed:
    """Without the fields that are too long or cannot be linked."""
    embed: Embed = {"color": color}
    url, site = message_limits.acceptable_url(preview.url), one_line(preview.site)
    title = markdown.render((Run(one_line(preview.title)),))
    if url:
        embed["url"] = url
    if site and len(site) <= message_limits.AUTHOR_NAME:
        embed["author"] = {"name": site} | ({"url": url} if url and not title else {})
    if title and len(title) <= message_limits.TITLE:
        embed["title"] = title
    if text := markdown.render(description):
        embed["description"] = text
    return embed


def _complete(embed: Embed, preview: LinkPreview, description: RichText) -> bool:
    """Whether all of the preview's text is in the embed, and its link can be clicked."""
    fields = (
        (preview.site, "author" in embed),
        (preview.title, "title" in embed),
        (plain(description), len(embed.get("description", "")) <= message_limits.DESCRIPTION),
    )
    whole = all(included or not one_line(text) for text, included in fields)
    return whole and "url" in embed and ("title" in embed or "author" in embed)


def _media_of(preview: LinkPreview, post: TelegramPost) -> range:
    """The indexes in `post.media` of this preview's files."""
    start = 0
    for block in post.blocks:
        if block is preview:
            break
        start += 1 if isinstance(block, Media) else len(block.media) if isinstance(block, LinkPreview) else 0
    return range(start, start + len(preview.media))


def _picture(preview: LinkPreview, post: TelegramPost, files: Files, indexes: list[int]) -> Embed:
    """The first picture at hand that is not a spoiler."""
    for index in indexes:
        if (url := files.picture(index)) and not post.media[index].spoiler:
            return {"image" if preview.large else "thumbnail": {"url": url}}
    return {}
