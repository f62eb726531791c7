"""Has a post changed in a way that a reader of Discord could see? One short string answers.

What changes by itself is taken out of the post's HTML (counts, reactions, tokens, addresses of the
CDN, whatever a script adds in a browser), and the rest is hashed. A file is known by its numeric
classes, its size, ratio, length or waveform. Never parses; one post costs about 0.1 ms, and 0.01 ms if
nothing but what changes at every request is different from a post seen before.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise

_NOISE = re.compile(
    # Each stops at the next tag of its own name, so that none searches far.
    r"<svg\b[^<]*(?:<(?!/?svg\b)[^<]*)*</svg>"
    r'|<i class="tgme_widget_message_user_photo\b[^<>]*>(?:<img\b[^<>]*>)?'
    r'|<a class="tgme_widget_message_(?:owner_name|date)"[^<]*(?:<(?!/?a\b)[^<]*)*</a>'
    r'|<div class="tgme_widget_message_reactions\b[^<]*(?:<(?!/?div\b)[^<]*)*</div>'
    r'|<span class="(?:tgme_widget_message_(?:views|voters)|copyonly)">[^<>]*</span>'
    r'|<div class="tgme_widget_message_service_date_wrap">\s*<div\b[^<>]*>[^<>]*</div>\s*</div>'
    r'|<span\s+style="display: ?inline-block;[^"<>]*"></span>'
    r'|<s style="[^"<>]*"></s>'
)
_VIDEO = re.compile(r"<video\b[^<>]*>")
_BREAK = re.compile(r"<br\s*/>")
_ATTRIBUTE = re.compile(r'\s([\w:-]+)="([^"]*)"')
_BEHIND_BLOCK = re.compile(r"(<div\b[^<>]*>) ")
_SIZE = re.compile(r"(?:width:\s*[0-9.]+px|padding-top:\s*[0-9.]+%)")

_TELLING = frozenset({"href", "data-ratio", "data-waveform"})
_PASSING = re.compile(
    # The first four come from a script in the browser, the others depend on who asks.
    r"before_footer|date_visible|ready|playing|text_not_supported_wrap|user-color-[0-9]+"
)
_KEPT = 400
_known: dict[int, str] = {}
"""Of posts seen before without what changes at every request (a hash of that, not the HTML): fingerprints."""


def fingerprint(html: str) -> str:
    """The same for two states of a post that look the same in Discord; 32 hex digits."""
    seen = hash(settled(html))
    if seen not in _known:
        if len(_known) >= _KEPT:
            _known.clear()
        _known[seen] = _fingerprint(html)
    return _known[seen]


def settled(html: str) -> str:
    """Without the counts, tokens and addresses that differ between any two requests.

    By string search alone, ten times as fast as the patterns here. Takes out nothing that makes a difference
    to the fingerprint; what it leaves in only costs time.
    """
    html = _without(html, ' data-view="', '"')
    html = _without(html, '<span class="tgme_widget_message_views">', "<")
    html = _without(html, ' src="', '"')
    return _without(html, "url('", "')", unless=_outside_style)


def _without(
    html: str, begin: str, end: str, unless: Callable[[str, str], object] = lambda before, inside: False
) -> str:
    """Without what stands between `begin` and the next `end`."""
    pieces = html.split(begin)
    kept = pieces[:1]
    for before, piece in pairwise(pieces):
        inside, found, behind = piece.partition(end)
        kept.append(piece if not found or unless(before, inside) else found + behind)
    return begin.join(kept)


def _outside_style(before: str, inside: str) -> object:
    """A text may say `url('…')`, and so may the address of a link; a style may leave it open."""
    within = before[: before.rfind('"') + 1].endswith(' style="') and '"' not in inside
    return not within or _SIZE.search(inside)


def _fingerprint(html: str) -> str:
    kept = _NOISE.sub("", html)
    kept = _BREAK.sub("<br>", _VIDEO.sub("<video>", kept))
    kept = _ATTRIBUTE.sub(_attribute, kept)
    return blake2b(_tight(kept).encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def _tight(html: str) -> str:
    """Without the indentation between blocks, which grows and shrinks with what stands there."""
    html = " ".join(html.split()).replace(" >", ">")
    html = html.replace(" <div", "<div").replace(" </div>", "</div>").replace("</div> ", "</div>")
    return _BEHIND_BLOCK.sub(r"\1", html)


def _attribute(match: re.Match[str]) -> str:
    name, value = match.groups()
    if name == "class":
        return _classes(value)
    if name == "style":
        return " ".join(_SIZE.findall(value))
    return match[0] if name in _TELLING else ""


@lru_cache(maxsize=2048)
def _classes(value: str) -> str:
    kept = (name for name in value.split() if not _PASSING.fullmatch(name))
    return f' class="{" ".join(kept)}"'
