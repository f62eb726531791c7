"""Pages as t.me would write them, made up here: builders for whole pages, posts and each kind of content.

The markup follows what real pages showed (2018 to 2026-08). Kinds that no real page at hand shows are
built by the class names other readers use; each such builder says "not seen".
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64encode
from html import escape

CDN = "https://cdn4.telesco.pe/file"
CHANNEL = "harbour"
TITLE = "Harbour News"
DESCRIPTION = "All about the harbour"
DATE = "2026-08-06T07:59:58+00:00"

TAIL = (
    '<i class="tgme_widget_message_bubble_tail"><svg class="bubble_icon" viewBox="0 0 9 20">'
    '<g fill="none"><path class="background" d="M8,1 L9,1 Z"></path></g></svg></i>'
)


def page(
    *posts: str,
    channel: str = CHANNEL,
    title: str = TITLE,
    photo: str = f"{CDN}/harbour.jpg",
    older: int | None = None,
    more_link: bool = True,
    trailer: bool = True,
) -> str:
    """A whole page of t.me/s/<channel>; `older` is its cursor, in the head and in the list."""
    previous = f'<link rel="prev" href="/s/{channel}?before={older}">\n' if older else ""
    more = (
        '<div class="tgme_widget_message_centered js-messages_more_wrap">'
        f'<a href="/s/{channel}?before={older}" class="tme_messages_more js-messages_more" '
        f'data-before="{older}"></a></div>'
    )
    return (
        f"<!DOCTYPE html>\n<html>\n  <head>\n    <title>{escape(title)} – Telegram</title>\n"
        f'    <meta property="og:title" content="{escape(title)}">\n'
        f'<meta property="og:image" content="{photo}">\n'
        f'<meta property="og:description" content="{DESCRIPTION}">\n'
        f'    {previous}<link rel="canonical" href="/s/{channel}?before=9999">\n  </head>\n'
        '  <body class="widget_frame_base tgme_webpreview emoji_image">\n'
        '<i class="tgme_page_photo_image bgcolor2" data-content="H"></i>\n'
        f'<main class="tgme_main" data-url="/{channel}">\n  <div class="tgme_container">\n'
        '    <section class="tgme_channel_history js-message_history">\n'
        f"      {more if older and more_link else ''}{''.join(posts)}\n    </section>\n  </div>\n</main>\n"
        "    <script>TWeb.init();</script>\n  </body>\n</html>\n"
        + ("<!-- page generated in 9.99ms -->\n" if trailer else "")
    )


NO_POSTS = (
    '<div class="tgme_widget_message_wrap js-widget_message_wrap"><div class="tgme_widget_message_centered">'
    '<div class="tme_no_messages_found">No posts found</div></div></div>'
)


def view_of(channel_id: int, number: int) -> str:
    """A `data-view` as t.me writes it; the default of `post` is one that tells nothing."""
    told = json.dumps({"c": channel_id, "p": number, "t": 1783591761, "h": "a1f2"})
    return urlsafe_b64encode(told.encode()).decode().rstrip("=")


def post(
    number: int,
    *content: str,
    channel: str = CHANNEL,
    author: str = TITLE,
    extra_class: str = "",
    author_line: str = "",
    meta: str = "",
    views: str = "1.2K",
    voters: str = "",
    reactions: str = "",
    below: str = "",
    date: str = DATE,
    view: str = "",
) -> str:
    """One post in its frame. `meta` stands before the date, `below` outside the bubble."""
    counted = (
        f'<span class="tgme_widget_message_voters">{voters}</span><span class="copyonly"> voters</span>'
        if voters
        else ""
    )
    return (
        '<div class="tgme_widget_message_wrap js-widget_message_wrap">'
        f'<div class="tgme_widget_message text_not_supported_wrap {extra_class} js-widget_message" '
        f'data-post="{channel}/{number}" data-view="{view or f"eyJjIjotMTAw{number}"}">\n'
        f'  <div class="tgme_widget_message_user"><a href="https://t.me/{channel}">'
        f'<i class="tgme_widget_message_user_photo bgcolor4" data-content="H"><img src="{CDN}/avatar.jpg">'
        f'</i></a></div>\n  <div class="tgme_widget_message_bubble">\n    {TAIL}\n'
        '    <div class="tgme_widget_message_author accent_color"><a class="tgme_widget_message_owner_name" '
        f'href="https://t.me/{channel}"><span dir="auto">{author}</span></a>{author_line}</div>\n\n'
        f"{''.join(content)}\n{reactions}"
        '<div class="tgme_widget_message_footer compact js-message_footer">\n  \n'
        '  <div class="tgme_widget_message_info short js-message_info">\n    '
        f'{counted}<span class="tgme_widget_message_views">{views}</span><span class="copyonly"> views</span>'
        f'<span class="tgme_widget_message_meta">{meta}<a class="tgme_widget_message_date" '
        f'href="https://t.me/{channel}/{number}"><time datetime="{date}" class="time">07:59</time></a></span>'
        f"\n  </div>\n</div>\n  </div>\n  {below}\n</div></div>"
    )


def text(html: str) -> str:
    return f'<div class="tgme_widget_message_text js-message_text" dir="auto">{html}</div>'


def emoji(char: str) -> str:
    return (
        '<i class="emoji" style="background-image:url(\'//telegram.org/img/emoji/40/F09F.png\')">'
        f"<b>{char}</b></i>"
    )


def custom_emoji(char: str) -> str:
    return f'<tg-emoji emoji-id="5345799227572257356">{emoji(char)}</tg-emoji>'


def label(words: str = "This media is not supported in your browser") -> str:
    return (
        '<div class="message_media_not_supported_wrap">\n  <div class="message_media_not_supported">\n'
        f'    <div class="message_media_not_supported_label">{words}</div>\n'
        '    <span class="message_media_view_in_telegram">VIEW IN TELEGRAM</span>\n  </div>\n</div>'
    )


OPEN_TELEGRAM = "Please open Telegram to view this post"


def partly_supported(*content: str) -> str:
    """Real content and the label side by side: what a custom emoji in a post leads to."""
    return (
        f'<div class="media_supported_cont">{"".join(content)}</div>'
        f'<div class="media_not_supported_cont">{label(OPEN_TELEGRAM)}</div>'
    )


def photo(number: int, name: str = "one", *, numbers: str = "5449764 126_4600", extra_class: str = "") -> str:
    return (
        f'<a class="tgme_widget_message_photo_wrap {numbers} {extra_class}" '
        f'href="https://t.me/{CHANNEL}/{number}" '
        f"style=\"width:640px;background-image:url('{CDN}/{name}.jpg')\">\n"
        '  <div class="tgme_widget_message_photo" style="padding-top:125%"></div>\n</a>'
    )


def video(number: int, name: str = "clip", *, extra_class: str = "", backdrop: bool = False) -> str:
    """With `backdrop` as narrow videos are: a blurred copy of the same file stands before it."""
    source = f"{CDN}/{name}.mp4?token=abc"
    blurred = (
        f'<video src="{CDN}/blurred.mp4?token=abc" class="tgme_widget_message_video blured '
        'js-message_video_blured" width="100%" muted></video>'
    )
    return (
        f'<a class="tgme_widget_message_video_player {extra_class} js-message_video_player" '
        f'href="https://t.me/{CHANNEL}/{number}"><i class="tgme_widget_message_video_thumb" '
        f"style=\"background-image:url('{CDN}/{name}-thumb')\"></i>{blurred if backdrop else ''}\n"
        '<div class="tgme_widget_message_video_wrap" style="width:1616px;padding-top:118.44%">\n'
        f'  <video src="{source}" class="tgme_widget_message_video js-message_video" width="100%"></video>\n'
        '</div>\n<div class="message_video_play js-message_video_play"></div>\n'
        '<time class="message_video_duration js-message_video_duration">0:09</time>\n' + label() + "</a>"
    )


def gif(number: int) -> str:
    return (
        '<a class="tgme_widget_message_video_player js-message_video_player" '
        f'href="https://t.me/{CHANNEL}/{number}"><i class="tgme_widget_message_video_thumb" '
        f"style=\"background-image:url('{CDN}/wave-thumb')\"></i>\n"
        '<div class="tgme_widget_message_video_wrap" style="width:800px;padding-top:81%">\n'
        f'  <video src="{CDN}/wave.mp4?token=abc" class="tgme_widget_message_video js-message_video" '
        'width="100%" height="100%" preload muted autoplay loop playsinline></video>\n</div>\n'
        + label()
        + "</a>"
    )


def too_big_video(number: int) -> str:
    return (
        '<a class="tgme_widget_message_video_player not_supported js-message_video_player" '
        f'href="https://t.me/{CHANNEL}/{number}"><i class="tgme_widget_message_video_thumb" '
        f"style=\"background-image:url('{CDN}/film-thumb')\"></i>\n"
        '<div class="tgme_widget_message_video_wrap" style="width:1080px;padding-top:100%">\n</div>\n'
        '<div class="message_video_play js-message_video_play"></div>\n'
        '<time class="message_video_duration js-message_video_duration">1:02:03</time>\n'
        + label("Media is too big")
        + "</a>"
    )


def game_video() -> str:
    """By the classes in t.me's CSS; no page with one was seen."""
    css = "tgme_widget_message_game_video"
    return (
        f'<a class="{css}_player js-message_video_player" href="https://t.me/{CHANNEL}/5">'
        f"{picture(f'{css}_thumb', 'game.jpg')}"
        f'<div class="{css}_wrap" style="width:640px;padding-top:50%">'
        f'<video src="{CDN}/game.mp4?token=abc" class="{css}"></video></div>'
        '<div class="message_video_play js-message_video_play"></div>'
        f'<time class="message_video_duration js-message_video_duration">0:09</time>{label()}</a>'
    )


