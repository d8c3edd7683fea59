"""How long hypothesis searches: quickly with ``make test``, at length with ``HYPOTHESIS_PROFILE=soak``."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

# Examples write files and sync them: a deadline would time the disk, and session fixtures hold what all examples share.
_COMMON = {"deadline": None, "suppress_health_check": [HealthCheck.too_slow, HealthCheck.function_scoped_fixture]}


def load_profile() -> None:
    """Make the profile named by the environment the current one."""
    settings.register_profile("quick", max_examples=15, **_COMMON)
    settings.register_profile("soak", max_examples=10_000, **_COMMON)
    settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))
