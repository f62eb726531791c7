"""How the whole suite runs."""

from __future__ import annotations

import os

from hypothesis import settings

# A build asks whether this change is good, and must answer the same twice; exploring is for a person's runs.
settings.register_profile("ci", derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
