"""Commands that serve the dashboard: serve and up."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

from cli.codes import BAD_REQUEST, OK, complain
from cli.installation import now_of, open_installation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

    from dashboard.data import Market


def run_serve(arguments: argparse.Namespace) -> int:
    """Serve until interrupted."""
    return _serve_and(arguments, lambda: None)


def _serve_and(arguments: argparse.Namespace, then: Callable[[], None]) -> int:
    """Serve until interrupted; ``then`` runs once the address answers."""
    from cache_store.settings import Settings
    from dashboard.app import serve

    def ready(url: str) -> None:
        print(f"the dashboard is at {url} (Ctrl+C ends it)", flush=True)
        then()

    settings = Settings()
    address, port = arguments.address or settings.address, arguments.port or settings.port
    try:
        serve(_market(), address=address, port=port, ready=ready)
    except OSError as error:
        return complain(f"cannot listen on {address}:{port}: {error.strerror}; try another --port", BAD_REQUEST)
    return OK


def _market() -> Market:
    """What the pages may ask, bound to this installation."""
    from cache_store import extent, fetch
    from dashboard.data import Market

    store, source, _ = open_installation()
    return Market(
        ask=lambda query, window, **options: fetch(store, source, query, window, now=now_of(source), **options),
        extent=lambda query: extent(store, source, query),
        clock=lambda: now_of(source),
    )


def run_up(arguments: argparse.Namespace) -> int:
    """Serve at once, with the sample if there is nothing else, while a process of its own warms."""
    from cache_store.settings import Settings
    from nem.lake import land_sample, landed_days

    lake = Settings().lake
    if not landed_days(lake, "unit_scada"):
        print(f"no source yet: landing the bundled sample in {lake}", flush=True)
        land_sample(lake)
    warming: list[subprocess.Popen[bytes]] = []

    def warm() -> None:
        # A process of its own, at low priority: neither its imports nor its work may slow the pages.
        print("warming the cache; until it lands, answers are live", flush=True)
        warming.append(subprocess.Popen([sys.executable, "-m", "cli", "warm"]))
        os.setpriority(os.PRIO_PROCESS, warming[0].pid, 10)

    try:
        return _serve_and(arguments, warm)
    finally:
        for process in warming:
            process.terminate()
            process.wait()
