"""Regular expressions of a job: what is refused, where the mistake is, and that none takes long."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from disgram.errors import BadInput
from disgram.rules.pattern import MOST_CHARACTERS, Pattern


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("storm(", "missing ) at character 1, 'storm('"),
        ("a[z-b]", "at character 3, 'z-b'"),
        ("ab**", "at character 3, '**'"),
        ("warn(?<=x)", "at character 5, '(?<='"),
        (r"(a)\1", r"at character 4, '\\1'"),
        ("a{2000}", "at character 2, '{2000}'"),
        ("a\\", "trailing \\"),
        ("\ud800", "not valid text"),
    ],
)
def test_a_wrong_expression_is_refused_with_the_place(text: str, place: str) -> None:
    with pytest.raises(BadInput) as refused:
        Pattern("INCLUDE", text)
    assert refused.value.error == "Invalid INCLUDE"
    message = str(refused.value)
    assert place in message


def test_an_expression_has_a_longest_length() -> None:
    assert Pattern("INCLUDE", "a" * MOST_CHARACTERS).found_in("a" * MOST_CHARACTERS)
    with pytest.raises(BadInput):
        Pattern("INCLUDE", "a" * (MOST_CHARACTERS + 1))


@given(st.text(max_size=60))
def test_any_text_is_an_expression_or_bad_input(text: str) -> None:
    try:
        found = Pattern("EXCLUDE", text).found_in(text)
    except BadInput as refused:
        assert str(refused)
    else:
        assert found in {True, False}


@pytest.mark.parametrize("text", [r"(a+)+$", r"(a|aa)*b", r"(.*)*x.*y.*z", r"(a?){30}a{30}b"])
def test_an_expression_that_explodes_elsewhere_is_answered(text: str) -> None:
    """Python's own `re` needs longer than the universe is old for these; a test that hangs fails."""
    assert not Pattern("INCLUDE", text).found_in("a" * 50_000 + "!")
