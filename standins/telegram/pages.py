"""Whole pages of t.me: the frame of a message, the preview page around them, the landing pages.

Owns that HTML. Never decides which posts a page holds.
"""

# ruff: noqa: E501 - a line of t.me's markup stays in one piece, to be compared with a page

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from datetime import datetime

from standins.telegram.text_markup import Place, Post, Scene, emoji, esc, not_supported


def frame(content: Post, scene: Scene, *, photo: str = "", channel_id: int = -1005640892) -> str:
    """The whole wrap of one post, as it stands in the history section."""
    css = " ".join(filter(None, ["text_not_supported_wrap", *(piece.css for piece in content.pieces)]))
    album = f"{scene.post_id}g" if content.span > 1 else scene.post_id
    seen = json.dumps({"c": channel_id, "p": album, "t": int(scene.now), "h": "a1f2bcf931fc2f6810"})
    view = base64.urlsafe_b64encode(seen.encode()).decode().rstrip("=")
    return (
        f'<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message {css} '
        f'js-widget_message" data-post="{scene.channel}/{scene.post_id}" data-view="{view}">\n'
        f'  <div class="tgme_widget_message_user"><a href="https://t.me/{scene.channel}"><i class='
        f'"tgme_widget_message_user_photo bgcolor2" data-content="{esc(scene.title[:1])}">{photo}</i></a></div>\n'
        f'  <div class="tgme_widget_message_bubble">\n{_author(content, scene)}\n\n{_content(content, scene)}\n'
        f"{_footer(content, scene)}\n  </div>\n{_placed(content, scene, Place.BELOW)}\n</div></div>"
    )


def _author(content: Post, scene: Scene) -> str:
    name = f'<span dir="auto">{esc(scene.title)}</span>'
    owner = f'<a class="tgme_widget_message_owner_name" href="https://t.me/{scene.channel}">{name}</a>'
    owner += _placed(content, scene, Place.AUTHOR)
    return f'<div class="tgme_widget_message_author accent_color">{owner}</div>'


def _content(content: Post, scene: Scene) -> str:
    inner = _placed(content, scene, Place.BUBBLE)
    if any(piece.partly_supported for piece in content.pieces):
        fallback = not_supported(scene, "Please open Telegram to view this post")
        inner = f'<div class="media_supported_cont">{inner}</div><div class="media_not_supported_cont">{fallback}</div>'
    return inner + _placed(content, scene, Place.CARD)


def _placed(content: Post, scene: Scene, place: Place) -> str:
    return "".join(piece.html(scene) for piece in content.pieces if piece.place is place)


def _footer(content: Post, scene: Scene) -> str:
    reactions = "".join(
        f'<span class="tgme_reaction">{emoji(one)}{len(one) + 4}</span>' for one in content.reactions
    )
    if reactions:
        reactions = f'<div class="tgme_widget_message_reactions js-message_reactions">{reactions}</div>'
    date = (content.date or datetime.now().astimezone()).isoformat(timespec="seconds")
    when = f'<time datetime="{date}" class="time">{date[11:16]}</time>'
    meta = f'<a class="tgme_widget_message_date" href="{scene.post}">{when}</a>'
    meta = f"edited &nbsp;{meta}" if content.edited else meta
    if content.signature:
        name = f'<span class="tgme_widget_message_from_author" dir="auto">{esc(content.signature)}</span>'
        meta = f"{name},&nbsp;{meta}"
    return (
        f'{reactions}<div class="tgme_widget_message_footer compact js-message_footer">\n  \n'
        f'  <div class="tgme_widget_message_info short js-message_info">\n    {_counts(content, scene)}'
        f'<span class="tgme_widget_message_meta">{meta}</span>\n  </div>\n</div>'
    )


def _counts(content: Post, scene: Scene) -> str:
    if content.service:
        return ""
    voted = "".join(piece.voters for piece in content.pieces)
    if voted:
        voted = (
            f'<span class="tgme_widget_message_voters">{voted}</span><span class="copyonly"> voters</span>'
        )
    noun = "view" if scene.views == 1 else "views"
    return f'{voted}<span class="tgme_widget_message_views">{scene.views}</span><span class="copyonly"> {noun}</span>'


# --- the preview page ---------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Head:
    """What a page says of its channel. `photo` is an address or empty."""

    name: str
    title: str
    description: str = ""
    photo: str = ""
    channel_id: int = -1005640892
    subscribers: str = "42"
    verified: bool = False


def feed(
    head: Head, messages: list[str], *, top: int, older: int | None = None, newer: int | None = None
) -> str:
    """A preview page. `top` is its canonical cursor; `older` and `newer` are the cursors to the neighbours."""
    links = f'<link rel="prev" href="/s/{head.name}?before={older}">\n' if older else ""
    links += f'<link rel="next" href="/s/{head.name}?after={newer}">\n' if newer else ""
    links += f'<link rel="canonical" href="/s/{head.name}?before={top}">'
    history = [
        _more(head.name, "before", older),
        *(messages or [_NO_POSTS]),
        _more(head.name, "after", newer),
    ]
    body = (
        f'<body class="widget_frame_base tgme_webpreview emoji_image thin_box_shadow tme_mode no_transitions">\n'
        f'{_info(head)}<main class="tgme_main" data-url="/{head.name}">\n  <div class="tgme_container">\n'
        f'    <section class="tgme_channel_history js-message_history">\n'
        f"{chr(10).join(filter(None, history))}\n    </section>\n  </div>\n</main>\n"
        f"    <script>TWeb.init();\n</script>\n  </body>"
    )
    return _page(f"{esc(head.title)} – Telegram", _meta(head, head.photo) + links, body)


