"""A post's HTML -> a short string that changes only if a reader in Discord could see the change.

Volatile parts are removed from the HTML (counts, reactions, tokens, CDN addresses, what scripts add in a
browser) and the rest is hashed. A file is identified by its numeric classes, size, ratio, duration or
waveform. No HTML parsing: one post takes about 0.1 ms, or 0.01 ms if it differs from a post seen before
only in what changes at every request.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

_VOLATILE = re.compile(
    # Each pattern stops at the next tag of its own name, so that no search runs far.
    r"<svg\b[^<]*(?:<(?!/?svg\b)[^<]*)*</svg>"
    r'|<i class="tgme_widget_message_user_photo\b[^<>]*>(?:<img\b[^<>]*>)?'
    r'|<a class="tgme_widget_message_(?:owner_name|date)"[^<]*(?:<(?!/?a\b)[^<]*)*</a>'
    r'|<div class="tgme_widget_message_reactions\b[^<]*(?:<(?!/?div\b)[^<]*)*</div>'
    r'|<span class="(?:tgme_widget_message_(?:views|voters)|copyonly)">[^<>]*</span>'
    r'|<div class="tgme_widget_message_poll_votes\b[^<>]*>[^<>]*</div>'
    # A live location's "updated 5 minutes ago"; no page with one was seen.
    r'|<(?P<tag>div|span|time) class="tgme_widget_message_location_(?!title|address|wrap)'
    r"[^<]*(?:<(?!/?(?P=tag)\b)[^<]*)*</(?P=tag)>"
    r'|<div class="tgme_widget_message_service_date_wrap">\s*<div\b[^<>]*>[^<>]*</div>\s*</div>'
    r'|<span\s+style="display: ?inline-block;[^"<>]*"></span>'
    r'|<s style="[^"<>]*"></s>'
)
_BUTTON = re.compile(
    r'<a class="tgme_widget_message_inline_button\b(?P<rest>[^<>]*)>[^<]*(?:<(?!/?a\b)[^<]*)*</a>'
)
"""Without `url_button` only a bot answers it, and its text may be a count (`👍 4.8K`)."""
_VIDEO = re.compile(r"<video\b[^<>]*>")
_BREAK = re.compile(r"<br\s*/>")
_ATTRIBUTE = re.compile(r'\s([\w:-]+)="([^"]*)"')
_AFTER_BLOCK = re.compile(r"(<div\b[^<>]*>) ")
_SIZE = re.compile(r"(?:width:\s*[0-9.]+px|padding-top:\s*[0-9.]+%)")

_KEPT_ATTRIBUTES = frozenset({"href", "data-ratio", "data-waveform"})
_VOLATILE_CLASSES = re.compile(
    # The first four are set by a script in the browser, the others depend on the client.
    r"before_footer|date_visible|ready|playing|text_not_supported_wrap|user-color-[0-9]+"
)
_CACHE_SIZE = 400
_cache: dict[int, str] = {}
"""Hash of a post's HTML without its volatile parts -> the post's fingerprint."""


def fingerprint(html: str) -> str:
    """The same for two states of a post that look the same in Discord; 32 hex digits."""
    key = hash(without_volatile(html))
    if key not in _cache:
        if len(_cache) >= _CACHE_SIZE:
            _cache.clear()
        _cache[key] = compute(html)
    return _cache[key]


def without_volatile(html: str) -> str:
    """The HTML without most of the counts, tokens and addresses that change at every request.

    Uses string search only, ten times as fast as the patterns of `compute`. It removes nothing that affects
    the fingerprint; what it fails to remove only costs time.
    """
    html = _cut(html, ' data-view="', '"')
    html = _cut(html, '<span class="tgme_widget_message_views">', "<")
    html = _cut(html, ' src="', '"')
    return _cut(html, "url('", "')", unless=_not_a_plain_style)


def _cut(
    html: str, begin: str, end: str, unless: Callable[[str, str], object] = lambda before, inside: False
) -> str:
    """The HTML without what is between each `begin` and the next `end`."""
    chunks = html.split(begin)
    kept = chunks[:1]
    for before, chunk in pairwise(chunks):
        inside, found, after = chunk.partition(end)
        kept.append(chunk if not found or unless(before, inside) else found + after)
    return begin.join(kept)


def _not_a_plain_style(before: str, inside: str) -> object:
    """`url('…')` may also be part of a text or of a link's address, and a style may leave it unclosed."""
    in_style = before[: before.rfind('"') + 1].endswith(' style="') and '"' not in inside
    return not in_style or _SIZE.search(inside)


def compute(html: str) -> str:
    """`fingerprint` without its cache."""
    kept = _BUTTON.sub(lambda button: button[0] if "url_button" in button["rest"] else "", html)
    kept = _VOLATILE.sub("", kept)
    kept = _BREAK.sub("<br>", _VIDEO.sub("<video>", kept))
    kept = _ATTRIBUTE.sub(_attribute, kept)
    return blake2b(_without_indentation(kept).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _without_indentation(html: str) -> str:
    """Without the white space between blocks, which varies with the blocks around it."""
    html = " ".join(html.split()).replace(" >", ">")
    html = html.replace(" <div", "<div").replace(" </div>", "</div>").replace("</div> ", "</div>")
    return _AFTER_BLOCK.sub(r"\1", html)


def _attribute(match: re.Match[str]) -> str:
    name, value = match.groups()
    if name == "class":
        return _classes(value)
    if name == "style":
        return " ".join(_SIZE.findall(value))
    return match[0] if name in _KEPT_ATTRIBUTES else ""


@lru_cache(maxsize=2048)
def _classes(value: str) -> str:
    kept = (name for name in value.split() if not _VOLATILE_CLASSES.fullmatch(name))
    return f' class="{" ".join(kept)}"'
