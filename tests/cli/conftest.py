"""Fixtures of the commands' tests."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.nem.samples import landed_sample


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An installation that has landed the sample and warmed nothing."""
    home = tmp_path / "sampled"
    home.mkdir()
    (home / "lake").symlink_to(landed_sample()[0].root)
    monkeypatch.setenv("NEMWARM_HOME", str(home))
    monkeypatch.setenv("NEMWARM_READ_THROUGH", "false")  # what is asked once must not be there the next time
    return home
