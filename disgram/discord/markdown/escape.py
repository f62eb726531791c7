"""Escaping for Discord's Markdown, by context: text, link label, link target, code span, code fence.

`#N` are threads of discord/discord-api-docs.
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

ZWSP = "\u200b"
"""Separates what would merge. Invisible, and not white space to Discord's (JavaScript's) `\\s`."""

MAX_TARGET = 1800
"""Characters; longer link targets are left out, so that one character of text always fits a message."""

SHOWN_SCHEMES = frozenset({"tg", "ton", "mailto", "tel"})
"""Discord does not link these: the target is written after the label."""

_CONTROLS = re.compile(r"[\x00-\x08\x0e-\x1f\x7f\ud800-\udfff]")
_LINE_BREAKS = re.compile("\r\n|[\r\x0b\x0c\x85\u2028\u2029]")
_INVISIBLE = re.compile("[\\s\ufeff\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u202a-\u202e"
                        "\u2060-\u206f\u2800\u3164\uffa0\ufe00-\ufe0f]+")  # fmt: skip

_URL = re.compile(r"[Hh][Tt][Tt][Pp][Ss]?://\S*")

# `<` opens mentions, times, emoji, `</cmd:id>` and `<scheme:/…>`; `:` a link or `:shortcode:`.
_SPECIAL = re.compile(
    r"[\\*_~`|\[]"
    r"|<(?! )"
    r"|@(?=everyone|here)"
    r"|:(?=[0-9_+-]*[A-Za-z][A-Za-z0-9_+-]*:)"
    r"|(?:(?<=[Hh][Tt][Tt][Pp])|(?<=[Hh][Tt][Tt][Pp][Ss])):(?=//)"
)
_LINE_START = re.compile(r"^([^\S\n]*)(?:([#>]+|-#?|\+)|(\d+)(\.))(?=\s|$)", re.MULTILINE)
_SAFE_URL = re.compile(r"https?://\w(?:[^\s<>\\`*|~]|~(?!~))+")
_URL_TAIL = ".,:;\"')]"


def cleaned(text: str) -> str:
    """Without lone surrogates and control characters, which Discord drops; any line break as "\\n"."""
    return _CONTROLS.sub("", _LINE_BREAKS.sub("\n", text))


def invisible(text: str) -> bool:
    """Whether a text has only white space and zero-width characters, as the labels of hidden links do."""
    return not _INVISIBLE.sub("", cleaned(text))


def escape_text(text: str, *, line_start: bool = True, follower: str = "", keep: str = "") -> str:
    """Markdown for plain text. A bare URL is left as it is where that is safe.

    `line_start`: nothing visible comes before the text in its line. `follower`: the character after the text,
    which a URL at its end would include. `keep`: a marker that must not appear unescaped.
    """
    head, newline, tail = ("", "", text) if line_start else text.partition("\n")
    body = _escape_line_starts(_escape_inline(tail, follower, keep)) if newline or line_start else ""
    return _escape_inline(head, "\n" if newline else follower, keep) + newline + body


def _escape_inline(text: str, follower: str, keep: str) -> str:
    out, position = "", 0
    for url in _URL.finditer(text):
        last = url.end() == len(text)
        if _linkable(url[0], follower if last else " ", keep):
            out += _SPECIAL.sub(_escaped, text[position : url.start()]) + url[0]
            position = url.end()
    return out + _SPECIAL.sub(_escaped, text[position:])


def _escaped(match: re.Match[str]) -> str:
    return "\\" + match[0]


def _escape_line_starts(text: str) -> str:
    """Escape headings, lists, quotes and subtext. (`*` is escaped everywhere.)"""
    return _LINE_START.sub(lambda m: f"{m[1]}\\{m[2]}" if m[2] else f"{m[1]}{m[3]}\\.", text)


def _linkable(url: str, follower: str, keep: str) -> bool:
    """Whether Discord links the whole URL: white space follows, and it contains no marker of a style."""
    separate = not follower or follower.isspace()
    host = url.partition("://")[2].rstrip(_URL_TAIL)
    return separate and bool(_SAFE_URL.fullmatch(url)) and len(host) > 1 and not (keep and keep in url)


# --- links --------------------------------------------------------------------------------------

# Escapes do not work in labels (#6185), so these are written outside. Single `~`, `|` and `:` stay, and so
# does `_` unless it could close an italic: another `_` before it, no ASCII letter after it (JavaScript's \b).
_LABEL_BREAKER = re.compile(
    r"[\\*`\[\]<]+|__+|_(?![A-Za-z0-9])|~~+|\|\|+|@(?=everyone|here)|:(?=[0-9_+-]*[A-Za-z][A-Za-z0-9_+-]*:)"
)
_LABEL_URL = re.compile(r"(https?:)(?=//)", re.IGNORECASE)
_UNSAFE_IN_TARGET = re.compile(r'[\s()<>\\`|"\x00-\x20]')
_CONFLICTS_WITH_STYLE = re.compile(r"\*|_(?=_)|~(?=~)")
_AUTOLINK = re.compile(r"https?://[^\s<>\\`]+")


def target(href: str, *, styled: bool = False) -> str | None:
    """The link target to write in `(…)`, or None if Discord would not link it.

    `styled`: inside bold etc., so the markers of styles are percent-encoded as well.
    """
    try:
        parts = urlsplit(href.strip())
        linked = parts.scheme in {"http", "https"} and bool(parts.hostname)
    except ValueError:
        return None
    encoded = _UNSAFE_IN_TARGET.sub(_percent, cleaned(href.strip()))
    if styled:
        encoded = _CONFLICTS_WITH_STYLE.sub(_percent, encoded)
    return encoded if linked and len(encoded) <= MAX_TARGET else None


def too_long(href: str) -> bool:
    """Whether a web address is left out of Markdown because of its length."""
    web = href.strip().lower().startswith(("http://", "https://"))
    return web and len(_UNSAFE_IN_TARGET.sub(_percent, cleaned(href.strip()))) > MAX_TARGET


def _percent(match: re.Match[str]) -> str:
    # urllib's quote() does not encode `_` and `~`.
    return "".join(f"%{byte:02X}" for byte in match[0].encode())


def shown_target(label: str, href: str) -> str:
    """What to write after the label of a link that Discord cannot make: ` (tg://…)` or nothing."""
    href = cleaned(href.strip())
    scheme, _, rest = href.partition(":")
    if href.lower().startswith(("tg://user", "tg://time")) or (
        scheme.lower() == "tel" and _digits(label) == _digits(rest)
    ):
        return ""  # a person without an address outside Telegram, a time or number that the label shows
    known = scheme.lower() in SHOWN_SCHEMES and len(href) <= MAX_TARGET
    return f" ({href})" if known and label.strip() not in {href, rest, rest.removeprefix("//")} else ""


def _digits(text: str) -> str:
    return "".join(char for char in text if char.isdecimal())


def bare_url(label: str, href: str, follower: str) -> str | None:
    """A link whose label is its URL: as it is, or in `<…>` where it would include what follows; else None."""
    if href not in {label, label + "/"}:
        return None
    if _linkable(label, follower, "") and label[-1] not in _URL_TAIL and not set("()[]") & set(label):
        return label
    return f"<{label}>" if _AUTOLINK.fullmatch(label) else None


def label_spans(label: str) -> list[tuple[str, bool]]:
    """A label of one line in spans: (text, may it be in a masked link?). Blanks at the ends may not."""
    spans: list[tuple[str, bool]] = []
    position = 0
    for breaker in _LABEL_BREAKER.finditer(label):
        if breaker[0] == "_" and "_" not in label[position : breaker.start()]:
            continue
        spans += [(label[position : breaker.start()], True), (breaker[0], False)]
        position = breaker.end()
    spans.append((label[position:], True))
    return [inner for span in spans if span[0] for inner in _trimmed(*span)]


def can_label(text: str) -> bool:
    """Whether any of the text may be the label of a masked link."""
    return any(linkable for line in text.splitlines() for _, linkable in label_spans(line))


def _trimmed(text: str, linkable: bool) -> list[tuple[str, bool]]:
    core = text.strip()
    if not linkable or invisible(core):
        return [(text, False)]
    start = text.index(core)
    ends = (text[:start], False), (core, True), (text[start + len(core) :], False)
    return [span for span in ends if span[0]]


def masked_link(label: str, link_target: str) -> str:
    """`[label](target)`. Discord shows a link literally if its label looks like a URL (#7721), so a
    zero-width space is put into such a label."""
    return f"[{_LABEL_URL.sub(lambda m: m[1] + ZWSP, label)}]({link_target})"


# --- code ---------------------------------------------------------------------------------------

_BACKTICK_BEFORE_ANOTHER = re.compile("`(?=`)")
_BACKTICK_BEFORE_TWO = re.compile("`(?=``)")
_LANGUAGE = re.compile(r"[A-Za-z0-9_+.#-]{1,30}")


def code_span(text: str) -> str:
    """Inline code, one line. With backticks inside, two are put around it, and those inside are separated."""
    if "`" not in text:
        return f"`{text}`"
    inner = _BACKTICK_BEFORE_ANOTHER.sub("`" + ZWSP, text)
    before = ZWSP if inner.startswith("`") else ""
    after = ZWSP if inner.endswith("`") else ""
    return f"``{before}{inner}{after}``"


def code_fence(text: str, language: str | None) -> str:
    """A code block. No text inside ends it, and its first line is not taken for a language."""
    name = language if language and _LANGUAGE.fullmatch(language) else ""
    inner = _BACKTICK_BEFORE_TWO.sub("`" + ZWSP, text.strip("\n"))
    return f"```{name}\n{inner}\n```"
