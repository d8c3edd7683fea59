"""The frame in a real Chromium: address, controls, exports, progress, a moving clock, and the keyboard alone."""

from __future__ import annotations

import csv
import gc
import threading
import urllib.parse
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta

import pyarrow.parquet as pq
import pytest
from playwright.sync_api import Browser, Page

from dashboard import app
from dashboard import page as frame
from nem.windows import Window
from tests.dashboard import plain
from tests.dashboard.plain import plain_tab
from tests.dashboard.serving import served

__all__ = ["plain_tab"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.usefixtures("plain_tab"),
    # A browser may tell of a model it knows; what is a warning when served is an error in a test's own process.
    pytest.mark.filterwarnings("ignore::bokeh.util.warnings.BokehUserWarning"),
]


@contextmanager
def visit(browser: Browser, url: str, **options) -> Iterator[Page]:
    """A fresh visitor, whose console and requests must stay clean."""
    context = browser.new_context(**{"viewport": {"width": 1440, "height": 900}, "accept_downloads": True} | options)
    page = context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on("console", lambda said: trouble.append(said.text) if said.type in {"error", "warning"} else None)
    home = urllib.parse.urlsplit(url).netloc
    page.on(
        "request",
        lambda sent: None if urllib.parse.urlsplit(sent.url).netloc in {home, ""} else trouble.append(sent.url),
    )
    page.on("dialog", lambda box: (trouble.append(box.message), box.dismiss()))
    page.goto(url)
    yield page
    context.close()
    assert trouble == []


class Moving:
    """A market whose newest label and slowness a test sets."""

    def __init__(self, market):
        self.real = market
        self.newest = market.extent("generation_by_fuel").end
        self.gate = threading.Event()
        self.gate.set()
        self.market = replace(market, ask=self.ask, extent=self.extent)

    def extent(self, query):
        return Window(self.real.extent(query).start, self.newest)

    def ask(self, *arguments, **options):
        assert self.gate.wait(30)
        return self.real.ask(*arguments, **options)


@pytest.fixture
def moving(tiny_market, monkeypatch) -> Iterator[tuple[Moving, str]]:
    monkeypatch.setattr(frame, "REFRESH_MS", 300)
    moving = Moving(tiny_market)
    with served(moving.market) as url:
        yield moving, url
        moving.gate.set()


@pytest.fixture
def url(moving) -> str:
    return moving[1]


def told(page: Page, text: str) -> None:
    """Wait until the plain tab says so."""
    page.locator(".told", has_text=text).wait_for()


def search(page: Page) -> dict[str, str]:
    return dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(page.url).query))


def test_a_link_opens_what_it_says_and_the_address_follows(browser, url):
    with visit(browser, f"{url}?tab=generation&region=SA1&range=1d&res=1h") as page:
        told(page, "SA1 (2024-03-01T00:00, 2024-03-02T00:00] 1h")
        assert page.locator(".region, .dated").locator("[aria-pressed=true]").all_text_contents() == ["SA1", "1d"]
        page.get_by_role("button", name="NSW1").click()
        told(page, "NSW1 (2024-03-01")
        page.get_by_role("button", name="All", exact=True).click()
        told(page, "NSW1 (2024-02-29")
        assert search(page) == {"tab": "generation", "region": "NSW1", "range": "all", "res": "1h"}
        page.go_back()
        told(page, "NSW1 (2024-03-01")
        page.go_back()
        told(page, "SA1 (2024-03-01")
        assert search(page) == {"tab": "generation", "region": "SA1", "range": "1d", "res": "1h"}
        page.go_forward()
        told(page, "NSW1 (2024-03-01")
        page.reload()
        told(page, "NSW1 (2024-03-01")


@pytest.mark.parametrize(
    "query",
    [
        "region=WA1&range=2024-03-02..2024-03-01",
        "region=%3Cscript%3Ealert(1)%3C/script%3E&view=%22%3E%3Cimg%20src=x%20onerror=alert(1)%3E",
        "range=0001-01-01..9999-12-31&res=1s",
        f"region={'x' * 10_000}",
        f"station={''.join(chr(97 + (number * number) % 26) for number in range(40_000))}",
    ],
)
def test_an_address_that_means_nothing_opens_the_page_and_says_so(browser, url, query):
    with visit(browser, f"{url}?{query}&tab=generation" if len(query) < 5_000 else f"{url}?{query}") as page:
        page.get_by_role("alert").filter(has_text="not understood").wait_for()
        page.locator(".bk-tab", has_text="Generation").click()
        told(page, "NEM (2024-02-29T00:00, 2024-03-02T00:00]")
        page.get_by_role("button", name="NSW1").click()
        told(page, "NSW1")
        page.get_by_role("alert").filter(has_text="not understood").wait_for(state="detached")


