"""What the README and .env.example say of settings, endpoints and reasons is what the code has."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from dotenv import dotenv_values

import config
from disgram import errors
from disgram.health.sentences import SENTENCES
from disgram.workers import lifecycle
from main import app

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text("utf-8")
EXAMPLE = (ROOT / ".env.example").read_text("utf-8")
ROW = re.compile(r"^\| (?P<first>.+?) \| (?P<second>.*?) \| (?P<rest>.+) \|$", re.MULTILINE)


def settings() -> set[str]:
    return {name.upper() for name in config.Settings.model_fields}


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## )", README, re.MULTILINE | re.DOTALL)
    assert found
    return found[1]


def table(text: str) -> dict[str, str]:
    """Code words of the first column -> the second column."""
    return {
        name: row["second"]
        for row in ROW.finditer(text)
        for name in re.findall(r"`([^`]+)`", row["first"])
    }  # fmt: skip


def example(folder: Path) -> dict[str, str]:
    """.env.example with every line in force."""
    path = folder / "env"
    path.write_text(re.sub(r"^#(?=[A-Z_]+=)", "", EXAMPLE, flags=re.MULTILINE), "utf-8")
    return {name: value or "" for name, value in dotenv_values(path).items()}


def test_every_setting_is_documented_and_no_other(tmp_path: Path) -> None:
    assert set(table(section("Configuration"))) == settings()
    assert set(example(tmp_path)) == settings()


def test_the_table_holds_the_defaults(tmp_path: Path) -> None:
    shown = table(section("Configuration"))
    for name, value in example(tmp_path).items():
        assert shown[name] == (f"`{value}`" if value else shown[name]), name
        assert value or shown[name].startswith("none"), name


def test_every_endpoint_is_documented_and_no_other() -> None:
    documented = {cell for cell in table(section("The API")) if re.match(r"[A-Z]+ /", cell)}
    served = {
        f"{method.upper()} {path}"
        for path, operations in app.openapi()["paths"].items()
        for method in operations
    }
    assert documented == served | {"GET /dashboard", "GET /docs", "GET /redoc", "GET /openapi.json"}


def reasons() -> set[str]:
    """Every word /health may show, as far as the source names them."""
    source = "".join(path.read_text("utf-8") for path in (ROOT / "disgram").rglob("*.py"))
    named = set(re.findall(r"reason(?:: str)? ?= ?\"([a-z_]+)\"", source))
    ends = {lifecycle.reason_of_exit(code) for code in (0, 1, -9)}
    threads = set(re.findall(r"\d+: \"((?:thread|not_a)_[a-z]+)\"", source))
    return named | ends | threads | {"stale", "failed"}


def test_every_reason_is_explained_and_no_other() -> None:
    explained = table(section("When something is wrong"))
    assert {word for word in explained if re.fullmatch(r"[a-z_]+", word)} - {"reason"} == set(SENTENCES)


def test_every_reason_that_the_source_names_has_its_sentence() -> None:
    assert reasons() <= set(SENTENCES)
    assert errors.DiscordUnavailable.reason in reasons()


@pytest.mark.parametrize(
    "path", sorted(set(re.findall(r"`((?:disgram|demo|tests|deploy)/[\w./*]*)`", README)))
)
def test_every_path_exists(path: str) -> None:
    assert list(ROOT.glob(path.rstrip("/")))


@pytest.mark.parametrize("link", sorted(set(re.findall(r"\]\(((?!http)[^)#]+)\)", README))))
def test_every_link_leads_somewhere(link: str) -> None:
    assert (ROOT / link).exists()


def test_make_alone_lists_every_target() -> None:
    done = subprocess.run(
        ["/usr/bin/env", "make"], cwd=ROOT, capture_output=True, text=True, timeout=30, check=True
    )
    targets = re.search(r"^\.PHONY: (.*)$", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
    assert targets
    listed = re.findall(r"^  make ([a-z]+) +\S", done.stdout, re.MULTILINE)
    assert sorted(listed) == sorted(targets[1].split())


def test_every_make_target_exists() -> None:
    makefile = (ROOT / "Makefile").read_text("utf-8")
    for target in re.findall(r"`make ([a-z]+)`", README):
        assert re.search(rf"^{target}:", makefile, re.MULTILINE), target
