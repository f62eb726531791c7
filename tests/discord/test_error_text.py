"""Refusals as an operator reads them: one clause, nothing twice, and never without words."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.discord.responses import LONGEST_TEXT, clause, describe


def described(status: int, raw: bytes) -> str:
    try:
        body = json.loads(raw)
    except ValueError:
        body = None
    return describe(status, body if isinstance(body, dict) else {}, raw)


NGINX = (
    b"<html>\r\n<head><title>405 Not Allowed</title></head>\r\n<body>\r\n<center><h1>405 Not Allowed</h1>"
    b"</center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n"
)


@pytest.mark.parametrize(
    ("status", "raw", "text"),
    [
        (405, b"", "405 Method Not Allowed"),
        (405, b"{}", "405 Method Not Allowed"),
        (405, b"405", "405 Method Not Allowed"),
        (405, b"...", "405 Method Not Allowed"),
        (405, b'{"message": "405: Method Not Allowed", "code": 0}', "405 Method Not Allowed"),
        (405, NGINX, "405 Not Allowed nginx"),
        (502, b"HTTP/1.1 502 Bad Gateway", "502 Bad Gateway"),
        (429, b"error code: 1015", "429 error code: 1015"),
        (404, b'{"message": "Unknown Webhook", "code": 10015}', "404 Unknown Webhook (code 10015)"),
        (400, b'{"message": "The thread is full."}', "400 The thread is full"),
        (400, b'{"message": null, "code": 50035}', "400 (code 50035)"),
        (404, b"Go away.\n\nNow.", "404 Go away. Now"),
        (599, b"", "599"),
        (404, b"4040 ways", "404 4040 ways"),
    ],
)
def test_description_says_each_thing_once_and_ends_no_sentence(status: int, raw: bytes, text: str) -> None:
    assert described(status, raw) == text


@given(st.integers(100, 599), st.one_of(st.binary(max_size=400), st.text(max_size=400).map(str.encode)))
def test_any_body_becomes_one_short_line(status: int, raw: bytes) -> None:
    text = described(status, raw)
    assert text.startswith(str(status))
    assert text == clause(text)
    assert len(text) <= LONGEST_TEXT
    assert len(text.splitlines()) == 1


def test_fields_errors_are_kept_in_the_description() -> None:
    errors = {"content": {"_errors": [{"code": "LONG", "message": "Must be shorter."}]}}
    text = describe(400, {"message": "Invalid Form Body.", "code": 50035, "errors": errors}, b"")
    assert text.startswith('400 Invalid Form Body (code 50035) {"content"')
