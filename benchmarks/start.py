"""Starting: process start to an answer and to what a browser paints, where the imports' time goes, and what laziness gives."""

from __future__ import annotations

import re
import statistics
import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from typing import Any

from playwright.sync_api import Browser, sync_playwright

from benchmarks.apart import PROJECT
from benchmarks.load import serving, wait_for
from benchmarks.measure import MS, Row, line
from benchmarks.world import Size, World
from tests.browser import FLAGS, REMEDY, find_chromium
from tests.dashboard.test_browser import PAINTED, TITLES

LAZY, EAGER = ("cli", "serve"), ("benchmarks.eager",)
# Keeps, over the reload that ends the splash, when it had painted its picture, on the wall clock.
SPLASH = """(() => {
  const look = () => {
    const picture = document.querySelector("main.painted");
    if (!picture && document.readyState === "complete") return;
    if (picture?.children.length && performance.getEntriesByName("first-contentful-paint").length)
      sessionStorage.setItem("splash", performance.timeOrigin + performance.now());
    else requestAnimationFrame(look);
  };
  look();
})()"""
# Between the splash and the page that takes its place there is a moment without a body.
CHART = f"document.body && ({PAINTED})() >= 1"
# Of a tab just opened: figures that were there before are another tab's.
MARK = """() => {
  const walk = (node) => {
    if (node.classList?.contains("bk-Figure")) node.dataset.former = "";
    for (const child of [...(node.shadowRoot?.children ?? []), ...node.children]) walk(child);
  };
  walk(document.body);
}"""
_WALK = "const walk = (node) => {"
assert _WALK in PAINTED
NEW_CHART = CHART.replace(_WALK, f"{_WALK} if (node.dataset?.former === '') return;")
LIBRARIES = 8  # named in the import profile; the rest is one line
COLD = "lazy, as served"


def run(world: World, size: Size) -> Iterator[Row]:
    """The app and its eager variant in turn, without and with a browser; then a browser on a warm server."""
    yield from _answers(world, size.rounds)
    path = find_chromium()
    if path is None:
        yield Row(f"the browser was not measured: {REMEDY}")
        return
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
        yield from _cold(world, browser, size.rounds)
        yield from _warm(world, browser, size.rounds)
        browser.close()


def _answers(world: World, rounds: int) -> Iterator[Row]:
    taken: dict[Any, list[float]] = defaultdict(list)
    for _ in range(rounds):
        for command in (LAZY, EAGER):
            began = time.perf_counter()
            with serving(world, *command) as server:
                wait_for(server.url)
                taken["splash", command].append((time.perf_counter() - began) * MS)
                wait_for(f"{server.url}ready")
                taken["app", command].append((time.perf_counter() - began) * MS)
    eager = "eager: every tab imported and answered first"
    yield line("process start to HTTP 200, of the splash", COLD, taken["splash", LAZY], eager, taken["splash", EAGER])
    yield line(
        "process start to HTTP 200, of the app", COLD, taken["app", LAZY], eager, taken["app", EAGER], budget="app"
    )


def _cold(world: World, browser: Browser, rounds: int) -> Iterator[Row]:
    """A browser that stands ready opens the page as soon as the process answers; the first start has no picture yet."""
    taken: dict[Any, list[float]] = defaultdict(list)
    for i in range(rounds + 1):
        for command in (LAZY, EAGER):
            began = time.time() * MS
            with serving(world, *command) as server:
                wait_for(server.url)
                page = browser.new_page()
                page.add_init_script(SPLASH)
                page.goto(server.url, wait_until="commit")
                page.wait_for_function(CHART, timeout=60_000, polling=20)
                charted, painted = time.time() * MS, page.evaluate("sessionStorage.getItem('splash')")
                page.close()
            if i:
                taken["chart", command].append(charted - began)
            if painted:  # the eager one's splash is too short to be seen
                taken["splash", command].append(float(painted) - began)
    if splash := taken["splash", LAZY]:
        yield line("cold start to the last overview painted (splash)", COLD, splash, budget="splash")
    else:
        yield Row("cold start to the last overview painted (splash) was not measured: the app was there before it")
    yield line(
        "cold start to the first live chart painted", COLD, taken["chart", LAZY], "eager", taken["chart", EAGER],
        budget="chart",
    )  # fmt: skip


def _warm(world: World, browser: Browser, rounds: int) -> Iterator[Row]:
    """Fresh visitors of a server that others have used: the first chart, and each tab's."""
    taken: dict[Any, list[float]] = defaultdict(list)
    with serving(world, *LAZY) as server:
        wait_for(f"{server.url}ready")
        for i in range(rounds + 1):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            began = time.perf_counter()
            page.goto(server.url)
            page.wait_for_function(CHART, polling=20)
            times = {"": (time.perf_counter() - began) * MS}
            page.wait_for_timeout(500)
            for title in TITLES[1:]:
                page.evaluate(MARK)
                began = time.perf_counter()
                page.locator(".bk-tab", has_text=title).click()
                page.wait_for_function(NEW_CHART, polling=20)
                times[title] = (time.perf_counter() - began) * MS
            context.close()
            if i:  # the first visitor's tabs are imported
                for title, one in times.items():
                    taken[title].append(one)
    page_times = taken.pop("")
    yield line("page opened on a warm server, fresh browser, to the first chart", COLD, page_times, budget="page")
    for title, times_of_tab in taken.items():
        yield line(f"tab {title} opened for the first time, to its chart", COLD, times_of_tab, budget="tab")


def imports(_world: World, size: Size) -> Iterator[Row]:
    """Importing by library, its own modules alone; medians of several processes."""
    for name, code in (("the app", "import dashboard.app"), ("the app and every tab", "import benchmarks.eager")):
        runs = [_import_times(code) for _ in range(size.rounds)]
        shares = Counter({one: statistics.median(run[one] for run in runs) for one in runs[0]})
        total = sum(shares.values())
        yield Row(f"importing {name}", "all", total, note=f"{len(shares)} libraries")
        for library, taken in shares.most_common(LIBRARIES):
            yield Row(f"importing {name}: {library}", "itself", taken, note=f"{taken / total:.0%}")


def _import_times(code: str) -> Counter[str]:
    """Ms by top-level package, as Python's own profile has them."""
    command = [sys.executable, "-X", "importtime", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=PROJECT)
    found: Counter[str] = Counter()
    for own, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", done.stderr):
        found[_library(module)] += int(own) / 1e3
    return found


def _library(module: str) -> str:
    top = module.split(".")[0].removeprefix("_")
    if top in {"nem", "cache_store", "dashboard", "cli", "benchmarks"}:
        return "nemwarm itself"
    return "the standard library" if top in sys.stdlib_module_names or f"_{top}" in sys.stdlib_module_names else top
