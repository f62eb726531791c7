"""The two-step password, checked without being sent: the server's half of core.telegram.org/api/srp."""

from __future__ import annotations

import secrets
from hashlib import sha256
from typing import Any

from telethon.password import compute_digest
from telethon.tl import types
from telethon.tl.types.account import Password

from standins.mtproto.numbers import GENERATOR, PRIME
from standins.mtproto.refusals import Refusal

_LENGTH = 256


class PasswordCheck:
    """One question and its answer; every account.getPassword makes a new one."""

    def __init__(self, password: str, hint: str) -> None:
        self._hint = hint
        self._id = secrets.randbits(62)
        self._secret = secrets.randbits(2048)
        self._algorithm = _algorithm()
        verifier = compute_digest(self._algorithm, password)
        self._verifier = int.from_bytes(verifier, "big")
        k = _number(sha256(_padded(PRIME) + _padded(GENERATOR)))
        self._b = (k * self._verifier + pow(GENERATOR, self._secret, PRIME)) % PRIME

    def question(self) -> Any:
        return Password(
            new_algo=_algorithm(), new_secure_algo=types.SecurePasswordKdfAlgoUnknown(), secure_random=b"",
            has_password=True, current_algo=self._algorithm, srp_B=_padded(self._b), srp_id=self._id,
            hint=self._hint,
        )  # fmt: skip

    def check(self, answer: Any) -> None:
        """Raise Refusal unless the answer (an InputCheckPasswordSRP) proves the password."""
        if getattr(answer, "srp_id", None) != self._id:
            raise Refusal("SRP_ID_INVALID")
        a = int.from_bytes(answer.A, "big")
        u = _number(sha256(_padded(a) + _padded(self._b)))
        shared = pow(a * pow(self._verifier, u, PRIME), self._secret, PRIME)
        if self._proof(a, sha256(_padded(shared)).digest()) != answer.M1:
            raise Refusal("PASSWORD_HASH_INVALID")

    def _proof(self, a: int, key: bytes) -> bytes:
        p, g = sha256(_padded(PRIME)).digest(), sha256(_padded(GENERATOR)).digest()
        both = bytes(x ^ y for x, y in zip(p, g, strict=True))
        salts = (sha256(self._algorithm.salt1).digest(), sha256(self._algorithm.salt2).digest())
        return sha256(b"".join([both, *salts, _padded(a), _padded(self._b), key])).digest()


def no_password() -> Any:
    return Password(
        new_algo=_algorithm(), new_secure_algo=types.SecurePasswordKdfAlgoUnknown(), secure_random=b""
    )


def _algorithm() -> Any:
    return types.PasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow(
        secrets.token_bytes(16), secrets.token_bytes(16), GENERATOR, _padded(PRIME)
    )


def _padded(number: int) -> bytes:
    return number.to_bytes(_LENGTH, "big")


def _number(digest: Any) -> int:
    return int.from_bytes(digest.digest(), "big")
