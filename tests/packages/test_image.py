"""The files of the image, as far as they can be judged without building it (.ci/image does that)."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")


@pytest.fixture(scope="module")
def service() -> dict[str, Any]:
    compose = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    (service,) = compose["services"].values()
    assert isinstance(service, dict)
    return service


def test_every_stage_stands_on_the_one_base() -> None:
    assert re.findall(r"^ARG (BASE.*)$", DOCKERFILE, re.M) == ["BASE=python:3.12-slim-bookworm"]
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.M) == ["${BASE}", "${BASE}"]


def test_extras_are_left_out_unless_they_are_asked_for(service: dict[str, Any]) -> None:
    assert re.findall(r"^ARG (EXTRAS.*)$", DOCKERFILE, re.M) == ['EXTRAS=""']
    assert service["build"]["args"] == {"EXTRAS": ""}


def test_nothing_is_downloaded_but_by_pip_and_apt() -> None:
    assert not re.search(r"\b(curl|wget|git|ADD)\b|https?:", DOCKERFILE)


def test_the_build_is_handed_what_the_wheel_is_made_of_and_no_secret() -> None:
    allowed = {
        line[1:] for line in (ROOT / ".dockerignore").read_text("utf-8").splitlines() if line.startswith("!")
    }
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    included = re.findall(r'"/([^"]+)"', re.findall(r"^include = (.*)$", project, re.M)[0])
    requirements = set(re.findall(r'"(requirements[\w-]*\.txt)"', project))
    assert set(included) | requirements < allowed
    assert not {".env", "jobs.json", "disgram.db", "Disgram.log", "*"} & allowed


def test_compose_writes_to_the_volume_alone(service: dict[str, Any]) -> None:
    assert service["read_only"] is True
    assert service["volumes"] == ["data:/data"]
    assert service["environment"]["DATA_DIR"] == "/data"


def test_compose_bounds_memory_and_logs_and_leaves_time_to_stop(service: dict[str, Any]) -> None:
    assert service["mem_limit"] == "1g"
    assert set(service["logging"]["options"]) == {"max-size", "max-file"}
    assert int(service["stop_grace_period"].removesuffix("s")) > 10


def test_compose_needs_nothing_but_the_env_file(service: dict[str, Any]) -> None:
    assert service["env_file"] == ".env"
    assert "${" not in (ROOT / "compose.yaml").read_text("utf-8")


def test_the_public_ci_runs_what_the_project_s_own_does() -> None:
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text("utf-8"))
    steps = [step.get("run", "") for step in workflow["jobs"]["run"]["steps"]]
    assert "bash .ci/run" in steps
