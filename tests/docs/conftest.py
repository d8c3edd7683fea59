"""The bundled sample, landed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nem.samples import landed_sample


@pytest.fixture(scope="session")
def sample_lake() -> Path:
    """A lake to copy."""
    return landed_sample()[0].root
