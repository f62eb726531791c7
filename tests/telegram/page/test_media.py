"""Photos, videos, voice messages, documents and stickers on a page."""

from __future__ import annotations

from disgram.post import Media, MediaKind, Text, plain
from tests.builders import pages
from tests.telegram.page.reading import blocks, media, read


def test_photo_has_url_link_and_identity() -> None:
    assert media(pages.photo(5)) == Media(
        MediaKind.PHOTO, "https://t.me/harbour/5", f"{pages.CDN}/one.jpg", identity="photo 5449764 126_4600"
    )


def test_blurred_photo_is_no_spoiler() -> None:
    """`blured` was seen often, a spoiler's class never: any name that contains the word counts."""
    assert not media(pages.photo(5, extra_class="blured")).spoiler
    assert media(pages.photo(5, extra_class="media_spoiler")).spoiler
    assert media(pages.video(5, extra_class="spoiler")).spoiler


def test_album_gives_its_items_in_order_and_one_caption() -> None:
    album = pages.album(pages.photo(10), pages.video(11), pages.photo(13, "three"), caption="All of them")
    *items, caption = blocks(album)
    assert [item.link for item in items if isinstance(item, Media)] == [
        "https://t.me/harbour/10",
        "https://t.me/harbour/11",
        "https://t.me/harbour/13",
    ]
    assert [item.kind for item in items if isinstance(item, Media)] == [
        MediaKind.PHOTO,
        MediaKind.VIDEO,
        MediaKind.PHOTO,
    ]
    assert isinstance(caption, Text)
    assert plain(caption.runs) == "All of them"
    assert len({item.identity for item in items if isinstance(item, Media)}) == 3


def test_album_in_nested_containers_is_read_once() -> None:
    inner = pages.partly_supported(pages.album(pages.photo(5), pages.photo(6)), pages.text("words"))
    one_media = f'<div class="tgme_widget_message_one_media js-message_media">{inner}</div>'
    found = blocks(pages.partly_supported(one_media))
    assert [type(each) for each in found] == [Media, Media, Text]


def test_video_has_url_preview_and_duration() -> None:
    assert media(pages.video(5)) == Media(
        MediaKind.VIDEO,
        "https://t.me/harbour/5",
        f"{pages.CDN}/clip.mp4?token=abc",
        preview_url=f"{pages.CDN}/clip-thumb",
        duration="0:09",
        identity="video 5 1616x118.44 0:09",
    )


def test_narrow_video_is_not_its_blurred_backdrop() -> None:
    assert media(pages.video(5, extra_class="blured", backdrop=True)).url == f"{pages.CDN}/clip.mp4?token=abc"


def test_gif_is_a_video_without_a_play_button() -> None:
    gif = media(pages.gif(5))
    assert (gif.kind, gif.url, gif.duration) == (MediaKind.GIF, f"{pages.CDN}/wave.mp4?token=abc", "")


def test_too_big_video_has_a_note_and_no_url() -> None:
    film = media(pages.too_big_video(5))
    assert (film.kind, film.url, film.note) == (MediaKind.VIDEO, None, "Media is too big")
    assert (film.preview_url, film.duration) == (f"{pages.CDN}/film-thumb", "1:02:03")


def test_round_video_has_url_preview_and_duration() -> None:
    face = media(pages.round_video())
    assert (face.kind, face.link, face.duration) == (MediaKind.ROUND_VIDEO, "https://t.me/harbour/5", "0:12")
    assert (face.url, face.preview_url) == (f"{pages.CDN}/face.mp4?token=abc", f"{pages.CDN}/face-thumb")


def test_voice_message_has_url_and_duration() -> None:
    speech = media(pages.voice(5))
    assert (speech.kind, speech.url, speech.duration) == (
        MediaKind.VOICE,
        f"{pages.CDN}/speech.ogg?token=abc",
        "27:40",
    )


def test_document_and_music_have_names_but_no_url() -> None:
    file, song = blocks(pages.document(5, "a b.pdf", "2.1 MB"), pages.document(5, "Song", "Band", music=True))
    assert file == Media(
        MediaKind.DOCUMENT,
        "https://t.me/harbour/5",
        name="a b.pdf",
        size="2.1 MB",
        identity="document a b.pdf 2.1 MB",
    )
    assert song == Media(
        MediaKind.AUDIO, "https://t.me/harbour/5", name="Song", performer="Band", identity="audio Song Band"
    )


def test_static_animated_and_video_stickers_have_urls() -> None:
    """A video sticker was not seen: its markup is what other readers of t.me look for."""
    static, animated, moving = (
        media(one) for one in (pages.sticker(), pages.animated_sticker(), pages.video_sticker())
    )
    assert {static.kind, animated.kind, moving.kind} == {MediaKind.STICKER}
    assert (static.url, static.preview_url) == (f"{pages.CDN}/gull.webp?token=abc", None)
    assert (animated.url, animated.note) == (f"{pages.CDN}/gull.tgs?token=abc", "")
    assert animated.preview_url is None
    assert (moving.url, moving.preview_url) == (
        f"{pages.CDN}/gull.webm?token=abc",
        f"{pages.CDN}/gull-thumb.webp",
    )


def test_new_channel_photo_is_a_photo() -> None:
    image = f'<img src="{pages.CDN}/p.jpg">'
    picture = f'<a class="tgme_widget_message_service_photo" href="https://t.me/harbour/5">{image}</a>'
    found = blocks(picture, pages.text("Channel photo updated"), extra_class="service_message")
    assert [type(each) for each in found] == [Media, Text]


def test_media_urls_are_absolute_and_http_only() -> None:
    assert media(pages.photo(5).replace("https://cdn4", "//cdn4")).url == f"{pages.CDN}/one.jpg"
    assert media(pages.photo(5).replace("https://cdn4.telesco.pe", "")).url == "https://t.me/file/one.jpg"
    assert media(pages.photo(5).replace("https://cdn4.", "file://")).url is None
    assert media(pages.photo(5).replace('href="https:', 'href="javascript:')).link == "https://t.me/harbour/5"


def test_media_identity_contains_no_url() -> None:
    everything = (
        pages.photo(5, numbers=""),
        pages.video(5),
        pages.gif(5),
        pages.round_video(),
        pages.voice(5),
        pages.sticker(),
        pages.animated_sticker(),
        pages.video_sticker(),
        pages.link_preview(pages.picture("link_preview_image", "a")),
    )
    post = read(pages.post(5, *everything))
    assert len(post.media) == len(everything)
    assert not any("cdn" in each.identity or "token" in each.identity for each in post.media)
    assert all(each.identity for each in post.media)
