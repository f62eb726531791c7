"""Reading the API's request headers and query values."""

from __future__ import annotations

import pytest

from disgram.api.headers import DEFAULT_LINES, headers_of, log_query, needed, post_id
from disgram.errors import BadInput
from disgram.report import Level


def test_header_names_in_any_case_with_dashes_or_underscores() -> None:
    raw = [(b"job-Name", " a б ".encode()), (b"EMBED_COLOR", b""), (b"X-Other", b"\xff")]
    assert headers_of(raw) == {"JOB_NAME": "a б", "EMBED_COLOR": ""}


@pytest.mark.parametrize(
    ("raw", "error"),
    [
        ([(b"JOB_NAME", b"a"), (b"Job-Name", b"a")], "Repeated JOB_NAME"),
        ([(b"JOB_NAME", b"caf\xe9")], "Invalid JOB_NAME"),
    ],
)
def test_repeated_and_non_utf8_headers_are_refused(raw: list[tuple[bytes, bytes]], error: str) -> None:
    with pytest.raises(BadInput) as refusal:
        headers_of(raw)
    assert refusal.value.error == error


def test_missing_and_empty_headers_are_refused_by_name() -> None:
    assert needed({"JOB_NAME": "a"}, "JOB_NAME") == "a"
    for headers in ({}, {"JOB_NAME": ""}):
        with pytest.raises(BadInput, match="Send the header JOB_NAME"):
            needed(headers, "JOB_NAME")


def test_post_id_is_a_positive_number() -> None:
    assert [post_id({}), post_id({"POST_ID": ""}), post_id({"POST_ID": "12"})] == [None, None, 12]
    for value in ("0", "x", "-1", "٣", "1" * 11):
        with pytest.raises(BadInput):
            post_id({"POST_ID": value})


def test_log_query_has_defaults() -> None:
    assert log_query("") == (DEFAULT_LINES, ())
    assert log_query("lines=5&level=ERROR&other=1") == (5, (Level.ERROR,))


def test_log_query_takes_several_levels_in_any_case() -> None:
    assert log_query("level=status,%20Error") == (DEFAULT_LINES, (Level.ERROR, Level.STATUS))
