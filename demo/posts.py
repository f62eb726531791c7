"""What the demo's channels publish: one post of every kind, in a few scripts, and the edits that follow.

Owns the words. Never knows how a kind is marked up (text_markup.py, media_markup.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from standins.telegram import media_markup as media
from standins.telegram.media_markup import Item
from standins.telegram.text_markup import (
    Post,
    bare_link,
    bold,
    buttons,
    code,
    custom_emoji,
    emoji,
    esc,
    forwarded_from,
    hashtag,
    italic,
    link,
    link_preview,
    mention,
    post,
    pre,
    quote,
    reply_to,
    service,
    spoiler,
    strike,
    strong,
    text,
    underline,
    unsupported,
    via_bot,
    words,
)

_PROGRAM = 'for post in channel:\n    print(f"{post.id}: *not bold*, `not code`")'
_INTRODUCTION = "This channel is made up, but the way from here to Discord is the real one."
_FORMATS = "https://core.telegram.org/bots/api#formatting-options"
_WELCOME = text(
    f"{emoji('👋')} {bold('Welcome!')} {esc(_INTRODUCTION)}<br/><br/>"
    f"{bold(italic('bold italic'))}, {underline('underlined')}, {strike('struck out')}, "
    f"{spoiler('a spoiler, click me')}, {code('code with * and _')}, {link('a link', _FORMATS)}, "
    f"{mention('telegram')} and {hashtag('disgram')}.<br/><br/>"
    f"{quote('A quotation<br/>of two lines.')}<br/>{pre(_PROGRAM, 'python')}"
)
_TRICKY = (
    "None of this is meant as formatting:\n# not a heading\n- not a list\n1. not the first of anything\n"
    "> not a quotation\nsnake_case_name, 2 * 3 * 4, ||not hidden||, [not](a link), `not code`, <@123>\n"
    "@everyone, C:\\temp\\new, 5. May, ~~still here~~, a price of $5!"
)
_SCRIPTS = (
    "Посты приходят целиком и по порядку: привет из кириллицы!\n"
    "المنشورات تصل كاملة وبالترتيب، حتى من اليمين إلى اليسار.\n"
    "投稿は順番どおりに、欠けることなく届きます。\n频道的内容原样送达。\n"
    "게시물이 그대로 도착합니다. 🎉👩‍🚀🏳️‍🌈"
)
_PARAGRAPH = (
    "A long post is split where a reader would breathe: between paragraphs first, then lines, sentences and "
    "words. Whatever formatting is open there is closed and opened again, so that nothing spills over. "
    "Discord counts code points, and every part stays below what it takes. "
)


def _long() -> str:
    parts = [f"{bold(f'Part {number}.')} {esc(_PARAGRAPH * 4)}" for number in range(1, 4)]
    return "<br/><br/>".join(parts)


def _photo(number: int) -> str:
    return f"morning-{number}-640x400.jpg"


def _album(number: int, count: int) -> list[Item]:
    return [Item(f"album-{number}-{index}-640x400.jpg") for index in range(count)]


def _mixed(number: int) -> list[Item]:
    first, last = Item(f"mix-{number}-640x400.jpg"), Item(f"mix-{number}-400x400.jpg")
    return [first, Item(f"mix-{number}.mp4", "video"), last]


_POLL = {"It looks like Telegram": 61, "It looks like Discord": 22, "Both at once": 17}
_SITE = "https://example.org/how-it-works"


def posts(n: int, last: int) -> dict[str, Post]:
    """The `n`-th post of every kind, by its name; `last` is the number of the post before."""
    return {
        "welcome": post(_WELCOME, reactions=("👍", "🔥")),
        "photo": post(media.photo(_photo(n)), words("A photo, uploaded: links to it expire.")),
        "tricky text": post(words(_TRICKY)),
        "album": post(media.album(*_album(n, 4)), words("Four photos, one gallery.")),
        "big album": post(media.album(*_album(n, 10)), text("Ten of them.", doubled=True)),
        "mixed album": post(media.album(*_mixed(n)), words("Photos and a video, in order.")),
        "reply": post(reply_to(last, "Photos and a video, in order."), words("An answer to that.")),
        "video": post(media.video(f"film-{n}.mp4"), words("A film of two seconds. Drama!")),
        "narrow video": post(media.video(f"tall-{n}.mp4", twice=True)),
        "GIF": post(media.gif(f"loop-{n}.mp4"), words("Round and round it goes.")),
        "too big video": post(media.too_big_video(), words("The preview has no file of this.")),
        "round video": post(media.round_video(f"round-{n}.mp4")),
        "voice": post(media.voice(f"voice-{n}.ogg"), words("Two seconds of polite silence.")),
        "music": post(media.music("Loopback Blues", "The Stand-ins")),
        "document": post(media.document("minutes.pdf", "1.2 MB"), words("A file to fetch.")),
        "documents": post(media.document("a.csv", "12 KB"), media.document("b.csv", "9 KB")),
        "sticker": post(media.sticker()),
        "animated sticker": post(media.animated_sticker()),
        "video sticker": post(media.video_sticker()),
        "poll": post(media.poll("What does this look like?", _POLL)),
        "quiz": post(
            media.poll("2 * 3 * 4 = ?", {"24": 97, "bold": 3}, kind="Anonymous Quiz", voters="1.2K")
        ),
        "location": post(media.location(52.5163, 13.3777)),
        "venue": post(media.location(48.8584, 2.2945, title="Tour Eiffel", address="Paris")),
        "contact": post(media.contact("Ada Lovelace", "+44 20 7946 0000")),
        "game": post(media.game("Lumberjack", "Chop, and mind the branches.")),
        "invoice": post(media.invoice("One coffee", "For whoever reads the tests", "€3.20")),
        "giveaway": post(media.giveaway()),
        "large link preview": post(
            text(f"Read on: {bare_link(_SITE)}"),
            link_preview(
                _SITE, site="Example", title="How it works", description="With a picture.", image=_photo(n)
            ),
        ),
        "small link preview": post(
            text(link("A text link", _SITE)),
            link_preview(_SITE, site="Example", title="A small picture", small_image=_photo(n)),
        ),
        "video link preview": post(
            words("The link has a film."), link_preview(_SITE, site="Films", video=f"clip-{n}.mp4")
        ),
        "forward": post(
            forwarded_from("Café du Port", "https://t.me/telegram/1"), words("From another channel.")
        ),
        "forward of a user": post(forwarded_from("Ada", "https://t.me/ada"), words("From Ada.")),
        "forward with author": post(
            forwarded_from("News", "https://t.me/news/7", "Grace"), words("Signed there.")
        ),
        "hidden forward": post(forwarded_from("Somebody"), words("From who would not say.")),
        "custom emoji": post(text(f"{custom_emoji('🤖')} {bold('Custom emoji')} show their stand-in.")),
        "via a bot": post(via_bot("gif"), words("Sent with the help of a bot.")),
        "buttons": post(
            words("Two buttons:"), buttons((("Website", _SITE), ("Vote", "")), (("Docs", _SITE),))
        ),
        "signed": post(words("A post with its author's name."), signature="Ann O. Nymous"),
        "scripts": post(words(_SCRIPTS)),
        "long text": post(text(_long())),
        "service message": post(service(f"Channel name was changed to «{strong('Disgram')}»")),
        "unsupported": post(unsupported()),
    }


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of post and how to make the `number`-th of it; `last` is the number of the post before."""

    name: str

    def make(self, number: int, last: int) -> Post:
        return posts(number, last)[self.name]


KINDS = tuple(Kind(name) for name in posts(0, 1))
"""In the order in which the demo shows them."""


def correction(number: int) -> Post:
    """What a post is edited into."""
    return post(
        text(f"{bold('Corrected:')} {esc(f'post {number} was edited in Telegram, and is edited here.')}")
    )


def note(number: int) -> Post:
    """A short post of the second channel."""
    lines = (
        "Release notes, short as ever.",
        "Nothing is lost.",
        "Nothing comes twice.",
        "Everything in order.",
    )
    return post(words(f"{lines[number % len(lines)]} ({number})"), signature="The builder")
