"""What is known of holes in what we stand on, as far as it can be checked without asking anybody.

A scanner such as pip-audit asks an online database, which a build without internet cannot; the workflow in
.github/ runs it. This table is kept by hand: the
packages that touch what strangers send, and the first release without the hole named beside it. A new
advisory is one more line. That the installed packages fit together at all is `pip check`'s to say (.ci/run).
"""

from __future__ import annotations

from importlib.metadata import version

import pytest
from packaging.version import Version

MENDED = {
    "h11": ("0.16.0", "CVE-2025-43859: a chunk's end was not checked, so that a proxy could be fooled"),
    "starlette": ("0.49.1", "CVE-2025-62727: a Range header that costs quadratic time"),
    "idna": ("3.7", "CVE-2024-3651: a host name that costs quadratic time"),
    "requests": ("2.32.4", "CVE-2024-47081: a URL could have the .netrc password of another host sent"),
    "urllib3": ("2.6.3", "CVE-2025-66471, CVE-2026-21441: a compressed body was unpacked without a limit"),
    "certifi": ("2024.7.4", "CVE-2024-39689: a root that is trusted no more"),
}


@pytest.mark.parametrize("package", MENDED)
def test_no_release_with_a_known_hole_is_installed(package: str) -> None:
    mended, hole = MENDED[package]
    assert Version(version(package)) >= Version(mended), hole
