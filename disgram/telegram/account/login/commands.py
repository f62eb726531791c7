"""`login` and `logout`: from the first question to what the account can read."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable

from telethon import errors

from disgram.errors import BadSetting
from disgram.telegram.account.login.files import Place
from disgram.telegram.account.login.steps import ApiKeys, KeysRefused, Login, ask_keys
from disgram.telegram.account.login.terminal import Terminal, printable
from disgram.telegram.account.process.calls import is_end
from disgram.telegram.account.process.client import AccountClient, check_session, make_client
from disgram.telegram.account.process.directory import listed
from disgram.telegram.account.process.refusals import described
from disgram.telegram.account.process.settings import read_session

EXIT_OK, EXIT_FAILED, EXIT_INTERRUPTED = 0, 1, 130
CONNECT_SECONDS = 60.0


def login(place: Place, terminal: Terminal, begin: str = "") -> int:
    """Returns the exit code. `begin`: a session that is not logged in, to say where Telegram is (tests)."""
    return _command(terminal, lambda: _login(place, terminal, begin))


def logout(place: Place, terminal: Terminal) -> int:
    """Ends the session at Telegram and deletes its file; returns the exit code."""
    return _command(terminal, lambda: _logout(place, terminal))


def _command(terminal: Terminal, work: Callable[[], Awaitable[int]]) -> int:
    async def run() -> int:
        return await work()

    # asyncio leaves the first Ctrl-C to a loop that waits for a person's answer, unless somebody handles it.
    before = signal.signal(signal.SIGINT, _interrupt)
    try:
        return asyncio.run(run())
    except BadSetting as error:
        terminal.show(f"{error}")
    except OSError as error:
        terminal.show(f"It did not work: {error.strerror or type(error).__name__}")
    except (EOFError, KeyboardInterrupt):
        terminal.show("\nNothing was changed.")
        return EXIT_INTERRUPTED
    except Exception as error:  # noqa: BLE001  # a traceback might hold the session
        terminal.show(f"It did not work: {described(error)}. Please report this.")
    finally:
        signal.signal(signal.SIGINT, before)
    return EXIT_FAILED


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


async def _login(place: Place, terminal: Terminal, begin: str) -> int:
    keys = place.keys
    while True:
        keys = keys or ask_keys(terminal)
        try:
            async with _connected(begin, keys) as client:
                await Login(client, terminal).run()
                kept = place.keep(str(client.session.save()), keys)
                _say_kept(place, terminal, keys, kept)
                await _say_readable(client, terminal)
                return EXIT_OK
        except KeysRefused:
            terminal.show("Telegram knows no application with this API id and hash.")
            keys = None


def _say_kept(place: Place, terminal: Terminal, keys: ApiKeys, kept: bool) -> None:
    terminal.show(f"Logged in; the session is in {place.session_file}. Who has this file has the account.")
    if not kept:
        terminal.show(f"Put these into {place.env_file}: TG_API_ID={keys.api_id} TG_API_HASH={keys.api_hash}")
    if place.settings.get("TG_SESSION_STRING", "").strip():
        terminal.show("TG_SESSION_STRING is set and counts instead of it: remove it.")


async def _say_readable(client: AccountClient, terminal: Terminal) -> None:
    entities = [dialog.entity async for dialog in client.iter_dialogs(ignore_migrated=True)]
    found = listed(entities)
    terminal.show("It can read:" if found else "It is in no channel or group yet: join them in Telegram.")
    for each in found:
        but = "; its owner forbids saving: not forwarded" if each.protected else ""
        terminal.show(f"  {each.address}  {printable(each.title)} ({each.kind}{but})")
    terminal.show("Restart Disgram if it runs.")


async def _logout(place: Place, terminal: Terminal) -> int:
    session, keys = read_session(place.session_file), place.keys
    check_session(session)
    if keys is None:
        raise BadSetting("TG_API_ID", "TG_API_ID and TG_API_HASH are needed to log out: set them as before.")
    try:
        async with _connected(session, keys) as client:
            done = await client.log_out()
    except Exception as error:
        if not is_end(error):
            raise
        done = False
    place.session_file.unlink()
    how = "Logged out" if done else "The session had ended already"
    terminal.show(f"{how}; {place.session_file} is deleted. Restart Disgram if it runs.")
    return EXIT_OK


@contextlib.asynccontextmanager
async def _connected(session: str, keys: ApiKeys) -> AsyncIterator[AccountClient]:
    client = make_client(
        session, keys.api_id, keys.api_hash, clock=time.monotonic, opened=_nothing, closed=_nothing,
        follows=lambda _: False, missed=_nothing,
    )  # fmt: skip
    try:
        await asyncio.wait_for(client.connect(), CONNECT_SECONDS)
        yield client
    except asyncio.TimeoutError:
        raise ConnectionError(0, "Telegram does not answer") from None
    except errors.RPCError as error:
        if is_end(error):
            raise
        raise ConnectionError(0, f"Telegram refuses ({type(error).__name__})") from None
    finally:
        if client.session is not None:  # after logging out there is none, and nothing to disconnect
            await client.disconnect()


def _nothing(*_: object) -> None:
    pass
