"""A build machine must not pass for want of a program."""

from __future__ import annotations

import pytest

from tests.integration.programs import program

ABSENT = "a-program-nobody-has"


def test_a_person_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=ABSENT):
        program(ABSENT)


def test_a_build_machine_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="CI must not skip"):
        program(ABSENT)
    with pytest.raises(pytest.skip.Exception):
        program(ABSENT, always_in_ci=False)
