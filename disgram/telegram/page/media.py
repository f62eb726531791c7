"""The files of a post: photos, videos, voice messages, documents, stickers -> `Media`.

One reader for each kind. A file's `identity` consists of what stays the same from one page to the next: its
numeric classes if it has any (single photos do), else its post id, size or ratio, and duration.
Fetches nothing: `url` is the address that the page offers, if any.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from bs4 import Tag

from disgram.post import Media, MediaKind
from disgram.telegram.page.dom import (
    PostContext,
    attribute,
    background,
    classes,
    file_url,
    find,
    find_all,
    is_picture,
)
from disgram.telegram.page.rich_text import plain_text

_WIDTH = re.compile(r"(?<![-\w])width:\s*([0-9.]+)px")
_PERCENT = re.compile(r"padding-top:\s*([0-9.]+)%")
PLAYERS = (
    "link_preview_video_player",
    "tgme_widget_message_video_player",
    "tgme_widget_message_game_video_player",
)
_THUMBS = (
    "link_preview_video_thumb",
    "tgme_widget_message_video_thumb",
    "tgme_widget_message_game_video_thumb",
)
_NUMERIC = re.compile(r"[0-9_]{5,}")


def photo(element: Tag, context: PostContext) -> Iterator[Media]:
    numbers = " ".join(name for name in classes(element) if _NUMERIC.fullmatch(name))
    link = _link(element, context)
    yield Media(
        MediaKind.PHOTO,
        link,
        url=background(element),
        spoiler=_is_spoiler(element),
        identity=f"photo {numbers}" if numbers else f"photo {_post_id(link)} {_shape(element)}",
    )


def service_photo(element: Tag, context: PostContext) -> Iterator[Media]:
    """The new picture of "Channel photo updated"."""
    link = _link(element, context)
    url = file_url(attribute(element.find("img"), "src"))
    if url:
        yield Media(MediaKind.PHOTO, link, url=url, identity=f"photo {_post_id(link)}")


def video(element: Tag, context: PostContext) -> Iterator[Media]:
    """A video, or a GIF, whose player has no play button. Without a file, `note` is the page's reason.

    A narrow video is on the page twice, first blurred as its own backdrop.
    """
    url = _source(element, "video")
    kind = MediaKind.VIDEO if find(element, "message_video_play") else MediaKind.GIF
    duration = plain_text(find(element, "message_video_duration"))
    link = _link(element, context)
    yield Media(
        kind,
        link,
        url=url,
        preview_url=background(find(element, *_THUMBS)),
        duration=duration,
        note="" if url else plain_text(find(element, "message_media_not_supported_label")),
        spoiler=_is_spoiler(element),
        identity=_joined("video", _post_id(link), _shape(element), duration),
    )


def round_video(element: Tag, context: PostContext) -> Iterator[Media]:
    url = _source(element, "video")
    duration = plain_text(find(element, "tgme_widget_message_roundvideo_duration"))
    yield Media(
        MediaKind.ROUND_VIDEO,
        context.url,
        url=url,
        preview_url=background(find(element, "tgme_widget_message_roundvideo_thumb")),
        duration=duration,
        note="" if url else plain_text(find(element, "message_media_not_supported_label")),
        identity=_joined("round video", _post_id(context.url), duration),
    )


def voice(element: Tag, context: PostContext) -> Iterator[Media]:
    link = _link(element, context)
    duration = plain_text(find(element, "tgme_widget_message_voice_duration"))
    yield Media(
        MediaKind.VOICE,
        link,
        url=_source(element, "audio"),
        duration=duration,
        identity=_joined("voice", _post_id(link), duration),
    )


def document(element: Tag, context: PostContext) -> Iterator[Media]:
    """A document or music; t.me shows its name, but offers no URL."""
    name = plain_text(find(element, "tgme_widget_message_document_title"))
    extra = plain_text(find(element, "tgme_widget_message_document_extra"))
    icon = find(element, "tgme_widget_message_document_icon")
    music = icon is not None and "audio" in classes(icon)
    yield Media(
        MediaKind.AUDIO if music else MediaKind.DOCUMENT,
        _link(element, context),
        preview_url=background(find(element, "tgme_widget_message_document_thumb")),
        name=name,
        size="" if music else extra,
        performer=extra if music else "",
        identity=_joined("audio" if music else "document", name, extra),
    )


def sticker(element: Tag, context: PostContext) -> Iterator[Media]:
    """A static sticker; its background image is only a placeholder."""
    url = file_url(attribute(element, "data-webp")) or background(element)
    yield _sticker(context, url, _shape(element))


def animated_sticker(element: Tag, context: PostContext) -> Iterator[Media]:
    """A .tgs (gzipped Lottie), which only Telegram plays."""
    url, preview = None, file_url(attribute(element.find("img"), "src"))
    for source in element.find_all("source"):
        address = file_url(attribute(source, "srcset").split(" ")[0])
        if attribute(source, "type") == "application/x-tgsticker":
            url = address
        else:
            preview = preview or address
    yield _sticker(context, url, "tgs", preview=preview)


def video_sticker(element: Tag, context: PostContext) -> Iterator[Media]:
    player = element if element.name == "video" else element.find("video")
    preview = background(element) or file_url(attribute(element.find("img"), "src"))
    yield _sticker(context, file_url(attribute(player, "src")), "video", preview=preview)


def preview_media(card: Tag, link: str) -> Iterator[Media]:
    """The picture and the video of a link preview or another card, with `link` as their link."""
    for player in find_all(card, *PLAYERS):
        url = _source(player, "video")
        duration = plain_text(find(player, "message_video_duration"))
        yield Media(
            MediaKind.VIDEO,
            link,
            url=url,
            preview_url=background(find(player, *_THUMBS)),
            duration=duration,
            note="" if url else plain_text(find(player, "message_media_not_supported_label")),
            identity=_joined("preview video", _shape(player), duration),
        )
    for picture in card.find_all(True):
        url = _picture(picture)
        if url and {"emoji", *_THUMBS}.isdisjoint(classes(picture)):
            yield Media(MediaKind.PHOTO, link, url=url, identity=_joined("preview photo", _shape(picture)))


def files_within(element: Tag, context: PostContext) -> Iterator[Media]:
    """The files inside a text or an unknown element: video and audio, and pictures that are neither emoji nor
    a video's thumbnail."""
    players = [element, *element.find_all(("video", "audio"))]
    played = [file for player in players for file in _played(player, context)]
    yield from played
    for picture in [element, *element.find_all(True)]:
        url, names = _picture(picture), " ".join(classes(picture))
        if url and "emoji" not in names and not (played and "thumb" in names):
            yield Media(
                MediaKind.PHOTO,
                context.url,
                url=url,
                spoiler=_is_hidden(picture),
                identity=_joined("photo", _shape(picture)),
            )


