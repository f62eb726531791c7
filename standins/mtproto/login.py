"""Authorization keys, and how one becomes the account's: code, two-step password, QR code; and its end."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from typing import Any

from telethon.tl.types import auth

from standins.mtproto import wire
from standins.mtproto.password import PasswordCheck, no_password
from standins.mtproto.refusals import Refusal
from standins.mtproto.world import DC, World

TOKEN_SECONDS = 30
"""How long a QR code can be scanned."""


@dataclass(slots=True)
class Authorization:
    """One authorization key and how far its login has come."""

    key: bytes
    logged_in: bool = False
    dc: int = DC
    """The data centre it is used at; another's is a copy of the login for files that lie there."""
    void: Refusal | None = None
    """Once set, what every call that needs an account gets."""
    code_hash: str = ""
    scanned: bool = False
    token: bytes = b""
    check: PasswordCheck | None = None
    id: int = field(init=False)

    def __post_init__(self) -> None:
        self.id = wire.key_id(self.key)


class Logins:
    """Not thread-safe: whoever serves a request holds the world's lock. Settings may be changed any time."""

    def __init__(self, world: World) -> None:
        self.code = "12345"
        """The login code that "arrives" in the other app."""
        self.password: str | None = None
        """The two-step password; None: there is none."""
        self.hint = ""
        self._world = world
        self._keys: dict[int, Authorization] = {}
        self._exported: dict[bytes, int] = {}

    def add(self, key: bytes, *, logged_in: bool = False) -> Authorization:
        made = Authorization(key, logged_in)
        self._keys[made.id] = made
        return made

    def get(self, key_id: int) -> Authorization | None:
        return self._keys.get(key_id)

    def void(self, error: str) -> None:
        """End every login there is; every later call with one of their keys gets that error."""
        for each in self._keys.values():
            each.void = Refusal(error) if each.logged_in else None

    def scan(self, token: bytes) -> Authorization:
        """Let the account's other app accept a QR code; returns the login that waits for it."""
        for each in self._keys.values():
            if token and each.token == token:
                each.scanned = True
                return each
        raise LookupError("no client shows this QR code")

    # --- methods ---

    def send_code(self, login: Authorization, request: Any) -> Any:
        digits = "".join(filter(str.isdigit, request.phone_number))
        if digits != self._world.me.phone:
            raise Refusal("PHONE_NUMBER_INVALID")
        login.code_hash = secrets.token_hex(8)
        return auth.SentCode(auth.SentCodeTypeApp(len(self.code)), login.code_hash)

    def sign_in(self, login: Authorization, request: Any) -> Any:
        if not login.code_hash or request.phone_code_hash != login.code_hash:
            raise Refusal("PHONE_CODE_EXPIRED")
        if not request.phone_code:
            raise Refusal("PHONE_CODE_EMPTY")
        if request.phone_code != self.code:
            raise Refusal("PHONE_CODE_INVALID")
        return self._second_step(login)

    def export_login_token(self, login: Authorization, request: Any) -> Any:
        if login.scanned:
            return auth.LoginTokenSuccess(self._second_step(login))
        login.token = secrets.token_bytes(16)
        expires = datetime.now(timezone.utc) + timedelta(seconds=TOKEN_SECONDS)
        return auth.LoginToken(expires, login.token)

    def get_password(self, login: Authorization, request: Any) -> Any:
        if self.password is None:
            return no_password()
        login.check = PasswordCheck(self.password, self.hint)
        return login.check.question()

    def check_password(self, login: Authorization, request: Any) -> Any:
        if login.check is None:
            raise Refusal("SRP_ID_INVALID")
        login.check.check(request.password)
        return self._succeed(login)

    def log_out(self, login: Authorization, request: Any) -> Any:
        login.logged_in = login.scanned = False
        return auth.LoggedOut()

    def export_authorization(self, login: Authorization, request: Any) -> Any:
        if request.dc_id == DC:
            raise Refusal("DC_ID_INVALID")
        ticket = secrets.token_bytes(32)
        self._exported[ticket] = request.dc_id
        return auth.ExportedAuthorization(self._world.me.id, ticket)

    def import_authorization(self, login: Authorization, request: Any) -> Any:
        if request.bytes not in self._exported:
            raise Refusal("AUTH_BYTES_INVALID")
        login.dc = self._exported.pop(request.bytes)
        return self._succeed(login)

    def _second_step(self, login: Authorization) -> Any:
        if self.password is not None:
            raise Refusal("SESSION_PASSWORD_NEEDED")
        return self._succeed(login)

    def _succeed(self, login: Authorization) -> Any:
        login.logged_in, login.scanned, login.code_hash, login.token = True, False, "", b""
        return auth.Authorization(self._world.me)


METHODS: Mapping[str, Callable[[Logins, Authorization, Any], Any]] = {
    "auth.sendCode": Logins.send_code,
    "auth.resendCode": Logins.send_code,
    "auth.signIn": Logins.sign_in,
    "auth.exportLoginToken": Logins.export_login_token,
    "auth.checkPassword": Logins.check_password,
    "auth.logOut": Logins.log_out,
    "auth.exportAuthorization": Logins.export_authorization,
    "auth.importAuthorization": Logins.import_authorization,
    "account.getPassword": Logins.get_password,
}
WITHOUT_ACCOUNT = frozenset({*METHODS, "help.getConfig"}) - {"auth.exportAuthorization", "auth.logOut"}
"""What a key may ask before anybody logged in with it."""


def token_of(address: str) -> bytes:
    """The token in a QR code's `tg://login?token=…`."""
    text = address.partition("token=")[2]
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
