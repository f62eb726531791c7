"""The architecture, checked: which room may import which, and that no room grows without a second one.

A rule here is a row of data. A new room is a row in MAY_IMPORT; whoever needs one more arrow adds a word to a
row, and whoever reads the change sees it.
"""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator, Mapping
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPLICATION_FOLDERS = ("routes", "commands")
IN_FOLDERS = sorted(path for name in APPLICATION_FOLDERS for path in (ROOT / name).glob("*.py"))
APPLICATION = {path.stem for path in ROOT.glob("*.py")} | {*APPLICATION_FOLDERS}
PRODUCT = sorted((ROOT / "disgram").rglob("*.py"))
SUPPORT = {
    top: sorted((ROOT / top).rglob("*.py"))
    for top in ("standins", "demo", "bench", "tests")
    if (ROOT / top).is_dir()
}

GROUND = frozenset(
    {
        "errors",
        "addresses",
        "cooldown",
        "origin",
        "post",
        "report",
        "backoff",
        "descriptors",
        "traffic",
        "pipes",
    }
)
"""Modules of `disgram/` itself that any room may import, as far as the circle test lets it."""

MAY_IMPORT: Mapping[str, frozenset[str]] = {
    "http": frozenset(),
    "storage": frozenset(),
    "logs": frozenset(),
    "postgres": frozenset({"storage"}),
    "rules": frozenset(),
    "telegram": frozenset({"http", "storage"}),
    "discord": frozenset({"http", "storage"}),
    "workers": frozenset({"http", "rules", "storage"}),
    "delivery": frozenset({"rules", "telegram", "discord", "storage"}),
    "checks": frozenset({"http", "telegram", "discord", "storage"}),
    "jobs": frozenset({"rules", "discord", "storage"}),
    "hosts": frozenset({"api", "jobs", "workers", "storage", "postgres"}),
    "preview": frozenset({"delivery", "rules", "telegram", "discord", "storage", "workers"}),
    "api": frozenset({"checks", "storage", "workers", "logs"}),
    "health": frozenset({"api", "jobs", "workers", "logs", "storage"}),
    "metrics": frozenset({"health", "workers"}),
    "dashboard": frozenset({"api", "health", "jobs", "workers"}),
    "alerts": frozenset({"health", "discord", "http", "storage"}),
}
"""Room -> the rooms it may import, beside GROUND. `telegram` and `discord` never see each other."""

NEVER_HTTP = ("storage", "logs", "workers")
"""Rooms that speak to no other machine; but the warm-up of workers runs their requests."""

MAY_IMPORT_TELETHON = tuple(f"disgram.telegram.account.{room}." for room in ("message", "process", "login"))
"""Only the account's process loads these: Telethon costs 38 MB, which no worker is to carry."""

KNOWS_NOTHING_OF: Mapping[str, frozenset[str]] = {
    "standins": frozenset({"tests", "bench", "demo", "disgram"} | APPLICATION),
    "demo": frozenset({"tests", "bench"}),
    "bench": frozenset({"tests", "demo"}),
    "tests": frozenset({"bench"}),
}
"""Support code -> what it must not import. Stand-ins are written against the services, not against us."""

TELETHON_ONLY_IN = (
    "standins/mtproto/", "tests/standins/test_mtproto", "tests/telegram/account/",
    "disgram/telegram/account/message/", "disgram/telegram/account/process/",
    "disgram/telegram/account/login/",
)  # fmt: skip
"""Who may import Telethon, which weighs 38 MB and need not be installed."""

