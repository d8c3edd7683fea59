"""The served app in a real Chromium: every tab opened, drawn, and holding the numbers the market answers."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page

from cache_store import materialise, open_store
from cache_store.build import publish_entries
from cache_store.catalogue import CATALOGUE
from dashboard.data import Selection
from dashboard.tables import generation, overview
from nem.source import open_source
from tests.dashboard.serving import market_of

pytestmark = pytest.mark.browser

REPOSITORY = Path(__file__).parents[2]
TITLES = ("NEM Overview", "Generation", "Price Analysis", "Station Analysis")

# Every figure on the page that has drawn something: Bokeh keeps them in nested shadow roots.
PAINTED = """() => {
  const found = [];
  const inked = (node) => {
    if (node.tagName === "CANVAS" && node.width > 50) {
      const data = node.getContext("2d").getImageData(0, 0, node.width, node.height).data;
      for (let i = 3; i < data.length; i += 404) if (data[i]) return true;
    }
    return [...(node.shadowRoot?.children ?? []), ...node.children].some(inked);
  };
  const walk = (node) => {
    if (node.classList?.contains("bk-Figure")) { if (node.getBoundingClientRect().width > 100 && inked(node)) found.push(1); return; }
    for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) walk(child);
  };
  if (document.body) walk(document.body);  // between the splash and the page there is a moment without
  return found.length;
}"""

# A column of the source that a figure on the page draws, found by a column only it has: Bokeh holds on to replaced ones.
COLUMN = """([marker, column]) => {
  const found = new Set();
  const walk = (view) => {
    for (const one of view.model.renderers ?? []) if (one.data_source?.get_column(marker)) found.add(one.data_source);
    for (const child of view.child_views ?? []) walk(child);
  };
  for (const root of window.Bokeh.index.roots ?? Object.values(window.Bokeh.index)) walk(root);
  const source = [...found].at(-1);
  return source ? Array.from(source.get_column(column)) : null;
}"""

CUT = (
    "nodes => nodes.filter(one => one.clientWidth && one.scrollWidth > one.clientWidth + 1).map(one => one.textContent)"
)


# How many points of the page's canvases have the colour that a variable of the style sheet has by now.
POINTS = """(name) => {
  const probe = document.body.appendChild(document.createElement("span"));
  probe.style.color = `var(${name})`;
  const wanted = getComputedStyle(probe).color.match(/[0-9]+/g).map(Number);
  probe.remove();
  let found = 0;
  const walk = (node) => {
    if (node.tagName === "CANVAS" && node.width > 50) {
      const { data } = node.getContext("2d").getImageData(0, 0, node.width, node.height);
      for (let i = 0; i < data.length; i += 4)
        if (data[i + 3] > 200 && wanted.every((part, at) => Math.abs(part - data[i + at]) < 4)) found += 1;
    }
    for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) walk(child);
  };
  walk(document.body);
  return found;
}"""


class World:
    """A lake and store of the bundled sample, and the app served over them by its own process."""

    def __init__(self, home: Path, url: str):
        self.url = url
        self.source, self.store = open_source(home / "lake"), open_store(home / "store")
        self.now = self.source.now()
        self.market = market_of(self.source, self.store, lambda: self.now)


@pytest.fixture(scope="module")
def world(sample_lake, tmp_path_factory) -> Iterator[World]:
    home = tmp_path_factory.mktemp("served")
    (home / "lake").symlink_to(sample_lake)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    # Two seconds between looks instead of twenty: a test waits for a receipt to turn.
    code = f"import cli, dashboard.page as p; p.REFRESH_MS = 2000; cli.main(['serve', '--port', '{port}'])"
    log = (home / "log").open("w")
    served = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=REPOSITORY,
        env={**os.environ, "NEMWARM_HOME": str(home)},
        stdout=log,
        stderr=subprocess.STDOUT,
    )
    url = f"http://127.0.0.1:{port}/"
    try:
        _wait_for(f"{url}ready", served)
        yield World(home, url)
    finally:
        served.terminate()
        served.wait(10)
        log.close()
    assert "the tab " not in (home / "log").read_text()  # how a failed tab is logged


def _wait_for(url: str, served: subprocess.Popen) -> None:
    for _ in range(300):
        assert served.poll() is None, "the server ended"
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                assert answer.status == 200
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("the server did not answer within 30 s")


@pytest.fixture
def page(browser: Browser, world: World) -> Iterator[Page]:
    """A fresh visitor, whose console and requests must stay clean."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text) if _is_trouble(said) else None)
    page.on("request", lambda sent: None if _is_local(sent.url, world.url) else trouble.append(sent.url))
    page.on("requestfailed", lambda sent: trouble.append(f"failed: {sent.url}"))
    page.goto(world.url)
    drawn(page, 2)
    yield page
    context.close()
    assert trouble == []


def _is_trouble(said: ConsoleMessage) -> bool:
    # The readback is this test's own look at the canvas.
    return said.type in {"error", "warning"} and "willReadFrequently" not in said.text


