"""The bundled sample, landed once."""

from __future__ import annotations

from pathlib import Path

import pytest

from nem.lake import land_sample


@pytest.fixture(scope="session")
def sample_lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A lake to copy."""
    lake = tmp_path_factory.mktemp("sample") / "lake"
    land_sample(lake)
    return lake
