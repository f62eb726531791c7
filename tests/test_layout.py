"""The architecture, checked: imports run from the root down, never back, never in a circle."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
APPLICATION = {path.stem for path in ROOT.glob("*.py")}
MACHINERY = sorted((ROOT / "disgram").rglob("*.py"))


def name_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def imported(path: Path) -> Iterator[str]:
    """The modules a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@pytest.mark.parametrize("path", MACHINERY, ids=name_of)
def test_the_machinery_knows_nothing_of_the_application(path: Path) -> None:
    known = {name.partition(".")[0] for name in imported(path)}
    assert not known & (APPLICATION | {"demo", "tests", "bench"})


def test_inside_the_machinery_imports_run_only_downwards() -> None:
    modules = {name_of(path): path for path in MACHINERY}
    graph = {name: set(imported(path)) & set(modules) - {name} for name, path in modules.items()}
    for name, used in graph.items():  # `from package import module` asks for the module, not for its package
        used -= {package for package in used if any(other.startswith(f"{package}.") for other in used)}
        graph[name] = used
    assert list(TopologicalSorter(graph).static_order())  # raises CycleError


def test_every_module_says_what_it_owns() -> None:
    for path in [*ROOT.glob("*.py"), *MACHINERY]:
        docstring = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
        assert len(docstring) > 60, path


def test_a_worker_is_light_and_its_import_has_no_effects() -> None:
    """What the template imports a thousand workers share; the API's libraries stay out of it."""
    probe = (
        "import sys, threading, os, webhook, threadhook\n"
        "heavy = {'fastapi', 'uvicorn', 'pydantic', 'psutil', 'starlette', 'config', 'dotenv'}\n"
        "print(sorted(heavy & set(sys.modules)), threading.active_count(), sorted(os.listdir('/dev/fd')))"
    )
    alone = [sys.executable, "-c", "import os; print(sorted(os.listdir('/dev/fd')))"]
    before = subprocess.run(alone, capture_output=True, text=True, check=True, cwd=ROOT).stdout.strip()
    after = subprocess.run(
        [sys.executable, "-c", probe], capture_output=True, text=True, check=True, cwd=ROOT
    )
    assert after.stdout.strip() == f"[] 1 {before}"
