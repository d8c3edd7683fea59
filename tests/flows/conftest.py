"""Fixtures of the flows' tests. Prefect's state goes to a folder of this session, and the environment stays as it was."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path

import pytest

from nem.lake import land_sample

_before = dict(os.environ)
_home = tempfile.mkdtemp(prefix="nemwarm-flows-")
os.environ["NEMWARM_HOME"] = _home
os.environ["PREFECT_HOME"] = _home

import flows.warm  # noqa: E402, F401 - Prefect reads its environment here, and `flows` gives that its defaults

os.environ.clear()
os.environ.update(_before)


def pytest_unconfigure() -> None:
    shutil.rmtree(_home, ignore_errors=True)


@pytest.fixture(scope="session")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The lake of the bundled sample, 22 days; read-only by agreement."""
    lake = tmp_path_factory.mktemp("sample") / "lake"
    land_sample(lake)
    return lake
