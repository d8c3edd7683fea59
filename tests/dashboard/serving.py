"""The app served inside a test, over whatever market the test holds in its hand."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import Any

from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets

from cache_store import Store, extent, fetch
from dashboard.app import open_app
from dashboard.data import Market
from dashboard.front import Door
from nem import Source


def market_of(source: Source, store: Store, clock: Callable[[], datetime]) -> Market:
    """The real reader over a source and a store."""
    return Market(
        ask=lambda query, window, **options: fetch(store, source, query, window, now=clock(), **options),
        extent=lambda query: extent(store, source, query),
        clock=clock,
    )


@contextmanager
def served(market: Market, **options: Any) -> Iterator[str]:
    """The address of the app, on a thread of its own until the block ends."""
    listening = bind_sockets(0, "127.0.0.1")
    port = listening[0].getsockname()[1]
    stands, loop = threading.Event(), asyncio.new_event_loop()

    async def run(ended: asyncio.Event) -> None:
        server = open_app(market, origins=[f"127.0.0.1:{port}"], **options)
        http = HTTPServer(Door(server._tornado))
        http.add_sockets(listening)
        server.start()
        stands.set()
        await ended.wait()
        http.stop()
        server.stop()
        await http.close_all_connections()

    ended = asyncio.Event()
    thread = threading.Thread(target=lambda: loop.run_until_complete(run(ended)))
    thread.start()
    try:
        assert stands.wait(20)
        yield f"http://127.0.0.1:{port}/"
    finally:
        loop.call_soon_threadsafe(ended.set)
        thread.join(20)
        loop.close()
