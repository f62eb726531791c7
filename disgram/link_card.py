"""A link preview as an embed of its own.

Owns the form of the card and what it can hold. Never knows where in which message it ends up.
"""

from __future__ import annotations

from dataclasses import dataclass

from disgram import discord_limits as limits
from disgram import markdown
from disgram.markdown_escape import cleaned
from disgram.message_parts import Embed, Files
from disgram.models import LinkPreview, Media, Run, TelegramPost, plain


@dataclass(frozen=True)
class Card:
    """The embed, and the files of the post it brings along."""

    embed: Embed
    files: tuple[int, ...]


def card_of(preview: LinkPreview, post: TelegramPost, files: Files, color: int) -> Card | None:
    """The card, or None where an embed cannot hold all of it: then it goes as lines of text."""
    embed = _embed(preview, color)
    if not _complete(embed, preview):
        return None
    if embed["url"].rstrip("/") == post.url:
        del embed["url"]  # of two embeds with one URL only the first is shown (docs: Embed Object)
    indexes = [index for index in _media_of(preview, post) if index in files.uploads]
    return Card(embed | _picture(preview, post, files, indexes), tuple(indexes))


def one_line(text: str) -> str:
    """For fields that are plain text of one line."""
    return " ".join(cleaned(text).split())


def _embed(preview: LinkPreview, color: int) -> Embed:
    """What is too long or cannot be linked is left out."""
    embed: Embed = {"color": color}
    url, site = limits.acceptable_url(preview.url), one_line(preview.site)
    title = markdown.render((Run(one_line(preview.title)),))
    if url:
        embed["url"] = url
    if site and len(site) <= limits.AUTHOR_NAME:
        embed["author"] = {"name": site} | ({"url": url} if url and not title else {})
    if title and len(title) <= limits.TITLE:
        embed["title"] = title
    if description := markdown.render(preview.description):
        embed["description"] = description
    return embed


def _complete(embed: Embed, preview: LinkPreview) -> bool:
    """Everything the card says is in the embed, and its link can be reached."""
    said = (
        (preview.site, "author" in embed),
        (preview.title, "title" in embed),
        (plain(preview.description), len(embed.get("description", "")) <= limits.DESCRIPTION),
    )
    whole = all(shown or not one_line(words) for words, shown in said)
    return whole and "url" in embed and ("title" in embed or "author" in embed)


def _media_of(preview: LinkPreview, post: TelegramPost) -> range:
    """Where in `post.media` the files of this preview are."""
    start = 0
    for block in post.blocks:
        if block is preview:
            break
        start += 1 if isinstance(block, Media) else len(block.media) if isinstance(block, LinkPreview) else 0
    return range(start, start + len(preview.media))


def _picture(preview: LinkPreview, post: TelegramPost, files: Files, indexes: list[int]) -> Embed:
    """The first picture at hand, unless it would show a spoiler."""
    for index in indexes:
        if (url := files.picture(index)) and not post.media[index].spoiler:
            return {"image" if preview.large else "thumbnail": {"url": url}}
    return {}
