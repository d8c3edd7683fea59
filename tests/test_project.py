"""What the project promises before any of its code runs: exact versions, no network, a browser."""

import asyncio
import re
import socket
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from playwright.sync_api import Error

ROOT = Path(__file__).parent.parent


def test_lock_holds_exact_versions_and_nothing_else():
    pins = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")]
    assert len(pins) > 100
    assert [pin for pin in pins if not re.fullmatch(r"[\w.-]+==[\w.+!]+", pin)] == []


def test_names_of_other_hosts_are_refused(offline):
    with pytest.raises(OSError, match="offline"):
        socket.create_connection(("example.invalid", 80))
    assert offline == ["example.invalid"]
    offline.clear()


@pytest.mark.parametrize("method", ["connect", "connect_ex"])
def test_addresses_of_other_hosts_are_refused(offline, method):
    with socket.socket() as sock, pytest.raises(OSError, match="offline"):
        getattr(sock, method)(("192.0.2.1", 80))
    assert offline == ["192.0.2.1"]
    offline.clear()


@pytest.fixture
def page_url(tmp_path):
    tmp_path.joinpath("index.html").write_text(
        "<h1></h1><script>document.querySelector('h1').innerText = 6 * 7</script>"
    )
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(SimpleHTTPRequestHandler, directory=tmp_path)) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


@pytest.mark.browser
@pytest.mark.parametrize("time", ["first", "second"])
def test_browser_shows_a_page_and_leaves_asyncio_usable(browser, page_url, time):
    assert browser.contexts == [], f"the {time} test finds a clean browser"
    page = browser.new_page()
    page.goto(page_url)
    assert page.inner_text("h1") == "42"


@pytest.mark.browser
@pytest.mark.usefixtures("chromium")
def test_asyncio_runs_beside_the_browser():
    assert asyncio.run(asyncio.sleep(0, "ran")) == "ran"


@pytest.mark.browser
def test_browser_reaches_no_other_host(browser):
    with pytest.raises(Error, match="ERR_NAME_NOT_RESOLVED"):
        browser.new_page().goto("http://example.com/")
