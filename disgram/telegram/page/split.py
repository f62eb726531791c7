"""A page of t.me/s/<channel> -> `ChannelPage`: which posts it has, and whether it is a preview page at all.

Uses string search only, no HTML parser. Every pattern stops at the next `<`, so that no page, however broken,
takes much more than linear time, and starts with plain letters, which `re` finds fast.
"""

from __future__ import annotations

import base64
import json
import re
from datetime import datetime
from html import unescape

from disgram.errors import ChannelHasNoPreview, ChannelNotFound, PageNotUnderstood
from disgram.post import ChannelPage, PostSlice
from disgram.telegram.page.fingerprint import fingerprint

_HISTORY = re.compile(r"<section\b[^<>]*\btgme_channel_history\b")
_SECTION = re.compile(r"<(/?)section\b")
_POST = re.compile(r'data-post="([^"<>/]+)/([1-9][0-9]{0,9})"')
_QUOTED = re.compile(r'"[^"]*"|\'[^\']*\'')
_MESSAGE = re.compile(r'js-widget_message["\s]')
_WRAP = re.compile(r"<div\b[^<>]*\btgme_widget_message_wrap\b[^<>]*>\s*")

# The ids of an album are those in its items' links (`…/298?single`), never computed: ids have gaps.
_ITEM = re.compile(r"tgme_widget_message_(?:photo_wrap|video_player|document_wrap)\b")
_ITEM_LINK = re.compile(r'\bhref="https?://(?:t|telegram)\.me/([^"<>/?]+)/([1-9][0-9]{0,9})(?:\?single)?"')

_VIEW = re.compile(r'\bdata-view="([A-Za-z0-9_-]{1,400})=*"')
_DATE = re.compile(r'\btgme_widget_message_date\b[^<>]*>\s*<time\b[^<>]*\bdatetime="([0-9T:+-]{19,25})"')

ALBUM_SPREAD = 100
"""Ids that the items of an album may be apart; they are sent at once, ten at most."""

_META = r'<meta\b[^<>]*\bproperty="og:%s"[^<>]*\bcontent="([^"<>]*)"'
_TITLE_META = re.compile(_META % "title")
_PHOTO_META = re.compile(_META % "image")
_DESCRIPTION_META = re.compile(_META % "description")
_TITLE = re.compile(r"<title\b[^<>]*>([^<>]{0,500})")
_PREVIOUS = re.compile(r'<link\b(?=[^<>]*\brel="prev")[^<>]*\bhref="[^"<>]*\bbefore=([0-9]{1,10})\b')
_MORE = re.compile(r'<a\b(?=[^<>]*\btme_messages_more\b)[^<>]*\bdata-before="([0-9]{1,10})"')
_LANDING = re.compile(r'\bclass="tgme_page_(?:wrap|action)\b')
_WIDGET_ERROR = re.compile(r"\btgme_widget_message_error\b[^<>]*>([^<>]{1,200})")


def split_page(html: str, channel: str) -> ChannelPage:
    """Split the page that t.me returned for `channel` into posts, ascending; an album is one slice.

    The name in `data-post` may differ from `channel` in case, or entirely after a renaming; it is the
    channel's page all the same. A page older than the oldest post has no slices.
    Raises ChannelHasNoPreview or ChannelNotFound for the landing page that t.me redirects to, and
    PageNotUnderstood for anything else that is not a complete preview page.
    """
    history = _history(html)
    found = split_posts(history)
    if not found and "tme_no_messages_found" not in history:
        raise PageNotUnderstood("a preview page with neither posts nor the note that there are none")
    if sum(_in_tag(history, one.start()) for one in _MESSAGE.finditer(history)) > len(_posts(history)):
        raise PageNotUnderstood("a preview page with a post that has no number")
    return ChannelPage(
        channel=channel,
        title=_text(_TITLE_META, html) or channel,
        photo_url=_photo(html),
        slices=found,
        older=_number(_PREVIOUS, html) or _number(_MORE, history),
        description=_text(_DESCRIPTION_META, html),
        channel_id=_channel_id(found),
    )


def own_page_words(html: str, page: ChannelPage) -> str:
    """The words of a post as its own page (t.me/<channel>/<post>) describes it, cut by t.me with "…" where
    they are long; "" if it has none: then that page describes the channel (reported in 2026-09)."""
    words = _text(_DESCRIPTION_META, html)
    return "" if " ".join(words.split()) == " ".join(page.description.split()) else words


def split_posts(html: str) -> tuple[PostSlice, ...]:
    """Every post in a page or a part of one, ascending; of several with the same id the first is taken."""
    posts = _posts(html)
    bounds = [_start(html, post.start()) for post in posts] + [len(html)]
    found: dict[int, PostSlice] = {}
    for post, start, end in zip(posts, bounds, bounds[1:], strict=False):
        post_slice = _slice(post, html[start:end], _tag(html, post.start()))
        found.setdefault(post_slice.id, post_slice)
    return tuple(found[post_id] for post_id in sorted(found))


def _channel_id(posts: tuple[PostSlice, ...]) -> int | None:
    """Telegram's id of the channel, on which the first and the last post agree."""
    ids = {_channel_id_of(post.source) for post in (*posts[:1], *posts[-1:])}
    return ids.pop() if len(ids) == 1 else None


