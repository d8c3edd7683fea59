"""Fixtures of the commands' tests."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def home(sample_lake: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that has landed the sample and warmed nothing."""
    home = tmp_path / "sampled"
    home.mkdir()
    (home / "lake").symlink_to(sample_lake)
    monkeypatch.setenv("NEMWARM_HOME", str(home))
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "false")  # what is asked once must not be there the next time
    return home