def round_video() -> str:
    return (
        '<div class="tgme_widget_message_roundvideo_player js-message_roundvideo_player">'
        '<div class="tgme_widget_message_roundvideo_wrap"><i class="tgme_widget_message_roundvideo_thumb" '
        f"style=\"background-image:url('{CDN}/face-thumb')\"></i>"
        f'<video class="tgme_widget_message_roundvideo js-message_roundvideo" src="{CDN}/face.mp4?token=abc" '
        'width="100%" preload muted autoplay loop playsinline></video></div>'
        + label()
        + '<svg class="progress"><circle></circle></svg>'
        '<time class="tgme_widget_message_roundvideo_duration js-message_roundvideo_duration">0:12</time>'
        "</div>"
    )


def voice(number: int) -> str:
    return (
        '<a class="tgme_widget_message_voice_player js-message_voice_player" '
        f'href="https://t.me/{CHANNEL}/{number}">\n<audio class="tgme_widget_message_voice js-message_voice" '
        f'src="{CDN}/speech.ogg?token=abc" data-ogg width="100%" data-waveform="0,0,1,9"></audio>'
        '<div class="tgme_widget_message_voice_wrap"><div class="bar"><s style="height:10%"></s>'
        '<s style="height:90%"></s></div>'
        '<time class="tgme_widget_message_voice_duration js-message_voice_duration">27:40</time></div></a>'
    )


