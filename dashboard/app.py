"""The Panel application: a page per session, and a server of them. Importing this module starts and reads nothing."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Callable, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from functools import cache, partial
from pathlib import Path
from typing import Any

import panel as pn
from bokeh.application.handlers import FunctionHandler
from bokeh.document import Document
from bokeh.server.server import Server
from bokeh.server.views.auth_request_handler import AuthRequestHandler
from bokeh.settings import settings
from jinja2 import Template
from panel.io.application import Application
from panel.io.state import set_curdoc
from tornado.httputil import HTTPHeaders
from tornado.web import HTTPError, OutputTransform, RequestHandler, authenticated

from dashboard.controls import roots
from dashboard.data import Market
from dashboard.defaults import remember_defaults
from dashboard.health import Health, page_of
from dashboard.markup import ASSETS, asset
from dashboard.page import open_page
from dashboard.page import start as start_page
from dashboard.processes import COOKIE

TITLE = "nemwarm"
TEMPLATE = Template(asset("page.html"))
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


def build_app(document: Document, market: Market, pool: Executor | None = None, picture: Path | None = None) -> None:
    """Make ``document`` one session's page: controls, four lazy tabs, and nothing fetched yet."""
    with set_curdoc(document):
        page = open_page(market, pn.state.session_args, pool, picture)
        for name, model in (roots(page.controls) | {"tabs": page.tabs}).items():
            model.name = name
            document.add_root(model)
        start_page(page, document)
    document.title = TITLE
    document.template = TEMPLATE
    document.template_variables.update(page_css=asset("page.css"), page_js=asset("page.js"))


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
    pn.extension(nthreads=WAITERS)
    pool = ThreadPoolExecutor(QUESTIONS, "question")
    if sign_in:
        sign_in.setdefault("login_template", str(ASSETS / "login.html"))
    page: Any = Application(FunctionHandler(partial(build_app, market=market, pool=pool, picture=picture)))
    server = pn.io.server.get_server(
        {"/": page},
        port=0,
        address="127.0.0.1",
        websocket_origin=list(origins),
        keep_alive_milliseconds=KEEP_ALIVE_MS,
        unused_session_lifetime_milliseconds=LIFETIME_MS,
        check_unused_sessions_milliseconds=LIFETIME_MS // 4,
        extra_patterns=_beside_the_page(health, metrics),
        show=False,
        start=False,
        **sign_in,
    )
    server._http.stop()  # its own port: connections come from the front door
    server._tornado.transforms.append(_headers(process))
    server._tornado.add_handlers(".*", [(r"/static/js/bokeh\.min\.js", _Script)])  # before the plain files
    return server


def _beside_the_page(health: Callable[[], Health] | None, metrics: Callable[[], str] | None) -> list[Any]:
    return [
        ("/ready", _Ready),
        ("/health", _Told, {"tell": health and partial(page_of, health), "kind": "text/html; charset=utf-8"}),
        ("/metrics", _Told, {"tell": metrics, "kind": "text/plain; version=0.0.4; charset=utf-8"}),
    ]


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
    """Bokeh's script, compressed: it is most of what a new reader waits for, and 1.3 MB are 0.4."""

    def get(self) -> None:
        self.set_header("Content-Type", "text/javascript; charset=utf-8")
        self.set_header("Cache-Control", f"public, max-age={YEAR_SECONDS}")
        self.set_header("Vary", "Accept-Encoding")
        if "gzip" in self.request.headers.get("Accept-Encoding", ""):
            self.set_header("Content-Encoding", "gzip")
            # Once a process. Not on a thread: there it would wait behind those that ask.
            self.write(_zipped())
        else:
            self.write(_script())


def _script() -> bytes:
    return (Path(settings.bokehjs_path()) / "js/bokeh.min.js").read_bytes()


@cache
def _zipped() -> bytes:
    return gzip.compress(_script(), 5, mtime=0)  # half the time of 9, for a hundredth more bytes


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
