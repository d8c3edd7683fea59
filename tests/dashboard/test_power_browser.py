"""NEM Overview and Generation in a real Chromium: what charts hold is what the query answers; views, links, phone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

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
SA1 = "?tab=generation&region=SA1&range=all"
PAINTED_BANDS = """() => [...Bokeh.documents[0]._all_models.values()]
  .filter((model) => model.type === "Stack" && model.fields).flatMap((model) => model.fields)"""


def column(page: Page, name: str) -> np.ndarray:
    page.wait_for_function(f"(names) => ({COLUMN})(names)", arg=[name, name], timeout=20_000)
    return np.array(page.evaluate(COLUMN, [name, name]), dtype=float)[:-1]


def test_the_chart_holds_what_the_query_answers(page, url, tiny_market):
    page.goto(url + SA1)
    drawn(page, 2)
    rows = tiny_market.ask("generation_by_fuel", WINDOW, filters={"region_id": ["SA1"]}, resolution="5min").table
    for fuel, sign in (("wind", 1), ("battery_charging", -1), ("battery_discharging", 1)):
        told = rows.filter(pc.equal(rows["fueltech_id"], fuel))["mean_mw"].fill_null(0).to_numpy()
        assert column(page, fuel) == pytest.approx(sign * told)


def test_every_view_opens_by_its_button_and_by_its_address(page, url):
    """P8."""
    page.goto(url + SA1)
    drawn(page, 2)
    seen = {
        "Capacity factor": ("factors", "Over the range"),
        "Time of day": ("day", "The average day, South Australia"),
        "Compare": ("compare", "What changed"),
        "Interconnectors": ("flows", "How hard they ran"),
    }
    for button, (view, text) in seen.items():
        page.get_by_role("group", name="View").get_by_role("button", name=button).click()
        page.get_by_text(text).first.wait_for()
        page.wait_for_function(f"() => location.search.includes('view={view}')")
        page.reload()
        page.get_by_text(text).first.wait_for()
        drawn(page, 1)


def test_grouping_and_unit_change_the_chart_and_the_table(page, url):
    page.goto(url + SA1)
    drawn(page, 2)
    page.get_by_role("button", name="Renewable/Fossil").click()
    page.locator("table.fuels td", has_text="Charging and pumping").wait_for()
    page.get_by_role("button", name="Share", exact=True).click()
    page.get_by_text("% of the region's own supply").first.wait_for()
    page.wait_for_function(
        f"(names) => (({COLUMN})(names) ?? []).some((share) => Math.abs(share - 100) < 1e-6)", arg=["supply", "supply"]
    )
    page.wait_for_function(
        "() => location.search.includes('group=renewable') && location.search.includes('unit=share')"
    )


def test_a_click_on_a_colour_hides_its_band_and_another_shows_it(page, url):
    page.goto(url + SA1)
    drawn(page, 2)
    assert "wind" in page.evaluate(PAINTED_BANDS)
    page.locator("nw-hide[band=wind]").click()
    page.wait_for_function(f"() => !({PAINTED_BANDS})().includes('wind')")
    assert page.locator("nw-hide[band=wind]").get_attribute("aria-checked") == "false"
    page.locator("nw-hide[band=wind]").press("Enter")
    page.wait_for_function(f"() => ({PAINTED_BANDS})().includes('wind')")


def test_the_overview_maps_the_flows_and_a_tile_selects_its_region(page, url):
    page.goto(url)
    drawn(page, 2)
    page.locator(".links li", has_text="NEW-LINK1").wait_for()
    page.locator(".tile", has_text="South Australia").click()
    page.get_by_text("The day, South Australia").wait_for()
    page.wait_for_function("() => location.search.includes('region=SA1')")


def test_ticks_over_time_stand_at_even_distances(page, url):
    """U6: through the end of a month too; weeks begin on Mondays, and a year is told by months."""
    page.goto(url)
    page.wait_for_function("() => window.nemwarm_ticks")
    start, day = datetime(2017, 10, 20, tzinfo=UTC), timedelta(days=1)

    def ticks(length: timedelta) -> list[datetime]:
        edges = [time.timestamp() * 1000 for time in (start, start + length)]
        told = page.evaluate("(edges) => nemwarm_ticks(...edges)", edges)
        return [datetime.fromtimestamp(tick / 1000, UTC) for tick in told]

    for length, step in ((1, day / 8), (7, day), (22, 3 * day), (30, 7 * day), (90, 14 * day)):
        assert {two - one for one, two in pairwise(ticks(length * day))} == {step}
    assert ticks(day)[0] == start
    assert {tick.isoweekday() for tick in ticks(30 * day)} == {1}
    year = [(tick.year, tick.month) for tick in ticks(365 * day)]
    assert year == [(2017, 11), *((2018, month) for month in (1, 3, 5, 7, 9))]
    edges = [time.timestamp() * 1000 for time in (start, start + 60 * day)]
    assert (
        len(page.evaluate("([start, end]) => nemwarm_ticks(start, end, true)", edges)) == 2
    )  # November's and December's
    assert {tick.day for tick in ticks(4000 * day)} == {tick.month for tick in ticks(4000 * day)} == {1}


def test_an_age_is_told_in_words_and_goes_on_counting(page, url):
    page.goto(url)
    page.wait_for_function("() => window.nemwarm_ticks")
    told = page.evaluate(
        """(ages) => ages.map((seconds) => {
          const [age, now, every] = [document.createElement("nw-age"), performance.now, setInterval];
          age.setAttribute("seconds", seconds);
          let turn;
          window.setInterval = (tell) => { turn = tell; };
          document.body.append(age);
          const first = age.textContent;
          performance.now = () => now.call(performance) + 60_000;
          turn();
          const later = age.textContent;
          Object.assign(window, { setInterval: every });
          performance.now = now;
          age.remove();
          return [first, later];
        })""",
        [5, 25, 95, 5_000, 6_000, 130_000],
    )
    assert told == [
        ["just now", "65 s ago"],
        ["25 s ago", "85 s ago"],
        ["2 min ago", "3 min ago"],
        ["83 min ago", "84 min ago"],
        ["2 h ago", "2 h ago"],
        ["2 days ago", "2 days ago"],
    ]


def test_every_view_fits_a_phone_and_has_its_colours(browser, url):
    views = [f"{SA1}&view={view}" for view in ("stack", "factors", "day", "compare", "flows")]
    for scheme, addresses in (("light", [""]), ("dark", ["", *views])):
        context = browser.new_context(viewport={"width": 390, "height": 844}, color_scheme=scheme)
        page = context.new_page()
        for address in addresses:
            page.goto(url + address)
            drawn(page, 1)
            assert page.evaluate("document.documentElement.scrollWidth") <= 390, address
            assert page.evaluate("document.documentElement.dataset.theme") == scheme
        context.close()


@pytest.mark.parametrize("width", [1180, 1340, 1400, 1460])
def test_the_table_beside_the_chart_has_room_for_all_its_columns(page, url, width):
    page.set_viewport_size({"width": width, "height": 900})
    page.goto(url + "?tab=generation&range=all")
    drawn(page, 2)
    room, taken = (
        page.locator(".scroll")
        .filter(has=page.locator("table.fuels"))
        .evaluate("(scroll) => [scroll.clientWidth, scroll.scrollWidth]")
    )
    assert taken <= room
