"""Where `.env` and the data lie: a clone keeps them, the wheel keeps them out of site-packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from disgram.home import INSTALLED, home

CLONE, WHEEL = Path("/srv/Disgram"), Path("/usr/lib/python3/site-packages") / INSTALLED


@pytest.mark.parametrize("environ", [{}, {"DATA_DIR": "/data", "XDG_STATE_HOME": "/state"}])
def test_a_clone_keeps_its_env_file_in_the_project_folder(environ: dict[str, str]) -> None:
    assert home(CLONE, environ) == CLONE


@pytest.mark.parametrize(
    ("environ", "folder"),
    [
        ({"DATA_DIR": "/data", "XDG_STATE_HOME": "/state"}, Path("/data")),
        ({"DATA_DIR": "here"}, Path("here").absolute()),
        ({"DATA_DIR": "~/disgram"}, Path.home() / "disgram"),
        ({"XDG_STATE_HOME": "/state"}, Path("/state/disgram")),
        ({"XDG_STATE_HOME": "state"}, Path.home() / ".local/state/disgram"),
        ({"DATA_DIR": " "}, Path.home() / ".local/state/disgram"),
    ],
)
def test_the_wheel_keeps_nothing_in_site_packages(environ: dict[str, str], folder: Path) -> None:
    assert home(WHEEL, environ) == folder
