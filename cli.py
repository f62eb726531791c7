"""The command `disgram` of the wheel; in a clone, `python cli.py` is the same.

Owns the subcommands and what an installed Disgram does before its first start. Each subcommand runs what
the README starts by hand: main.py, the demo, the replay. Importing it imports nothing else, since the first
process of a container must stay small.
"""

from __future__ import annotations

import argparse
import os
import runpy
import sys
from collections.abc import Sequence
from pathlib import Path

PROJECT = Path(__file__).resolve().parent
EXIT_REFUSED = 2

_COMMANDS = {
    "run": "start the service (what `disgram` alone does)",
    "demo": "show it without an account or a webhook, over stand-ins on this computer",
    "replay": "FILE: print the messages that a saved page of t.me would give",
    "account": "log a Telegram account in, for channels that t.me does not show; `account logout`: out again",
    "check": "one line each: the settings, every webhook and every channel of jobs.json; sends nothing",
    "import-sqlite": "move jobs and progress of DATA_DIR into DATABASE_URL; with --back: out again",
    "health": "one line: how the service on this computer is doing; exit code 1 if it is unhealthy",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; returns the exit code."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if words and words[0] in {"demo", "replay", "account", "import-sqlite"}:  # they read their own options
        command, rest = words[0], words[1:]
    else:
        command, rest = _options(words).command, []
    sys.path.insert(0, str(PROJECT))
    if command == "run":
        return _run()
    if command == "demo":
        return _run_module("demo", rest)
    if command == "replay":
        return _run_module("disgram.replay", rest)
    if command == "account":
        return _account(rest)
    if command == "import-sqlite":
        return _import_sqlite(rest)
    return _check() if command == "check" else _health()


def _options(words: Sequence[str]) -> argparse.Namespace:
    shown = "\n".join(f"  {name:15}{text}" for name, text in _COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="disgram",
        usage="disgram [command]",
        description="Posts of public Telegram channels appear in Discord.",
        epilog=f"commands:\n{shown}\n\n`disgram demo --help` and `disgram replay --help` show their options.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("command", nargs="?", default="run", choices=_COMMANDS, help=argparse.SUPPRESS)
    parser.add_argument("--version", action=_Version, help="show the version and end")
    return parser.parse_args(words)


class _Version(argparse.Action):
    """argparse's own would need the number, and with it an import, in every process."""

    def __init__(self, option_strings: Sequence[str], dest: str, help: str) -> None:
        super().__init__(option_strings, dest, nargs=0, help=help)

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        sys.path.insert(0, str(PROJECT))
        from disgram import __version__

        print(f"disgram {__version__}")
        parser.exit()


def _run() -> int:
    """The service, as `python main.py` starts it."""
    try:
        _prepare_home()
    except (OSError, RuntimeError) as error:
        print(f"disgram: {error}", file=sys.stderr, flush=True)
        return EXIT_REFUSED
    runpy.run_path(str(PROJECT / "main.py"), run_name="__main__")
    return 0


def _prepare_home() -> None:
    """The folder of `.env`, and in it a first password, unless the environment has one."""
    from disgram import first_run
    from disgram.home import home

    folder = home(PROJECT, os.environ)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not os.environ.get("AUTH_PASSWORD", "").strip():
        first_run.write_first_env(PROJECT / ".env.example", folder / ".env")
    first_run.keep_jobs_out_of_commits(PROJECT)


def _account(rest: Sequence[str]) -> int:
    """The login keeps the API keys in `.env`, which is made first."""
    try:
        _prepare_home()
    except (OSError, RuntimeError) as error:
        print(f"disgram: {error}", file=sys.stderr, flush=True)
        return EXIT_REFUSED
    return _run_module("disgram.telegram.account", rest or ["login"])


def _check() -> int:
    import check  # only here: it reads the environment

    return check.main()


def _import_sqlite(rest: Sequence[str]) -> int:
    import import_sqlite  # only here: it reads the environment

    return import_sqlite.main(rest)


def _health() -> int:
    import healthcheck  # only here: it reads the environment

    return healthcheck.main()


def _run_module(name: str, arguments: Sequence[str]) -> int:
    """As `python -m name` would."""
    sys.argv = [name, *arguments]
    runpy.run_module(name, run_name="__main__", alter_sys=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
