"""Fixtures of the market's tests."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from nem.source import Source, open_source
from tests.nem.profiles import load_profile

load_profile()


@pytest.fixture
def tiny(two_days: Path, tmp_path: Path) -> Source:
    """The two days for one test to change; their files' times, and so their versions, are kept."""
    return open_source(Path(shutil.copytree(two_days, tmp_path / "lake")))
