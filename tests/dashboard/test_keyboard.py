"""The four tabs with the keyboard alone: the order of focus, whether it is seen, and what keys do."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.dashboard.test_browser import TITLES, drawn
from tests.dashboard.test_frame import DEEPEST
from tests.tiny_nem import WINDOW

pytestmark = [
    pytest.mark.browser,
    pytest.mark.filterwarnings("ignore::bokeh.util.warnings.BokehUserWarning"),
]
FRAME = {"NEM", "NSW1", "SA1", "Export", "Switch between light and dark", "Data health"}
DATED = {"1d", "All", "Choose dates"}


def walk(page: Page, most: int = 250) -> list[dict]:
    """Every element that Tab reaches, in its order, once round the page."""
    found: list[dict] = []
    page.evaluate("document.activeElement?.blur()")
    for _ in range(most):
        page.keyboard.press("Tab")
        here = page.evaluate(DEEPEST)
        if here["tag"] == "BODY":
            return found
        found.append(here)
    pytest.fail(f"Tab never came round: {found[-3:]}")


@pytest.mark.parametrize(
    ("address", "wanted"),
    {
        "": {"South Australia", "Simplified", "Show Wind in the chart"},
        "?tab=generation&range=all": {"Capacity factor", "Simplified", "Share", "GWh", "Show Wind in the chart"},
        "?tab=prices&range=all": {"Duration curve", "SA1", "Mean"},
        "?tab=stations&range=all": {"All stations", "Find a station or a unit"},
    }.items(),
)
def test_every_control_is_reached_in_the_order_it_is_seen(page, url, address, wanted):
    page.goto(url + address)
    drawn(page, 1)
    page.locator(".receipt").first.wait_for()
    found = walk(page)
    assert [one["name"] for one in found if not one["seen"]] == []
    names = [one["name"] for one in found]
    first = names.index("NEM Overview")
    assert names[first : first + 4] == list(TITLES)
    assert FRAME | (DATED if "range" in address else set()) <= set(names)
    inside = names[first + 4 : names.index("Data health")]
    for want in wanted:
        assert any(want in name for name in inside), (want, inside)


def test_what_is_not_open_takes_no_room_and_no_focus(page, url):
    page.goto(f"{url}?tab=prices&range=all")
    page.locator("h2", has_text="Price bands").wait_for()
    tall = page.evaluate("document.querySelector('main').scrollHeight")
    page.locator(".bk-tab", has_text="Station Analysis").click()
    page.locator("h2", has_text="Colliery").wait_for()
    page.wait_for_function("(tall) => document.querySelector('main').scrollHeight < tall - 100", arg=tall)
    assert not any("Duration curve" in one["name"] for one in walk(page))


def test_what_a_chart_says_is_read_as_a_table_by_keys_alone(page, url, tiny_market):
    page.goto(f"{url}?tab=prices&range=all&view=time_of_day&region=NSW1")
    drawn(page, 2)
    page.locator("summary", has_text="Export").focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Table").first.focus()
    page.keyboard.press("Enter")
    sheet = page.get_by_role("dialog", name="Price by time of day")
    sheet.wait_for()
    assert sheet.locator("th").all_text_contents()[:2] == ["hour (h)", "all ($/MWh)"]
    assert sheet.locator("tbody tr").count() == 48
    rows = tiny_market.ask("regional_price", WINDOW, filters={"region_id": ["NSW1"]}, resolution="30min").table
    nine = [row for row in rows.to_pylist() if f"{row['interval_start']:%H:%M}" == "09:00"]
    mean = sum(row["rrp_sum"] for row in nine) / sum(row["interval_count"] for row in nine)
    assert float(
        sheet.locator("tbody tr").nth(18).locator("td").nth(1).text_content().replace(",", "")
    ) == pytest.approx(mean, abs=5e-4)
    assert page.evaluate(DEEPEST)["name"] == "Close"
    page.keyboard.press("Escape")
    sheet.wait_for(state="detached")
    assert page.evaluate(DEEPEST)["name"] == "Table"
