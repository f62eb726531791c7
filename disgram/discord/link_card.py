"""A link preview as an embed of its own.

Owns the form of the card and what it can hold. Never knows where in which message it ends up.
"""

from __future__ import annotations

from dataclasses import dataclass

from disgram.discord import message_limits as limits
from disgram.discord import text as post_text
from disgram.discord.draft import Embed, Files
from disgram.discord.markdown import blocks as markdown
from disgram.discord.markdown.escape import cleaned
from disgram.post import (
    LinkPreview,
    Media,
    MediaKind,
    RichText,
    Run,
    TelegramPost,
    plain,
)


@dataclass(frozen=True)
class Card:
    """The embed, and the files of the post it brings along."""

    embed: Embed
    files: tuple[int, ...]


def described(preview: LinkPreview, post: TelegramPost, files: Files) -> RichText:
    """The description, and a line for each video that is not at hand as one."""
    videos = [
        post_text.media_line(post.media[index])
        for index in _media_of(preview, post)
        if index in files.lines_for and post.media[index].kind is not MediaKind.PHOTO
    ]
    lines = [line for line in (preview.description, *videos) if line]
    return tuple(run for n, line in enumerate(lines) for run in ((Run("\n"),) if n else ()) + line)


def card_of(
    preview: LinkPreview, said: RichText, post: TelegramPost, files: Files, color: int
) -> Card | None:
    """The card with its description, or None where an embed cannot hold all of it: then it goes as lines
    of text."""
    embed = _embed(preview, said, color)
    if not _complete(embed, preview, said):
        return None
    if embed["url"].rstrip("/") == post.url:
        del embed["url"]  # of two embeds with one URL only the first is shown (docs: Embed Object)
    indexes = [index for index in _media_of(preview, post) if index in files.uploads]
    return Card(embed | _picture(preview, post, files, indexes), tuple(indexes))


def one_line(text: str) -> str:
    """For fields that are plain text of one line."""
    return " ".join(cleaned(text).split())


def _embed(preview: LinkPreview, said: RichText, color: int) -> Embed:
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
    if description := markdown.render(said):
        embed["description"] = description
    return embed


def _complete(embed: Embed, preview: LinkPreview, said: RichText) -> bool:
    """Everything the card says is in the embed, and its link can be reached."""
    parts = (
        (preview.site, "author" in embed),
        (preview.title, "title" in embed),
        (plain(said), len(embed.get("description", "")) <= limits.DESCRIPTION),
    )
    whole = all(shown or not one_line(words) for words, shown in parts)
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
