"""How a client without an authorization key gets one: req_pq_multi, Diffie-Hellman, dh_gen_ok.

The steps are those of core.telegram.org/mtproto/auth_key. The client has to trust `numbers.PUBLIC_KEY`
(`telethon.crypto.rsa.add_key`). Temporary keys and retries of g_b are not imitated.
"""

from __future__ import annotations

import secrets
import time
from hashlib import sha1
from typing import Any

from telethon.crypto import AES, AuthKey
from telethon.crypto.rsa import _compute_fingerprint
from telethon.extensions import BinaryReader
from telethon.helpers import generate_key_data_from_nonce
from telethon.tl import functions, types

from standins.mtproto.numbers import GENERATOR, PRIME, PUBLIC_KEY, as_bytes, decrypt

_PQ_FACTORS = (0x494C553B, 0x53911073)
_SAFE = 2 ** (2048 - 64)


class BadExchange(Exception):
    """The client did not follow the protocol; Telegram closes such a connection."""


class KeyExchange:
    """One client's exchange. `answer` takes the requests in their order; then `key` holds the new key."""

    def __init__(self) -> None:
        self.key: bytes | None = None
        self._server_nonce = int.from_bytes(secrets.token_bytes(16), "little", signed=True)
        self._new_nonce = 0
        self._secret = 0
        while not _SAFE < pow(GENERATOR, self._secret, PRIME) < PRIME - _SAFE:
            self._secret = secrets.randbits(2048)

    def answer(self, request: Any) -> Any:
        if isinstance(request, functions.ReqPqMultiRequest):
            pq = as_bytes(_PQ_FACTORS[0] * _PQ_FACTORS[1])
            return types.ResPQ(request.nonce, self._server_nonce, pq, [_compute_fingerprint(PUBLIC_KEY)])
        if getattr(request, "server_nonce", None) != self._server_nonce:
            raise BadExchange("not the nonce that was sent")
        if isinstance(request, functions.ReqDHParamsRequest):
            return self._parameters(request)
        if isinstance(request, functions.SetClientDHParamsRequest):
            return self._finish(request)
        raise BadExchange(f"{type(request).__name__} is no step of the exchange")

    def _parameters(self, request: Any) -> Any:
        inner = _read_hashed(decrypt(request.encrypted_data))
        if (inner.p, inner.q) != tuple(map(as_bytes, _PQ_FACTORS)):
            raise BadExchange("pq was factorized wrongly")
        self._new_nonce = inner.new_nonce
        g_a = as_bytes(pow(GENERATOR, self._secret, PRIME))
        numbers = types.ServerDHInnerData(
            request.nonce, self._server_nonce, GENERATOR, as_bytes(PRIME), g_a, int(time.time())
        )
        plain = _sha1(bytes(numbers)) + bytes(numbers)
        return types.ServerDHParamsOk(
            request.nonce, self._server_nonce, AES.encrypt_ige(plain + bytes(-len(plain) % 16), *self._aes())
        )

    def _finish(self, request: Any) -> Any:
        inner = _read_hashed(AES.decrypt_ige(request.encrypted_data, *self._aes()))
        g_b = int.from_bytes(inner.g_b, "big")
        if not _SAFE <= g_b <= PRIME - _SAFE:
            raise BadExchange("g_b is not a safe number")
        key = AuthKey(pow(g_b, self._secret, PRIME).to_bytes(256, "big"))
        self.key = key.key
        nonce_hash = key.calc_new_nonce_hash(self._new_nonce, 1)
        return types.DhGenOk(request.nonce, self._server_nonce, nonce_hash)

    def _aes(self) -> tuple[bytes, bytes]:
        key, iv = generate_key_data_from_nonce(self._server_nonce, self._new_nonce)
        return key, iv


def _read_hashed(data: bytes) -> Any:
    """An object behind the SHA-1 of its bytes, and padding after it."""
    reader = BinaryReader(data[20:])
    thing = reader.tgread_object()
    if _sha1(data[20 : 20 + reader.tell_position()]) != data[:20]:
        raise BadExchange("the hash does not fit")
    return thing


def _sha1(data: bytes) -> bytes:
    return sha1(data).digest()  # noqa: S324  # MTProto's own choice