def test_clicks_inside_a_tab_select_and_nonsense_does_not(browser, url):
    """C12: a name with quotes, slashes and tags goes through page, address and back."""
    with visit(browser, f"{url}?tab=generation") as page:
        page.get_by_role("button", name="station", exact=True).click()
        told(page, plain.STATION)
        page.get_by_role("button", name="view", exact=True).click()
        told(page, "second")
        for name in ("nonsense", "region"):
            page.get_by_role("button", name=name, exact=True).click()
        assert search(page) == {"tab": "generation", "station": plain.STATION, "view": "second"}
        page.reload()
        told(page, plain.STATION)


def test_what_is_seen_is_saved_as_csv_and_parquet(browser, url, tiny_market, tmp_path):
    """P7."""
    with visit(browser, f"{url}?tab=generation&region=SA1&range=1d&res=1h") as page:
        told(page, "SA1")
        page.locator("summary", has_text="Export").click()
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
        page.get_by_text("The rows it is made of").click()
        page.get_by_role("button", name="Copy").click()
        page.get_by_role("button", name="Copied").wait_for()
        assert page.evaluate("navigator.clipboard.readText()").startswith("nemwarm query generation_by_fuel ")
        seen = tiny_market.ask(
            "generation_by_fuel",
            Window(
                tiny_market.extent("generation_by_fuel").end - timedelta(days=1),
                tiny_market.extent("generation_by_fuel").end,
            ),
            filters={"region_id": ["SA1"]},
            resolution="1h",
        ).table.to_pylist()
        for form in ("CSV", "Parquet"):
            with page.expect_download() as saving:
                page.get_by_role("button", name=form, exact=True).click()
            saved = saving.value
            assert saved.suggested_filename == f"nemwarm_plain_SA1_2024-03-01_2024-03-02_source-AEMO.{form.lower()}"
            saved.save_as(tmp_path / form)
        lines = list(csv.DictReader((tmp_path / "CSV").read_text().splitlines()))
        assert [float(text) if (text := line["energy_mwh (MWh)"]) else None for line in lines] == [
            row["energy_mwh"] for row in seen
        ]
        assert lines[0]["interval_start"] == "2024-03-01T00:00:00+10:00"
        table = pq.read_table(tmp_path / "Parquet")
        assert table["energy_mwh"].to_pylist() == [row["energy_mwh"] for row in seen]
        notes = {key.decode(): value.decode() for key, value in table.schema.metadata.items()}
        assert notes["attribution"] == "Source: AEMO"
        assert notes["unit.energy_mwh"] == "MWh"
        assert "UTC+10" in notes["time_zone"]


def test_a_long_question_counts_its_seconds_and_can_be_stopped(browser, moving):
    market, url = moving
    with visit(browser, f"{url}?tab=generation") as page:
        told(page, "NEM")
        market.gate.clear()
        page.get_by_role("button", name="SA1").click()
        page.get_by_role("button", name="Stop").wait_for()
        page.locator("nw-clock", has_text="1 s").wait_for()
        page.get_by_role("button", name="Stop").click()
        page.locator(".failure", has_text="Stopped").wait_for()
        page.get_by_role("button", name="Retry").click()  # before the timer may have mended it
        market.gate.set()
        told(page, "SA1")
        assert not page.get_by_role("button", name="Stop").is_visible()


def test_a_newer_choice_does_not_wait_for_the_one_it_replaces(browser, moving):
    market, url = moving
    with visit(browser, f"{url}?tab=generation") as page:
        told(page, "NEM")
        market.gate.clear()
        page.get_by_role("button", name="SA1").click()
        page.get_by_role("button", name="Stop").wait_for()
        page.get_by_role("button", name="NSW1").click()
        market.gate.set()
        told(page, "NSW1")


