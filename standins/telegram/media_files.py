"""Media files made from their names: real JPEG, PNG, WebP and Ogg bytes without any library.

Owns the bytes behind every media address of the stand-in for t.me (video: film.py). The same name always
gives the same bytes. Never reads a file or the clock.
"""

from __future__ import annotations

import gzip
import hashlib
import struct
import zlib
from collections.abc import Callable, Iterable
from functools import lru_cache
from math import exp

from standins.telegram.film import film

Shade = Callable[[float, float], tuple[float, float, float]]

TYPES = {
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "webm": "video/webm",
    "ogg": "audio/ogg",
    "tgs": "application/x-tgsticker",
}


def content_type(name: str) -> str:
    """By the extension; thumbnails have none and are JPEG (seen 2026-08)."""
    return TYPES.get(name.rpartition(".")[2] if "." in name else "jpg", "application/octet-stream")


@lru_cache(maxsize=256)
def make(name: str) -> bytes:
    """The bytes of a media file. A name may carry its size in pixels: `hills-640x480.jpg`."""
    stem, _, extension = name.rpartition(".") if "." in name else (name, "", "jpg")
    width, height = _size(stem)
    makers: dict[str, Callable[[], bytes]] = {
        "jpg": lambda: jpeg(width, height, shade(stem)),
        "png": lambda: png(width, height, shade(stem)),
        "webp": lambda: webp_face(160),
        "mp4": lambda: film(_seed(stem)[:3]),
        "webm": lambda: _EBML,
        "ogg": lambda: ogg_silence(2.0, _seed(stem)),
        "tgs": lambda: gzip.compress(_LOTTIE, mtime=0),
    }
    return makers.get(extension, lambda: _seed(stem))()


_LOTTIE = b'{"v":"5.5.2","fr":60,"ip":0,"op":60,"w":512,"h":512,"layers":[]}'
_EBML = bytes.fromhex(
    "1a45dfa3 9f 4286810142f7810142f2810442f381084282847765626d42878104428581 02".replace(" ", "")
)


def _size(stem: str) -> tuple[int, int]:
    width, _, height = stem.rpartition("-")[2].partition("x")
    return (int(width), int(height)) if width.isdigit() and height.isdigit() else (640, 400)


def _seed(stem: str) -> bytes:
    return hashlib.sha256(stem.encode()).digest()


def shade(stem: str) -> Shade:
    """A soft two-colour sky with a glow in it; x and y run from 0 to 1."""
    seed = _seed(stem)
    low, high, glow = (tuple(seed[i : i + 3]) for i in (0, 3, 6))
    centre_x, centre_y = 0.2 + seed[9] / 430, 0.2 + seed[10] / 430

    def colour(x: float, y: float) -> tuple[float, float, float]:
        tilt = (y + 0.3 * x) / 1.3
        light = exp(-((x - centre_x) ** 2 + (y - centre_y) ** 2) * 14)
        red, green, blue = (
            (a + (b - a) * tilt) * (1 - light) + (128 + c / 2) * light
            for a, b, c in zip(low, high, glow, strict=True)
        )
        return red, green, blue

    return colour


# --- PNG ----------------------------------------------------------------------------------------


def png(width: int, height: int, colour: Shade) -> bytes:
    """An 8-bit RGB picture (RFC 2083)."""
    rows = bytearray()
    for y in range(height):
        rows.append(0)
        for x in range(width):
            rows += bytes(int(value) for value in colour(x / width, y / height))
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(bytes(rows), 6)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(_png_chunk(kind, body) for kind, body in chunks)


def _png_chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


# --- JPEG ---------------------------------------------------------------------------------------
# Baseline JPEG (ITU T.81) of smooth pictures: each 8x8 block is a tilted plane, so the constant term and
# the two lowest frequencies are enough. Flat tables: DC sizes 0-11 are 4-bit codes, AC symbols 5-bit ones.

_DC_SYMBOLS = bytes(range(12))
_AC_SYMBOLS = bytes([0, *range(0x01, 0x0B), *range(0x11, 0x1B)])
_RAMP = 18.2216  # the lowest DCT frequency of a ramp of slope 1 along one side of a block


def jpeg(width: int, height: int, colour: Shade) -> bytes:
    """A baseline JPEG of a smooth function."""
    frame = struct.pack(">BHHB", 8, height, width, 3) + bytes([1, 0x11, 0, 2, 0x11, 0, 3, 0x11, 0])
    tables = b"\x00" + _lengths(4, 12) + _DC_SYMBOLS + b"\x10" + _lengths(5, 21) + _AC_SYMBOLS
    segments = (
        (0xE0, b"JFIF\0\x01\x01\0\0\x01\0\x01\0\0"),
        (0xDB, b"\x00" + b"\x04" * 64),
        (0xC0, frame),
        (0xC4, tables),
        (0xDA, bytes([3, 1, 0, 2, 0, 3, 0, 0, 63, 0])),
    )
    head = b"".join(struct.pack(">BBH", 0xFF, kind, len(body) + 2) + body for kind, body in segments)
    return b"\xff\xd8" + head + _scan(width, height, colour) + b"\xff\xd9"


def _lengths(bits: int, codes: int) -> bytes:
    return bytes(codes if length == bits else 0 for length in range(1, 17))


