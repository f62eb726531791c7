"""The markup of t.me's preview pages: one function per kind of media, poll, place or card.

Owns that HTML alone. Files are named, never addressed: the scene knows a file's present address. What no
real page was seen of (video sticker, venue, contact, game, invoice, giveaway, paid media, story) follows
the class names that other readers of t.me use, and says so.
"""

# ruff: noqa: E501 - a line of t.me's markup stays in one piece, to be compared with a page

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from html import escape as html_escape

from standins.telegram.text_markup import Piece, Scene, esc, not_supported, picture

_IN_BROWSER = "This media is not supported in your browser"
_LOOPING = " preload muted autoplay loop playsinline"


def _stem(name: str) -> str:
    return name.rpartition(".")[0]


def photo(name: str = "sky-640x400.jpg", *, width: int = 640, percent: float = 62.5) -> Piece:
    """A single photo; `percent` is its height in percent of its width."""

    def render(scene: Scene) -> str:
        return (
            f'<a class="tgme_widget_message_photo_wrap 5449764847076710361 1268872257_{scene.post_id}" '
            f'href="{scene.post}" style="width:{width}px;background-image:url(\'{scene.file(name)}\')">\n'
            f'  <div class="tgme_widget_message_photo" style="padding-top:{percent}%"></div>\n</a>'
        )

    return Piece(render)


def video(name: str = "film.mp4", *, length: str = "0:02", twice: bool = False) -> Piece:
    """A video with its length. `twice`: narrow ones have a blurred copy of the player in front."""

    def player(scene: Scene) -> str:
        copy = _video_tag(scene, name, "tgme_widget_message_video blured js-message_video_blured", " muted")
        return (copy if twice else "") + _video_tag(scene, name, "tgme_widget_message_video js-message_video")

    return Piece(lambda scene: _player(scene, name, player(scene), length=length))


def gif(name: str = "wave.mp4") -> Piece:
    """An animation: a video that loops, without play button and length."""

    def player(scene: Scene) -> str:
        return _video_tag(scene, name, "tgme_widget_message_video js-message_video", _LOOPING)

    return Piece(lambda scene: _player(scene, name, player(scene)))


def too_big_video(name: str = "opera.mp4", *, length: str = "1:42:07") -> Piece:
    """A video the preview has no file of."""
    return Piece(lambda scene: _player(scene, name, "", length=length, label="Media is too big"))


def _video_tag(scene: Scene, name: str, css: str, more: str = "") -> str:
    return f'<video src="{scene.file(name)}" class="{css}" width="100%" height="100%"{more}></video>'


def _player(scene: Scene, name: str, player: str, *, length: str = "", label: str = _IN_BROWSER) -> str:
    css = f"tgme_widget_message_video_player{'' if player else ' not_supported'} js-message_video_player"
    play = '<div class="message_video_play js-message_video_play"></div>'
    clock = f"{play}\n{_length('message_video', length)}" if length else ""
    return (
        f'<a class="{css}" href="{scene.post}">{_thumb(scene, name)}\n'
        f'<div class="tgme_widget_message_video_wrap" style="width:1616px;padding-top:60%">\n  {player}\n</div>\n'
        f"{clock}{not_supported(scene, label)}</a>"
    )


def _thumb(scene: Scene, name: str) -> str:
    return picture("tgme_widget_message_video_thumb", scene.file(f"{_stem(name)}-thumb"))


def _length(css: str, length: str) -> str:
    return f'<time class="{css}_duration js-{css.removeprefix("tgme_widget_")}_duration">{length}</time>\n'


def round_video(name: str = "round.mp4", *, length: str = "0:02") -> Piece:
    def render(scene: Scene) -> str:
        css = "tgme_widget_message_roundvideo"
        tag = _video_tag(scene, name, f"{css} js-message_roundvideo", _LOOPING)
        return (
            f'<div class="{css}_player js-message_roundvideo_player">\n  <div class="{css}_wrap">\n'
            f"    {picture(f'{css}_thumb', scene.file(f'{_stem(name)}-thumb'))}\n    {tag}\n"
            f'    <div class="{css}_muted"></div>\n  </div>\n'
            f"{not_supported(scene, _IN_BROWSER, ' js-message_roundvideo_not_supported')}\n{_length(css, length)}</div>"
        )

    return Piece(render, css="roundvideo_media no_bubble")


