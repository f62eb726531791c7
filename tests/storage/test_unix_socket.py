"""Sockets in the data directory: whose they are, and what making one leaves alone."""

from __future__ import annotations

import os
import stat
from contextlib import closing
from pathlib import Path

import pytest

from disgram.storage.files.unix_socket import connected, listening_socket


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_socket_is_its_owners_alone_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        with closing(listening_socket(tmp_path / "a.sock")):
            assert mode(tmp_path / "a.sock") == 0o600
    finally:
        os.umask(before)


def test_folder_that_another_thread_makes_meanwhile_has_its_usual_rights(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlink = Path.unlink

    def unlink_while_another_thread_makes_a_folder(path: Path, missing_ok: bool = False) -> None:
        (tmp_path / "made").mkdir(0o700, exist_ok=True)
        unlink(path, missing_ok=missing_ok)

    monkeypatch.setattr(Path, "unlink", unlink_while_another_thread_makes_a_folder)
    with closing(listening_socket(tmp_path / "a.sock")):
        assert mode(tmp_path / "made") == 0o700


def test_socket_in_a_folder_with_a_longer_path_than_sockets_may_have_is_reached(tmp_path: Path) -> None:
    path = tmp_path.joinpath(*["folder" * 6] * 5, "a.sock")
    path.parent.mkdir(parents=True)
    with closing(listening_socket(path)), closing(connected(path, timeout=5)) as asking:
        assert asking.getpeername()
