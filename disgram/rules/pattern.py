"""A regular expression that a person wrote for a job.

Owns what is accepted and how it is searched. RE2 (the package google-re2) takes time linear in the text
whatever the expression, so no channel and no configuration can stop a worker; that is why it has no
look-around and no back-references. It is imported only where a job has an expression (2.5 MB).
"""

from __future__ import annotations

from typing import Any

from disgram.addresses import without_token
from disgram.errors import BadInput

MOST_CHARACTERS = 1000
"""Of an expression. An alternative of a hundred words fits."""

MATCH_BYTES = 1 << 20
"""Memory for one compiled expression and its search; RE2's own default is 8 MiB."""


class Pattern:
    """Searched anywhere in a text, upper and lower case alike. Raises BadInput, which names `header`."""

    def __init__(self, header: str, text: str) -> None:
        if len(text) > MOST_CHARACTERS:
            raise BadInput(
                f"Invalid {header}", f"A regular expression has at most {MOST_CHARACTERS} characters."
            )
        self._compiled = _compiled(header, text)

    def found_in(self, text: str) -> bool:
        sound = text.encode("utf-8", "replace").decode("utf-8")  # half a surrogate pair is no text for RE2
        return self._compiled.search(sound) is not None


def _compiled(header: str, text: str) -> Any:
    import re2  # type: ignore[import-untyped]  # see above

    options = re2.Options()
    options.case_sensitive = False
    options.log_errors = False
    options.max_mem = MATCH_BYTES
    try:
        return re2.compile(text, options)
    except (re2.error, UnicodeEncodeError) as error:
        raise BadInput(f"Invalid {header}", f"{_explained(text, error)} {_SYNTAX}") from None


_SYNTAX = "The syntax is that of RE2 (as in Go): no look-around, no back-references."


def _explained(text: str, error: Exception) -> str:
    """RE2 says what is wrong and quotes the place: b'missing ]: [a'."""
    said = error.args[0] if error.args else b""
    words = said.decode("utf-8", "replace") if isinstance(said, bytes) else "not valid text"
    what, _, place = words.partition(": ")
    at = text.find(place) if place else -1
    where = f" at character {at + 1}, {without_token(place)!r}" if at >= 0 else ""
    return f"The regular expression is wrong: {what}{where}."
