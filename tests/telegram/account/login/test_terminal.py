"""How a QR code looks in a terminal."""

from __future__ import annotations

import pytest

from disgram.telegram.account.login.terminal import drawn, printable

LINK = "tg://login?token=AAAAAAAAAAAAAAAAAAAAAA"
DARK = {" ": (True, True), "▄": (True, False), "▀": (False, True), "█": (False, False)}


def test_a_drawn_code_has_every_module_of_the_code() -> None:
    qrcode = pytest.importorskip("qrcode")
    code = qrcode.QRCode(border=2)
    code.add_data(LINK)
    code.make()

    lines = (drawn(LINK) or "").split("\n")

    pairs = [[DARK[letter] for letter in line.split("m")[1].split("\x1b")[0]] for line in lines]
    modules = [[pair[half] for pair in row] for row in pairs for half in (0, 1)]
    matrix = code.get_matrix()
    assert modules[: len(matrix)] == matrix
    assert all(line.startswith("\x1b[97;40m") and line.endswith("\x1b[0m") for line in lines)


def test_a_title_cannot_move_the_cursor() -> None:
    assert printable("News\x1b[2J\n\u202eABC") == "News[2JABC"
