"""RPC errors: their names, and the codes that go with them."""

from __future__ import annotations

from telethon.tl.types import RpcError

_CODES = {
    "FLOOD_WAIT": 420, "FLOOD_PREMIUM_WAIT": 420, "SLOWMODE_WAIT": 420,
    "AUTH_KEY_UNREGISTERED": 401, "AUTH_KEY_INVALID": 401, "SESSION_REVOKED": 401, "SESSION_EXPIRED": 401,
    "SESSION_PASSWORD_NEEDED": 401, "USER_DEACTIVATED": 401,
    "AUTH_KEY_DUPLICATED": 406, "UPDATE_APP_TO_LOGIN": 406,
    "FILE_MIGRATE": 303, "PHONE_MIGRATE": 303, "USER_MIGRATE": 303, "NETWORK_MIGRATE": 303,
    "CHAT_FORBIDDEN": 403, "CHAT_WRITE_FORBIDDEN": 403,
    "RPC_CALL_FAIL": 500, "RPC_MCGET_FAIL": 500, "INTERNAL": 500, "INTERDC": 500, "No workers running": -500,
    "TIMEOUT": -503, "Timeout": -503,
}  # fmt: skip
"""Beginning of a name -> code; 400 for any other."""


class Refusal(Exception):
    """A request that is answered with an error, `FLOOD_WAIT_30` for instance."""

    def __init__(self, name: str, code: int | None = None) -> None:
        super().__init__(name)
        self.name = name
        self.code = code or next((code for start, code in _CODES.items() if name.startswith(start)), 400)

    def as_tl(self) -> RpcError:
        return RpcError(self.code, self.name)
