"""One series that lags by a day, or has never landed: every tab shows what there is, and says what it lacks (U9)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import numpy as np
import pyarrow.compute as pc
import pytest

from cache_store import open_store
from cache_store.errors import NothingHeldError
from dashboard import markup
from dashboard.contents import TAB_NAMES, TABS, load, tab_of
from dashboard.data import PACED_BY, Market, Selection
from dashboard.parts import build_tab
from dashboard.tables import comparison, daytime, generation, intervals, overview, price_duration
from dashboard.views import overview as overview_view
from nem.windows import Window, utc_time
from tests.dashboard.serving import market_of
from tests.tiny_nem import FIRST_OF_MARCH, LEAP_DAY, WINDOW, land_raw, raw_tables

LACKS = [
    *((table, absent) for table in ("unit_scada", "regional_price") for absent in (False, True)),
    *(("regional_demand", False), ("rooftop_pv", False), ("interconnector_flow", True)),
]
EVERY_PART = [(tab.name, part.word) for tab in TABS for part in tab.parts]


@pytest.fixture(scope="module")
def lacking(tmp_path_factory):
    """The market of a lake whose ``table`` ends a day before the others, or is not there at all."""
    made: dict[tuple[str, bool, datetime], Market] = {}

    def market(table: str, *, absent: bool = False, until: datetime = LEAP_DAY.end) -> Market:
        key = table, absent, until
        if key not in made:
            folder, tables = tmp_path_factory.mktemp(table), raw_tables()
            if absent:
                del tables[table]
            else:
                tables[table] = tables[table].filter(pc.less_equal(tables[table]["settlement_date"], until))
            source, store = land_raw(folder / "lake", tables), open_store(folder / "store")
            made[key] = market_of(source, store, lambda: utc_time(WINDOW.end))
        return made[key]

    return market


def paces(table: str, tab: str, view: str) -> bool:
    """Whether what is shown there is of nothing but that table: without it there is no answer."""
    if tab == "prices":
        return table == ("unit_scada" if view.startswith("value") else "regional_price")
    return table == "unit_scada" and tab in {"generation", "stations"} and view != "flows"


@pytest.mark.parametrize(("table", "absent"), LACKS)
def test_every_part_of_every_tab_stands_without(lacking, table, absent):
    market = lacking(table, absent=absent)
    for tab, view in EVERY_PART:
        for region in ("SA1",) if view else ("NEM", "SA1"):
            selection = Selection(tab=tab, view=view, region=region, range="1d")
            if absent and paces(table, tab, view):
                with pytest.raises(NothingHeldError, match=f"has no {table}"):
                    load(market, selection)
                continue
            build_tab(tab_of(tab)).show(load(market, selection))


def test_the_overview_without_todays_prices(lacking):
    tables = overview.load(lacking("regional_price"), Selection(region="NSW1"))
    assert (tables.window, tables.price_window) == (FIRST_OF_MARCH, LEAP_DAY)
    tile = {tile.region_id: tile for tile in tables.tiles}["NSW1"]
    assert tile.price == 50
    assert tile.day_price == pytest.approx((284 * 50 + 3200) / 288)  # the 29th's
    assert tables.recent.ends[-1] == LEAP_DAY.end
    assert len(tables.stack.columns["coal_black"]) == 288
    assert np.isnan(tables.stack.columns["price"]).all()
    assert tables.day_price is None
    assert tables.summary.today.mean_price is None
    assert tables.summary.today.supply_mwh == pytest.approx(1438 + 720 + 144)  # [2, 3, 13]
    assert tables.flows.links[0].newest["mean_mw"] is not None
    said = overview_view._reach(tables)
    assert "Prices and demand reach to 2024-03-01 00:00, generation to 2024-03-02 00:00" in said
    assert "no prices here" in markup.receipt_line(tables.receipts[:2])


def test_the_overview_without_todays_generation(lacking):
    """The newest price is told, however old the rest."""
    tables = overview.load(lacking("unit_scada"), Selection(region="SA1"))
    assert (tables.window, tables.price_window) == (LEAP_DAY, FIRST_OF_MARCH)
    assert {tile.region_id: tile.price for tile in tables.tiles}["SA1"] == 40
    assert tables.recent.ends[-1] == WINDOW.end
    assert tables.summary.today.window == LEAP_DAY
    assert tables.stack.columns["price"][-1] == 40


def test_the_overview_of_prices_alone(lacking):
    tables = overview.load(lacking("unit_scada", absent=True), Selection(region="NSW1"))
    assert tables.window == tables.price_window == FIRST_OF_MARCH
    assert [tile.region_id for tile in tables.tiles] == ["NEM", "NSW1", "SA1"]
    assert tables.stack.columns["demand"] == pytest.approx(np.full(288, 120.0))
    assert (tables.rows, tables.share_now, tables.records.day) == ([], None, None)
    assert (tables.summary.today.supply_mwh, tables.summary.today.mean_price) == (None, 50)
    assert "no generation here" in markup.receipt_line(tables.receipts[:2])


def test_demand_and_exchanges_are_means_over_the_hours_of_prices(lacking):
    """E7: the generation of a bucket may be whole where its prices stop half way. [36]: 18 MW out until noon."""
    market = lacking("regional_price", until=FIRST_OF_MARCH.start.replace(hour=12))
    selection = Selection(region="NSW1", resolution="1d", range="1d")
    told = generation.load_window(market, selection, FIRST_OF_MARCH)
    assert told.stack.columns["demand"] == pytest.approx([120.0])
    assert told.stack.columns["exports"] == pytest.approx([-18.0])
    assert {row.band.id: row.mean_mw for row in told.rows}["exports"] == pytest.approx(-18.0)
    assert told.receipts[1].coverage == 0.5
    energy = generation.load_window(market, replace(selection, unit="energy"), FIRST_OF_MARCH)
    assert energy.stack.columns["exports"] == pytest.approx([-18.0 * 12])
    day = daytime.load(market, replace(selection, range="all")).stack.columns
    assert day["exports"][:24] == pytest.approx(np.full(24, -18.0))
    assert day["imports"][24:] == pytest.approx(np.full(24, 6.0))  # of the 29th alone
    unmetered = lacking("regional_demand")  # after the 29th, with prices
    assert daytime.load(unmetered, replace(selection, range="all")).stack.columns["demand"][0] == pytest.approx(120.0)


def test_a_gap_is_no_range_to_compare_with(tiny_market):
    """Held before and after, and nothing in between."""
    reach = Window(datetime(2017, 1, 1), WINDOW.end)
    market = Market(tiny_market.ask, lambda _: reach, tiny_market.clock)
    selection = Selection(region="SA1", range="2024-03-01..2024-03-02", compare="2020-01-01..2020-01-02")
    assert comparison.load(market, selection).then is None
    assert price_duration.load(market, selection).compared_window is None
    summary = overview.load(market, selection).summary
    assert (summary.yesterday.window, summary.last_year) == (LEAP_DAY, None)
    with pytest.raises(NothingHeldError, match="no price of"):
        intervals.five_minute_prices(market, Window(datetime(2020, 1, 1), datetime(2020, 6, 1)))


def test_a_tab_is_anchored_on_what_paces_it():
    assert set(PACED_BY) == set(TAB_NAMES)