_NO_POSTS = (
    '<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message_centered">'
    '<div class="tme_no_messages_found">No posts found</div></div></div>'
)


def _page(title: str, head: str, body: str) -> str:
    return (
        f'<!DOCTYPE html>\n<html>\n  <head>\n    <meta charset="utf-8">\n    <title>{title}</title>\n{head}\n'
        f"  </head>\n  {body}\n</html>\n<!-- page generated in 9.84ms -->\n"
    )


def _meta(head: Head, image: str) -> str:
    return (
        f'<meta property="og:title" content="{esc(head.title)}">\n<meta property="og:image" content="{image}">\n'
        f'<meta property="og:site_name" content="Telegram">\n'
        f'<meta property="og:description" content="{esc(head.description)}">\n'
        f'<meta property="al:ios:url" content="tg://resolve?domain={head.name}">\n'
    )


def _more(name: str, side: str, cursor: int | None) -> str:
    if cursor is None:
        return ""
    css = "tme_messages_more js-messages_more"
    link = f'<a href="/s/{name}?{side}={cursor}" class="{css}" data-{side}="{cursor}"></a>'
    return f'<div class="tgme_widget_message_centered js-messages_more_wrap">{link}</div>'


def _info(head: Head) -> str:
    picture = f'<img src="{head.photo}">' if head.photo else ""
    labels = '<i class="verified-icon"> ✔</i>' if head.verified else ""
    counter = (
        f'<span class="counter_value">{head.subscribers}</span> <span class="counter_type">subscribers</span>'
    )
    about = (
        f'<div class="tgme_channel_info_description">{esc(head.description)}</div>'
        if head.description
        else ""
    )
    return (
        f'<div class="tgme_channel_info">\n<div class="tgme_channel_info_header">\n  '
        f'<i class="tgme_page_photo_image bgcolor2" data-content="{esc(head.title[:1])}">{picture}</i>\n'
        f'  <div class="tgme_channel_info_header_title_wrap">\n    <div class="tgme_channel_info_header_title">'
        f'<span dir="auto">{esc(head.title)}</span></div>\n'
        f'    <div class="tgme_channel_info_header_labels">{labels}</div>\n  </div>\n'
        f'  <div class="tgme_channel_info_header_username"><a href="https://t.me/{head.name}">@{head.name}</a></div>\n'
        f'</div>\n<div class="tgme_channel_info_counters"><div class="tgme_channel_info_counter">{counter}</div></div>\n'
        f'{about}</div>\n<div class="tgme_header_counter">{head.subscribers} subscribers</div>\n'
    )


# --- landing pages ------------------------------------------------------------------------------

LANDINGS = {
    "channel": ("View", "View in Telegram"),
    "group": ("View", "View in Telegram"),
    "user": ("Contact", "Send Message"),
    "bot": ("Launch", "Start Bot"),
    "restricted": ("View", "View in Telegram"),
    "nobody": ("Contact", "Send Message"),
}


def landing(kind: str, head: Head) -> str:
    """What t.me/<name> shows. `kind` is a key of LANDINGS."""
    verb, button = LANDINGS[kind]
    faceless = kind in {"nobody", "restricted"}
    robots = '<meta name="robots" content="noindex, nofollow">' if faceless else ""
    shown = Head(head.name, f"Telegram: Contact @{head.name}") if faceless else head
    image = head.photo if head.photo and not faceless else "https://telegram.org/img/t_logo_2x.png"
    inner = _faceless(kind, head) if faceless else _introduced(kind, head)
    action = f'<a class="tgme_action_button_new shine" href="tg://resolve?domain={head.name}">{button}</a>'
    preview = f'<a class="tgme_page_context_link" href="/s/{head.name}">Preview channel</a>'
    if kind in {"channel", "restricted"}:
        action += f'\n</div>\n<div class="tgme_page_context_link_wrap">{preview}'
    body = (
        f'<body class="no_transition">\n<div class="tgme_page_wrap"><div class="tgme_body_wrap"><div class="tgme_page">'
        f'\n{inner}\n<div class="tgme_page_action">\n  {action}\n</div>\n</div></div></div>\n  </body>'
    )
    return _page(f"Telegram: {verb} @{head.name}", robots + _meta(shown, image), body)


def _faceless(kind: str, head: Head) -> str:
    who = f'<a class="tgme_username_link" href="tg://resolve?domain={head.name}">@{head.name}</a>'
    can = f"view posts<br/>by {who}" if kind == "restricted" else f"contact {who}"
    return (
        '<div class="tgme_page_icon">\n  <i class="tgme_icon_user"></i>\n</div>\n<div class="tgme_page_description">\n'
        f"  If you have <strong>Telegram</strong>, you can {can} right away.\n</div>"
    )


def _introduced(kind: str, head: Head) -> str:
    extra = {
        "channel": f"{head.subscribers} subscribers",
        "group": f"{head.subscribers} members, 7 online",
        "user": f"@{head.name}",
        "bot": f"{head.subscribers} monthly users",
    }[kind]
    image = f'<img class="tgme_page_photo_image" src="{head.photo}">' if head.photo else ""
    return (
        f'<div class="tgme_page_photo">\n  <a href="tg://resolve?domain={head.name}">{image}</a>\n</div>\n'
        f'<div class="tgme_page_title" dir="auto">\n  <span dir="auto">{esc(head.title)}</span>\n</div>\n'
        f'<div class="tgme_page_extra">{extra}</div>\n'
        f'<div class="tgme_page_description" dir="auto">{esc(head.description)}</div>'
    )
