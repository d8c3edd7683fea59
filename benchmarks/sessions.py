"""A user of the dashboard without a browser: the page's request, its websocket, and Bokeh's protocol on it.

What a browser sends is sent, what it waits for is waited for; nothing is drawn. A step counts as done with the last
change the server sends for it, so its time is what a browser would have to wait before it can paint.
"""

from __future__ import annotations

import asyncio
import json
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from tornado.httpclient import AsyncHTTPClient, HTTPError, HTTPRequest
from tornado.websocket import WebSocketClientConnection, WebSocketClosedError, websocket_connect

from dashboard.data import Selection

PATIENCE = 60.0  # s, for what must come
QUIET = 0.5  # s without a message: a step has had all its changes
# What a step brings at least: figures; or, where there are some, a tab marked busy, until it is not.
_FIRST, _AGAIN = "figure", "mark"
_LARGEST = 64 * 2**20  # bytes of a message
_READY = {
    "kind": "MessageSent",
    "msg_type": "bokeh_event",
    "msg_data": {"type": "event", "name": "document_ready", "values": {"type": "map", "entries": []}},
}

AsyncHTTPClient.configure(None, max_clients=1000)  # users wait for the server, not for one another


class UserFailedError(Exception):
    """What a user met that no user should: a refusal, a lost connection, a page that never comes."""


