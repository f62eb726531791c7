"""A short film, playable in a browser: H.264 with uncompressed macroblocks in an MP4 file.

Owns those bytes alone (ITU-T H.264 §7.3, ISO/IEC 14496-12). Never reads a file or the clock.
"""

from __future__ import annotations

import struct

COLUMNS, ROWS = 10, 6  # macroblocks of 16x16 pixels
FRAMES, RATE = 12, 6  # pictures, and pictures per second
WIDTH, HEIGHT = COLUMNS * 16, ROWS * 16


class _Bits:
    """A bit string, most significant bit first, with H.264's exponential Golomb numbers."""

    def __init__(self, text: str = "") -> None:
        self._text = text

    def golomb(self, *values: int) -> _Bits:
        for value in values:
            digits = f"{value + 1:b}"
            self._text += "0" * (len(digits) - 1) + digits
        return self

    def raw(self, text: str) -> _Bits:
        self._text += text
        return self

    def aligned(self, fill: str = "0") -> bytes:
        self._text += fill * (-len(self._text) % 8)
        return int(self._text, 2).to_bytes(len(self._text) // 8, "big")


def film(tint: bytes) -> bytes:
    """Two seconds of a light square crossing a coloured ground. `tint` are three bytes."""
    frames = [_picture(number, tint) for number in range(FRAMES)]
    head = _box(b"ftyp", b"isom" + bytes(4) + b"isomavc1")
    movie = _movie(frames, 0)
    movie = _movie(frames, len(head) + len(movie) + 8)
    return head + movie + _box(b"mdat", b"".join(frames))


def _nal(kind: int, body: bytes) -> bytes:
    """One unit with its emulation prevention bytes (§7.4.1)."""
    safe, zeros = bytearray([kind]), 0
    for byte in body:
        if zeros >= 2 and byte <= 3:
            safe.append(3)
            zeros = 0
        safe.append(byte)
        zeros = zeros + 1 if byte == 0 else 0
    return bytes(safe)


def _sequence_set() -> bytes:
    bits = _Bits().golomb(0, 0, 2, 0).raw("0").golomb(COLUMNS - 1, ROWS - 1).raw("1" + "1" + "0" + "0" + "1")
    return _nal(0x67, bytes([66, 0xC0, 30]) + bits.aligned())


def _picture_set() -> bytes:
    bits = _Bits().golomb(0, 0).raw("00").golomb(0, 0, 0).raw("000").golomb(0, 0, 0).raw("100" + "1")
    return _nal(0x68, bits.aligned())


def _picture(number: int, tint: bytes) -> bytes:
    """A key frame: every macroblock is I_PCM, 384 plain samples."""
    first = _Bits().golomb(0, 7, 0).raw("0000").golomb(number % 2).raw("00").golomb(0).golomb(1).golomb(25)
    body = first.aligned()
    for index in range(COLUMNS * ROWS):
        start = b"" if index == 0 else _Bits().golomb(25).aligned()
        body += start + _macroblock(index % COLUMNS, index // COLUMNS, number, tint)
    unit = _nal(0x65, body + b"\x80")
    return struct.pack(">I", len(unit)) + unit


def _macroblock(column: int, row: int, number: int, tint: bytes) -> bytes:
    lit = column == number * COLUMNS // FRAMES and row == 2 + number % 2
    luma = 220 if lit else 60 + tint[0] // 8 + 12 * row
    blue, red = (128, 128) if lit else (64 + tint[1] // 2, 64 + tint[2] // 2)
    return bytes([luma]) * 256 + bytes([blue]) * 64 + bytes([red]) * 64


# --- MP4 boxes ----------------------------------------------------------------------------------

_MATRIX = struct.pack(">9i", 0x10000, 0, 0, 0, 0x10000, 0, 0, 0, 0x40000000)


def _box(kind: bytes, *parts: bytes) -> bytes:
    body = b"".join(parts)
    return struct.pack(">I", len(body) + 8) + kind + body


def _full(kind: bytes, flags: int, *parts: bytes) -> bytes:
    return _box(kind, struct.pack(">I", flags), *parts)


def _movie(frames: list[bytes], start: int) -> bytes:
    """The index; `start` is where the samples begin in the file."""
    span = struct.pack(">I", FRAMES)
    clock = bytes(8) + struct.pack(">I", RATE) + span + struct.pack(">IH", 0x10000, 0x100) + bytes(10)
    movie_head = _full(b"mvhd", 0, clock, _MATRIX, bytes(24), struct.pack(">I", 2))
    size = struct.pack(">II", WIDTH << 16, HEIGHT << 16)
    track_head = _full(b"tkhd", 3, bytes(8), struct.pack(">II", 1, 0), span, bytes(16), _MATRIX, size)
    media_head = _full(b"mdhd", 0, bytes(8), struct.pack(">I", RATE), span, struct.pack(">HH", 0x55C4, 0))
    kind = _full(b"hdlr", 0, bytes(4), b"vide", bytes(12), b"film\0")
    home = _box(b"dinf", _full(b"dref", 0, struct.pack(">I", 1), _full(b"url ", 1)))
    inner = _box(b"minf", _full(b"vmhd", 1, bytes(8)), home, _samples(frames, start))
    return _box(b"moov", movie_head, _box(b"trak", track_head, _box(b"mdia", media_head, kind, inner)))


def _samples(frames: list[bytes], start: int) -> bytes:
    sizes = struct.pack(f">II{len(frames)}I", 0, len(frames), *map(len, frames))
    return _box(
        b"stbl",
        _full(b"stsd", 0, struct.pack(">I", 1), _sample_entry()),
        _full(b"stts", 0, struct.pack(">III", 1, len(frames), 1)),
        _full(b"stsc", 0, struct.pack(">IIII", 1, 1, len(frames), 1)),
        _full(b"stsz", 0, sizes),
        _full(b"stco", 0, struct.pack(">II", 1, start)),
    )


def _sample_entry() -> bytes:
    sequence, picture = _sequence_set(), _picture_set()
    sets = (
        b"\xe1"
        + struct.pack(">H", len(sequence))
        + sequence
        + b"\x01"
        + struct.pack(">H", len(picture))
        + picture
    )
    config = _box(b"avcC", bytes([1, 66, 0xC0, 30, 0xFF]) + sets)
    size = struct.pack(">HHII", WIDTH, HEIGHT, 0x480000, 0x480000)
    head = bytes(6) + struct.pack(">H", 1) + bytes(16) + size + bytes(4) + struct.pack(">H", 1) + bytes(32)
    return _box(b"avc1", head, struct.pack(">Hh", 24, -1), config)
