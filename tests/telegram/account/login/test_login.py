"""Logging an account in and out in a terminal: every refusal is one line and another try."""

from __future__ import annotations

import re
import stat
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

pytest.importorskip("telethon")

from telethon.crypto import rsa

from disgram.telegram.account.login import commands, steps
from disgram.telegram.account.login.files import Place
from disgram.telegram.account.login.terminal import Terminal
from standins.mtproto.server import MtprotoStandIn

PHONE = "+1 555 0100"
API_HASH = "0123456789abcdef0123456789abcdef"
KEYS = ["7", API_HASH]


@pytest.fixture
def telegram() -> Iterator[MtprotoStandIn]:
    with MtprotoStandIn() as server:
        rsa.add_key(server.public_key, old=False)
        yield server


class Person:
    """Gives prepared answers, then hangs up; `seen` are the lines that were shown, `asked` the questions."""

    def __init__(self, *answers: str) -> None:
        self._answers = list(answers)
        self.seen: list[str] = []
        self.asked: list[str] = []

    @property
    def terminal(self) -> Terminal:
        return Terminal(self._answer, self._answer, self.show)

    def show(self, text: str) -> None:
        self.seen.append(text)

    def _answer(self, question: str) -> str:
        self.asked.append(question)
        if not self._answers:
            raise EOFError
        return self._answers.pop(0)


class PersonWithPhone(Person):
    """Scans the first QR code that is shown."""

    def __init__(self, telegram: MtprotoStandIn, *answers: str) -> None:
        super().__init__(*answers)
        self._telegram = telegram

    def show(self, text: str) -> None:
        super().show(text)
        if link := re.search(r"tg://login\?token=\S+", text):
            threading.Timer(0.1, self._telegram.scan, [link[0]]).start()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / ".env").write_text("AUTH_PASSWORD=secret\n#TG_API_ID=\n")
    return tmp_path


def place(folder: Path, **environ: str) -> Place:
    return Place.of(folder, environ)


def logged_in(telegram: MtprotoStandIn, folder: Path, person: Person) -> int:
    return commands.login(place(folder), person.terminal, telegram.session_string(logged_in=False))


def test_phone_and_code_log_in_and_everything_is_kept(telegram: MtprotoStandIn, folder: Path) -> None:
    channel = telegram.channel("News\x1b[2J")
    telegram.channel("Talk", megagroup=True, username="talk")
    telegram.channel("Kept", noforwards=True, username="kept")
    person = Person(*KEYS, PHONE, telegram.logins.code)

    assert logged_in(telegram, folder, person) == 0

    session = folder / "telegram.session"
    for written in (session, folder / ".env"):
        assert stat.S_IMODE(written.stat().st_mode) == 0o600
    assert (folder / ".env").read_text() == (f"AUTH_PASSWORD=secret\nTG_API_ID=7\n\nTG_API_HASH={API_HASH}\n")
    shown = "\n".join(person.seen)
    assert f"https://t.me/c/{channel.id}  News[2J (channel)" in shown
    assert "https://t.me/talk  Talk (group)\n" in shown
    assert "https://t.me/kept  Kept (channel; its owner forbids saving: not forwarded)" in shown
    for secret in (session.read_text().strip(), API_HASH, telegram.logins.code):
        assert secret not in shown


def test_a_second_login_asks_for_no_keys(telegram: MtprotoStandIn, folder: Path) -> None:
    assert logged_in(telegram, folder, Person(*KEYS, PHONE, telegram.logins.code)) == 0
    person = Person(PHONE, telegram.logins.code)
    assert logged_in(telegram, folder, person) == 0
    assert not [question for question in person.asked if "API" in question]


def test_a_wrong_code_is_asked_for_again(telegram: MtprotoStandIn, folder: Path) -> None:
    person = Person(*KEYS, PHONE, "00000", telegram.logins.code)
    assert logged_in(telegram, folder, person) == 0
    assert "That is not the code." in person.seen


def test_a_wrong_password_is_asked_for_again(telegram: MtprotoStandIn, folder: Path) -> None:
    telegram.logins.password = "correct horse"
    person = Person(*KEYS, PHONE, telegram.logins.code, "wrong", "correct horse")
    assert logged_in(telegram, folder, person) == 0
    assert "That is not the password." in person.seen
    assert "correct horse" not in "".join(person.seen)


def test_a_wrong_number_is_asked_for_again(telegram: MtprotoStandIn, folder: Path) -> None:
    person = Person(*KEYS, "+1 555 0199", PHONE, telegram.logins.code)
    assert logged_in(telegram, folder, person) == 0
    assert "Telegram knows no such number: write + and the country code." in person.seen


def test_what_is_no_number_is_asked_for_again(telegram: MtprotoStandIn, folder: Path) -> None:
    person = Person(*KEYS, "me", PHONE, telegram.logins.code)
    assert logged_in(telegram, folder, person) == 0
    assert "Telegram knows no such number: write + and the country code." in person.seen


