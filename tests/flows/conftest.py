"""Fixtures of the flows' tests. Prefect's state goes to a folder of this session, and the environment stays as it was."""

from __future__ import annotations

import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

_before = dict(os.environ)
_home = tempfile.mkdtemp(prefix="nemwarm-flows-")
os.environ["NEMWARM_HOME"] = _home
os.environ["PREFECT_HOME"] = _home

from prefect.events.worker import EventsWorker  # noqa: E402
from prefect.logging.handlers import APILogWorker  # noqa: E402
from prefect.settings import PREFECT_API_URL, PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings  # noqa: E402

import flows.warm  # noqa: E402, F401 - Prefect reads its environment here, and `flows` gives that its defaults
from nem.source import Source, open_source  # noqa: E402
from tests.prefect_here import Here, running  # noqa: E402

os.environ.clear()
os.environ.update(_before)


def pytest_unconfigure() -> None:
    shutil.rmtree(_home, ignore_errors=True)


@pytest.fixture
def tiny(two_days: Path, tmp_path: Path) -> Source:
    """A lake of two days, for one test."""
    return open_source(shutil.copytree(two_days, tmp_path / "lake"))


@pytest.fixture(scope="session")
def migrated(once) -> Path:
    """A home with a database as the first start of a server leaves it: 8 s."""

    def make(folder: Path) -> None:
        (folder / "prefect").mkdir()
        Here(folder, 0).prefect("server", "database", "upgrade", "-y")

    return once("migrated", make)


@pytest.fixture(scope="session")
def new_home(migrated: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[[], Here]:
    """What makes an installation with a database that is up to date."""

    def make() -> Here:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        home = tmp_path_factory.mktemp("prefect")
        shutil.copytree(migrated, home, dirs_exist_ok=True)
        return Here(home, port, {"PREFECT_WORKER_QUERY_SECONDS": "1"})

    return make


@pytest.fixture(scope="session")
def here(new_home: Callable[[], Here]) -> Iterator[Here]:
    """A real Prefect server, for the session; each test brings its own lake and store."""
    with running(new_home()) as started:
        yield started


@pytest.fixture
def prefect(here: Here) -> Iterator[None]:
    """Flows called in a test run on that server."""
    # Ending its heartbeat costs every run a second.
    with temporary_settings({PREFECT_API_URL: here.url, PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None}):
        yield
        # What they log is sent in the background: it must be there before the server, or the session, ends.
        APILogWorker.instance().drain()
        EventsWorker.drain_all()
