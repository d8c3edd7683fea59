"""Price and Station Analysis in a real Chromium: charts hold what the query answers; parts, links, search, files, phone."""

from __future__ import annotations

import csv

import numpy as np
import pyarrow.compute as pc
import pytest
from playwright.sync_api import Page

from tests.dashboard.test_browser import COLUMN, drawn
from tests.tiny_nem import WINDOW

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::bokeh.util.warnings.BokehUserWarning"),
]
PRICES, STATIONS = "?tab=prices&range=all", "?tab=stations&range=all"
PARTS = {
    f"{PRICES}": "Spot price",
    f"{PRICES}&view=duration": "Price-duration curve",
    f"{PRICES}&view=time_of_day": "Every hour of every day",
    f"{PRICES}&view=events": "Prices of $300",
    f"{PRICES}&view=value": "What each fuel earned",
    f"{STATIONS}": "Colliery",
    f"{STATIONS}&view=patterns": "Colliery",
    f"{STATIONS}&view=league": "Stations by capacity factor",
}


def column(page: Page, marker: str, name: str) -> np.ndarray:
    page.wait_for_function(f"(names) => ({COLUMN})(names)", arg=[marker, name], timeout=20_000)
    return np.array(page.evaluate(COLUMN, [marker, name]), dtype=float)


def test_the_price_chart_holds_what_the_query_answers(page, url, tiny_market):
    page.goto(f"{url}{PRICES}&region=NSW1")
    drawn(page, 1)
    rows = tiny_market.ask("regional_price", WINDOW, filters={"region_id": ["NSW1"]}, resolution="5min").table
    assert column(page, "NSW1_y", "NSW1")[:-1] == pytest.approx(rows["twa_price"].to_numpy())
    page.locator("h2", has_text="Statistics").wait_for()
    assert page.locator("table.prices tbody tr.chosen td").nth(3).text_content() == "$50.00"


@pytest.mark.parametrize("address", PARTS)
def test_every_part_opens_by_its_address_and_fits_a_phone(page, url, address):
    """U6: dates are dates and no part crashes, in either theme."""
    page.emulate_media(color_scheme="dark")
    page.goto(url + address)
    page.locator("h2", has_text=PARTS[address]).first.wait_for()
    page.locator(".receipt").first.wait_for()
    assert page.locator(".failure").count() == 0
    page.set_viewport_size({"width": 390, "height": 844})
    page.wait_for_function("document.documentElement.scrollWidth <= 390", timeout=5_000)


def test_the_parts_are_reached_by_their_buttons_and_remembered(page, url):
    """U3: quick clicks end on the last of them."""
    page.goto(url + PRICES)
    page.get_by_role("button", name="Duration curve").click()
    page.get_by_role("button", name="Time of day").click()
    page.get_by_role("button", name="High prices").click()
    page.locator("h2", has_text="Prices of $300").wait_for()
    page.wait_for_function("location.search.includes('view=events')")
    page.reload()
    page.locator("h2", has_text="Prices of $300").wait_for()
    page.locator(".bk-tab", has_text="Station Analysis").click()
    page.locator("h2", has_text="Colliery").wait_for()
    page.locator(".bk-tab", has_text="Price Analysis").click()
    page.locator("h2", has_text="Prices of $300").wait_for()


def test_a_region_is_taken_out_and_put_back(page, url):
    page.goto(f"{url}{PRICES}&region=NSW1")
    page.locator(".keys button", has_text="SA1").click()
    page.wait_for_function("location.search.includes('with=')")
    page.locator(".keys button[aria-pressed=false]", has_text="SA1").click()
    page.wait_for_function("!location.search.includes('with=')")


def test_a_duration_curve_is_compared_with_days_of_the_readers_own(page, url):
    page.goto(f"{url}?tab=prices&view=duration&range=1d&region=SA1")
    page.get_by_text("Other days").click()
    page.get_by_label("First day").last.fill("2024-02-29")
    page.get_by_label("Last day").last.fill("2024-02-29")
    page.get_by_role("button", name="Show").last.click()
    page.get_by_text("Dashed: SA1 from 2024-02-29 00:00 to 2024-03-01 00:00.").wait_for()
    page.wait_for_function("location.search.includes('compare=2024-02-29..2024-03-01')")
    page.get_by_role("group", name="Compare with").get_by_role("button", name="Nothing").click()
    page.get_by_text("Dashed:").wait_for(state="detached")


