"""The markup of t.me's preview pages: a message's text and the lines around it.

Owns the HTML of everything but media (media_markup.py) and frames and pages (pages.py), as t.me writes it;
kinds no real page was seen of follow the class names other readers of t.me use. Never opens a socket.
"""

# ruff: noqa: E501 - a line of t.me's markup stays in one piece, to be compared with a page

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from functools import partial
from html import escape as html_escape


@dataclass(frozen=True, slots=True)
class Scene:
    """Where a piece stands. `file` turns a file's name into its present address, which rotates."""

    channel: str
    title: str
    post_id: int
    file: Callable[[str], str]
    views: int = 1
    now: float = 0.0

    @property
    def post(self) -> str:
        return f"https://t.me/{self.channel}/{self.post_id}"


class Place(Enum):
    """Where in the message's frame a piece goes."""

    AUTHOR = "behind the author's name"
    BUBBLE = "in the bubble, inside the supported container if there is one"
    CARD = "in the bubble, behind that container (link previews)"
    BELOW = "behind the bubble (inline buttons)"


@dataclass(frozen=True, slots=True)
class Piece:
    """One element of a post. `span` is how many message ids it uses, `css` goes to the message's div."""

    html: Callable[[Scene], str]
    span: int = 1
    css: str = ""
    partly_supported: bool = False
    """The widget wraps the content in both kinds of container (custom emoji do that)."""
    service: bool = False
    voters: str = ""
    place: Place = Place.BUBBLE


@dataclass(frozen=True, slots=True)
class Post:
    """A whole post: its pieces in page order, and what the footer says."""

    pieces: tuple[Piece, ...]
    signature: str = ""
    edited: bool = False
    reactions: tuple[str, ...] = ()
    date: datetime | None = None

    @property
    def span(self) -> int:
        return max((piece.span for piece in self.pieces), default=1)

    @property
    def service(self) -> bool:
        return any(piece.service for piece in self.pieces)


def post(
    *pieces: Piece,
    signature: str = "",
    edited: bool = False,
    reactions: tuple[str, ...] = (),
    date: datetime | None = None,
) -> Post:
    """Put pieces together. Without `date` the post is stamped when it is added to a channel."""
    return Post(pieces, signature, edited, reactions, date)


# --- text ---------------------------------------------------------------------------------------

_ENTITIES = str.maketrans({"!": "&#33;", "$": "&#036;", "\\": "&#092;", "\u00a0": "&nbsp;", "\n": "<br/>"})
_CONFIRM = "onclick=\"return confirm('Open this link?\\n\\n'+this.href);\""


def esc(words: str) -> str:
    """Plain words as t.me escapes them; line breaks become <br/>."""
    return html_escape(words).replace("&#x27;", "&#39;").translate(_ENTITIES)


def _tag(name: str, inner: str) -> str:
    return f"<{name}>{inner}</{name}>"


bold, italic, underline, strike, spoiler = (
    partial(_tag, name) for name in ("b", "i", "u", "s", "tg-spoiler")
)


def code(words: str) -> str:
    return f"<code>{esc(words)}</code>"


def pre(words: str, language: str = "") -> str:
    """A code block; with a language there is a `<code>` inside, as Telegram's entity HTML has it."""
    inner = f'<code class="language-{language}">{esc(words)}</code>' if language else esc(words)
    return f"<pre>{inner}</pre>"


def quote(inner: str, *, expandable: bool = False) -> str:
    return f"<blockquote{' expandable' if expandable else ''}>{inner}</blockquote>"


def link(words: str, href: str) -> str:
    """A text link; its address need not be http."""
    return f'<a href="{html_escape(href)}" target="_blank" rel="noopener" {_CONFIRM}>{words}</a>'


def bare_link(url: str) -> str:
    return f'<a href="{html_escape(url)}" target="_blank" rel="noopener">{esc(url)}</a>'


def mention(name: str) -> str:
    return f'<a href="https://t.me/{name}" target="_blank">@{name}</a>'


def hashtag(word: str) -> str:
    """A relative search link."""
    return f'<a href="?q=%23{word}">#{word}</a>'


def emoji(char: str) -> str:
    """Unicode emoji are pictures with the character inside; the <b> is not bold."""
    url = f"//telegram.org/img/emoji/40/{char.encode().hex().upper()}.png"
    return f'<i class="emoji" style="background-image:url(\'{url}\')"><b>{char}</b></i>'


def custom_emoji(char: str, number: int = 5345799227572257356) -> str:
    return f'<tg-emoji emoji-id="{number}">{emoji(char)}</tg-emoji>'


def text(inner: str, *, doubled: bool = False) -> Piece:
    """A post's text or caption from ready HTML. `doubled`: the nested container some captions have."""

    def render(_: Scene) -> str:
        div = f'<div class="tgme_widget_message_text js-message_text" dir="auto">{inner}</div>'
        outer = f'<div class="tgme_widget_message_text js-message_text">{div}</div>'
        return outer if doubled else div

    return Piece(render, partly_supported="<tg-emoji" in inner)


def words(plain: str) -> Piece:
    """A post's text from plain words."""
    return text(esc(plain))


# --- lines around the text ----------------------------------------------------------------------


def forwarded_from(name: str, href: str = "", author: str = "") -> Piece:
    """From a channel (href with post number), a user (href without) or a hidden account (none)."""
    tag, attribute = ("a", f' href="{html_escape(href)}"') if href else ("span", "")
    name_class = "tgme_widget_message_forwarded_from_name"
    who = f'<{tag} class="{name_class}"{attribute}><span dir="auto">{esc(name)}</span></{tag}>'
    if author:
        who += f' (<span class="tgme_widget_message_forwarded_from_author" dir="auto">{esc(author)}</span>)'
    line = f'<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;{who}</div>'
    return Piece(lambda _: line)


