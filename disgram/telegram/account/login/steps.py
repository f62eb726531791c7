"""The steps of a login: API keys, then a phone's code or a QR code, then the two-step password.

Whatever is refused is said in one line and asked again. Owns the order; stores nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from telethon import errors, utils

from disgram.telegram.account.login.terminal import Terminal, drawn
from disgram.telegram.account.process.client import AccountClient

SECONDS = 60.0
"""How long Telegram may take for one step; Telethon by itself connects again for ever."""

_API_ID = re.compile(r"[1-9][0-9]{0,9}")
_Result = TypeVar("_Result")
_API_HASH = re.compile(r"[0-9a-fA-F]{32}")


@dataclass(frozen=True, slots=True)
class ApiKeys:
    """Of an application registered at my.telegram.org."""

    api_id: int
    api_hash: str = field(repr=False)


class KeysRefused(Exception):
    """Telegram knows no application with these API keys."""


def ask_keys(terminal: Terminal) -> ApiKeys:
    terminal.show(
        "API id and hash of an application of yours: https://my.telegram.org, API development tools."
    )
    api_id = _asked(terminal.ask, "API id: ", _API_ID, "The API id is a number.", terminal)
    api_hash = _asked(
        terminal.ask_secret, "API hash (not shown): ", _API_HASH, "The API hash has 32 letters and digits.",
        terminal,
    )  # fmt: skip
    return ApiKeys(int(api_id), api_hash)


def _asked(
    ask: Callable[[str], str], prompt: str, form: re.Pattern[str], otherwise: str, terminal: Terminal
) -> str:
    while not form.fullmatch(answer := ask(prompt).strip()):
        terminal.show(otherwise)
    return answer


class Login:
    """For a client that is connected and not logged in."""

    def __init__(self, client: AccountClient, terminal: Terminal) -> None:
        self._client = client
        self._terminal = terminal

    async def run(self) -> None:
        """Returns once the account is logged in. Raises KeysRefused, EOFError and ConnectionError."""
        while True:
            phone = self._terminal.ask("Phone number with +, or Enter for a QR code: ").strip()
            if await (self._by_phone(phone) if phone else self._by_qr_code()):
                return

    async def _by_phone(self, phone: str) -> bool:
        if not utils.parse_phone(phone):  # Telethon fails over it
            self._terminal.show(_NO_NUMBER)
            return False
        if not await self._tried(self._client.send_code_request(phone)):
            return False
        self._terminal.show("Telegram has sent a code, to your app or by SMS.")
        while True:
            code = self._terminal.ask("Code, or Enter to begin anew: ").strip()
            if not code:
                return False
            try:
                await _in_time(self._client.sign_in(phone, code))
            except errors.SessionPasswordNeededError:
                return await self._by_password()
            except errors.PhoneCodeExpiredError as error:
                self._terminal.show(_sentence(error))
                return False
            except errors.RPCError as error:
                self._terminal.show(_sentence(error))
            else:
                return True

    async def _by_qr_code(self) -> bool:
        """Another code is shown when one has expired, after half a minute."""
        try:
            shown = await _in_time(self._client.qr_login())
            while True:
                self._show_code(shown.url)
                try:
                    await shown.wait()
                except asyncio.TimeoutError:
                    await _in_time(shown.recreate())
                else:
                    return True
        except errors.SessionPasswordNeededError:
            return await self._by_password()
        except errors.RPCError as error:
            self._refused(error)
            return False

    def _show_code(self, address: str) -> None:
        self._terminal.show(
            "In Telegram on your phone: Settings, Devices, Link Desktop Device, and scan this."
        )
        self._terminal.show(drawn(address) or f"(no package qrcode; open this link on the phone) {address}")

    async def _by_password(self) -> bool:
        while True:
            password = self._terminal.ask_secret("Two-step password, or Enter to begin anew: ")
            if not password:
                return False
            if await self._tried(self._client.sign_in(password=password)):
                return True

    async def _tried(self, step: Awaitable[Any]) -> bool:
        try:
            await _in_time(step)
        except errors.RPCError as error:
            self._refused(error)
            return False
        return True

    def _refused(self, error: errors.RPCError) -> None:
        if isinstance(error, (errors.ApiIdInvalidError, errors.ApiIdPublishedFloodError)):
            raise KeysRefused from None
        self._terminal.show(_sentence(error))


async def _in_time(step: Awaitable[_Result]) -> _Result:
    """Raises ConnectionError."""
    try:
        return await asyncio.wait_for(step, SECONDS)
    except asyncio.TimeoutError:
        raise ConnectionError(0, "Telegram does not answer") from None


_NO_NUMBER = "Telegram knows no such number: write + and the country code."
_SENTENCES: dict[type, str] = {
    errors.PhoneNumberInvalidError: _NO_NUMBER,
    errors.PhoneNumberBannedError: "Telegram has banned this number.",
    errors.PhoneNumberUnoccupiedError: "There is no account with this number.",
    errors.PhoneCodeInvalidError: "That is not the code.",
    errors.PhoneCodeEmptyError: "That is not the code.",
    errors.PhoneCodeExpiredError: "The code has expired; ask for another one.",
    errors.PasswordHashInvalidError: "That is not the password.",
}


def _sentence(error: errors.RPCError) -> str:
    if isinstance(error, (errors.FloodWaitError, errors.FloodPremiumWaitError)):
        return f"Too many tries: Telegram wants you to wait {error.seconds} s before the next one."
    return _SENTENCES.get(type(error), f"Telegram refuses this ({type(error).__name__}).")