def test_the_tree_opens_by_level_and_leads_to_a_station(page, url):
    page.goto(f"{url}{PRICES}&view=value")
    tree = page.locator("nw-tree tbody tr")
    state = tree.filter(has_text="South Australia")
    for key, is_open in (("ArrowRight", "true"), ("ArrowLeft", "false"), ("ArrowRight", "true")):
        state.locator("button").press(key)
        assert state.get_attribute("aria-expanded") == is_open
    tree.filter(has_text="Wind").locator("button").click()
    page.locator("nw-tree tr:visible", has_text="O'Hara's Ridge").click()
    page.locator("h2", has_text="O'Hara's Ridge").wait_for()  # C12
    page.wait_for_function("location.search.includes('tab=stations')")


def test_a_station_is_found_by_keyboard_although_misspelt(page, url):
    page.goto(url + STATIONS)
    page.locator("h2", has_text="Colliery").wait_for()
    find = page.get_by_label("Find a station or a unit")
    find.press_sequentially("big batery")
    page.get_by_role("option", name="Big Battery").wait_for()
    find.press("Escape")
    assert not page.get_by_role("listbox").is_visible()
    find.press("ArrowDown")
    find.press("Enter")
    page.locator("h2", has_text="Big Battery").wait_for()
    find.press_sequentially("wind1")
    find.press("Enter")
    page.locator("h2", has_text="O'Hara's Ridge").wait_for()
    find.press_sequentially("o")
    first = page.locator("nw-search li[aria-selected=true]").text_content()
    find.press("ArrowDown")
    assert page.locator("nw-search li[aria-selected=true]").text_content() != first


def test_what_is_found_in_the_league_opens(page, url):
    page.goto(f"{url}{STATIONS}&view=league")
    find = page.get_by_label("Find a station or a unit")
    find.press_sequentially("wind1")
    find.press("Enter")
    page.locator("h2", has_text="O'Hara's Ridge").wait_for()
    page.wait_for_function("!location.search.includes('view=')")


def test_the_station_chart_holds_what_the_query_answers(page, url, tiny_market):
    page.goto(f"{url}{STATIONS}&station=BATT1")
    drawn(page, 2)
    rows = tiny_market.ask("capacity_factor", WINDOW, filters={"duid": ["BATT1"]}, resolution="30min").table
    assert column(page, "capacity_mw", "mean_mw")[:-1] == pytest.approx(rows["mean_mw"].to_numpy())
    charged = pc.multiply(rows["charge_mwh"], -2).to_numpy()
    assert column(page, "capacity_mw", "charge_mw")[:-1] == pytest.approx(charged)


def test_the_league_sorts_filters_and_leads_to_a_station(page, url):
    page.goto(f"{url}{STATIONS}&view=league")
    rows = page.locator("table.league tbody tr")
    rows.first.wait_for()
    page.locator("th", has_text="GWh").click()
    assert rows.first.locator("td").first.text_content() == "Colliery"
    page.get_by_label("Filter by station, DUID or fuel").fill("wind o'hara")
    assert [row for row in rows.all_text_contents() if "O'Hara" not in row]  # there, and hidden
    assert rows.locator("visible=true").count() == 1
    page.get_by_label("Filter by station, DUID or fuel").fill("")
    page.get_by_role("button", name="Wind", exact=True).click()
    page.wait_for_function("location.search.includes('fuel=wind')")
    rows.filter(has_text="Colliery").wait_for(state="detached")
    rows.first.focus()
    page.keyboard.press("Enter")
    page.locator("h2", has_text="O'Hara's Ridge").wait_for()


def test_the_file_is_what_is_shown(page, url):
    """P7."""
    page.goto(f"{url}{PRICES}&view=events")
    page.locator("h2", has_text="Events").wait_for()
    page.get_by_text("Export", exact=True).click()
    with page.expect_download() as saved:
        page.locator("button[data-pick='export=0.csv']").click()
    with open(saved.value.path(), newline="") as file:  # noqa: PTH123 - a path Playwright gives
        (row,) = csv.DictReader(file)
    assert (row["region_id"], float(row["peak ($/MWh)"])) == ("NSW1", 1500)
