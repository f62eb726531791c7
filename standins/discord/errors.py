"""How Discord says no: error bodies, their codes, and the tree of a bad form.

Owns those words (discord.com/developers: Opcodes and Status Codes; Reference, Error Messages). Never
decides when to say them.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer. `errors` are the leaves of the tree: (path, code, message)."""

    status: int
    code: int
    message: str
    errors: tuple[tuple[Path, str, str], ...] = ()

    def body(self, *, version: int = 10) -> dict[str, Any]:
        """As JSON. Until v7 form errors were a flat object without code (Reference, API Versions)."""
        if version < 8 and self.errors:
            return _flat(self.errors)
        whole: dict[str, Any] = {"message": self.message, "code": self.code}
        return whole | {"errors": _tree(self.errors)} if self.errors else whole

    def __str__(self) -> str:
        leaves = "; ".join(f"{'.'.join(path)}: {code}: {words}" for path, code, words in self.errors)
        return f"{self.status}/{self.code} {self.message}" + (f" ({leaves})" if leaves else "")


def _tree(errors: Iterable[tuple[Path, str, str]]) -> dict[str, Any]:
    tree: dict[str, Any] = {}
    for path, code, message in errors:
        node = tree
        for step in path:
            node = node.setdefault(step, {})
        node.setdefault("_errors", []).append({"code": code, "message": message})
    return tree


def _flat(errors: Iterable[tuple[Path, str, str]]) -> dict[str, Any]:
    flat: dict[str, list[str]] = {}
    for path, _, message in errors:
        flat.setdefault(path[0], []).append(path[1] if len(path) > 1 else message)
    return flat


class Refuse(Exception):
    """Unwinds to the answer. `body` is the payload as far as it was readable."""

    def __init__(self, refusal: Refusal, body: Any = None) -> None:
        super().__init__(str(refusal))
        self.refusal, self.body = refusal, body


EMPTY = Refusal(400, 50006, "Cannot send an empty message")
TOO_LARGE = Refusal(413, 40005, "Request entity too large")
TOO_MANY_FILES = Refusal(400, 30015, "Maximum number of attachments in a message reached (10)")
BAD_JSON = Refusal(400, 50109, "The request body contains invalid JSON.")
INTERNAL = Refusal(500, 0, "500: Internal Server Error")
UNKNOWN_WEBHOOK = Refusal(404, 10015, "Unknown Webhook")
BAD_TOKEN = Refusal(401, 50027, "Invalid Webhook Token")
UNKNOWN_CHANNEL = Refusal(404, 10003, "Unknown Channel")
UNKNOWN_MESSAGE = Refusal(404, 10008, "Unknown Message")
ARCHIVED = Refusal(400, 50083, "Thread is archived")
LOCKED = Refusal(400, 160005, "Thread is locked")
BAD_VERSION = Refusal(400, 50041, "Invalid API version provided")
NEEDS_THREAD = Refusal(400, 220001, "Webhooks posted to forum channels must have a thread_name or thread_id")
ONE_THREAD = Refusal(
    400, 220002, "Webhooks posted to forum channels cannot have both a thread_name and thread_id"
)
NO_FORUM = Refusal(400, 220003, "Webhooks can only create threads in forum channels")


def bad_form(*errors: tuple[Path, str, str]) -> Refusal:
    """The answer to a body whose fields are wrong."""
    return Refusal(400, 50035, "Invalid Form Body", errors)
