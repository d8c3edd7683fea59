"""The served app over plain HTTP: who is let in, what is told, and what a failure shows."""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
from bokeh.client import pull_session
from bokeh.models import ImportedStyleSheet
from bokeh.plotting import figure
from bokeh.server.views import ws
from bokeh.util.token import get_session_id
from tornado.httpclient import HTTPClientError, HTTPRequest
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from tornado.web import Application, RequestHandler
from tornado.websocket import WebSocketHandler, websocket_connect

from cache_store.settings import Settings
from cli.serve import _check_sign_in, _origins
from dashboard import app, front
from tests.dashboard.serving import served

REPOSITORY = Path(__file__).parents[2]


def get(url: str, **headers: str) -> tuple[int, str, dict[str, str]]:
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=20) as answer:
            return answer.status, answer.read().decode(), dict(answer.headers)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode(), dict(error.headers)


@pytest.fixture(scope="module")
def url(tiny_market) -> Iterator[str]:
    with served(tiny_market, metrics=lambda: "nemwarm_partitions 1\n") as url:
        yield url


def test_the_page_its_metrics_and_its_readiness_are_served(url):
    assert get(url)[0] == 200
    assert get(f"{url}ready")[:2] == (200, "ready\n")
    status, text, headers = get(f"{url}metrics")
    assert (status, text) == (200, "nemwarm_partitions 1\n")
    assert headers["Content-Type"].startswith("text/plain")


def test_an_app_not_told_of_its_health_has_no_page_of_it(url):
    assert get(f"{url}health")[0] == 404


@pytest.mark.parametrize(
    "path", ["static/", "static/extensions/", "static/../app.py", "assets/", "static/..%2f..%2fapp.py"]
)
def test_no_folder_is_listed_and_none_but_bokehs_is_served(url, path):
    status, text, _ = get(url + path)
    assert status in {403, 404}
    assert "<li>" not in text


def test_the_only_script_is_compressed_for_whoever_can_read_that(url):
    scripts = re.findall(r'src="(static/[^"]+[.]js)[?]v=', get(url)[1])
    (script,) = scripts  # neither widgets, nor Panel's, nor tables, nor WebGL, nor formulae
    plain, told = get(url + script)[1:]
    assert "Content-Encoding" not in told
    request = urllib.request.Request(url + script, headers={"Accept-Encoding": "gzip, br"})
    with urllib.request.urlopen(request, timeout=20) as answer:
        assert (answer.headers["Content-Encoding"], answer.headers["Vary"]) == ("gzip", "Accept-Encoding")
        assert "max-age" in answer.headers["Cache-Control"]
        sent = answer.read()
    assert len(sent) < 0.4 * len(plain.encode())
    assert gzip.decompress(sent).decode() == plain


def test_every_answer_says_what_it_may_ask_for(url):
    for path in ("", "ready", "nothing"):
        headers = get(url + path)[2]
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert "default-src 'self'" in headers["Content-Security-Policy"]


def test_a_page_that_cannot_be_built_shows_no_trace(tiny_market, monkeypatch):
    def broken(*_args, **_options):
        raise ZeroDivisionError("secret/path.py line 3")

    monkeypatch.setattr(app, "open_page", broken)
    with served(tiny_market) as url:
        _, text, _ = get(url)
    assert "secret" not in text
    assert "Traceback" not in text


def open_socket(url: str, origin: str) -> None:
    """Open a websocket as a page of ``origin`` would, and close it."""

    async def attempt() -> None:
        request = HTTPRequest(url.replace("http", "ws") + "ws", headers={"Origin": origin})
        socket_ = await websocket_connect(request)
        socket_.close()

    asyncio.run(attempt())


def test_a_page_of_another_host_opens_no_session(url):
    with pytest.raises(HTTPClientError, match="403"):
        open_socket(url, "http://elsewhere.example")


