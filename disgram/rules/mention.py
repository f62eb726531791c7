"""Whom a post pings in Discord: what the job's configuration names, never what a channel wrote.

https://discord.com/developers/docs/resources/message#allowed-mentions-object
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from disgram.errors import BadInput

_ROLE = re.compile(r"(?:<@&)?([0-9]{1,20})>?")
_ALL = ("everyone", "here")
MOST_ROLES = 20


@dataclass(frozen=True, slots=True)
class Mention:
    """Roles by id, or `everyone` or `here`."""

    names: tuple[str, ...]

    @classmethod
    def parse(cls, text: str) -> Mention:
        """`123,456`, `everyone` or `here`; also as Discord writes them (`<@&123>`). Raises BadInput."""
        parts = [part.strip() for part in text.split(",") if part.strip()]
        if len(parts) == 1 and parts[0].lower().removeprefix("@") in _ALL:
            return cls((parts[0].lower().removeprefix("@"),))
        roles = [match[1] for part in parts if (match := _ROLE.fullmatch(part)) and 0 < int(match[1]) < 2**63]
        if not roles or len(roles) != len(parts) or len(roles) > MOST_ROLES:
            raise BadInput(
                "Invalid MENTION",
                f"Name 1 to {MOST_ROLES} role ids (Discord's Copy Role ID gives them), a comma between two, "
                "or everyone, or here.",
            )
        return cls(tuple(dict.fromkeys(roles)))

    def __str__(self) -> str:
        return ",".join(self.names)

    @property
    def everyone(self) -> bool:
        """`everyone` or `here`: Discord tells the two apart by the text alone."""
        return self.names[0] in _ALL

    @property
    def content(self) -> str:
        """The text of the message that pings."""
        return " ".join(f"@{name}" if name in _ALL else f"<@&{name}>" for name in self.names)

    @property
    def allowed(self) -> dict[str, Any]:
        """The message's `allowed_mentions`."""
        if self.everyone:
            return {"parse": ["everyone"]}
        return {"parse": [], "roles": list(self.names)}
