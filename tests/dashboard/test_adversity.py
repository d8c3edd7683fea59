"""An open page while the world misbehaves: no lake, a store that goes, clocks that jump, a source that fails half way, a night without a touch."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from bokeh.server.views.ws import WSHandler
from playwright.sync_api import expect

from cache_store import open_store
from dashboard import app
from dashboard import page as frame
from dashboard.data import Market
from nem.errors import SourceUnavailableError
from nem.source import open_source
from nem.windows import utc_time
from tests.dashboard.plain import plain_tab
from tests.dashboard.serving import market_of, served
from tests.dashboard.test_browser import TITLES
from tests.dashboard.test_frame import told, visit
from tests.tiny_nem import WINDOW

__all__ = ["plain_tab"]
pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::bokeh.util.warnings.BokehUserWarning"),
]


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """A look every 0.3 s instead of every 20."""
    monkeypatch.setattr(frame, "REFRESH_MS", 300)


def market_at(home) -> Market:
    """What ``home`` holds at each question, when all of it is in."""
    return market_of(open_source(home / "lake"), open_store(home / "store"), lambda: utc_time(WINDOW.end))


def test_an_empty_lake_is_told_in_every_tab_and_fills_by_itself(browser, two_days, tmp_path):
    with served(market_at(tmp_path)) as url, visit(browser, url) as page:
        for title in TITLES:
            page.locator(".bk-tab", has_text=title).click()
            card = page.locator(".failure:visible")
            expect(card).to_contain_text("nemwarm ingest")
            expect(page.locator(".busy, .skeleton").locator("visible=true")).to_have_count(0)
        shutil.copytree(two_days, tmp_path / "lake")
        page.locator("h2", has_text="Colliery").wait_for()
        page.locator(".bk-tab", has_text="NEM Overview").click()
        page.locator(".tile", has_text="South Australia").wait_for()


@pytest.mark.usefixtures("plain_tab")
def test_a_store_deleted_under_an_open_page_costs_nothing_but_time(browser, two_warm_days, tmp_path):
    """What the page says next comes from the source."""
    shutil.copytree(two_warm_days, tmp_path, dirs_exist_ok=True)
    with served(market_at(tmp_path)) as url, visit(browser, f"{url}?tab=generation&range=all") as page:
        page.locator(".origin", has_text="cache").wait_for()
        shutil.rmtree(tmp_path / "store")
        page.get_by_role("button", name="SA1").click()
        told(page, "SA1 (2024-02-29")
        page.locator(".origin", has_text="live").wait_for()
        assert page.locator(".failure").count() == 0


@pytest.mark.usefixtures("plain_tab")
def test_a_clock_that_jumps_forward_and_back_moves_no_window(browser, tiny_market):
    """T1: the newest data counts, not the host's hour; a jump is told as lateness and taken back."""
    offset = [timedelta(0)]
    jumping = replace(tiny_market, clock=lambda: tiny_market.clock() + offset[0])
    with served(jumping) as url, visit(browser, f"{url}?tab=generation&range=1d") as page:
        told(page, "NEM (2024-03-01T00:00, 2024-03-02T00:00]")
        offset[0] = timedelta(days=400)
        page.locator(".newest .late", has_text="400 days behind").wait_for()
        told(page, "NEM (2024-03-01T00:00, 2024-03-02T00:00]")
        offset[0] = timedelta(hours=-6)  # now data lies in the future: it is not shown before its time
        told(page, "NEM (2024-02-29T18:10, 2024-03-01T18:10]")
        assert page.locator(".newest .late").count() == 0
        offset[0] = timedelta(0)
        told(page, "NEM (2024-03-01T00:00, 2024-03-02T00:00]")


def test_a_source_that_fails_half_way_shows_one_card_and_recovers_by_its_button(browser, tiny_market, monkeypatch):
    """C4: of a view's questions one fails: no half of it is drawn."""
    monkeypatch.setattr(frame, "REFRESH_MS", 3_600_000)
    asked, broken = [], [True]

    def ask(query, window, **options):
        asked.append(query)
        if broken[0] and query == "regional_price":
            raise SourceUnavailableError("the disk was pulled out")
        return tiny_market.ask(query, window, **options)

    with served(replace(tiny_market, ask=ask)) as url, visit(browser, f"{url}?tab=generation&range=all") as page:
        page.locator(".failure", has_text="the disk was pulled out").wait_for()
        assert "generation_by_fuel" in asked
        assert page.locator("table.fuels, .bk-Figure").count() == 0
        broken[0] = False
        page.get_by_role("button", name="Retry").press("Enter")
        page.locator("table.fuels").wait_for()
        assert page.locator(".failure").count() == 0


@pytest.mark.usefixtures("plain_tab")
def test_a_page_untouched_for_many_keep_alives_and_lifetimes_still_answers(browser, tiny_market, monkeypatch):
    """T8: overnight in small: a hundred keep-alives, and longer than the life of a session nobody holds."""
    monkeypatch.setattr(app, "KEEP_ALIVE_MS", 50)
    monkeypatch.setattr(app, "LIFETIME_MS", 4_000)
    monkeypatch.setattr(frame, "REFRESH_MS", 3_600_000)
    pongs, enough = [], threading.Event()

    def heard(_, data):
        pongs.append(data)
        if len(pongs) == 100:
            enough.set()

    monkeypatch.setattr(WSHandler, "on_pong", heard)
    with served(tiny_market) as url, visit(browser, f"{url}?tab=generation") as page:
        told(page, "NEM")
        page.evaluate("document.querySelector('main').dataset.mark = 'here'")
        assert enough.wait(60)
        page.get_by_role("button", name="SA1").click()
        told(page, "SA1")
        assert page.evaluate("document.querySelector('main').dataset.mark") == "here"