MOST_MODULES = 15
MOST_LINES = 330


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """The modules a file imports, wherever in it but in the block that runs when it is started itself."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not ast.unparse(node).startswith("if __name__ == '__main__'")]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def rooms_imported(path: Path) -> set[str]:
    """The second parts of `disgram.…` names."""
    parts = [name.split(".") for name in imported(path)]
    return {names[1] for names in parts if names[0] == "disgram" and len(names) > 1}


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_disgram_imports_neither_the_root_nor_support_code(path: Path) -> None:
    known = {name.partition(".")[0] for name in imported(path)}
    assert not known & (APPLICATION | set(SUPPORT))


def test_every_room_has_its_rule() -> None:
    rooms = {path.parent.name for path in (ROOT / "disgram").glob("*/__init__.py")}
    assert rooms - GROUND == set(MAY_IMPORT)


@pytest.mark.parametrize("room", MAY_IMPORT)
def test_a_room_imports_only_the_rooms_below_it(room: str) -> None:
    for path in (ROOT / "disgram" / room).rglob("*.py"):
        upwards = rooms_imported(path) & set(MAY_IMPORT) - MAY_IMPORT[room] - {room}
        assert not upwards, f"{name_of(path)} imports {upwards}"


@pytest.mark.parametrize("module", sorted(GROUND))
def test_the_ground_imports_no_room(module: str) -> None:
    paths = [path for path in PRODUCT if f"{name_of(path)}.".startswith(f"disgram.{module}.")]
    assert paths
    assert not [path for path in paths if rooms_imported(path) & set(MAY_IMPORT)]


@pytest.mark.parametrize("room", NEVER_HTTP)
def test_a_room_without_a_network_imports_no_http(room: str) -> None:
    users = [
        path.name
        for path in (ROOT / "disgram" / room).rglob("*.py")
        if "http" in rooms_imported(path) or "requests" in {name.partition(".")[0] for name in imported(path)}
    ]
    assert users in ([], ["warmup.py"])


DRIVER = {"psycopg", "psycopg_pool"}
"""Of PostgreSQL. Only a service with DATABASE_URL loads it, so only one room may import it, and no worker."""


def test_only_the_room_postgres_imports_the_driver() -> None:
    users = [
        name_of(path)
        for path in [*PRODUCT, *IN_FOLDERS, *ROOT.glob("*.py")]
        if DRIVER & {name.partition(".")[0] for name in imported(path)}
    ]
    assert [name for name in users if not name.startswith("disgram.postgres.")] == []


def test_only_the_accounts_own_modules_import_telethon() -> None:
    users = [
        name_of(path)
        for path in [*PRODUCT, *ROOT.glob("*.py")]
        if "telethon" in {name.partition(".")[0] for name in imported(path)}
    ]
    assert [name for name in users if not name.startswith(MAY_IMPORT_TELETHON)] == []


@pytest.mark.parametrize("top", SUPPORT)
def test_support_code_keeps_to_its_own_side(top: str) -> None:
    for path in SUPPORT[top]:
        known = {name.partition(".")[0] for name in imported(path)}
        assert not known & KNOWS_NOTHING_OF[top] - {top}, path


def test_telethon_is_imported_only_by_what_needs_it() -> None:
    everything = [*PRODUCT, *ROOT.glob("*.py"), *(path for paths in SUPPORT.values() for path in paths)]
    users = {
        path.relative_to(ROOT).as_posix()
        for path in everything
        if "telethon" in path.read_text("utf-8")
        and "telethon" in {name.partition(".")[0] for name in imported(path)}
    }
    assert not {user for user in users if not user.startswith(TELETHON_ONLY_IN)}


def test_no_import_runs_in_a_circle() -> None:
    modules = {name_of(path): path for path in [*PRODUCT, *IN_FOLDERS, *ROOT.glob("*.py")]}
    graph = {name: set(imported(path)) & set(modules) - {name} for name, path in modules.items()}
    for name, used in graph.items():  # `from package import module` asks for the module, not for its package
        used -= {package for package in used if any(other.startswith(f"{package}.") for other in used)}
        graph[name] = used
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError


def test_no_folder_of_code_holds_more_than_one_can_survey() -> None:
    folders = {path.parent for paths in (PRODUCT, IN_FOLDERS, *SUPPORT.values()) for path in paths}
    crowded = {str(folder.relative_to(ROOT)): len(list(folder.glob("*.py"))) for folder in folders | {ROOT}}
    assert not {folder: count for folder, count in crowded.items() if count > MOST_MODULES + 1}  # __init__.py


def test_no_module_of_the_product_has_room_for_a_second_subject() -> None:
    lengths = {
        name_of(path): path.read_text("utf-8").count("\n")
        for path in [*PRODUCT, *IN_FOLDERS, *ROOT.glob("*.py")]
    }
    assert not {name: length for name, length in lengths.items() if length > MOST_LINES}


def test_every_module_says_what_it_owns() -> None:
    for path in [*ROOT.glob("*.py"), *PRODUCT]:
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert len(docstring) > 60, path


def test_a_worker_is_light_and_its_import_has_no_effects() -> None:
    """What the fork server imports a thousand workers share; the API's libraries stay out of it."""
    probe = (
        "import sys, threading, os, webhook, threadhook\n"
        "heavy = {'fastapi', 'uvicorn', 'pydantic', 'psutil', 'starlette', 'config', 'dotenv'}\n"
        "heavy |= {'prometheus_client', 'psycopg', 'disgram.postgres', 'disgram.storage.remote'}\n"
        "print(sorted(heavy & set(sys.modules)), threading.active_count(), sorted(os.listdir('/dev/fd')))"
    )
    alone = [sys.executable, "-c", "import os; print(sorted(os.listdir('/dev/fd')))"]
    before = subprocess.run(alone, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    after = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert after.stdout.strip() == f"[] 1 {before}"