@dataclass
class User:
    """One open page. ``tabs`` and ``pick`` are the models that are acted on, by id; ``chosen`` is what is selected, by field."""

    url: str
    connection: WebSocketClientConnection
    tabs: str = ""
    pick: str = ""
    chosen: dict[str, str] = field(default_factory=lambda: {"range": Selection().range, "region": Selection().region})
    tab: int = 0
    # Tabs, by what was chosen when they were last shown.
    opened: dict[int, dict[str, str]] = field(default_factory=dict)
    seen: str = ""  # the changes of the last step, as sent
    _inbox: asyncio.Queue[tuple[dict[str, Any], str] | None] = field(default_factory=asyncio.Queue)
    _sent: int = 0
    _came: set[str] = field(default_factory=set)  # of _FIRST and _AGAIN, with this step
    _busy: set[str] = field(default_factory=set)  # tabs, by their model

    def __post_init__(self) -> None:
        self._reading = asyncio.create_task(self._read())

    @classmethod
    async def arrive(cls, url: str) -> tuple[User, float]:
        """Open the page as a browser does, until its first tab has its figures; and how long that took, s.

        Raises:
            UserFailedError: it did not come.
        """
        began = time.perf_counter()
        try:
            page = await AsyncHTTPClient().fetch(url, request_timeout=PATIENCE)
            token = re.search(r'"token":"([^"]+)"', page.body.decode())
            if token is None:
                raise UserFailedError(f"{url} answered without a session")
            # The cookie leads back to the process that has the session, where there are several.
            cookies = "; ".join(one.partition(";")[0] for one in page.headers.get_list("Set-Cookie"))
            place = urlsplit(url).netloc
            headers = {"Origin": f"http://{place}", "Cookie": cookies}
            request = HTTPRequest(f"ws://{place}/ws", headers=headers, connect_timeout=PATIENCE)
            protocols = ["bokeh", token[1]]
            user = cls(url, await websocket_connect(request, subprotocols=protocols, max_message_size=_LARGEST))
        except HTTPError as error:
            raise UserFailedError(f"{url}: {error}") from error
        await user._receive()  # ACK
        asked = user._send("PULL-DOC-REQ", {})
        while (reply := await user._receive())[0].get("reqid") != asked:
            pass
        user._remember(reply[1])
        ended = await user._step([_READY], expects="" if '"Figure"' in reply[1] else _FIRST)
        user.opened[0] = dict(user.chosen)
        return user, ended - began

    async def open_tab(self, index: int) -> float:
        """Switch to a tab; s until the last change."""
        self._busy.clear()  # a tab that is left may stay so
        began = time.perf_counter()
        ended = await self._step([_set(self.tabs, "active", index)], expects=self._brings(index))
        self.tab = index
        self.opened[index] = dict(self.chosen)
        return ended - began

    def _brings(self, tab: int) -> str:
        """What opening ``tab`` sends at least: nothing but its answer where it shows what is chosen already."""
        if tab not in self.opened:
            return _FIRST
        return "" if self.opened[tab] == self.chosen else _AGAIN

    async def choose(self, field: str, value: str) -> float:
        """Press a button, such as that of the ``region`` SA1; s until the last change."""
        if self.chosen.get(field) == value:
            return 0.0
        self.chosen[field] = value
        began = time.perf_counter()
        ended = await self._step([_set(self.pick, "content", f"{field}={value}\n={self._sent}")], expects=_AGAIN)
        self.opened[self.tab] = dict(self.chosen)
        return ended - began

    async def leave(self) -> None:
        """Close the page, and see the connection closed."""
        self.connection.close()
        await self._reading

    async def _step(self, events: list[dict[str, Any]], *, expects: str) -> float:
        """Send ``events``; when the last message of what they bring came, ``expects`` in one of them."""
        self.seen, self._came = "", {""}
        asked = self._send("PATCH-DOC", {"events": events})
        answered, last = False, time.perf_counter()
        until = last + PATIENCE
        while True:
            settled = answered and expects in self._came and not self._busy
            try:
                wait = QUIET if settled else until - time.perf_counter()
                header, text = await asyncio.wait_for(self._receive(), max(wait, 0.001))
            except TimeoutError:
                if settled:
                    return last
                about = f"{events[0].get('attr')} = {events[0].get('new')} on tab {self.tab}, answered: {answered}"
                raise UserFailedError(f"no {expects} within {PATIENCE:.0f} s of {about}") from None
            last = time.perf_counter()
            answered |= header.get("reqid") == asked
            if header["msgtype"] == "ERROR" or 'class=\\"failure\\"' in text:
                raise UserFailedError(f"the server sent an error: {text[:300]}")
            if header["msgtype"] == "PATCH-DOC":
                self.seen += text
                self._follow(text)

    def _follow(self, text: str) -> None:
        if '"Figure"' in text:
            self._came.add(_FIRST)
        for event in json.loads(text)["events"]:
            if event.get("attr") == "css_classes" and "holder" in event["new"]:
                # A choice made while it was busy marks it no second time.
                self._came.add(_AGAIN)
                mark = self._busy.add if "busy" in event["new"] else self._busy.discard
                mark(event["model"]["id"])

    def _send(self, kind: str, content: dict[str, Any]) -> str:
        self._sent += 1
        name = f"{id(self):x}-{self._sent}"
        try:
            for part in ({"msgid": name, "msgtype": kind}, {}, content):
                self.connection.write_message(json.dumps(part))
        except WebSocketClosedError as error:
            raise UserFailedError(f"the server closed the connection ({self.connection.close_code})") from error
        return name

    async def _receive(self) -> tuple[dict[str, Any], str]:
        """The next message's header and content. Whoever gives up waiting for it loses none of it."""
        message = await self._inbox.get()
        if message is None:
            raise UserFailedError(f"the server closed the connection ({self.connection.close_code})")
        return message

    async def _read(self) -> None:
        """Put messages together out of their frames, till the connection closes; buffers are read and let go."""
        frames: list[Any] = []
        while (frame := await self.connection.read_message()) is not None:
            frames.append(frame)
            header = json.loads(frames[0])
            if len(frames) == 3 + 2 * header.get("num_buffers", 0):
                self._inbox.put_nowait((header, frames[2]))
                frames = []
        self._inbox.put_nowait(None)

    def _remember(self, document: str) -> None:
        for model in _models(json.loads(document)):
            held = model.get("attributes", {})
            if held.get("name") == "tabs":
                self.tabs = model["id"]
            if held.get("name") == "pick":
                self.pick = model["id"]


def _set(model: str, attribute: str, value: Any) -> dict[str, Any]:
    return {"kind": "ModelChanged", "model": {"id": model}, "attr": attribute, "new": value}


def _models(value: Any) -> Iterator[dict[str, Any]]:
    """Every model in a serialised document."""
    if isinstance(value, dict):
        if value.get("type") == "object" and "id" in value:
            yield value
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from _models(one)