def document(number: int, title: str, extra: str, *, music: bool = False) -> str:
    return (
        f'<a class="tgme_widget_message_document_wrap" href="https://t.me/{CHANNEL}/{number}">'
        f'<div class="tgme_widget_message_document_icon accent_bg{" audio" if music else ""}"></div>\n'
        '<div class="tgme_widget_message_document"><div class="tgme_widget_message_document_title '
        f'accent_color" dir="auto">{title}</div><div class="tgme_widget_message_document_extra" dir="auto">'
        f"{extra}</div></div></a>"
    )


def _sticker(inner: str) -> str:
    return (
        f'<div class="message_media_not_supported_wrap media_not_supported_cont">{label()}</div>'
        f'<div class="tgme_widget_message_sticker_wrap media_supported_cont">{inner}</div>'
    )


def sticker() -> str:
    return _sticker(
        '<i class="tgme_widget_message_sticker js-sticker_image" '
        "style=\"background-image:url('data:image/svg+xml;base64,PHN2Zz4=');width:256px;\" "
        f'data-webp="{CDN}/gull.webp?token=abc"><div style="padding-top:63.28125%"></div></i>'
    )


def animated_sticker() -> str:
    return _sticker(
        '<div class="tgme_widget_message_tgsticker_wrap"><picture class="tgme_widget_message_tgsticker '
        'js-tgsticker_image" style="width:256px;"><div style="padding-top:100%"></div>'
        f'<source type="application/x-tgsticker" srcset="{CDN}/gull.tgs?token=abc">'
        '<source type="image/svg+xml" srcset="data:image/svg+xml;base64,PHN2Zz4=">'
        '<img src="data:image/svg+xml;base64,PHN2Zz4="></picture></div>'
    )


