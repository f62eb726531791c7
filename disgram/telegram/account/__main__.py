"""`python -m disgram.telegram.account serve`: the account's process, which the service starts."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec

EXIT_REFUSED = 2


def main(words: Sequence[str]) -> int:
    """Returns the exit code."""
    if find_spec("telethon") is None:  # an account is optional
        print("The packages of requirements-account.txt are not installed: `make account`", file=sys.stderr)
        return EXIT_REFUSED
    if list(words) == ["serve"]:
        from disgram.telegram.account.process.serve import serve

        return serve()
    print("usage: python -m disgram.telegram.account serve", file=sys.stderr)
    return EXIT_REFUSED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
