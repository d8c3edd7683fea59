"""The Panel application: a page per session, and a server for it. Importing this module starts and reads nothing."""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from typing import Any

import panel as pn
from bokeh.server.server import Server

from dashboard.data import Market
from dashboard.markup import asset
from dashboard.tabs import open_page
from dashboard.tabs import start as start_page

TITLE = "nemwarm"
THREADS = 8  # blocking questions at once, over all sessions; the event loop only draws
KEEP_ALIVE_MS = 30_000  # proxies drop a websocket that is silent for 60 to 100 s
LIFETIME_MS = 60_000  # of a session nobody is connected to any more


def build_app(market: Market) -> pn.Template:
    """One session's page: controls, four lazy tabs, and nothing fetched yet."""
    page = open_page(market)
    start_page(page)
    template = pn.Template(asset("page.html"), design=pn.theme.Design)
    for name in ("region", "preset", "pick", "newest", "tabs"):
        template.add_panel(name, getattr(page, name))
    template.add_variable("page_css", asset("page.css"))
    template.add_variable("page_js", asset("page.js"))
    return template


def start(market: Market, *, address: str = "127.0.0.1", port: int = 5006, **options: Any) -> Server:
    """A server that listens and is not yet running: call ``run_until_shutdown`` or run its loop."""
    # Panel would send what a callback prints or raises to the browser's console: that is for the log here.
    pn.extension(nthreads=THREADS, console_output="disable")

    def page() -> pn.Template:
        return build_app(market)

    # Only pages from these hosts may open a session here.
    hosts = {address, "localhost", "127.0.0.1", socket.gethostname()}
    return pn.io.server.get_server(
        {"/": page},
        port=port,
        address=address,
        title=TITLE,
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