def video_sticker() -> str:
    """Not seen: `js-videosticker_video` with an <img> inside is what other readers look for."""
    return _sticker(
        '<div class="tgme_widget_message_videosticker js-videosticker"><video class="js-videosticker_video" '
        f'src="{CDN}/gull.webm?token=abc" preload muted autoplay loop playsinline>'
        f'<img src="{CDN}/gull-thumb.webp"></video></div>'
    )


def album(*items: str, caption: str = "") -> str:
    """Items as `photo` and `video` make them, turned into those of an album: no numeric classes, `?single`
    links. The caption stands in two nested elements, as t.me writes it."""
    grouped = re.sub(
        r'(_photo_wrap|_video_player)[ 0-9_]*( [^>]*?)href="([^"]*)"',
        r'\1 grouped_media_wrap blured\2data-ratio="0.75" href="\3?single"',
        "".join(items),
    )
    return (
        '<div class="tgme_widget_message_grouped_wrap js-message_grouped_wrap" data-margin-w="2" '
        'style="width:453px;"><div class="tgme_widget_message_grouped js-message_grouped" '
        'style="padding-top:133.333%"><div class="tgme_widget_message_grouped_layer" '
        f'style="width:453px;height:604px">{grouped}</div></div></div>'
        + (text(text(caption)) if caption else "")
    )


def poll(question: str, kind: str, *options: tuple[str, str]) -> str:
    rows = "".join(
        '<div class="tgme_widget_message_poll_option"><div class="tgme_widget_message_poll_option_percent">'
        f'{percent}</div><div class="tgme_widget_message_poll_option_value">'
        f'<div class="tgme_widget_message_poll_option_text">{words}</div>'
        '<div class="tgme_widget_message_poll_option_bar accent_bg" style="width:19.4595%"></div></div></div>'
        for words, percent in options
    )
    return (
        f'<div class="tgme_widget_message_poll js-poll"><div class="tgme_widget_message_poll_question">'
        f'{question}</div><div class="tgme_widget_message_poll_type">{kind}</div>'
        f'<a class="tgme_widget_message_poll_options" href="https://t.me/{CHANNEL}/1">{rows}</a></div>'
    )


def location(title: str = "", address: str = "") -> str:
    """With a title it is a venue (not seen)."""
    info = (
        '<div class="tgme_widget_message_location_info"><div class="tgme_widget_message_location_title" '
        f'dir="auto">{title}</div><div class="tgme_widget_message_location_address" dir="auto">{address}'
        "</div></div>"
    )
    return (
        '<a class="tgme_widget_message_location_wrap" '
        'href="https://maps.google.com/maps?q=-23.93,-44.08&ll=-23.93,-44.08&z=16">'
        '<div class="tgme_widget_message_location" style="background-image:url('
        f"'https://static-maps.yandex.ru/1.x/?l=map&ll=-44')\"></div>{info if title else ''}</a>"
    )


