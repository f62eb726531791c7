"""Logging in at the stand-in for Telegram's MTProto servers, with an unpatched Telethon client."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import pytest

pytest.importorskip("telethon")

from telethon import TelegramClient, errors
from telethon.crypto import rsa
from telethon.sessions import StringSession

from standins.mtproto.key_exchange import BadExchange, KeyExchange
from standins.mtproto.refusals import Refusal
from standins.mtproto.server import MtprotoStandIn
from standins.mtproto.world import DC

PHONE = "+1 555 0100"


@pytest.fixture
def telegram() -> Iterator[MtprotoStandIn]:
    with MtprotoStandIn() as server:
        rsa.add_key(server.public_key, old=False)
        yield server


def with_a_stranger(telegram: MtprotoStandIn, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    """What a client says that has not logged in, nor a key."""

    async def run() -> Any:
        session = StringSession()
        session.set_dc(DC, "127.0.0.1", telegram.port)
        client = TelegramClient(session, 1, "hash", flood_sleep_threshold=0)
        await client.connect()
        try:
            return await ask(client)
        finally:
            await client.disconnect()

    return asyncio.run(run())


def test_a_client_without_a_key_gets_one_and_is_not_logged_in(telegram: MtprotoStandIn) -> None:
    async def ask(client: Any) -> None:
        assert client.session.auth_key.key
        assert await client.get_me() is None

    with_a_stranger(telegram, ask)


def test_the_right_code_logs_in_and_the_session_can_be_used_again(telegram: MtprotoStandIn) -> None:
    async def ask(client: Any) -> str:
        await client.send_code_request(PHONE)
        user = await client.sign_in(PHONE, telegram.logins.code)
        assert (user.id, user.is_self) == (telegram.me.id, True)
        return str(client.session.save())

    saved = with_a_stranger(telegram, ask)

    async def again() -> Any:
        client = TelegramClient(StringSession(saved), 1, "hash")
        await client.connect()
        try:
            return await client.get_me()
        finally:
            await client.disconnect()

    assert asyncio.run(again()).id == telegram.me.id


def test_a_wrong_code_may_be_tried_again(telegram: MtprotoStandIn) -> None:
    async def ask(client: Any) -> Any:
        await client.send_code_request(PHONE)
        with pytest.raises(errors.PhoneCodeInvalidError):
            await client.sign_in(PHONE, "00000")
        return await client.sign_in(PHONE, telegram.logins.code)

    assert with_a_stranger(telegram, ask).id == telegram.me.id


def test_a_two_step_password_is_asked_for_and_checked(telegram: MtprotoStandIn) -> None:
    telegram.logins.password, telegram.logins.hint = "correct horse", "battery"

    async def ask(client: Any) -> Any:
        await client.send_code_request(PHONE)
        with pytest.raises(errors.SessionPasswordNeededError):
            await client.sign_in(PHONE, telegram.logins.code)
        assert await client.get_me() is None
        with pytest.raises(errors.PasswordHashInvalidError):
            await client.sign_in(password="wrong")
        return await client.sign_in(password="correct horse")

    assert with_a_stranger(telegram, ask).id == telegram.me.id


def test_a_number_that_is_nobodys_is_refused(telegram: MtprotoStandIn) -> None:
    with pytest.raises(errors.PhoneNumberInvalidError):
        with_a_stranger(telegram, lambda client: client.send_code_request("+1 555 0199"))


def test_a_flood_wait_may_meet_the_login(telegram: MtprotoStandIn) -> None:
    telegram.fail("auth.sendCode", "FLOOD_WAIT_300")

    with pytest.raises(errors.FloodWaitError) as caught:
        with_a_stranger(telegram, lambda client: client.send_code_request(PHONE))
    assert caught.value.seconds == 300


@pytest.mark.parametrize("password", [None, "correct horse"])
def test_a_scanned_qr_code_logs_in(telegram: MtprotoStandIn, password: str | None) -> None:
    telegram.logins.password = password

    async def ask(client: Any) -> Any:
        shown = await client.qr_login()
        waiting = asyncio.ensure_future(shown.wait(10))
        await asyncio.sleep(0)  # the handler is there before the scan
        telegram.scan(shown.url)
        if password is None:
            return await waiting
        with pytest.raises(errors.SessionPasswordNeededError):
            await waiting
        return await client.sign_in(password=password)

    assert with_a_stranger(telegram, ask).id == telegram.me.id


def test_nothing_is_read_before_the_login(telegram: MtprotoStandIn) -> None:
    with pytest.raises(errors.AuthKeyUnregisteredError):
        with_a_stranger(telegram, lambda client: client.get_dialogs())


def test_nothing_is_read_after_logging_out(telegram: MtprotoStandIn) -> None:
    session = telegram.session_string()

    async def run() -> None:
        client = TelegramClient(StringSession(session), 1, "hash")
        await client.connect()
        assert await client.log_out()
        again = TelegramClient(StringSession(session), 1, "hash")
        await again.connect()
        with pytest.raises(errors.AuthKeyUnregisteredError):
            await again.get_dialogs()
        await again.disconnect()

    asyncio.run(run())


def test_a_key_that_is_not_known_is_told_so(telegram: MtprotoStandIn) -> None:
    with MtprotoStandIn() as other:
        session = StringSession(other.session_string())
    session.set_dc(DC, "127.0.0.1", telegram.port)

    async def run() -> None:
        client = TelegramClient(session, 1, "hash")
        with pytest.raises(errors.AuthKeyNotFound):
            await client.connect()
        with pytest.raises(errors.AuthKeyNotFound):
            await client.disconnected
        await client.disconnect()

    asyncio.run(run())


def test_a_file_of_another_data_centre_is_read_there(telegram: MtprotoStandIn) -> None:
    channel = telegram.channel("News")
    number = channel.post(media=telegram.document(b"content", dc=4))

    async def run() -> Any:
        client = TelegramClient(StringSession(telegram.session_string()), 1, "hash")
        await client.connect()
        await client.get_dialogs()
        message = await client.get_messages(channel.peer, ids=number)
        content = await client.download_media(message, bytes)
        await client.disconnect()
        return content

    assert asyncio.run(run()) == b"content"
    assert telegram.count("auth.importAuthorization") == 1


def test_a_step_out_of_order_ends_the_key_exchange() -> None:
    with pytest.raises(BadExchange):
        KeyExchange().answer(object())


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("FLOOD_WAIT_30", 420),
        ("SESSION_REVOKED", 401),
        ("AUTH_KEY_DUPLICATED", 406),
        ("RPC_CALL_FAIL", 500),
        ("CHANNEL_PRIVATE", 400),
    ],
)
def test_an_error_carries_its_code(name: str, code: int) -> None:
    assert Refusal(name).as_tl().error_code == code