def _channel_id_of(html: str) -> int | None:
    """`c` of a post's `data-view`: {"c":-1005640892,"p":429,...} in base64 for URLs, without padding."""
    view = _VIEW.search(html)
    try:
        told = json.loads(base64.urlsafe_b64decode(view[1] + "==")) if view else None
    except ValueError:
        return None
    channel_id = told.get("c") if isinstance(told, dict) else None
    return channel_id if type(channel_id) is int and 0 < abs(channel_id) < 2**63 else None


def published_at(post: PostSlice) -> float | None:
    """When a post was published, in seconds since 1970; None if its part of the page does not say."""
    if post.published is not None:
        return post.published
    date = _DATE.search(post.source)
    try:
        return datetime.fromisoformat(date[1]).timestamp() if date else None
    except ValueError:
        return None


def _posts(html: str) -> list[re.Match[str]]:
    """Every `data-post` that is an attribute of a <div>; a post's text may look like one."""
    return [post for post in _POST.finditer(html) if _in_tag(html, post.start(), "<div")]


def _slice(post: re.Match[str], html: str, tag: str) -> PostSlice:
    channel, post_id = post.groups()
    return PostSlice(
        id=int(post_id),
        ids=_ids(int(post_id), channel, html),
        source=html,
        fingerprint=fingerprint(html),
        service="service_message" in tag,
    )


def _ids(post_id: int, channel: str, html: str) -> tuple[int, ...]:
    tags = (_tag(html, item.start()) for item in _ITEM.finditer(html) if _in_tag(html, item.start(), "<a"))
    links = filter(None, map(_ITEM_LINK.search, tags))
    items = {int(link[2]) for link in links if link[1].lower() == channel.lower()}
    return tuple(sorted({post_id} | {item for item in items if abs(item - post_id) <= ALBUM_SPREAD}))


def _tag(html: str, position: int) -> str:
    """The whole tag that contains the attribute at `position`."""
    start = max(html.rfind("<", 0, position), 0)
    end = html.find(">", position)
    return html[start : end if end >= 0 else position]


def _in_tag(html: str, position: int, name: str = "<") -> bool:
    """Whether `position` is inside a tag of this name, and not in the text behind it."""
    start = html.rfind("<", 0, position)
    return start >= 0 and html.startswith(name, start) and ">" not in _QUOTED.sub("", html[start:position])


def _start(html: str, position: int) -> int:
    """Where the post with the `data-post` at `position` begins: at its wrapper, if it has one."""
    message = html.rfind("<", 0, position)
    wrap = html.rfind("<", 0, message)
    return wrap if wrap >= 0 and _WRAP.fullmatch(html, wrap, message) else message


def _history(html: str) -> str:
    """The section with the posts. A page is complete if that section and then the document are closed; the
    comment "page generated in …" after that is missing from some real pages and not required."""
    start = _HISTORY.search(html)
    if not start:
        raise _not_a_preview(html)
    end = _section_end(html, start.end())
    if end < 0 or html.find("</html>", end) < 0:
        raise PageNotUnderstood(f"the page is cut off after {len(html)} characters")
    return html[start.start() : end]


def _section_end(html: str, position: int) -> int:
    """Where the section that contains `position` is closed: a post may have sections of its own. If those
    are not balanced, where the last one is closed; -1 if none is."""
    depth, last_post = 1, html.rfind('data-post="')
    for tag in _SECTION.finditer(html, position):
        depth += -1 if tag[1] else 1
        if not depth and tag.start() > last_post:
            return tag.start()
    return html.rfind("</section>", position)


def _not_a_preview(html: str) -> Exception:
    error = _WIDGET_ERROR.search(html)
    if error:
        return PageNotUnderstood(f"t.me says: {unescape(error[1]).strip()}")
    title = _text(_TITLE, html)
    if not title.startswith("Telegram: ") or not _LANDING.search(html) or "</html>" not in html:
        return PageNotUnderstood(f"not a preview page: {len(html)} characters, titled {title[:80]!r}")
    # Landing pages, seen 2026-09: only that of an unused name has neither a title nor "View @…".
    if "tgme_page_title" not in html and title.startswith("Telegram: Contact"):
        return ChannelNotFound("no channel or user on Telegram has this name")
    return ChannelHasNoPreview(f"{_kind(html, title)}; t.me shows no posts of it")


def _kind(html: str, title: str) -> str:
    if title.startswith("Telegram: Launch"):
        return "this is a bot"
    if title.startswith("Telegram: Contact"):
        return "this is a user"
    if re.search(r"tgme_page_extra[^<>]*>[^<>]*\bmembers?\b", html):
        return "this is a group"
    return "this channel is restricted or has its preview switched off"


def _photo(html: str) -> str | None:
    url = _text(_PHOTO_META, html)
    if url.startswith("//"):
        return "https:" + url
    return url if url.startswith(("https://", "http://")) else None


def _text(pattern: re.Pattern[str], html: str) -> str:
    match = pattern.search(html)
    return unescape(match[1]).strip() if match else ""


def _number(pattern: re.Pattern[str], html: str) -> int | None:
    match = pattern.search(html)
    return int(match[1]) if match and int(match[1]) else None