def test_what_nobody_foresaw_is_one_line(telegram: MtprotoStandIn, folder: Path) -> None:
    class Odd(Person):
        def _answer(self, question: str) -> str:
            raise ZeroDivisionError(API_HASH)

    person = Odd()
    assert logged_in(telegram, folder, person) == 1
    assert re.fullmatch(r"It did not work: ZeroDivisionError at .*", person.seen[-1])
    assert API_HASH not in person.seen[-1]


@pytest.mark.parametrize("step", ["auth.sendCode", "auth.signIn", "auth.exportLoginToken"])
def test_telegram_that_falls_silent_is_one_line(
    telegram: MtprotoStandIn, folder: Path, step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "SECONDS", 0.5)
    telegram.delay(step, 60)
    person = Person(*KEYS, "" if "Token" in step else PHONE, telegram.logins.code)
    assert logged_in(telegram, folder, person) == 1
    assert person.seen[-1] == "It did not work: Telegram does not answer"
    telegram.heal()


def test_a_flood_wait_is_one_line_and_another_try(telegram: MtprotoStandIn, folder: Path) -> None:
    telegram.fail("auth.signIn", "FLOOD_WAIT_20")
    person = Person(*KEYS, PHONE, telegram.logins.code)
    logged_in(telegram, folder, person)
    assert "Too many tries: Telegram wants you to wait 20 s before the next one." in person.seen
    assert person.asked[-1].startswith("Code")


def test_keys_that_telegram_does_not_know_are_asked_for_again(telegram: MtprotoStandIn, folder: Path) -> None:
    telegram.fail("auth.sendCode", "API_ID_INVALID")
    person = Person(*KEYS, PHONE, *KEYS, PHONE, telegram.logins.code)
    assert logged_in(telegram, folder, person) == 0
    assert "Telegram knows no application with this API id and hash." in person.seen


def test_keys_of_another_form_are_asked_for_again(telegram: MtprotoStandIn, folder: Path) -> None:
    person = Person("seven", "7", "short", API_HASH, PHONE, telegram.logins.code)
    assert logged_in(telegram, folder, person) == 0


@pytest.mark.parametrize("password", [None, "correct horse"])
def test_a_qr_code_logs_in(
    telegram: MtprotoStandIn, folder: Path, password: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(__import__("sys").modules, "qrcode", None)  # so that the link itself is shown
    telegram.logins.password = password
    person = PersonWithPhone(telegram, *KEYS, "", *filter(None, [password]))
    assert logged_in(telegram, folder, person) == 0
    assert (folder / "telegram.session").exists()


def test_who_hangs_up_has_changed_nothing(telegram: MtprotoStandIn, folder: Path) -> None:
    before = (folder / ".env").read_text()
    assert logged_in(telegram, folder, Person(*KEYS, PHONE)) == 130
    assert not (folder / "telegram.session").exists()
    assert (folder / ".env").read_text() == before


def test_without_an_env_file_it_says_what_to_set(telegram: MtprotoStandIn, tmp_path: Path) -> None:
    person = Person(*KEYS, PHONE, telegram.logins.code)
    assert logged_in(telegram, tmp_path, person) == 0
    assert f"TG_API_ID=7 TG_API_HASH={API_HASH}" in "".join(person.seen)
    assert not (tmp_path / ".env").exists()


def test_the_session_goes_to_the_data_folder(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("DATA_DIR=data\nTG_API_ID=8\nTG_API_HASH=abc\n")
    found = place(tmp_path)
    assert found.session_file == tmp_path / "data" / "telegram.session"
    assert place(tmp_path, DATA_DIR="/elsewhere").session_file == Path("/elsewhere/telegram.session")
    assert found.keys
    assert found.keys.api_id == 8


def test_logging_out_ends_the_session_and_deletes_its_file(telegram: MtprotoStandIn, folder: Path) -> None:
    logged_in(telegram, folder, Person(*KEYS, PHONE, telegram.logins.code))
    person = Person()
    assert commands.logout(place(folder), person.terminal) == 0
    assert telegram.count("auth.logOut") == 1
    assert not (folder / "telegram.session").exists()
    assert person.seen[0].startswith("Logged out")


@pytest.mark.parametrize("error", ["SESSION_REVOKED", "AUTH_KEY_DUPLICATED"])
def test_logging_out_of_an_ended_session_deletes_its_file(
    telegram: MtprotoStandIn, folder: Path, error: str
) -> None:
    logged_in(telegram, folder, Person(*KEYS, PHONE, telegram.logins.code))
    telegram.revoke(error)
    person = Person()
    assert commands.logout(place(folder), person.terminal) == 0
    assert not (folder / "telegram.session").exists()
    assert "telegram.session is deleted" in person.seen[0]


def test_logging_out_without_a_login_says_so(tmp_path: Path) -> None:
    person = Person()
    assert commands.logout(place(tmp_path), person.terminal) == 1
    assert "log in with `make account`" in person.seen[0]
