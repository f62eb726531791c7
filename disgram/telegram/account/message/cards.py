"""Kinds with a heading and a few lines -> blocks: contacts, games, invoices, paid media, giveaways, stories,
live streams; and places on the map and dice, which are as short.

Most of them t.me's preview does not show; the words follow Telegram's applications.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from telethon.tl import types as tl

from disgram.post import Block, Card, Location, Media, MediaKind, Run, Text, Unsupported
from disgram.telegram.account.message.context import Item
from disgram.telegram.account.message.media import attached, document, photo
from disgram.telegram.account.message.words import plural

GAME, GAME_CLIP = "game", "game-clip"
STORY = "story"
PAID = "paid-"
"""`which` of the files of these kinds; of paid media with the index."""


def contact(media: tl.MessageMediaContact, item: Item) -> Iterator[Card]:
    name = f"{media.first_name} {media.last_name}".strip()
    phone = media.phone_number
    phone = f"+{phone}" if phone and not phone.startswith("+") else phone
    yield _card("Contact", [name, phone], item.link)


def game(media: tl.MessageMediaGame, item: Item) -> Iterator[Block]:
    yield _card("Game", [media.game.title, media.game.description], item.link)
    if isinstance(media.game.document, tl.Document):
        yield document(media.game.document, item, GAME_CLIP)
    elif isinstance(media.game.photo, tl.Photo):
        yield photo(media.game.photo, item, GAME)


def invoice(media: tl.MessageMediaInvoice, item: Item) -> Iterator[Block]:
    price = _price(media.total_amount, media.currency)
    yield _card("Invoice", [media.title, media.description, price], item.link)
    url = getattr(media.photo, "url", "")
    if url.startswith(("https://", "http://")):
        yield Media(MediaKind.PHOTO, item.link, url=url, identity=f"photo {url}")
    yield from _extended([media.extended_media], item)


def paid_media(media: tl.MessageMediaPaidMedia, item: Item) -> Iterator[Block]:
    """The price and what it buys. Files are here only if the account has paid."""
    locked = [each for each in media.extended_media if isinstance(each, tl.MessageExtendedMediaPreview)]
    clips = sum(each.video_duration is not None for each in locked)
    counts = [plural(n, word) for n, word in ((len(locked) - clips, "photo"), (clips, "video")) if n]
    yield _card("Paid media", [" · ".join([_price(media.stars_amount, "XTR"), *counts])], item.link)
    yield from _extended(media.extended_media, item)


def _extended(media: list[tl.TypeMessageExtendedMedia | None], item: Item) -> Iterator[Media]:
    for index, each in enumerate(media):
        if isinstance(each, tl.MessageExtendedMedia):
            yield from attached(each.media, item, f"{PAID}{index}")


def giveaway(media: tl.MessageMediaGiveaway, item: Item) -> Iterator[Card]:
    peers = item.channel.peers
    channels = [peers.name(tl.PeerChannel(number)) for number in media.channels]
    lines = [
        _prize(media.quantity, media.months, media.stars),
        media.prize_description,
        f"Participants: {_listed(channels)}" if any(channels) else "",
        f"Countries: {', '.join(media.countries_iso2)}" if media.countries_iso2 else "",
        f"Winners are drawn on {_day(media.until_date)}" if media.until_date else "",
    ]
    yield _card("Giveaway", lines, item.link)


def giveaway_results(media: tl.MessageMediaGiveawayResults, item: Item) -> Iterator[Card]:
    winners = [item.channel.peers.user_name(number) for number in media.winners]
    lines = [
        "The giveaway was canceled" if media.refunded else plural(media.winners_count, "winner"),
        _prize(media.winners_count, media.months, media.stars),
        media.prize_description,
        f"Winners: {_listed(winners)}" if any(winners) else "",
    ]
    yield _card("Giveaway results", lines, item.link)


def story(media: tl.MessageMediaStory, item: Item) -> Iterator[Block]:
    """Whose it is, its words and its file, as far as the message brings them."""
    address = item.channel.peers.url(media.peer)
    url = f"{address}/s/{media.id}" if address else item.link
    told = media.story if isinstance(media.story, tl.StoryItem) else None
    yield _card("Story", [item.channel.peers.name(media.peer)], url)
    if told:
        yield from attached(told.media, item, STORY)
        if runs := item.runs(told.caption, told.entities):
            yield Text(runs)


def live_stream(media: tl.MessageMediaVideoStream, item: Item) -> Iterator[Card]:
    yield _card("Live stream", [item.channel.title], item.link)


def dice(media: tl.MessageMediaDice, item: Item) -> Iterator[Text]:
    """The emoji and what was thrown; 0 while it is not."""
    yield Text((Run(f"{media.emoticon} {media.value}" if media.value > 0 else media.emoticon),))


def location(media: tl.MessageMediaGeo, item: Item) -> Iterator[Location | Unsupported]:
    yield from _point(media.geo, item)


def live_location(media: tl.MessageMediaGeoLive, item: Item) -> Iterator[Location | Unsupported]:
    yield from _point(media.geo, item)


def venue(media: tl.MessageMediaVenue, item: Item) -> Iterator[Location | Unsupported]:
    yield from _point(media.geo, item, media.title, media.address)


def _point(
    geo: tl.TypeGeoPoint, item: Item, title: str = "", address: str = ""
) -> Iterator[Location | Unsupported]:
    if not isinstance(geo, tl.GeoPoint):
        if title or address:
            yield Location(item.link, title, address)
        return
    point = f"{_degrees(geo.lat)},{_degrees(geo.long)}"
    yield Location(f"https://maps.google.com/maps?q={point}&ll={point}&z=16", title, address)


def _degrees(value: float) -> str:
    """As t.me writes them."""
    return f"{value:.12f}".rstrip("0").rstrip(".")


def _card(kind: str, lines: list[str | None], url: str) -> Card:
    kept = [line.strip() for line in lines if line and line.strip()]
    return Card(kind, (Run("\n".join(kept)),) if kept else (), url)


def _price(amount: int, currency: str) -> str:
    """`amount`: in the smallest unit, of which most currencies have a hundred; Telegram's Stars have none."""
    if currency == "XTR":
        return f"⭐ {amount}"
    return f"{amount / 10 ** _EXPONENTS.get(currency, 2):.{_EXPONENTS.get(currency, 2)}f} {currency}"


_EXPONENTS = {
    **dict.fromkeys(("CLP", "ISK", "JPY", "KRW", "PYG", "UGX", "VND", "VUV", "XAF", "XOF", "XPF"), 0),
    **dict.fromkeys(("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"), 3),
}
"""Digits after the point, where they are not two: ISO 4217, for the currencies that Telegram takes."""


def _prize(quantity: int, months: int | None, stars: int | None) -> str:
    if stars:
        return f"⭐ {stars} for {plural(quantity, 'winner')}"
    if months:
        return f"{plural(quantity, 'subscription')} to Telegram Premium for {plural(months, 'month')}"
    return plural(quantity, "prize")


def _listed(names: list[str]) -> str:
    return ", ".join(name for name in names if name)


def _day(date: datetime) -> str:
    return f"{date:%Y-%m-%d %H:%M} UTC"
