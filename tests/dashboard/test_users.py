"""Ten users at once over real websockets: every page, tab and choice is answered, and nothing is kept of who has left."""

from __future__ import annotations

import asyncio
import socket

from tornado.netutil import bind_sockets

from benchmarks.sessions import User
from dashboard import app, page

USERS = 10
TABS = 4
REGIONS = {"NSW1": "New South Wales", "SA1": "South Australia"}


def test_ten_users_open_every_tab_and_choose_apart(tiny_market, monkeypatch):
    monkeypatch.setattr(app, "LIFETIME_MS", 400)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    regions = list(REGIONS) * (USERS // 2)

    async def visit() -> None:
        gone = asyncio.Semaphore(0)
        real = page.end
        monkeypatch.setattr(page, "end", lambda one: (real(one), gone.release()))
        server = app.open_app(tiny_market, origins=[f"127.0.0.1:{port}"])
        server.start()
        server._http.add_sockets(bind_sockets(port, "127.0.0.1"))
        try:
            users = await asyncio.gather(*(_use(f"http://127.0.0.1:{port}/", region) for region in regions))
            assert len(server.get_sessions()) == USERS
            for user in users:
                await user.leave()
            async with asyncio.timeout(30):
                for _ in users:
                    await gone.acquire()
        finally:
            server.stop()

    asyncio.run(visit())


async def _use(url: str, region: str) -> User:
    """A user who opens every tab, then looks at one region alone. A step that brings no figure or an error raises."""
    user, _ = await User.arrive(url)
    for tab in range(1, TABS):
        await user.open_tab(tab)
    await user.open_tab(1)
    await user.choose("region", region)
    assert set(user.opened) == set(range(TABS))
    shown = {name for name, words in REGIONS.items() if f"Generation, {words}" in user.seen}
    assert shown == {region}
    return user