def voice(name: str = "hello.ogg", *, length: str = "0:02") -> Piece:
    """A voice message; the <s> elements are bars of its wave form."""

    def render(scene: Scene) -> str:
        css = "tgme_widget_message_voice"
        bars = "".join(f'<s style="height:{step * 7 % 100}%"></s>' for step in range(40))
        sound = f'src="{scene.file(name)}" data-ogg width="100%" data-waveform="0,3,7,12,31,9,2"'
        return (
            f'<a class="{css}_player js-message_voice_player" href="{scene.post}">\n'
            f'<audio class="{css} js-message_voice" {sound}></audio>\n<div class="{css}_wrap"><div class="bar">{bars}'
            f"</div></div>\n{_length(css, length)}</a>"
        )

    return Piece(render)


def document(title: str, extra: str = "52.6 KB", *, audio: bool = False) -> Piece:
    """A file without an address: name and size."""

    def render(scene: Scene) -> str:
        css = "tgme_widget_message_document"
        icon = f"{css}_icon accent_bg{' audio' if audio else ''}"
        return (
            f'<a class="{css}_wrap" href="{scene.post}"><div class="{icon}"></div>\n<div class="{css}">'
            f'<div class="{css}_title accent_color" dir="auto">{esc(title)}</div>'
            f'<div class="{css}_extra" dir="auto">{esc(extra)}</div></div></a>'
        )

    return Piece(render)


def music(title: str, performer: str) -> Piece:
    """A track: its title and its performer, and no address either."""
    return document(title, performer, audio=True)


# --- albums -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Item:
    """One picture or video of an album."""

    name: str
    kind: str = "photo"
    ratio: float = 1.5


def album(*items: Item) -> Piece:
    """Photos and videos that came as one post; every item uses a message id of its own."""

    def render(scene: Scene) -> str:
        css = "tgme_widget_message_grouped"
        inner = "".join(_item(item, number, scene) for number, item in enumerate(items))
        return (
            f'<div class="{css}_wrap js-message_grouped_wrap" data-margin-w="2" data-margin-h="2" style="width:453px;">\n'
            f'  <div class="{css} js-message_grouped" style="padding-top:133.333%">\n    <div class="{css}_layer '
            f'js-message_grouped_layer" style="width:453px;height:604px">\n{inner}\n    </div>\n  </div>\n</div>'
        )

    return Piece(render, span=len(items))


def _item(item: Item, number: int, scene: Scene) -> str:
    href = f"https://t.me/{scene.channel}/{scene.post_id + number}?single"
    style = f"left:{number * 228}px;top:0px;width:226px;height:301px;margin-right:2px;margin-bottom:0px"
    wide = f'data-ratio="{item.ratio}" href="{href}"'
    if item.kind == "photo":
        css = "tgme_widget_message_photo_wrap grouped_media_wrap blured js-message_photo"
        inner = '<div class="tgme_widget_message_photo grouped_media" style="top:0;bottom:0;left:0;right:0;"></div>'
        style += f";background-image:url('{scene.file(item.name)}')"
    else:
        css = "tgme_widget_message_video_player grouped_media_wrap blured js-message_video_player"
        inner = _album_video(item, scene)
    return (
        f'<a class="{css}" style="{style}" {wide}>\n  <div class="grouped_media_helper" '
        f'style="top:0;bottom:0;left:0px;right:0px;">\n    {inner}\n  </div>\n</a>'
    )


def _album_video(item: Item, scene: Scene) -> str:
    tag = _video_tag(scene, item.name, "tgme_widget_message_video js-message_video")
    return (
        f'{_thumb(scene, item.name)}<div class="tgme_widget_message_video_wrap grouped_media" style="top:0">{tag}</div>'
        f"{_length('message_video', '0:02')}{not_supported(scene, _IN_BROWSER)}"
    )


# --- stickers -----------------------------------------------------------------------------------

_PLACEHOLDER = "data:image/svg+xml;base64,PHN2Zy8+"


def _sticker(inner: Callable[[Scene], str]) -> Piece:
    def render(scene: Scene) -> str:
        fallback = not_supported(scene, _IN_BROWSER, " media_not_supported_cont")
        return f'{fallback}\n<div class="tgme_widget_message_sticker_wrap media_supported_cont">{inner(scene)}</div>'

    return Piece(render, css="sticker_media no_bubble")


def sticker(name: str = "smile.webp") -> Piece:
    """A static sticker; its background is a placeholder, the picture is `data-webp`."""

    def inner(scene: Scene) -> str:
        style = f"background-image:url('{_PLACEHOLDER}');width:256px;"
        return (
            f'<i class="tgme_widget_message_sticker js-sticker_image" style="{style}" '
            f'data-webp="{scene.file(name)}">\n  <div style="padding-top:100%"></div></i>'
        )

    return _sticker(inner)