def picture(css_class: str, name: str) -> str:
    """How cards show a picture: as the background of an empty element."""
    style = f"background-image:url('{CDN}/{name}');padding-top:49.25%"
    return f'<i class="{css_class}" style="{style}"></i>'


def link_preview(inner: str, url: str = "https://example.org/a?b=1&amp;c=2") -> str:
    return f'<a class="tgme_widget_message_link_preview" href="{url}">\n  {inner}\n</a>'


def reply(author: str, quote: str, number: int = 7, *, quote_class: str = "") -> str:
    quote_class = quote_class or "tgme_widget_message_text js-message_reply_text"
    return (
        f'<a class="tgme_widget_message_reply" href="https://t.me/{CHANNEL}/{number}" >'
        f'<i class="tgme_widget_message_reply_thumb" style="background-image:url(\'{CDN}/r.jpg\')"></i>'
        '<div class="tgme_widget_message_author accent_color">'
        f'<span class="tgme_widget_message_author_name" dir="auto">{author}</span></div>'
        f'<div class="{quote_class}" dir="auto">{quote}</div></a>'
    )


def forward(name: str, url: str = "", author: str = "") -> str:
    """With `author` as second-hand reports have it (not seen)."""
    tag, link = ("a", f' href="{url}"') if url else ("span", "")
    behind = f' (<span class="tgme_widget_message_forwarded_from_author">{author}</span>)' if author else ""
    return (
        '<div class="tgme_widget_message_forwarded_from accent_color">Forwarded from&nbsp;'
        f'<{tag} class="tgme_widget_message_forwarded_from_name"{link}><span dir="auto">{name}</span></{tag}>'
        f"{behind}</div>"
    )


def via_bot(name: str) -> str:
    """Not seen: stands behind the author's name."""
    return f'&nbsp;via&nbsp;<a class="tgme_widget_message_via_bot" href="https://t.me/{name}">@{name}</a>'


def keyboard(*rows: tuple[tuple[str, str], ...]) -> str:
    """Not seen since 2020: rows of (text, address); a button without an address asks a bot."""

    def button(words: str, url: str) -> str:
        link = f' href="{url}"' if url else ""
        return (
            f'<a class="tgme_widget_message_inline_button{" url_button" if url else ""}"{link}>'
            f'<span class="tgme_widget_message_inline_button_text" dir="auto">{words}</span></a>'
        )

    lines = (
        f'<div class="tgme_widget_message_inline_row">{"".join(button(*one) for one in row)}</div>'
        for row in rows
    )
    return f'<div class="tgme_widget_message_inline_keyboard">{"".join(lines)}</div>'


def landing(title: str, *, action: str, extra: str = "", named: bool = True, preview: bool = False) -> str:
    """What t.me/s/<name> redirects to when it shows no posts. Not `named`: the page of no title."""
    head = (
        f'<div class="tgme_page_title" dir="auto"><span dir="auto">Somebody</span></div>'
        f'<div class="tgme_page_extra">{extra}</div>'
        if named
        else '<div class="tgme_page_icon"><i class="tgme_icon_user"></i></div>'
    )
    link = '<a class="tgme_page_context_link" href="/s/x">Preview channel</a>' if preview else ""
    return (
        f"<!DOCTYPE html>\n<html>\n<head><title>{title}</title></head>\n<body>"
        f'<div class="tgme_page_wrap"><div class="tgme_page">{head}'
        f'<div class="tgme_page_action"><a class="tgme_action_button_new">{action}</a></div>{link}'
        "</div></div></body>\n</html>\n"
    )