def _scan(width: int, height: int, colour: Shade) -> bytes:
    bits: list[str] = []
    last = [0, 0, 0]
    for top in range(0, height, 8):
        for left in range(0, width, 8):
            for part, terms in enumerate(_block(left / width, top / height, 8 / width, 8 / height, colour)):
                bits += _encode(terms, last[part])
                last[part] = terms[0]
    text = "".join(bits)
    text += "1" * (-len(text) % 8)
    return int(text, 2).to_bytes(len(text) // 8, "big").replace(b"\xff", b"\xff\0")


def _block(x: float, y: float, dx: float, dy: float, colour: Shade) -> Iterable[tuple[int, int, int]]:
    """(constant, horizontal, vertical) for Y, Cb and Cr, quantised by 4."""
    middle = _ycc(colour(x + dx / 2, y + dy / 2))
    across = zip(_ycc(colour(x + dx, y + dy / 2)), _ycc(colour(x, y + dy / 2)), strict=True)
    down = zip(_ycc(colour(x + dx / 2, y + dy)), _ycc(colour(x + dx / 2, y)), strict=True)
    for level, (right, left), (bottom, top) in zip(middle, across, down, strict=True):
        tilt_x, tilt_y = (left - right) * _RAMP / 8, (top - bottom) * _RAMP / 8
        yield round(level * 2), round(tilt_x / 4), round(tilt_y / 4)


def _ycc(rgb: tuple[float, float, float]) -> tuple[float, float, float]:
    red, green, blue = rgb
    luma = 0.299 * red + 0.587 * green + 0.114 * blue
    return luma - 128, (blue - luma) * 0.564, (red - luma) * 0.713


def _encode(terms: tuple[int, int, int], last: int) -> list[str]:
    difference, across, down = terms[0] - last, terms[1], terms[2]
    size = abs(difference).bit_length()
    bits = [f"{size:04b}", _amplitude(difference, size)]
    for run, value in ((0, across), (0 if across else 1, down)):
        if value:
            size = abs(value).bit_length()
            bits += [f"{_AC_SYMBOLS.index(run << 4 | size):05b}", _amplitude(value, size)]
    return [*bits, "00000"]


def _amplitude(value: int, size: int) -> str:
    return f"{value if value > 0 else value + (1 << size) - 1:0{size}b}" if size else ""


# --- WebP ---------------------------------------------------------------------------------------


def webp_face(side: int) -> bytes:
    """A smiling sticker: lossless WebP whose four channels are each either 0 or 255 (RFC 9649, §3)."""
    bits = f"{0x2F:08b}"[::-1] + _least_first(side - 1, 14) * 2 + "1" + "000" + "000"
    bits += ("11" + "1" + _least_first(0, 8) + _least_first(255, 8)) * 4 + "1000"
    rows = []
    for y in range(side):
        rows += [_face(2 * x / side - 1, 2 * y / side - 1) for x in range(side)]
    bits += "".join(rows)
    bits += "0" * (-len(bits) % 16)
    body = int(bits[::-1], 2).to_bytes(len(bits) // 8, "little")
    chunk = b"WEBPVP8L" + struct.pack("<I", len(body)) + body
    return b"RIFF" + struct.pack("<I", len(chunk)) + chunk


def _least_first(value: int, width: int) -> str:
    return f"{value:0{width}b}"[::-1]


def _face(x: float, y: float) -> str:
    """One pixel as its bits for green, red, blue and alpha."""
    distance = x * x + y * y
    if distance > 0.95:
        return "0000"
    eye = (abs(x) - 0.33) ** 2 + (y + 0.25) ** 2 < 0.018
    smile = 0.26 < x * x + (y - 0.05) ** 2 < 0.38 and y > 0.18
    return "0001" if eye or smile or distance > 0.88 else "1101"


# --- Ogg ----------------------------------------------------------------------------------------


def ogg_silence(seconds: float, serial: bytes) -> bytes:
    """An Opus file of empty frames of 20 ms (RFC 7845): a voice message that says nothing."""
    head = b"OpusHead" + struct.pack("<BBHIhB", 1, 1, 312, 48000, 0, 0)
    tags = b"OpusTags" + struct.pack("<I", 4) + b"demo" + struct.pack("<I", 0)
    frames = int(seconds * 50)
    pages = [_ogg_page(2, 0, serial, 0, [head]), _ogg_page(0, 0, serial, 1, [tags])]
    for number, start in enumerate(range(0, frames, 50)):
        count = min(50, frames - start)
        last = 4 if start + count >= frames else 0
        pages.append(_ogg_page(last, (start + count) * 960, serial, number + 2, [b"\x08"] * count))
    return b"".join(pages)


def _ogg_page(flags: int, position: int, serial: bytes, number: int, packets: list[bytes]) -> bytes:
    sizes = bytes(len(packet) for packet in packets)
    start = b"OggS\0" + struct.pack("<Bq4sI", flags, position, serial[:4], number)
    rest = bytes([len(sizes)]) + sizes + b"".join(packets)
    return start + struct.pack("<I", _ogg_crc(start + bytes(4) + rest)) + rest


def _ogg_crc(page: bytes) -> int:
    """CRC-32 with the polynomial 04c11db7, not reflected, starting from 0 (RFC 3533)."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc
