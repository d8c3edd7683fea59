"""Several processes behind one address: the parent takes connections in, and hands each to the process that knows it.

A page's websocket must reach the process that rendered the page, for only that has its session. The parent looks at a
connection's first request without taking it (a browser's cookie names its process) and passes the socket itself on, so
that no byte goes through here afterwards. A process ends when the parent does, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import re
import signal
import socket
import subprocess
from collections.abc import Callable, Sequence

from tornado.httpserver import HTTPServer
from tornado.iostream import IOStream

COOKIE = "nemwarm_process"  # which of several processes has the browser's sessions
_NAMED = re.compile(rb"^cookie:.*\b%s=(\d{1,4})" % COOKIE.encode(), re.IGNORECASE | re.MULTILINE)
_HEAD_BYTES = 65_536
_HEAD_SECONDS = 5.0
_LOOK_SECONDS = 0.02
_END_SECONDS = 10


class _Child:
    """A process, and the socket over which it is handed connections."""

    def __init__(self, start: Callable[[int], subprocess.Popen[bytes]]):
        self.pipe, theirs = socket.socketpair()
        with theirs:
            self.process = start(theirs.fileno())

    def hand(self, connection: socket.socket) -> None:
        socket.send_fds(self.pipe, [b"."], [connection.fileno()])

    def end(self) -> None:
        self.process.terminate()
        try:
            self.process.wait(_END_SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.pipe.close()


async def supervise(
    listening: Sequence[socket.socket], starts: Sequence[Callable[[int], subprocess.Popen[bytes]]]
) -> None:
    """Keep one process per start running, each given the number of an inherited socket, until SIGINT or SIGTERM."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, ended.set)
    children = [_Child(start) for start in starts]
    turn = itertools.cycle(range(len(children)))
    tasks = [asyncio.create_task(_accept(one, children, turn)) for one in listening]
    tasks.append(asyncio.create_task(_revive(children, starts)))
    try:
        await ended.wait()
    finally:
        for task in tasks:
            task.cancel()
        for child in children:
            child.process.terminate()
        for child in children:
            child.end()


async def _revive(children: list[_Child], starts: Sequence[Callable[[int], subprocess.Popen[bytes]]]) -> None:
    """Start anew whatever process ended; one that ends at once is tried again every second."""
    while True:
        await asyncio.sleep(1)
        for place, child in enumerate(children):
            if child.process.poll() is not None:
                child.pipe.close()
                children[place] = _Child(starts[place])


async def _accept(listening: socket.socket, children: list[_Child], turn: itertools.cycle[int]) -> None:
    loop = asyncio.get_running_loop()
    listening.setblocking(False)
    routing: set[asyncio.Task[None]] = set()
    while True:
        connection, _ = await loop.sock_accept(listening)
        task = asyncio.create_task(_route(connection, children, turn))
        routing.add(task)
        task.add_done_callback(routing.discard)


async def _route(connection: socket.socket, children: list[_Child], turn: itertools.cycle[int]) -> None:
    with connection, contextlib.suppress(OSError):  # the browser went away, or the process did: it asks again
        named = _NAMED.search(await _head(connection))
        place = int(named[1]) if named and int(named[1]) < len(children) else next(turn)
        children[place].hand(connection)


async def _head(connection: socket.socket) -> bytes:
    """The first request's head, left where it is; what there is of it after some seconds."""
    loop, arrived, head = asyncio.get_running_loop(), asyncio.Event(), b""
    loop.add_reader(connection, arrived.set)
    try:
        async with asyncio.timeout(_HEAD_SECONDS):
            await arrived.wait()
            while True:
                head = connection.recv(_HEAD_BYTES, socket.MSG_PEEK)
                if not head or b"\r\n\r\n" in head or len(head) == _HEAD_BYTES:
                    return head
                await asyncio.sleep(_LOOK_SECONDS)
    except TimeoutError:
        return head
    finally:
        loop.remove_reader(connection)


def take(number: int) -> Callable[[HTTPServer], None]:
    """What gives a server the connections handed over inherited socket ``number``; the process ends with the parent."""
    pipe = socket.socket(fileno=number)
    pipe.setblocking(False)

    def connect(http: HTTPServer) -> None:
        loop = asyncio.get_running_loop()

        def handed() -> None:
            word, numbers, _, _ = socket.recv_fds(pipe, 1, 1)
            if not word:  # the parent is gone
                loop.remove_reader(pipe)
                signal.raise_signal(signal.SIGTERM)
            for one in numbers:
                connection = socket.socket(fileno=one)
                connection.setblocking(False)
                http.handle_stream(IOStream(connection), connection.getpeername())

        loop.add_reader(pipe, handed)

    return connect
