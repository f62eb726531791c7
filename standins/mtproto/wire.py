"""Bytes on the wire: frames of MTProto's full transport, and messages encrypted with an authorization key.

Owns lengths, checksums and AES; knows nothing of what a message says. `x` in the formulas of
core.telegram.org/mtproto/description is 0 for what a client sends and 8 for what a server sends.
"""

from __future__ import annotations

import secrets
import struct
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha1, sha256
from zlib import crc32

from telethon.crypto import AES

MAX_FRAME = 2 * 1024 * 1024
_CLIENT, _SERVER = 0, 8

Read = Callable[[int], bytes]
"""Reads exactly that many bytes; raises EOFError at the end."""


class BadFrame(Exception):
    """What came is not MTProto's full transport, or is not encrypted with the key that it names."""


@dataclass(frozen=True, slots=True)
class Packet:
    """One decrypted message of a client; `body` may be a container of several."""

    salt: int
    session_id: int
    msg_id: int
    seq_no: int
    body: bytes


def frame(payload: bytes, number: int) -> bytes:
    head = struct.pack("<ii", len(payload) + 12, number) + payload
    return head + struct.pack("<I", crc32(head))


def read_frame(read: Read) -> bytes:
    """The next payload, its checksum checked."""
    head = read(8)
    (length,) = struct.unpack_from("<i", head)
    if not 12 < length <= MAX_FRAME:
        raise BadFrame(f"a frame of {length} bytes")
    rest = read(length - 8)
    if crc32(head + rest[:-4]) != struct.unpack("<I", rest[-4:])[0]:
        raise BadFrame("wrong checksum")
    return rest[:-4]


def key_id(key: bytes) -> int:
    return int(struct.unpack("<q", sha1(key).digest()[-8:])[0])  # noqa: S324  # MTProto's own choice


def decrypt(payload: bytes, key: bytes) -> Packet:
    msg_key, cipher = payload[8:24], payload[24:]
    if len(msg_key) < 16 or not cipher or len(cipher) % 16:
        raise BadFrame("not a whole number of blocks")
    plain = AES.decrypt_ige(cipher, *_aes_key(key, msg_key, _CLIENT))
    if _msg_key(key, plain, _CLIENT) != msg_key:
        raise BadFrame("the message key does not fit the message")
    salt, session_id, msg_id, seq_no, length = struct.unpack_from("<qqqii", plain)
    return Packet(salt, session_id, msg_id, seq_no, plain[32 : 32 + length])


def encrypt(packet: Packet, key: bytes) -> bytes:
    plain = struct.pack(
        "<qqqii", packet.salt, packet.session_id, packet.msg_id, packet.seq_no, len(packet.body)
    )
    plain += packet.body
    plain += secrets.token_bytes(-(len(plain) + 12) % 16 + 12)
    msg_key = _msg_key(key, plain, _SERVER)
    cipher: bytes = AES.encrypt_ige(plain, *_aes_key(key, msg_key, _SERVER))
    return struct.pack("<q", key_id(key)) + msg_key + cipher


def _msg_key(key: bytes, plain: bytes, x: int) -> bytes:
    return sha256(key[88 + x : 120 + x] + plain).digest()[8:24]


def _aes_key(key: bytes, msg_key: bytes, x: int) -> tuple[bytes, bytes]:
    a = sha256(msg_key + key[x : x + 36]).digest()
    b = sha256(key[40 + x : 76 + x] + msg_key).digest()
    return a[:8] + b[8:24] + a[24:], b[:8] + a[8:24] + b[24:]


class MessageIds:
    """Message ids of a server: seconds in the upper half, rising, and odd."""

    def __init__(self) -> None:
        self._last = 0

    def next(self, *, answer: bool) -> int:
        """An answer's id is 1 modulo 4, any other's 3."""
        now = int(time.time() * 2**32) & ~3
        self._last = max(now, self._last + 4 & ~3)
        return self._last | (1 if answer else 3)
