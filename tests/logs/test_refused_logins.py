"""Thousands of refused logins are a few lines of the log."""

from __future__ import annotations

from disgram.errors import NotAuthenticated, TooManyFailures, WrongToken
from disgram.logs.refused_logins import MAX_LINES, RefusedLogins


def test_first_refusals_are_written_one_by_one_and_the_others_summed_up() -> None:
    written: list[str] = []
    refused = RefusedLogins(written.append)
    for _ in range(1000):
        refused.add("192.0.2.1", NotAuthenticated())
    refused.add("192.0.2.2", WrongToken())
    assert written == ["Login refused for 192.0.2.1: Authentication required"] * MAX_LINES
    refused.close()
    assert written[MAX_LINES:] == [
        "971 more logins were refused within 60 s, for 192.0.2.1 (970), 192.0.2.2 (1)"
    ]


def test_client_that_has_to_wait_is_only_counted() -> None:
    written: list[str] = []
    refused = RefusedLogins(written.append)
    for number in range(5):
        refused.add(f"192.0.2.{number}", TooManyFailures("", retry_after=1))
    assert written == []
    refused.close()
    assert written[0].startswith("5 more logins")
    assert written[0].endswith("2 more addresses")


def test_next_minute_starts_with_lines_again() -> None:
    written: list[str] = []
    refused = RefusedLogins(written.append)
    for _ in range(2):
        refused.add("192.0.2.1", WrongToken())
        refused.close()
    assert written == ["Login refused for 192.0.2.1: Wrong token"] * 2
