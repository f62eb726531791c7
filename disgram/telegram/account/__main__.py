"""`python -m disgram.telegram.account login` and `logout`, for people; `serve` is what the service starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

EXIT_REFUSED = 2
MISSING = (
    "The account's packages are not installed: `make account`, or `pip install -r requirements-account.txt`"
)
CODE = Path(__file__).resolve().parents[3]


def main(words: Sequence[str]) -> int:
    """Returns the exit code."""
    if find_spec("telethon") is None:  # an account is optional
        print(MISSING, file=sys.stderr)
        return EXIT_REFUSED
    if list(words) == ["serve"]:
        from disgram.telegram.account.process.serve import serve

        return serve()
    if list(words) in (["login"], ["logout"]):
        return _by_hand(words[0])
    print("usage: python -m disgram.telegram.account login | logout", file=sys.stderr)
    return EXIT_REFUSED


def _by_hand(command: str) -> int:
    from disgram.telegram.account.login import commands
    from disgram.telegram.account.login.files import Place
    from disgram.telegram.account.login.terminal import Terminal

    place = Place.of(CODE, os.environ)
    run = commands.login if command == "login" else commands.logout
    return run(place, Terminal())


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