def test_origins_are_this_hosts_names_and_those_given():
    own = {"0.0.0.0:5006", "localhost:5006", "127.0.0.1:5006", f"{socket.gethostname()}:5006"}
    assert set(_origins([], "0.0.0.0", 5006)) == own
    assert set(_origins(["nem.example", "other.example:8443"], "0.0.0.0", 5006)) == own | {
        "nem.example:80",
        "nem.example:443",
        "other.example:8443",
    }


@pytest.mark.parametrize("content", [None, "", "secret", "{}", "[]", '{"ann": 3}', '{"ann": ""}'])
def test_a_file_of_users_that_is_none_is_refused(tmp_path, content):
    """Panel would take the path of a missing file for everybody's password."""
    users = tmp_path / "users.json"
    if content is not None:
        users.write_text(content)
    assert str(users) in _check_sign_in(users)


def test_readers_sign_in_before_they_see_anything(tiny_market, tmp_path):
    users = tmp_path / "users.json"
    users.write_text(json.dumps({"ann": "correct horse"}))
    assert not _check_sign_in(users)
    told = {"metrics": lambda: "secret_metric 1\n"}
    with served(tiny_market, **told, basic_auth=str(users), cookie_secret="s" * 32) as url:
        jar = urllib.request.build_opener(urllib.request.HTTPCookieProcessor())
        for path in ("", "metrics"):
            with jar.open(url + path, timeout=20) as answer:
                text = answer.read().decode()
            assert "<h1>nemwarm</h1>" in text
            assert "http" not in text.replace(url, ""), "the page of signing in asks for something elsewhere"
        for password, inside in (("wrong", False), (str(users), False), ("correct horse", True)):
            form = urllib.parse.urlencode({"username": "ann", "password": password}).encode()
            jar.open(f"{url}login", form, timeout=20).close()
            with jar.open(f"{url}metrics", timeout=20) as answer:
                assert ("secret_metric" in answer.read().decode()) is inside


def test_the_door_answers_with_the_last_picture_before_the_app_stands(tmp_path):
    picture = tmp_path / "overview.html"
    picture.write_text("<p>as last seen</p>")
    listening = bind_sockets(0, "127.0.0.1")
    url = f"http://127.0.0.1:{listening[0].getsockname()[1]}/"
    go, seen = threading.Event(), {}

    def look():
        seen["before"] = get(url), get(f"{url}ready")[0], get(f"{url}health")[0]
        go.set()

    def prepare():
        thread = threading.Thread(target=look)
        thread.start()
        thread.join(20)
        assert go.is_set()
        raise RuntimeError("no app today")

    with pytest.raises(RuntimeError, match="no app today"):
        asyncio.run(front.run(lambda http: http.add_sockets(listening), prepare, picture=picture))
    page, ready, health = seen["before"]
    assert page[0] == 200
    assert "as last seen" in page[1]
    assert (ready, health) == (503, 503)