def via_bot(name: str) -> Piece:
    """Behind the author's name; not seen in a real page."""
    line = f' via <a class="tgme_widget_message_via_bot" href="https://t.me/{name}">@{name}</a>'
    return Piece(lambda _: line, place=Place.AUTHOR)


def reply_to(number: int, quoted: str, *, author: str = "", thumb: str = "", metatext: bool = False) -> Piece:
    """An answer to post `number` of the same channel. `metatext`: the parent has no text ("Video")."""

    def render(scene: Scene) -> str:
        thumbnail = f"{picture('tgme_widget_message_reply_thumb', scene.file(thumb))}\n" if thumb else ""
        name = f'<span class="tgme_widget_message_author_name" dir="auto">{esc(author or scene.title)}</span>'
        kind = "metatext" if metatext else "text"
        said = f'<div class="tgme_widget_message_{kind} js-message_reply_text" dir="auto">{esc(quoted)}</div>'
        return (
            f'<a class="tgme_widget_message_reply" href="https://t.me/{scene.channel}/{number}" >{thumbnail}\n'
            f'<div class="tgme_widget_message_author accent_color">\n  {name}\n</div>\n{said}\n</a>'
        )

    return Piece(render)


def picture(css: str, url: str, more: str = "") -> str:
    """How t.me shows a picture: as the background of an empty element."""
    return f'<i class="{css}" style="background-image:url(\'{url}\'){more}"></i>'


def link_preview(
    href: str,
    *,
    site: str = "",
    title: str = "",
    description: str = "",
    image: str = "",
    small_image: str = "",
    video: str = "",
) -> Piece:
    """The card under a text; every part is optional. Pictures and videos are file names."""

    def render(scene: Scene) -> str:
        parts = (
            small_image and picture("link_preview_right_image", scene.file(small_image)),
            site and _preview_line("site_name accent_color", esc(site)),
            image and picture("link_preview_image", scene.file(image), ";padding-top:52.5%"),
            video and _preview_video(scene, video),
            title and _preview_line("title", esc(title)),
            description and _preview_line("description", description),
        )
        inner = "\n  ".join(filter(None, parts))
        return f'<a class="tgme_widget_message_link_preview" href="{html_escape(href)}">\n  {inner}\n</a>'

    return Piece(render, place=Place.CARD)


def _preview_line(kind: str, inner: str) -> str:
    return f'<div class="link_preview_{kind}" dir="auto">{inner}</div>'


def _preview_video(scene: Scene, video: str) -> str:
    thumb = picture("link_preview_video_thumb", scene.file(f"{video.rpartition('.')[0]}-thumb"))
    player = (
        f'<video class="link_preview_video" src="{scene.file(video)}" width="100%" height="100%"></video>'
    )
    length = '<time class="message_video_duration js-message_video_duration">0:02</time>'
    return f'<div class="link_preview_video_player">{thumb}{player}{length}</div>'


def buttons(*rows: tuple[tuple[str, str], ...]) -> Piece:
    """Inline buttons, (label, url) in rows; an empty url is a button that only Telegram can press."""

    def one(label: str, url: str) -> str:
        inner = f'<span class="tgme_widget_message_inline_button_text" dir="auto">{esc(label)}</span>'
        tag, more = ("a", f' href="{html_escape(url)}"') if url else ("button", "")
        kind = "url_button" if url else "callback_button"
        return f'<{tag} class="tgme_widget_message_inline_button {kind}"{more}>{inner}</{tag}>'

    inner = "".join(
        f'<div class="tgme_widget_message_inline_row">{"".join(one(*button) for button in row)}</div>'
        for row in rows
    )
    return Piece(
        lambda _: f'<div class="tgme_widget_message_inline_keyboard">{inner}</div>', place=Place.BELOW
    )


def service(inner: str, *, photo: str = "") -> Piece:
    """ "Channel created" and the like, from ready HTML; with `photo` the channel's new picture."""

    def render(scene: Scene) -> str:
        shown = f'<img src="{scene.file(photo)}">' if photo else ""
        shown = shown and f'<a class="tgme_widget_message_service_photo" href="{scene.post}">{shown}</a>\n'
        return f'{shown}<div class="tgme_widget_message_text js-message_text" dir="auto">{inner}</div>'

    return Piece(
        render, css="service_message service_message_photo" if photo else "service_message", service=True
    )


def strong(name: str) -> str:
    """A name inside a service message."""
    return f'<span class="tgme_widget_service_strong_text" dir="auto">{esc(name)}</span>'


def unsupported(label: str = "Please open Telegram to view this post") -> Piece:
    """A post of which the preview shows nothing."""
    return Piece(lambda scene: not_supported(scene, label))


def not_supported(scene: Scene, label: str, css: str = "") -> str:
    """The fallback box that also stands, hidden, inside every player."""
    return (
        f'<div class="message_media_not_supported_wrap{css}">\n  <div class="message_media_not_supported">\n'
        f'    <div class="message_media_not_supported_label">{label}</div>\n'
        f'    <a href="{scene.post}" class="message_media_view_in_telegram">VIEW IN TELEGRAM</a>\n  </div>\n</div>'
    )


def raw(markup: str) -> Piece:
    """Any HTML at all, for what t.me may come up with tomorrow."""
    return Piece(lambda _: markup)
