"""The Panel application: a page per session, and a server for it. Importing this module starts and reads nothing."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import fields
from typing import Any

import panel as pn
from bokeh.server.server import Server

from dashboard.data import Market
from dashboard.markup import asset
from dashboard.page import open_page
from dashboard.page import start as start_page

TITLE = "nemwarm"
QUESTIONS = 4  # at once, over all sessions
WAITERS = 64  # callbacks at once, nearly all of them waiting for a question; the event loop only draws
KEEP_ALIVE_MS = 30_000  # proxies drop a websocket that is silent for 60 to 100 s
LIFETIME_MS = 60_000  # of a session nobody is connected to any more


def build_app(market: Market, pool: Executor | None = None) -> pn.Template:
    """One session's page: controls, four lazy tabs, and nothing fetched yet."""
    page = open_page(market, pn.state.session_args, pool)
    start_page(page)
    template = pn.Template(asset("page.html"), design=pn.theme.Design)
    for control in fields(page.controls):
        template.add_panel(control.name, getattr(page.controls, control.name))
    template.add_panel("tabs", page.tabs)
    template.add_variable("page_css", asset("page.css"))
    template.add_variable("page_js", asset("page.js"))
    return template


def start(market: Market, *, address: str = "127.0.0.1", port: int = 5006, **options: Any) -> Server:
    """A server that listens and is not yet running: call ``run_until_shutdown`` or run its loop."""
    # Panel would send what a callback prints or raises to the browser's console: that is for the log here.
    pn.extension(nthreads=WAITERS, console_output="disable")
    pool = ThreadPoolExecutor(QUESTIONS, "question")

    def page() -> pn.Template:
        return build_app(market, pool)

    # Only pages from these hosts may open a session here.
    hosts = {address, "localhost", "127.0.0.1", socket.gethostname()}
    return pn.io.server.get_server(
        {"/": page},
        port=port,
        address=address,
        title=TITLE,
        location=False,
        websocket_origin=[f"{host}:{port}" for host in sorted(hosts)],
        keep_alive_milliseconds=KEEP_ALIVE_MS,
        unused_session_lifetime_milliseconds=LIFETIME_MS,
        check_unused_sessions_milliseconds=LIFETIME_MS // 4,
        show=False,
        start=False,
        **options,
    )


def serve(
    market: Market, *, address: str = "127.0.0.1", port: int = 5006, ready: Callable[[str], None] | None = None
) -> None:
    """Serve until interrupted; ``ready`` is told the address once it answers."""
    server = start(market, address=address, port=port)
    if ready is not None:
        server.io_loop.add_callback(ready, f"http://{address}:{port}/")
    logging.getLogger("tornado.access").setLevel(logging.WARNING)
    server.run_until_shutdown()