def test_a_connection_kept_alive_since_the_splash_asks_the_app():
    class Says(RequestHandler):
        def initialize(self, word: str) -> None:
            self.word = word

        def get(self) -> None:
            self.write(self.word)

    async def ask_twice() -> list[bytes]:
        door = front.Door(Application([("/", Says, {"word": "starting"})]))
        http = HTTPServer(door)
        listening = bind_sockets(0, "127.0.0.1")
        http.add_sockets(listening)
        reader, writer = await asyncio.open_connection(*listening[0].getsockname())
        heard = []
        for _ in range(2):
            writer.write(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(re.search(rb"Content-Length: (\d+)", head)[1])
            heard.append(await reader.readexactly(length))
            door.app = Application([("/", Says, {"word": "app"})])
        writer.close()
        await writer.wait_closed()
        http.stop()
        await http.close_all_connections()
        return heard

    assert asyncio.run(ask_twice()) == [b"starting", b"app"]


def test_a_message_cut_short_by_the_end_is_no_error(caplog):
    listening = bind_sockets(0, "127.0.0.1")
    address = f"ws://127.0.0.1:{listening[0].getsockname()[1]}/"

    class Hears(WebSocketHandler):
        async def on_message(self, _message):
            signal.raise_signal(signal.SIGTERM)
            await asyncio.Event().wait()

    async def say() -> None:
        connection = await websocket_connect(address)
        try:
            await connection.write_message("are you there?")
            await connection.read_message()
        finally:
            connection.close()

    def build() -> SimpleNamespace:
        tasks.append(asyncio.ensure_future(say()))
        return SimpleNamespace(start=list, stop=list, _tornado=Application([("/", Hears)]))

    tasks: list[asyncio.Future[None]] = []
    asyncio.run(front.run(lambda http: http.add_sockets(listening), lambda: build))
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


def test_no_picture_is_no_trouble(tmp_path):
    assert "Starting" in front.splash(None)
    assert "Starting" in front.splash(tmp_path / "missing.html")


class Command:
    """`nemwarm serve` over the bundled sample, as its own process."""

    def __init__(self, home: Path, *arguments: str, port: int | None = None):
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = port or probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}/"
        self.log = home / "log"
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "cli", "serve", "--port", str(self.port), *arguments],
                cwd=REPOSITORY,
                env={**os.environ, "NEMWARM_HOME": str(home)},
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait_until_live(self) -> None:
        for _ in range(600):
            assert self.process.poll() is None, self.log.read_text()
            with contextlib.suppress(OSError):
                if get(f"{self.url}ready")[0] == 200:
                    return
            time.sleep(0.1)
        pytest.fail("the app did not stand within a minute")

    def children(self) -> set[int]:
        return {
            int(number)
            for number in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        }


@contextlib.contextmanager
def serving(
    home: Path, *arguments: str, port: int | None = None, end: signal.Signals = signal.SIGTERM
) -> Iterator[Command]:
    """The command once it answers; it is ended by ``end``, and its own processes with it."""
    command = Command(home, *arguments, port=port)
    children: set[int] = set()
    try:
        command.wait_until_live()
        yield command
        children = command.children()
    finally:
        command.process.send_signal(end)
        code = command.process.wait(20)
    wait_until_gone(children)
    assert code == (-signal.SIGKILL if end == signal.SIGKILL else 0)
    with pytest.raises(OSError, match="refused"):
        urllib.request.urlopen(command.url, timeout=5)
    assert "Traceback" not in command.log.read_text()


def wait_until_gone(numbers: set[int]) -> None:
    for _ in range(300):
        if not any(_runs(number) for number in numbers):
            return
        time.sleep(0.1)
    pytest.fail(f"still running: {numbers}")


