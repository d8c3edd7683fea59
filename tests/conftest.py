"""Fixtures of every test: a browser, no network but this machine, and what is made once for all of pytest's processes."""

from __future__ import annotations

import asyncio
import fcntl
import ipaddress
import os
import secrets
import shutil
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from cache_store import open_store
from nem.lake import land_sample
from nem.source import open_source
from nem.windows import utc_time
from tests.browser import FLAGS, REMEDY, find_chromium
from tests.cache_store.worlds import warm
from tests.object_storage import PLACES
from tests.tiny_nem import WINDOW, land_raw, raw_tables

Once = Callable[[str, Callable[[Path], object]], Path]
# Files whose tests are few and long, which pytest-xdist would leave to the end, where the other processes have nothing to do.
LONG = ("benchmarks", "worker", "local", "crashes", "real_files", "revisions", "users", "replay", "golden", "example")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Have those begun first; with ``--no-loadscope-reorder`` files are handed out in this order."""
    first = {f"test_{name}.py": place for place, name in enumerate(LONG)}
    items.sort(key=lambda item: first.get(item.path.name, len(LONG)))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """What makes a folder by its name, in whichever of pytest's processes asks first; read-only by agreement."""
    own = tmp_path_factory.getbasetemp()
    root = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def made(name: str, make: Callable[[Path], object]) -> Path:
        folder = root / f"once-{name}"
        with folder.with_suffix(".lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.exists():
                unfinished = tmp_path_factory.mktemp(name)
                make(unfinished)
                unfinished.rename(folder)
        return folder

    return made


@pytest.fixture(scope="session")
def sample_lake(once: Once) -> Path:
    """The lake of the bundled sample, 22 days."""
    return once("sample", land_sample)


@pytest.fixture(scope="session")
def two_days(once: Once) -> Path:
    """The lake of ``tests.tiny_nem``, two days."""
    return once("two-days", lambda folder: land_raw(folder, raw_tables()))


@pytest.fixture(scope="session")
def two_warm_days(once: Once, two_days: Path) -> Path:
    """That ``lake``, and a ``store`` warmed from it, side by side."""

    def make(folder: Path) -> None:
        source = open_source(shutil.copytree(two_days, folder / "lake"))
        warm(open_store(folder / "store"), source, utc_time(WINDOW.end))

    return once("two-warm-days", make)


@pytest.fixture(scope="session")
def chromium() -> Iterator[tuple[Browser, asyncio.AbstractEventLoop]]:
    """One headless Chromium for the session, and Playwright's event loop; without a Chromium it fails, it never skips."""
    path = find_chromium()
    if path is None:
        pytest.fail(REMEDY, pytrace=False)
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        # Playwright leaves its loop marked as running, and `asyncio.run` in any later test would refuse to start.
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield running, loop
        asyncio._set_running_loop(loop)
        running.close()


@pytest.fixture
def browser(chromium: tuple[Browser, asyncio.AbstractEventLoop]) -> Iterator[Browser]:
    """The session's Chromium, for one test: `browser.new_page()`; what the test leaves open is closed after it."""
    running, loop = chromium
    asyncio._set_running_loop(loop)
    yield running
    for context in running.contexts:
        context.close()
    asyncio._set_running_loop(None)


@pytest.fixture(params=PLACES)
def url(request: pytest.FixtureRequest) -> str:
    """A folder of object storage that nobody else has."""
    return f"{request.param}/{secrets.token_hex(6)}"


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Hosts refused so far; any left at the end fails the test, whatever the code under test made of the error."""
    refused: list[str] = []

    def guarded(real, host_of):
        def call(*args, **kwargs):
            host = host_of(*args, **kwargs)
            if _is_this_machine(host):
                return real(*args, **kwargs)
            refused.append(str(host))
            raise OSError(f"tests are offline: {host}")

        return call

    monkeypatch.setattr(socket, "getaddrinfo", guarded(socket.getaddrinfo, lambda host, *_, **__: host))
    for name in ("connect", "connect_ex"):
        monkeypatch.setattr(socket.socket, name, guarded(getattr(socket.socket, name), _peer))
    yield refused
    if refused:
        pytest.fail(f"this test reached for the network: {', '.join(refused)}", pytrace=False)


def _peer(sock: socket.socket, address: tuple[str, int] | str) -> str | None:
    """Host of a connection; None for a socket without one, such as a Unix socket."""
    return str(address[0]) if sock.family in {socket.AF_INET, socket.AF_INET6} else None


def _is_this_machine(host: str | bytes | None) -> bool:
    """Whether the host is this machine: no host, localhost, a loopback or the unspecified address."""
    name = host.decode() if isinstance(host, bytes) else host
    if not name or name == "localhost":
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified
