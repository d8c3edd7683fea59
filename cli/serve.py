"""Commands that serve the dashboard: serve and up."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import secrets
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Any

from cli.codes import BAD_REQUEST, OK, complain
from cli.installation import open_installation

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable
    from pathlib import Path

    from bokeh.server.server import Server


def run_serve(arguments: argparse.Namespace, then: Callable[[], None] = lambda: None) -> int:
    """Serve until interrupted; ``then`` runs once the app answers."""
    from tornado.netutil import bind_sockets

    from cache_store.settings import Settings

    settings = Settings()
    address, port = arguments.address or settings.address, arguments.port or settings.port
    origins = _origins(arguments.origin, address, port)
    problem = _check_sign_in(arguments.basic_auth) or _check_oauth(arguments.oauth_provider)
    if problem:
        return complain(problem, BAD_REQUEST)
    if arguments.handed is not None:
        from dashboard.processes import take

        number, place = (int(part) for part in arguments.handed.split(":"))
        return _serve(arguments, settings.home, origins, take(number), then, place)
    try:
        listening = bind_sockets(port, address)
    except OSError as error:
        return complain(f"cannot listen on {address}:{port}: {error.strerror}; try another --port", BAD_REQUEST)
    print(f"the dashboard is at http://{address}:{port}/ (Ctrl+C ends it)", flush=True)
    if arguments.processes > 1:
        return _supervise(arguments, listening)
    return _serve(arguments, settings.home, origins, lambda http: http.add_sockets(listening), then)


def _serve(
    arguments: argparse.Namespace,
    home: Path,
    origins: list[str],
    connect: Callable[..., None],
    then: Callable[[], None],
    process: int | None = None,
) -> int:
    from dashboard.front import run

    sign_in = _sign_in(arguments)
    # What an earlier reader saw is not for somebody who has yet to sign in.
    picture = None if sign_in else home / "run" / "overview.html"

    def prepare() -> Callable[[], Server]:
        gc.disable()  # imports leave little garbage, and looking for it takes an eighth of their time
        from dashboard.app import open_app

        told = _told()
        _collect_less()
        return lambda: open_app(**told, origins=origins, picture=picture, process=process, **sign_in)

    asyncio.run(run(connect, prepare, picture=picture, live=then))
    return OK


def _collect_less() -> None:
    """What was imported is garbage never, and looking through every session for some stops them all.

    With fifteen of them the longest stop took 0.4 s, with thirty 0.7. What a session leaves behind is cyclic and large,
    and Panel has it collected whenever one has ended.
    """
    gc.freeze()
    gc.set_threshold(5_000, 10, 20)
    gc.enable()


def _supervise(arguments: argparse.Namespace, listening: list[socket.socket]) -> int:
    """Serve from several processes, each this very command with its part of the connections."""
    from dashboard.processes import supervise

    # One secret for all, or a sign-in at one would mean nothing to the next.
    environment = {"PANEL_COOKIE_SECRET": secrets.token_hex(32), **os.environ}

    def start(place: int) -> Callable[[int], subprocess.Popen[bytes]]:
        def begin(number: int) -> subprocess.Popen[bytes]:
            command = [sys.executable, "-m", "cli", *sys.argv[1:], "--handed", f"{number}:{place}"]
            # A group of its own: Ctrl+C reaches the parent alone, which ends them all.
            return subprocess.Popen(command, pass_fds=[number], env=environment, start_new_session=True)

        return begin

    asyncio.run(supervise(listening, [start(place) for place in range(arguments.processes)]))
    return OK


def _check_sign_in(users: Path | None) -> str:
    """What is wrong with a file of users and passwords; Panel would take a missing file's path for the password."""
    if users is None:
        return ""
    try:
        found = json.loads(users.read_text())
    except (OSError, ValueError) as error:
        return f"--basic-auth {users}: {error}"
    is_map = isinstance(found, dict) and found and all(isinstance(word, str) and word for word in found.values())
    return "" if is_map else f'--basic-auth {users}: write {{"user": "password", ...}} in it'


def _check_oauth(provider: str | None) -> str:
    """Which of the variables Panel would miss at the first sign-in are not set."""
    if provider is None:
        return ""
    needed = ["KEY", "SECRET", *(["AUTHORIZE_URL", "TOKEN_URL", "USER_URL"] if provider == "generic" else [])]
    missing = [name for name in (f"PANEL_OAUTH_{word}" for word in needed) if not os.environ.get(name)]
    return f"--oauth-provider {provider} needs {', '.join(missing)} in the environment" if missing else ""


def _sign_in(arguments: argparse.Namespace) -> dict[str, Any]:
    """Panel's own options; keys and secrets of OAuth come from its PANEL_* variables, out of sight of `ps`."""
    if arguments.basic_auth:
        chosen = {"basic_auth": str(arguments.basic_auth)}
    elif arguments.oauth_provider:
        chosen = {"oauth_provider": arguments.oauth_provider}
    else:
        return {}
    return chosen | {"cookie_secret": os.environ.get("PANEL_COOKIE_SECRET") or secrets.token_hex(32)}


def _origins(named: list[str], address: str, port: int) -> list[str]:
    """Hosts whose pages may open a session here: this one by its usual names, and those named."""
    own = {f"{host}:{port}" for host in (address, "localhost", "127.0.0.1", socket.gethostname())}
    others = {f"{host}:{port}" if ":" not in host else host for host in named for port in (80, 443)}
    return sorted(own | others)


def _told() -> dict[str, Any]:
    """What the pages may ask, and what describes it, bound to this installation."""
    from cache_store import extent, fetch
    from cache_store.metrics import metrics
    from cli.health import look
    from dashboard.data import Market

    store, source = open_installation()
    market = Market(
        ask=lambda query, window, **options: fetch(store, source, query, window, now=source.now(), **options),
        extent=lambda query: extent(store, source, query),
        clock=source.now,
    )
    return {
        "market": market,
        "health": lambda: look(store, source, source.now()),
        "metrics": lambda: metrics(store, now=source.now()),
    }


def run_up(arguments: argparse.Namespace) -> int:
    """Serve at once, with the sample if there is nothing else, while a process of its own warms."""
    from cache_store.settings import Settings
    from nem import open_source
    from nem.lake import land_sample
    from nem.source import check_ours

    lake = Settings().lake
    if not open_source(lake).newest_labels():
        check_ours(lake)
        print(f"no source yet: landing the bundled sample in {lake}", flush=True)
        land_sample(lake)
    warming: list[subprocess.Popen[bytes]] = []

    def warm() -> None:
        # A process of its own, at low priority: neither its imports nor its work may slow the pages.
        print("warming the cache; until it lands, answers are live", flush=True)
        warming.append(subprocess.Popen([sys.executable, "-m", "cli", "warm"]))
        os.setpriority(os.PRIO_PROCESS, warming[0].pid, 10)

    try:
        return run_serve(arguments, warm)
    finally:
        for process in warming:
            process.terminate()
            process.wait()
