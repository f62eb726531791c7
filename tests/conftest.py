"""How the whole suite runs."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# An example takes milliseconds, but on a loaded machine any limit of time is exceeded now and then.
_NO_CLOCK = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("default", _NO_CLOCK)
settings.load_profile("default")
# A build asks whether this change is good, and must answer the same twice; exploring is for a person's runs.
settings.register_profile("ci", _NO_CLOCK, derandomize=True)
if os.environ.get("CI"):
    settings.load_profile("ci")
