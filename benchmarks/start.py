"""Starting: process start to an answer and to a painted chart, where the imports' time goes, and what laziness gives."""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

from benchmarks.load import PORT, wait_for
from benchmarks.measure import MS, Row, spread
from benchmarks.world import World
from tests.browser import FLAGS, REMEDY, find_chromium
from tests.dashboard.test_browser import PAINTED

ROUNDS = 7
# Between the splash and the page that takes its place there is a moment without a body.
CHART = f"document.body && ({PAINTED})() >= 1"
TABS = ("Generation", "Price Analysis", "Station Analysis")
LIBRARIES = 8  # named in the import profile; the rest is one line
PROJECT = Path(__file__).parents[1]


def run(world: World) -> Iterator[Row]:
    """The app and its eager variant in turn; then a browser on a cold and on a warm server; then the imports."""
    yield from _until_answer(world)
    with sync_playwright() as playwright:
        path = find_chromium()
        if path is None:
            yield Row("start", f"the browser was not measured: {REMEDY}", "-", 0.0, "")
        else:
            browser = playwright.chromium.launch(executable_path=path, args=list(FLAGS))
            yield from _cold(world, browser)
            yield from _warm(world, browser)
            browser.close()
    yield from _imports()


def _until_answer(world: World) -> Iterator[Row]:
    times: dict[str, list[float]] = {"serve": [], "eager": []}
    for _ in range(ROUNDS):
        for variant, taken in times.items():
            with _process(world, variant) as began:
                wait_for(f"http://127.0.0.1:{PORT}/ready")
                taken.append((time.perf_counter() - began) * MS)
    mine, eager = times["serve"], times["eager"]
    yield Row(
        "start", "process start to the app's HTTP 200", "lazy", statistics.median(mine), spread=spread(mine),
        rival="eager: every tab imported and answered first", theirs=statistics.median(eager),
        their_spread=spread(eager), at_most=1500.0,
    )  # fmt: skip


@contextmanager
def _process(world: World, variant: str) -> Iterator[float]:
    """The app, or its eager variant, from now on; what is given is when it began."""
    module = {"serve": ["cli", "serve"], "eager": ["benchmarks.eager"]}[variant]
    command = [sys.executable, "-m", *module, "--port", str(PORT)]
    log = (world.home / "start.log").open("wb")
    began = time.perf_counter()
    process = subprocess.Popen(
        command, env=os.environ | {"NEMWARM_HOME": str(world.home)}, stdout=log, stderr=log, cwd=PROJECT
    )
    try:
        yield began
    finally:
        process.terminate()
        process.wait(20)
        log.close()


def _cold(world: World, browser: Browser) -> Iterator[Row]:
    """A browser that stands ready opens the page as soon as the process listens."""
    times: dict[str, list[float]] = {"serve": [], "eager": []}
    for _ in range(ROUNDS):
        for variant, taken in times.items():
            with _process(world, variant) as began:
                wait_for_listener()
                page = browser.new_page()
                page.goto(f"http://127.0.0.1:{PORT}/")
                page.wait_for_function(CHART, timeout=60_000)
                taken.append((time.perf_counter() - began) * MS)
                page.close()
    mine, eager = times["serve"], times["eager"]
    yield Row(
        "start", "cold start to the first live chart painted", "lazy", statistics.median(mine), spread=spread(mine),
        rival="eager", theirs=statistics.median(eager), their_spread=spread(eager), at_most=3000.0,
    )  # fmt: skip


def wait_for_listener() -> None:
    """Until somebody listens at our port."""
    import socket

    until = time.monotonic() + 60
    while time.monotonic() < until:
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", PORT)) == 0:
                return
        time.sleep(0.005)
    raise TimeoutError("nobody listens")


def _warm(world: World, browser: Browser) -> Iterator[Row]:
    """Fresh visitors of a server that others have used: the first chart, and each tab's."""
    first: list[float] = []
    tabs: dict[str, list[float]] = {title: [] for title in TABS}
    with _process(world, "serve"):
        wait_for(f"http://127.0.0.1:{PORT}/ready")
        for i in range(ROUNDS + 1):
            context = browser.new_context(viewport={"width": 1440, "height": 900})
            page = context.new_page()
            began = time.perf_counter()
            page.goto(f"http://127.0.0.1:{PORT}/")
            page.wait_for_function(CHART, polling=20)
            opened = (time.perf_counter() - began) * MS
            taken = {}
            page.wait_for_timeout(500)
            for title in TABS:
                began = time.perf_counter()
                page.locator(".bk-tab", has_text=title).click()
                page.wait_for_function(CHART, polling=20)
                taken[title] = (time.perf_counter() - began) * MS
            context.close()
            if i:  # the first visitor's tabs are imported
                first.append(opened)
                for title, one in taken.items():
                    tabs[title].append(one)
    yield Row(
        "start", "page opened on a warm server, fresh browser, to the first chart", "lazy", statistics.median(first),
        spread=spread(first), at_most=1200.0,
    )  # fmt: skip
    for title, times in tabs.items():
        yield Row(
            "start", f"tab {title} opened for the first time, to its chart", "lazy", statistics.median(times),
            spread=spread(times), at_most=500.0,
        )  # fmt: skip


def _imports() -> Iterator[Row]:
    """Seconds of importing by library, its own modules alone; medians of several processes."""
    for name, code in (("the app", "import dashboard.app"), ("the app and every tab", "import benchmarks.eager")):
        runs = [_import_times(code) for _ in range(ROUNDS)]
        middle = {library: statistics.median(one.get(library, 0.0) for one in runs) for run in runs for library in run}
        shares = Counter(middle)
        total = sum(shares.values())
        yield Row("imports", f"importing {name}", "all", total, note=f"{len(shares)} libraries")
        for library, taken in shares.most_common(LIBRARIES):
            yield Row("imports", f"importing {name}: {library}", "itself", taken, note=f"{taken / total:.0%}")


def _import_times(code: str) -> dict[str, float]:
    """Ms by top-level package, as Python's own profile has them."""
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code], capture_output=True, text=True, check=True, cwd=PROJECT
    )
    found: Counter[str] = Counter()
    for own, module in re.findall(r"import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)", done.stderr):
        found[_library(module)] += int(own) / 1e3
    return dict(found)


def _library(module: str) -> str:
    top = module.split(".")[0].removeprefix("_")
    if top in {"nem", "cache_store", "dashboard", "cli", "benchmarks"}:
        return "nemwarm itself"
    return "the standard library" if top in sys.stdlib_module_names or f"_{top}" in sys.stdlib_module_names else top
