"""Whether a downloaded file can be what the post shows, by its first bytes.

Media hosts also answer 200 with nothing, an HTML page or a JSON error. Never reads the file itself.
"""

from __future__ import annotations

SNIFFED_BYTES = 64
"""How much of a file is looked at."""

_IMAGES = (b"\xff\xd8", b"\x89PNG", b"GIF8", b"BM", b"II*\0", b"MM\0*")
_VIDEOS = (b"\x1aE\xdf\xa3", b"GIF8")
_AUDIO = (b"OggS", b"ID3", b"fLaC")
_OF_FAMILY = {"image": _IMAGES, "video": _VIDEOS, "audio": _AUDIO}
_TEXT_TYPES = ("text/html", "application/json", "application/problem+json", "application/xml")
_OF_NO_FAMILY = (b"%PDF", b"PK\x03\x04", b"\x1f\x8b")
"""Documents and archives."""
_IMAGE_BRANDS = (b"heic", b"heix", b"mif1", b"msf1", b"avif", b"avis")
"""Of an ISO media file that is a picture (`ftyp` at byte 4, the brand behind it)."""
_TEXT_BYTES = frozenset(b"\t\n\r") | frozenset(range(0x20, 0x7F))


def may_be(family: str, start: bytes, content_type: str) -> bool:
    """`family`: `image`, `video`, `audio`, or "" for any file. `start`: the first SNIFFED_BYTES.

    Files of an unknown format are taken, since formats are many; empty ones, text and those that are known to
    be of another family are not.
    """
    if start.startswith(_OF_FAMILY.get(family, ())):
        return True
    others = (magic for name, magics in _OF_FAMILY.items() if family and name != family for magic in magics)
    text = content_type.startswith(_TEXT_TYPES) or _is_text(start)
    if not start or text or start.startswith(tuple(others)):
        return False
    return not family or not _is_of_no_family(family, start)


def _is_of_no_family(family: str, start: bytes) -> bool:
    """Nothing but zeros, words of any script, a document, an archive, or a film in place of a picture."""
    film = family == "image" and start[4:8] == b"ftyp" and start[8:12] not in _IMAGE_BRANDS
    return film or not start.strip(b"\0") or start.startswith(_OF_NO_FAMILY) or _is_printable(start)


def _is_printable(start: bytes) -> bool:
    """UTF-8 without control characters; the last character may be cut."""
    words = start.decode("utf-8", "ignore")
    return len(words.encode()) >= len(start) - 3 and all(one.isprintable() or one.isspace() for one in words)


def _is_text(start: bytes) -> bool:
    """A page, an error message or a sentence."""
    words = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    return words.startswith((b"<", b"{", b"[")) or (_TEXT_BYTES.issuperset(words) and b" " in words)