def test_midnight_passes_in_an_open_page(browser, moving):
    """T7: new data after midnight without a reload."""
    market, url = moving
    end = market.newest
    market.newest = end - timedelta(days=1, minutes=10)
    with visit(browser, f"{url}?tab=generation&range=1d") as page:
        told(page, "2024-02-29T23:50]")
        page.evaluate("document.querySelector('main').dataset.mark = 'here'")
        market.newest = end - timedelta(days=1) + timedelta(minutes=10)
        told(page, "2024-03-01T00:10]")
        page.locator(".newest", has_text="2024-03-01 00:10").wait_for()
        assert page.evaluate("document.querySelector('main').dataset.mark") == "here"


def test_dates_are_chosen_and_pop_ups_close_by_the_keyboard(browser, url):
    with visit(browser, f"{url}?tab=generation") as page:
        told(page, "NEM")
        summary = page.get_by_label("Choose dates")
        summary.focus()
        page.keyboard.press("Enter")
        page.get_by_label("First day").fill("2024-02-29")
        page.get_by_label("Last day").fill("2024-02-29")
        page.keyboard.press("Enter")
        told(page, "(2024-02-29T00:00, 2024-03-01T00:00]")
        assert search(page)["range"] == "2024-02-29..2024-03-01"
        summary = page.get_by_label("Choose dates")
        summary.focus()
        page.keyboard.press("Enter")
        page.get_by_label("First day").fill("2024-03-01")
        page.keyboard.press("Enter")
        page.get_by_text("The last day is before the first").wait_for()
        page.keyboard.press("Escape")
        assert not page.get_by_label("First day").is_visible()
        assert page.evaluate(DEEPEST)["name"] == "Choose dates"


# The focused element, down through the shadow roots, and whether its focus can be seen.
DEEPEST = """() => {
  let node = document.activeElement;
  while (node?.shadowRoot?.activeElement) node = node.shadowRoot.activeElement;
  const style = getComputedStyle(node);
  return { tag: node.tagName, name: node.getAttribute("aria-label") ?? node.textContent.trim(),
    seen: node.matches(":focus-visible") && (style.outlineStyle !== "none" || style.boxShadow !== "none") };
}"""


def test_a_range_without_data_says_so_and_can_be_left(browser, url):
    with visit(browser, f"{url}?tab=generation&range=2019-01-01..2019-01-08") as page:
        page.locator(".failure", has_text="nothing of").wait_for()
        page.get_by_label("Choose dates").click()
        assert page.get_by_label("First day").input_value() == "2019-01-01"
        page.get_by_label("First day").fill("2024-02-29")
        page.get_by_label("Last day").fill("2024-02-29")
        page.get_by_role("button", name="Show", exact=True).click()
        told(page, "(2024-02-29T00:00, 2024-03-01T00:00]")


def test_controls_are_used_by_the_keyboard(browser, url):
    with visit(browser, f"{url}?tab=generation") as page:
        told(page, "NEM")
        page.get_by_role("button", name="SA1").focus()
        page.keyboard.press("Enter")
        told(page, "SA1")
        page.wait_for_function(f"({DEEPEST})().name === 'SA1'")  # the same button of the new ones
        assert page.evaluate(DEEPEST)["seen"]
        page.get_by_label("Resolution").focus()
        page.keyboard.type("1 h")
        told(page, "1h")
        page.wait_for_function(f"({DEEPEST})().name === 'Resolution'")
        page.locator(".bk-tab", has_text="Generation").focus()
        page.keyboard.press("ArrowRight")
        page.keyboard.press("Enter")
        page.locator(".bk-tab.bk-active", has_text="Price Analysis").wait_for()


def test_sessions_leave_nothing_behind(browser, tiny_market, monkeypatch):
    """U8: pages, panes and periodic work of visitors who left are gone."""
    monkeypatch.setattr(app, "LIFETIME_MS", 4_000)
    pages: list[weakref.ref] = []
    real = app.open_page

    def counted(*arguments, **options):
        page = real(*arguments, **options)
        pages.append(weakref.ref(page))
        return page

    monkeypatch.setattr(app, "open_page", counted)
    with served(tiny_market) as url:
        for _ in range(2):
            with visit(browser, f"{url}?tab=generation") as page:
                told(page, "NEM")
                page.get_by_role("button", name="SA1").click()
                told(page, "SA1")
        with visit(browser, f"{url}?tab=generation") as page:
            told(page, "NEM")
            for _ in range(100):
                gc.collect()
                alive = [one for one in pages if one() is not None]
                if len(alive) == 1:
                    break
                page.wait_for_timeout(100)
            assert (len(pages), len(alive)) == (3, 1)