def _runs(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


@pytest.fixture(scope="module")
def home(sample_lake, tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("serve")
    (home / "lake").symlink_to(sample_lake)
    return home


def test_serve_answers_tells_its_health_and_ends_on_a_signal(home):
    with serving(home, end=signal.SIGINT) as command:  # Ctrl+C
        status, text, _ = get(f"{command.url}health")
        assert status == 200
        assert "unit_scada" in text
        assert "Source: AEMO" in text
        assert "nemwarm_partitions" in get(f"{command.url}metrics")[1]


@pytest.mark.browser
def test_a_page_whose_server_began_anew_opens_itself_anew(browser, home):
    """A session idle overnight, an upgrade: what the page was is in its address."""
    with serving(home, end=signal.SIGKILL) as command:
        page = browser.new_page()
        page.goto(f"{command.url}?region=SA1")
        page.locator(".tile.chosen", has_text="SA1").wait_for()
    page.get_by_role("alert").filter(has_text="connection was lost").wait_for()
    with serving(home, port=command.port):
        page.get_by_role("alert").filter(has_text="connection was lost").wait_for(state="detached")
        page.locator(".tile.chosen", has_text="SA1").wait_for()


def test_a_page_asks_for_no_style_sheet(url):
    """Panel's panes do, and where a websocket opens the session, of somebody else. Those of the page are in it."""
    session = pull_session(url=url)
    try:
        assert list(session.document.select({"type": ImportedStyleSheet})) == []
        assert {one.__module__.partition(".")[0] for one in session.document.models} == {"bokeh"}
    finally:
        session.close()


def test_a_page_is_drawn_while_its_browser_still_reads_scripts(tiny_market, monkeypatch):
    """What is in the document when a browser asks for it is sent at once, and laid out once."""
    pages, real = [], app.open_page
    monkeypatch.setattr(app, "open_page", lambda *words: pages.append(real(*words)) or pages[-1])
    with served(tiny_market) as url:
        token = re.search(r'"token":"([^"]+)"', get(url)[1])
        until = time.monotonic() + 20
        while not pages[0].slots[0].drawn and time.monotonic() < until:
            time.sleep(0.05)
        session = pull_session(url=url, session_id=get_session_id(token[1]))
        figures = list(session.document.select({"type": figure}))
        session.close()
    assert figures


@pytest.mark.browser
@pytest.mark.parametrize(("lost", "openings"), [("session", 1), ("token", 2)])
def test_a_page_whose_session_has_expired_shows_all_the_same_and_asks_nobody_else(
    browser, tiny_market, monkeypatch, lost, openings
):
    """A session that is gone is made again; a token that is too old opens none, so the page is opened anew."""
    losing, connect, payload_of = [True], ws.WSHandler._async_open, ws.get_token_payload

    async def late(handler, token):
        for session in list(handler.application_context.sessions) if lost == "session" and losing else ():
            await handler.application_context._discard_session(session, lambda _: losing.clear() or True)
        return await connect(handler, token)

    def old(token):
        if lost == "token" and losing:
            losing.clear()
            return {"session_expiry": 0}
        return payload_of(token)

    monkeypatch.setattr(ws.WSHandler, "_async_open", late)
    monkeypatch.setattr(ws, "get_token_payload", old)
    with served(tiny_market) as url:
        page, asked, opened = browser.new_page(), set(), []
        page.on("request", lambda request: asked.add(urllib.parse.urlsplit(request.url).netloc))
        page.on("domcontentloaded", lambda _: opened.append(1))
        page.goto(f"{url}?region=SA1")
        page.locator(".tile.chosen", has_text="SA1").wait_for()
        assert (losing, len(opened)) == ([], openings)
        assert asked <= {urllib.parse.urlsplit(url).netloc, ""}


# Tornado's own forks live on when their parent gets SIGTERM.
def test_a_browser_stays_with_its_process_and_one_that_ends_is_started_anew(home):
    with serving(home, "--processes", "2") as command:
        for number in (0, 1):
            for _ in range(3):  # in its turn it would have met the other by now
                cookie = _process_of(command, Cookie=f"other=1; nemwarm_process={number}")
                assert cookie == f"nemwarm_process={number}"
        assert _process_of(command, Cookie="nemwarm_process=99") in {"nemwarm_process=0", "nemwarm_process=1"}
        first = command.children()
        assert len(first) == 2
        os.kill(min(first), signal.SIGKILL)
        wait_until_gone({min(first)})
        for _ in range(300):
            if len(command.children() - first) == 1:
                break
            time.sleep(0.1)
        assert len(command.children()) == 2


def test_the_end_of_the_parent_is_the_end_of_all_even_where_it_is_killed(home):
    with serving(home, "--processes", "2", end=signal.SIGKILL) as command:
        assert len(command.children()) == 2


def _process_of(command: Command, **headers: str) -> str:
    for _ in range(300):  # until that one stands, its door sets no cookie
        cookie = get(command.url, **headers)[2].get("Set-Cookie", "")
        if cookie:
            return cookie.split(";")[0]
        time.sleep(0.1)
    pytest.fail("no process told its number")


def test_the_defaults_are_safe():
    assert Settings.model_fields["address"].default == "127.0.0.1"
    assert app.KEEP_ALIVE_MS == 30_000  # T8