def _is_local(url: str, served: str) -> bool:
    return url.startswith((served, served.replace("http", "ws"), "data:", "blob:"))


def drawn(page: Page, figures: int) -> None:
    page.wait_for_function(f"({PAINTED})() >= {figures}", timeout=60_000)


def open_tab(page: Page, title: str) -> None:
    page.locator(".bk-tab", has_text=title).click()


def column(page: Page, marker: str, name: str) -> np.ndarray:
    """What the browser holds, without the closing point."""
    return np.array(page.evaluate(COLUMN, [marker, name]) or [], dtype=float)[:-1]


def holds(page: Page, marker: str, name: str, values: np.ndarray) -> None:
    """Wait until the browser's column has these values: a redraw may still be on its way, beside what it replaces."""
    until, expected = time.monotonic() + 20, pytest.approx(values)
    while (held := column(page, marker, name)) != expected and time.monotonic() < until:
        page.wait_for_timeout(50)
    assert held == expected


def test_the_overview_draws_the_last_24_hours(page, world):
    told = overview.load(world.market, Selection())
    holds(page, "coal_black", "coal_black", told.stack.columns["coal_black"])
    holds(page, "coal_black", "price", told.stack.columns["price"])
    assert len(column(page, "coal_black", "demand")) == 288
    assert page.locator(".tile").count() == 6
    assert page.locator(".gauge .big").text_content() == f"{told.share_day * 100:.1f}%"
    assert page.locator("footer").get_by_text("Source: AEMO").is_visible()


def test_no_words_of_a_tile_are_cut(page):
    for width in (390, 760, 1280, 1400, 1440, 1920):
        page.set_viewport_size({"width": width, "height": 900})
        assert page.locator(".tile *").evaluate_all(CUT) == [], f"at {width} px"


def test_generation_draws_the_stack_and_its_fuels(page, world):
    open_tab(page, "Generation")
    page.get_by_text("By fuel").wait_for()
    drawn(page, 2)
    told = generation.load(world.market, Selection())
    rows = page.locator("table.fuels tbody tr")
    assert rows.count() == len(told.rows) + 1
    assert rows.first.locator("td").nth(1).text_content() == f"{told.rows[0].energy_mwh / 1000:,.1f}"


def test_a_region_and_a_range_change_the_numbers(page, world):
    open_tab(page, "Generation")
    page.get_by_role("button", name="SA1").click()
    page.get_by_role("button", name="3d").click()
    page.get_by_text("2017-11-02 00:00 to 2017-11-05 00:00").wait_for()
    told = generation.load(world.market, Selection(region="SA1", range="3d")).stack
    holds(page, "exports", "exports", told.columns["exports"])
    holds(page, "exports", "wind", told.columns["wind"])


def test_a_table_sorts_by_any_column(page):
    open_tab(page, "Generation")
    page.locator("th", has_text="GWh").click()
    energy = page.locator("table.fuels tbody tr:not(.total):not(.flow) td:nth-child(2)")
    sorted_down = [float(text.replace(",", "")) for text in energy.all_text_contents()]
    assert sorted_down == sorted(sorted_down, reverse=True)


def test_the_theme_is_remembered_and_figures_follow(page):
    ink = "() => getComputedStyle(document.documentElement).getPropertyValue('--ink')"
    light = page.evaluate(ink)
    page.wait_for_function(f"() => ({POINTS})('--muted') > 20")  # of the words at an axis
    page.locator("#theme").click()
    dark = page.evaluate(ink)
    assert light != dark
    page.wait_for_function(f"() => ({POINTS})('--muted') > 20")
    page.reload()
    drawn(page, 2)
    assert page.evaluate(ink) == dark


def test_a_reload_draws_again(page):
    """U1: nothing hangs on a callback that only the first visit gets."""
    for _ in range(2):
        page.reload()
        drawn(page, 2)


def test_a_finger_scrolls_the_page_and_never_zooms_a_figure(browser, world):
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = context.new_page()
    page.goto(world.url)
    drawn(page, 2)
    start = "() => [...Bokeh.documents[0]._all_models.values()].find((model) => model.type === 'Figure').x_range.end"
    before = page.evaluate(start)
    finger = context.new_cdp_session(page)
    finger.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": [{"x": 200, "y": 600}]})
    for step in range(1, 11):
        points = [{"x": 200 + 3 * step, "y": 600 - 30 * step}]
        finger.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": points})
    finger.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})
    page.wait_for_function("() => window.scrollY > 50")
    assert page.evaluate(start) == before
    context.close()


def test_a_receipt_turns_to_cache_without_a_reload(page, world):
    """A page opened before the warming ends: its receipts follow."""
    for query in (one for one in CATALOGUE.values() if one.name != "interconnector_flow"):  # the sample has none
        publish_entries(world.store, materialise(world.store, world.source, query, "2017-11-04", now=world.now))
    page.locator(".origin", has_text="cache").first.wait_for(timeout=15_000)
    page.locator(".receipt summary").first.click()
    page.locator(".segments td", has_text="fresh").first.wait_for()
