"""The front door: it answers at once, with the last picture of the overview, and lets the app in when that is imported.

Nothing heavy is imported here, for a reader of a page that is just starting waits for these imports.
"""

from __future__ import annotations

import asyncio
import logging
import signal
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tornado.httpserver import HTTPServer
from tornado.httputil import HTTPHeaders, HTTPMessageDelegate, HTTPServerConnectionDelegate
from tornado.web import Application, RequestHandler

if TYPE_CHECKING:
    from bokeh.server.server import Server

_ASSETS = Path(__file__).parent / "assets"
RETRY_SECONDS = 1
MAX_ADDRESS = 16_000


class _Request(HTTPMessageDelegate):
    """A request for whichever application stands when its headers have come.

    Not when tornado begins to wait for them: a connection kept alive since the splash would ask the waiting one once more.
    Its address is cut where it is too long: a session's token carries it, in a header.
    """

    def __init__(self, begin: Callable[[], HTTPMessageDelegate]):
        self.begin = begin

    def headers_received(self, start_line: Any, headers: HTTPHeaders) -> Any:
        request = self.begin()
        self.data_received, self.finish = request.data_received, request.finish  # type: ignore[method-assign]
        self.on_connection_close = request.on_connection_close  # type: ignore[method-assign]
        return request.headers_received(start_line._replace(path=start_line.path[:MAX_ADDRESS]), headers)


class Door(HTTPServerConnectionDelegate):
    """Hands every request to the application that stands now."""

    def __init__(self, app: Application):
        self.app = app

    def start_request(self, server_conn: object, request_conn: Any) -> HTTPMessageDelegate:  # noqa: D102 - tornado's
        return _Request(lambda: self.app.start_request(server_conn, request_conn))


class _Waiting(RequestHandler):
    """Anything but the page, before the app stands."""

    def prepare(self) -> None:
        self.set_header("Retry-After", RETRY_SECONDS)
        self.set_status(503)
        self.finish("starting\n")


class _Splash(RequestHandler):
    """The page before the app stands: it turns into the app by itself."""

    def initialize(self, picture: Path | None) -> None:
        self.picture = picture

    def get(self) -> None:
        self.set_header("Cache-Control", "no-store")
        self.write(splash(self.picture))


def splash(picture: Path | None) -> str:
    """The page shown while the app is imported, around the ``picture`` saved when the overview was last drawn."""
    try:
        painted = picture.read_text(encoding="utf-8") if picture else ""
    except (OSError, ValueError):
        painted = ""
    page = (_ASSETS / "splash.html").read_text(encoding="utf-8")
    parts = {"css": (_ASSETS / "page.css").read_text(encoding="utf-8"), "painted": painted}
    for name, text in parts.items():
        page = page.replace(f"<!--{name}-->", text)
    return page


async def run(
    connect: Callable[[HTTPServer], None],
    prepare: Callable[[], Callable[[], Server]],
    *,
    picture: Path | None = None,
    live: Callable[[], None] | None = None,
) -> None:
    """Answer what ``connect`` brings until SIGINT or SIGTERM.

    ``prepare`` runs on a thread (imports) and returns what builds the app on the event loop; ``live`` is called once
    that answers. ``picture`` is shown until then.
    """
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    waiting: Any = [("/", _Splash, {"picture": picture}), (".*", _Waiting)]
    door = Door(Application(waiting, log_function=lambda _: None))
    http = HTTPServer(door)
    connect(http)
    try:
        server = (await asyncio.to_thread(prepare))()
        loop.add_signal_handler(signal.SIGINT, ended.set)  # Panel took it, to stop the loop under what runs in it
        logging.getLogger("tornado.access").setLevel(logging.WARNING)
        server.start()
        door.app = server._tornado  # what it would itself listen with
        if live is not None:
            live()
        await ended.wait()
        # A message of a page still open is cut short, which Tornado would tell as an error of the program.
        logging.getLogger("tornado.application").addFilter(_is_no_end)
        server.stop()
    finally:
        http.stop()
        await http.close_all_connections()


def _is_no_end(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], asyncio.CancelledError))
