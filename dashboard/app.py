"""The Panel application: a page per session, and a server of them. Importing this module starts and reads nothing."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from dataclasses import fields
from functools import cache, partial
from pathlib import Path
from typing import Any

import panel as pn
from bokeh.server.server import Server
from bokeh.server.views.auth_request_handler import AuthRequestHandler
from bokeh.settings import settings
from panel.io.resources import DIST_DIR, LOCAL_DIST
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError, OutputTransform, RequestHandler, authenticated

from dashboard.data import Market
from dashboard.defaults import remember_defaults
from dashboard.health import Health, page_of
from dashboard.layout import Shown, Text
from dashboard.markup import ASSETS, asset
from dashboard.page import open_page
from dashboard.page import start as start_page
from dashboard.processes import COOKIE

TITLE = "nemwarm"
QUESTIONS = 4  # at once, over all sessions
WAITERS = 64  # callbacks at once, nearly all of them waiting for a question; the event loop only draws
KEEP_ALIVE_MS = 30_000  # proxies drop a websocket that is silent for 60 to 100 s
LIFETIME_MS = 60_000  # of a session nobody is connected to any more
YEAR_SECONDS = 31_536_000  # a script's address names its version
# Bokeh's scripts are inline and compile templates; beyond that a page is told to ask nobody but this server.
HEADERS = {
    "Content-Security-Policy": "default-src 'self' 'unsafe-inline' 'unsafe-eval' data: blob:; connect-src 'self' ws: wss:; frame-ancestors 'self'",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}


def build_app(market: Market, pool: Executor | None = None, picture: Path | None = None) -> pn.Template:
    """One session's page: controls, four lazy tabs, and nothing fetched yet."""
    if pn.state.curdoc:
        # Panel (1.9.4) says so only where it renders a page. In a session that a websocket opens, the page's own having
        # expired, styles would be asked of a CDN.
        pn.state.curdoc.template_variables["dist_url"] = LOCAL_DIST
    page = open_page(market, pn.state.session_args, pool, picture)
    start_page(page)
    template = pn.Template(asset("page.html"), design=pn.theme.Design)
    # Not by add_panel(): with each it writes a text of the whole page, for notebooks, which is a seventh of a session's work.
    roots = {one.name: getattr(page.controls, one.name) for one in fields(page.controls)} | {"tabs": page.tabs}
    template._render_items |= {
        name: (Shown(root.model) if isinstance(root, Text) else root, []) for name, root in roots.items()
    }
    template.add_variable("page_css", asset("page.css"))
    template.add_variable("page_js", asset("page.js"))
    return template


def open_app(
    market: Market,
    *,
    origins: Sequence[str],
    picture: Path | None = None,
    process: int | None = None,
    health: Callable[[], Health] | None = None,
    metrics: Callable[[], str] | None = None,
    **sign_in: Any,
) -> Server:
    """Panel's server of the pages on no address of its own, to be started and handed connections.

    ``origins`` (``host:port``) are those whose pages may open a session; ``sign_in`` are ``get_server``'s options for
    that; ``process`` is this one's number among several, ``picture`` where the overview is painted for the next start.
    ``health`` and ``metrics`` (Prometheus text) describe the installation, where there is one to describe.
    """
    remember_defaults()
    # Panel would send what a callback prints or raises to the browser's console: that is for the log here.
    pn.extension(nthreads=WAITERS, console_output="disable")
    pool = ThreadPoolExecutor(QUESTIONS, "question")
    if sign_in:
        sign_in.setdefault("login_template", str(ASSETS / "login.html"))

    def page() -> pn.Template:
        return build_app(market, pool, picture)

    server = pn.io.server.get_server(
        {"/": page},
        port=0,
        address="127.0.0.1",
        title=TITLE,
        location=False,
        websocket_origin=list(origins),
        keep_alive_milliseconds=KEEP_ALIVE_MS,
        unused_session_lifetime_milliseconds=LIFETIME_MS,
        check_unused_sessions_milliseconds=LIFETIME_MS // 4,
        extra_patterns=[
            ("/ready", _Ready),
            ("/health", _Told, {"tell": health and partial(page_of, health), "kind": "text/html; charset=utf-8"}),
            ("/metrics", _Told, {"tell": metrics, "kind": "text/plain; version=0.0.4; charset=utf-8"}),
        ],
        show=False,
        start=False,
        **sign_in,
    )
    server._http.stop()  # its own port: connections come from the front door
    server._tornado.transforms.append(_headers(process))
    scripts = {
        r"/static/js/([a-z-]+\.min\.js)": Path(settings.bokehjs_path()) / "js",
        r"/static/extensions/panel/(panel\.min\.js)": DIST_DIR,
    }
    server._tornado.add_handlers(".*", [(route, _Script, {"folder": folder}) for route, folder in scripts.items()])
    return server


def _headers(process: int | None) -> type[OutputTransform]:
    class Headers(OutputTransform):
        def transform_first_chunk(
            self, status_code: int, headers: HTTPHeaders, chunk: bytes, finishing: bool
        ) -> tuple[int, HTTPHeaders, bytes]:
            for name, value in HEADERS.items():
                headers[name] = value
            if process is not None and headers.get("Content-Type", "").startswith("text/html"):
                headers.add("Set-Cookie", f"{COOKIE}={process}; Path=/; HttpOnly; SameSite=Lax")
            return super().transform_first_chunk(status_code, headers, chunk, finishing)

    return Headers


class _Ready(RequestHandler):
    """For whoever waits for the app: the splash, a load balancer."""

    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.write("ready\n")


class _Script(RequestHandler):
    """A script of Bokeh's or Panel's, compressed: they are most of what a new reader waits for, and 2.4 MB are 0.7."""

    def initialize(self, folder: Path) -> None:
        self.folder = folder

    async def get(self, name: str) -> None:
        path = self.folder / name
        if not path.is_file():
            raise HTTPError(404)
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"public, max-age={YEAR_SECONDS}")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            self.write(await asyncio.to_thread(_zipped, path))
        else:
            self.write(path.read_bytes())


@cache
def _zipped(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), 5, mtime=0)  # half the time of 9, for a hundredth more bytes


class _Told(AuthRequestHandler):
    """What ``tell`` says, off the event loop."""

    def initialize(self, tell: Callable[[], str] | None, kind: str) -> None:
        self.tell, self.kind = tell, kind

    @authenticated
    async def get(self) -> None:
        if self.tell is None:
            raise HTTPError(404)
        self.set_header("Cache-Control", "no-store")
        self.set_header("Content-Type", self.kind)
        self.write(await asyncio.to_thread(self.tell))