def animated_sticker(name: str = "dance.tgs") -> Piece:
    def inner(scene: Scene) -> str:
        return (
            '<div class="tgme_widget_message_tgsticker_wrap"><picture class="tgme_widget_message_tgsticker '
            'js-tgsticker_image" style="width:256px;"><div style="padding-top:100%"></div>'
            f'<source type="application/x-tgsticker" srcset="{scene.file(name)}">'
            f'<source type="image/svg+xml" srcset="{_PLACEHOLDER}"><img src="{_PLACEHOLDER}"></picture></div>'
        )

    return _sticker(inner)


def video_sticker(name: str = "blink.webm") -> Piece:
    """Not seen in a real page: class names as other readers of t.me have them."""

    def inner(scene: Scene) -> str:
        css = "tgme_widget_message_videosticker"
        thumb = picture(f"{css}_thumb", scene.file(f"{_stem(name)}-thumb"))
        tag = f'<video class="js-videosticker_video" src="{scene.file(name)}" width="100%" height="100%"'
        return f'<div class="{css}">{thumb}{tag}{_LOOPING}></video></div>'

    return _sticker(inner)


# --- polls, places, cards -----------------------------------------------------------------------


def poll(
    question: str,
    options: dict[str, int],
    *,
    kind: str = "Anonymous Poll",
    voters: str = "222",
    multiple: bool = False,
) -> Piece:
    """Options with their percentages. `kind` as t.me writes it: Anonymous Quiz, Final Results, …"""

    def render(scene: Scene) -> str:
        css = "tgme_widget_message_poll"
        rows = "".join(_option(css, words, percent) for words, percent in options.items())
        return (
            f'<div class="{css} js-poll{" multiple" if multiple else ""}"><div class="{css}_question">{esc(question)}'
            f'</div><div class="{css}_type">{kind}</div>\n<a class="{css}_options" href="{scene.post}">{rows}</a></div>'
        )

    return Piece(render, voters=voters)


def _option(css: str, words: str, percent: int) -> str:
    bar = f'<div class="{css}_option_bar accent_bg" style="width:{percent}%"></div>'
    return (
        f'<div class="{css}_option"><div class="{css}_option_percent">{percent}%</div>\n<div class="{css}_option_value">'
        f'<div class="{css}_option_text">{esc(words)}</div>{bar}</div></div>'
    )


def location(latitude: float, longitude: float, *, title: str = "", address: str = "") -> Piece:
    """A point; with title and address a venue (no real page seen of that). The href's `&` are not escaped."""
    css = "tgme_widget_message_location"
    point = f"{latitude},{longitude}"
    href = f"https://maps.google.com/maps?q={point}&ll={point}&z=16"
    image = f"https://static-maps.yandex.ru/1.x/?l=map&ll={longitude},{latitude}"
    inner = f'<div class="{css}" style="background-image:url(\'{image}\')"></div>'
    if title:
        inner += f'<div class="tgme_widget_message_venue"><div class="tgme_widget_message_venue_title">{esc(title)}</div>'
        inner += f'<div class="tgme_widget_message_venue_address">{esc(address)}</div></div>'
    return Piece(lambda _: f'<a class="{css}_wrap" href="{href}">{inner}</a>')


def contact(name: str, phone: str) -> Piece:
    """Not seen in a real page: class names as other readers of t.me have them."""
    css = "tgme_widget_message_contact"
    return _card(css, {f"{css}_name": name, f"{css}_phone": phone})


def game(title: str, description: str) -> Piece:
    """Not seen in a real page."""
    css = "tgme_widget_message_game"
    return _card(css, {f"{css}_title": title, f"{css}_description": description})


def invoice(title: str, description: str, price: str) -> Piece:
    """Not seen in a real page."""
    css = "tgme_widget_message_invoice"
    return _card(css, {f"{css}_title": title, f"{css}_description": description, f"{css}_price": price})


def giveaway() -> Piece:
    """Only a label, as reported of a real page of 2026-09."""
    return Piece(lambda scene: not_supported(scene, "This media is not supported in the widget"))


def _card(css: str, lines: dict[str, str]) -> Piece:
    def render(scene: Scene) -> str:
        rows = "".join(
            f'<div class="{name}" dir="auto">{html_escape(words)}</div>' for name, words in lines.items()
        )
        return f'<a class="{css}_wrap" href="{scene.post}"><div class="{css}">{rows}</div></a>'

    return Piece(render)