def _picture(element: Tag) -> str | None:
    if element.name != "img":
        return background(element)
    return file_url(attribute(element, "src")) if is_picture(element) else None


def _is_hidden(element: Tag) -> bool:
    return element.find_parent("tg-spoiler") is not None


def _played(player: Tag, context: PostContext) -> Iterator[Media]:
    kind = {"video": MediaKind.VIDEO, "audio": MediaKind.VOICE}.get(player.name)
    url = _address(player) if "blured" not in classes(player) else None
    if kind and url:
        yield Media(kind, context.url, url=url, identity=_joined(player.name, _post_id(context.url)))


def _sticker(context: PostContext, url: str | None, form: str, *, preview: str | None = None) -> Media:
    identity = _joined("sticker", _post_id(context.url), form)
    return Media(MediaKind.STICKER, context.url, url=url, preview_url=preview, identity=identity)


def _source(element: Tag, name: str) -> str | None:
    """The URL of the element's <video> or <audio>, not that of the blurred backdrop."""
    players = element.find_all(name)
    sharp = [player for player in players if "blured" not in classes(player)]
    return next((url for url in map(_address, sharp or players) if url), None)


def _address(player: Tag) -> str | None:
    return file_url(attribute(player, "src")) or file_url(attribute(player.find("source"), "src"))


def _link(element: Tag, context: PostContext) -> str:
    """The item's own link, without an album's `?single`."""
    link = file_url(attribute(element, "href")) or context.url
    return link.split("?")[0]


def _post_id(link: str) -> str:
    return link.rsplit("/", 1)[-1]


def _shape(element: Tag) -> str:
    """The file's ratio or size as the page writes it; mostly enough to tell two files apart."""
    if ratio := attribute(element, "data-ratio"):
        return ratio
    styles = " ".join(attribute(each, "style") for each in [element, *element.find_all(style=True)])
    width, percent = _WIDTH.search(styles), _PERCENT.search(styles)
    return f"{width[1] if width else ''}x{percent[1] if percent else ''}"


def _is_spoiler(element: Tag) -> bool:
    """Hidden until tapped. `blured` alone only means that the item does not fill its frame."""
    return any("spoiler" in name for each in [element, *element.find_all(True)] for name in classes(each))


def _joined(*words: str) -> str:
    return " ".join(word for word in words if word)
