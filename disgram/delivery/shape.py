"""How a post was rendered, as the ledger keeps it: an edited text is rendered alike, without its files.

Owns the stored form, the older one included. Never renders.
"""

from __future__ import annotations

import json
from dataclasses import dataclass

from disgram.discord.render import Fallback
from disgram.post import MediaFile, TelegramPost

_STORED_FALLBACKS = {
    "files": Fallback.FILES,
    "links": Fallback.LINKS,
    "text": Fallback.TEXT,
    "link_only": Fallback.LINK_ONLY,
}
"""Their names in the ledger. Disgram 3.0.0 stored their positions in this order, from 0."""
_STORED_NAMES = {fallback: name for name, fallback in _STORED_FALLBACKS.items()}


@dataclass(frozen=True, slots=True)
class Shape:
    """`media` is `media_identities(post)`; `fetched` the files at hand, by index into `post.media`.

    `link_buttons`: buttons become link buttons; False for posts of Disgram 3.0 and where Discord does not
    take them. `has_buttons`: it was sent with some.
    """

    fallback: Fallback
    media: tuple[str, ...]
    fetched: dict[int, MediaFile]
    link_buttons: bool = False
    has_buttons: bool = False

    def encode(self) -> str:
        """For the column `shape` of the ledger."""
        fetched = {
            index: {"size": file.size, "content_type": file.content_type}
            for index, file in self.fetched.items()
        }
        return json.dumps(
            {
                "fallback": _STORED_NAMES[self.fallback],
                "media": self.media,
                "fetched": fetched,
                "link_buttons": self.link_buttons,
                "has_buttons": self.has_buttons,
            }
        )

    @classmethod
    def decode(cls, text: str) -> Shape:
        """Reads the form of 3.0.0, too: `[position of fallback, media, {index: [size, content type]}]`."""
        stored = json.loads(text)
        link_buttons, has_buttons = False, False
        if isinstance(stored, list):
            position, media, pairs = stored
            fallback = tuple(_STORED_FALLBACKS.values())[position]
            fetched = {index: MediaFile(*pair) for index, pair in pairs.items()}
        else:
            fallback, media = _STORED_FALLBACKS[stored["fallback"]], stored["media"]
            fetched = {index: MediaFile(**file) for index, file in stored["fetched"].items()}
            link_buttons = bool(stored.get("link_buttons"))
            has_buttons = bool(stored.get("has_buttons"))
        files = {int(index): file for index, file in fetched.items()}
        return cls(fallback, tuple(media), files, link_buttons, has_buttons)


def media_identities(post: TelegramPost) -> tuple[str, ...]:
    """Changes when a file of the post is replaced, added or removed; in the order of `post.media`."""
    return tuple(f"{media.kind.value} {media.identity}" for media in post.media)
