"""Programs of the system that a few tests need: a browser, nginx, systemd-analyze.

Owns what happens where one is missing: a person's machine skips those tests, a build machine (CI=true)
fails, so that nothing goes untested there unseen.
"""

from __future__ import annotations

import os
import shutil

import pytest

_PATH = os.environ.get("PATH", os.defpath) + ":/usr/sbin"  # where Debian puts nginx, and not on every PATH


def program(name: str, *, always_in_ci: bool = True) -> str:
    """The program's path. Skips the test without it, or fails it in CI."""
    found = shutil.which(name, path=_PATH)
    if found is None and always_in_ci and os.environ.get("CI") == "true":
        pytest.fail(f"{name} is missing, and CI must not skip its tests: see .ci/run")
    if found is None:
        pytest.skip(f"{name} is not installed")
    return found
